#!/bin/sh
# Every call that may fail, failing: the n-th allocation, fopen, write, ... of a fit, a comparison, a recovery, a report, an
# evaluation, and of fits of a population and of a marginal likelihood.
# The end is an exit code of 1 or 2 and a line, or exit 0 and all that there is without a failure. Never a crash, never a
# part of the result.
#
# FAILURES=N (default 2): how many of each call fail, evenly spread. FAILURES=all: each of them (an hour of an idle machine).
# FAILURES_COMMANDS, FAILURES_CALLS: only these.
. "$PF_SRCDIR/tests/e2e/lib.sh"
if [ -n "$(sed -n 's/^PF_SANITIZE *= *//p' "$PF_BUILDDIR/Makefile")" ]; then
  echo "SKIPPED: sanitizers have their own malloc"
  exit 77
fi
${CC:-cc} -O1 -shared -fPIC -o "$work/fail.so" "$PF_SRCDIR/tests/failures/fail_call.c" -ldl || exit 1
cd "$work"
OMP_NUM_THREADS=1
export OMP_NUM_THREADS
cp "$PF_SRCDIR/configs/own-data.cfg" "$PF_SRCDIR/configs/own-data.csv" .
printf '#!/bin/sh\nexec "%s" fit own-data.cfg fit.epochs=2 evaluate.draws=1 out=out --quiet\n' "$PLASTFIT" >fit
cat >compare <<END
#!/bin/sh
exec "$PLASTFIT" compare own-data.cfg compare.base=a 'compare.validation=["in-sample"]' fit.epochs=2 out=out --quiet \\
  'compare.candidates=({name="a";},{name="b"; set=["rules.learn.terms=w + x r"];})'
END
cat >recover <<END
#!/bin/sh
exec "$PLASTFIT" recover "$PF_SRCDIR/configs/coverage-choices.cfg" recover.data_sets=2 source.animals=2 fit.starts=1 \\
  'intervals.methods=["fisher"]' fit.optimiser=adam fit.epochs=3 out=out --quiet
END
printf '#!/bin/sh\nexec "%s" report out\n' "$PLASTFIT" >report
printf '#!/bin/sh\nexec "%s" evaluate out --quiet\n' "$PLASTFIT" >evaluate
small="source.animals=3 evaluate.draws=1 out=out --quiet 'source.task.blocks=({trials=20;reward=[0.2,0.8];})'"
printf '#!/bin/sh\nexec "%s" fit "%s" %s "network.layers=[2,2,1]" rules.learn.terms="w + x r"\n' \
  "$PLASTFIT" "$PF_SRCDIR/configs/population.cfg" "$small" >population
sed 's/give: {.*};/give: { inputs = false; initial_weights = false; };/' "$PF_SRCDIR/configs/coverage-choices.cfg" >marginal.cfg
printf '#!/bin/sh\nexec "%s" fit marginal.cfg %s fit.starts=1 rules.learn.terms="x r" %s %s\n' "$PLASTFIT" "$small" \
  "likelihood=marginal marginal.particles=20 marginal.draws=6 marginal.iterations=20 marginal.replicates=2" \
  "'intervals.methods=[\"fisher\"]' source.animals=2" >marginal
chmod +x fit compare recover report evaluate population marginal
all_calls="alloc fopen fread fwrite fflush fclose open read write close rename fsync mkdir unlink mmap flock stat fork"
# calls_of COMMAND: the last two are fits, and in a brief test only their own pieces are of interest
calls_of() {
  case $1${FAILURES:-} in
  population | marginal) echo alloc fwrite rename ;;
  *) echo "$all_calls" ;;
  esac
}
# what a report or an evaluation needs
needs_run() { [ "$1" = report ] || [ "$1" = evaluate ]; }

# contents: what a folder holds, without what differs between two runs (times)
contents() {
  (cd out && find . -type f ! -name '*.h5' ! -name .plastfit | sort | while read -r file; do
    printf '%s ' "$file"
    sed -e 's/[0-9.e+-]* s)//; s/"seconds[^,}]*//g; s/seconds,.*//' "$file" | grep -v 'second\| s\b' | cksum
  done; find . -name '*.h5') 2>&1
}
# The table: of each command and call how many there are, how many failed, and how it ended
tried=0
./fit >log 2>&1 || fail "fit: $(cat log)"
rm -rf fitted
mv out fitted
printf '%-10s %-7s %6s %6s   %s\n' command call calls failed 'told (exit 1 or 2), nothing missing (exit 0)' >table
for command in ${FAILURES_COMMANDS:-fit compare recover report evaluate population marginal}; do
  rm -rf out out.*
  if needs_run "$command"; then cp -R fitted out; fi
  ./$command >log 2>&1 || fail "$command: $(cat log)"
  contents >whole
  for call in ${FAILURES_CALLS:-$(calls_of "$command")}; do
    prepare() {
      rm -rf out out.*
      if needs_run "$command"; then cp -R fitted out; fi
    }
    prepare
    FAIL_CALL=$call FAIL_COUNT=$work/count LD_PRELOAD=$work/fail.so ./$command >log 2>&1 || fail "$command, counting $call: $(cat log)"
    n=$(cat count)
    several=${FAILURES:-2}
    [ "$several" != all ] && [ "$several" -lt "$n" ] || several=$n
    k=0
    told=0
    while [ "$k" -lt "$several" ]; do
      k=$((k + 1))
      at=$((1 + (2 * k - 1) * n / (2 * several)))
      [ "$at" -le "$n" ] || at=$n
      prepare
      code=0
      FAIL_CALL=$call FAIL_N=$at LD_PRELOAD=$work/fail.so ./$command >log 2>&1 || code=$?
      tried=$((tried + 1))
      case $code in
      0)
        contents >found
        cmp -s whole found || fail "$command, $call $at of $n: exit 0, but: $(diff whole found | head -4 | tr "\n" " ")"
        ;;
      1 | 2)
        [ -s log ] || fail "$command, $call $at of $n: exit $code without a word"
        told=$((told + 1))
        ;;
      *) fail "$command, $call $at of $n: exit $code: $(tail -2 log)" ;;
      esac
    done
    printf '%-10s %-7s %6s %6s   %s, %s\n' $command $call "$n" "$several" $told $((several - told)) >>table
  done
done
cat table
echo "$tried failures"
[ -n "${FAILURES_COMMANDS:-}${FAILURES_CALLS:-}" ] || [ "$tried" -gt 30 ] || fail "only $tried failures: nothing was intercepted"
finish
