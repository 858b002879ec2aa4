#!/bin/sh
# Files of a run folder that are well formed but wrong: nothing is read or written beyond what is there. A job of an
# interrupted comparison is done again; of trajectories.h5 a figure is left out.
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"

# ---- job files: every number that points somewhere, and what must be finite ----
a='{name="a"; set=["fit.epochs=3"];}'
b='{name="b"; set=["rules.learn.terms=w + x r", "fit.epochs=3"];}'
slow='{name="slow"; set=["rules.learn.terms=w", "fit.epochs=100000000"];}'
# compare CANDIDATES ARGUMENT...
compare() {
  candidates=$1
  shift
  exec "$PLASTFIT" compare "$PF_SRCDIR/configs/own-data.cfg" compare.base=a 'compare.validation=["in-sample"]' \
    "compare.candidates=($candidates)" compare.information_criteria=false threads=1 --quiet "$@"
}
(compare "$a,$b" out=right >log 2>&1) || fail "compare: $(cat log)"
(compare "$a,$b,$slow" out=kept >log 2>&1) &
running=$!
tries=0
while [ ! -e kept.part/jobs/000001.job ] && [ "$tries" -lt 300 ]; do
  sleep 0.1
  tries=$((tries + 1))
done
kill -TERM "$running"
wait "$running" || true
[ -e kept.part/jobs/000001.job ] || fail "an interrupted comparison keeps no jobs: $(cat log)"

# damaged EXPRESSION: with this done to the job files, --resume gives what a comparison gives that was never interrupted
damaged() {
  rm -rf again again.part
  cp -R kept.part again.part
  sed -i "$1" again.part/jobs/00000[01].job
  if cmp -s kept.part/jobs/000000.job again.part/jobs/000000.job; then
    fail "$1 changes nothing"
  fi
  (compare "$a,$b" out=again --resume >log 2>&1) || fail "after $1: exit $?: $(cat log)"
  cmp -s right/compare.csv again/compare.csv || fail "after $1: compare.csv is another"
}
damaged 's/^score 0/score 99999999/'                                        # no such animal
damaged 's/^score 0/score -1/'
damaged 's/^\(score [0-9]* [0-9]*\) 0/\1 3/'                                # an ablation that was not asked for
damaged 's/^\(score 0\) [0-9]*/\1 1/'                                       # a validation that was not asked for
damaged 's/^\(score 0 [0-9]* 0 0\) [0-9]*/\1 -5/'                           # fewer than no cells
damaged 's/^\(score 0 [0-9]* 0 0 [0-9]* [0-9]*\) [^ ]*/\1 inf/'             # a log likelihood of infinity
damaged 's/^\(score 0 [0-9]* 0 0 [0-9]* [0-9]*\) [^ ]*/\1 nan/'
damaged 's/^estimate 0/estimate 77/'
damaged 's/^\(estimate 0\) [^ ]*/\1 nan/'
damaged 's/^prediction 0/prediction 9/'                                     # no such recording
damaged 's/^\(prediction 0 [0-9]*\) [0-9]* [^ ]* /\1 1 0x1p-1\n#/'          # cut
damaged 's/^\(prediction 0 [0-9]* [0-9]*\) [^ ]*/\1 0x1p+9/'                # no probability
damaged 's/^fit 0 \([0-9]*\) \([0-9]*\) \([0-9]*\)/fit 0 \1 \2 16000000/'   # more rows than the file has bytes
damaged 's/^fit 0 \([0-9]*\) \([0-9]*\)/fit 0 99999999 \2/'
damaged 's/^fit 0/fit 1/'                                                   # failed, without a word why

# ---- trajectories.h5: shapes that do not agree, products that overflow, claims that the bytes cannot hold ----
python=
for candidate in python3 /usr/bin/python3 "${PF_PYTHON:-python3}"; do
  if "$candidate" -c 'import numpy, h5py' 2>/dev/null; then
    python=$candidate
    break
  fi
done
if [ -z "$python" ]; then
  echo "the part about trajectories.h5 is left out: no python3 with numpy and h5py (apt-get install python3-h5py)"
  finish
fi
# 1,100 animals, which are packed
awk -F, -v OFS=, 'NR == 1 { print } NR > 1 { line[n++] = $0 }
  END { for (i = 0; i < 1100; i++) for (j = 0; j < 1 + i % 2; j++) { $0 = line[(i + j) % n]; $1 = "a" i; $2 = j; print } }' \
  "$PF_SRCDIR/configs/own-data.csv" >many.csv
run_brief_fit run "$PF_SRCDIR/configs/own-data.cfg" fit.epochs=2 report=false || finish
run_brief_fit many "$PF_SRCDIR/configs/own-data.cfg" source.path="$work/many.csv" fit.epochs=2 report=false || finish
n_cases=0
for run in run many; do
  for case in $("$python" "$PF_SRCDIR/tests/e2e/crafted_h5.py" $run --list); do
    rm -rf crafted
    cp -R $run crafted
    "$python" "$PF_SRCDIR/tests/e2e/crafted_h5.py" crafted "$case" || fail "$case"
    "$PLASTFIT" report crafted >log 2>&1 || fail "$run, $case: exit $?: $(cat log)"
    [ -s crafted/report.html ] || fail "$run, $case: no report.html"
    n_cases=$((n_cases + 1))
  done
done
[ "$n_cases" -gt 40 ] || fail "only $n_cases files were crafted"
finish
