#!/bin/sh
# A fit, a comparison, a recovery and a report, killed before a call that changes a file, and at random times: `out` is the
# old run or the new one, whole; the same command again ends with the bits of one that nothing happened to. Then power cuts:
# every state that a disk may be left in.
#
# KILLS=N (default 3): so many of the calls, evenly spread; KILLS=all: each of them. RANDOM_KILLS=N (default 0): so many
# kills at random times. Both together take some twenty minutes; tests/failures/README.md has what they gave.
. "$PF_SRCDIR/tests/e2e/lib.sh"
if [ -n "$(sed -n 's/^PF_SANITIZE *= *//p' "$PF_BUILDDIR/Makefile")" ]; then
  echo "SKIPPED: sanitizers do not run under ptrace"
  exit 77
fi
cd "$work"
${CC:-cc} -O1 -o trace "$PF_SRCDIR/tests/failures/trace_files.c" || exit 1
./trace count true 2>log || {
  echo "SKIPPED: no process can be traced here: $(cat log)"
  exit 77
}
cp "$PF_SRCDIR/configs/own-data.cfg" "$PF_SRCDIR/configs/own-data.csv" .
mkdir w
OMP_NUM_THREADS=1
export OMP_NUM_THREADS
# run SEED HOW: of $command; the old run has seed 1, the new one seed 2
run() {
  case $command in
  fit) set -- fit own-data.cfg fit.epochs=2 evaluate.draws=1 seed="$1" out="$work/w/out" --quiet $2 ;;
  compare)
    set -- compare own-data.cfg compare.base=a 'compare.validation=["in-sample"]' fit.epochs=2 seed="$1" out="$work/w/out" \
      'compare.candidates=({name="a";},{name="b"; set=["rules.learn.terms=w + x r"];})' --quiet $2
    ;;
  recover)
    set -- recover "$PF_SRCDIR/configs/coverage-choices.cfg" recover.data_sets=2 source.animals=2 fit.starts=1 \
      'intervals.methods=["fisher"]' fit.optimiser=adam fit.epochs=3 seed="$1" out="$work/w/out" --quiet $2
    ;;
  report) set -- report "$work/w/out" ;;
  esac
  $before "$PLASTFIT" "$@" >log 2>&1
}
# contents FOLDER: without what differs between two runs (times, the process)
contents() {
  [ -d "$1" ] || { echo none; return; }
  (cd "$1" && find . -type f ! -name '*.h5' ! -name .plastfit ! -name '*.part' | sort | while read -r file; do
    printf '%s ' "$file"
    sed -e 's/[0-9.e+-]* s)//; s/"seconds[^,}]*//g; s/seconds,.*//' "$file" | grep -v 'second\| s\b' | cksum
  done; find . -name '*.h5' | sort)
}
# prepare WITH-OLD
prepare() {
  rm -rf w
  mkdir w
  before=
  if [ "$command" = report ]; then
    command=fit
    run 1 ""
    command=report
  elif [ "$1" = old ]; then
    cp -R old w/out
  fi
}
how_of() {
  how=
  if [ "$1" = old ] && [ "$command" != report ]; then how=--force; fi
}
# judge WITH-OLD WHAT: after a kill
judge() {
  contents w/out >found
  if ! cmp -s found new.txt && ! cmp -s found old.txt && { [ "$1" = old ] || ! grep -qx none found; }; then
    fail "$command, $2: out is neither the old nor the new run: $(diff found new.txt | head -3 | tr '\n' ' ')"
  fi
  again=$how
  before=
  if cmp -s found new.txt; then
    again=--force
    [ "$command" != report ] || again=
  elif [ "$command" = compare ] && [ -d w/out.part/jobs ] && [ "$1" = none ]; then
    again=--resume
  fi
  run 2 "$again" || grep -q "no result rests\|is in its place again" log || [ "$command" = recover ] || fail "$command, $2: the next run: $(cat log)"
  contents w/out >found
  cmp -s found new.txt || fail "$command, $2: the next run differs: $(diff found new.txt | head -3 | tr '\n' ' ')"
}
kills=0
for command in fit compare recover report; do
  prepare none
  run 1 "" || true
  rm -rf old
  cp -R w/out old
  contents old >old.txt
  how=--force
  [ "$command" != report ] || how=
  run 2 "$how" || true
  contents w/out >new.txt
  for with in none old; do
    [ "$command$with" != reportnone ] || continue
    how_of $with
    prepare $with
    rm -rf record before.copy
    mkdir record
    cp -R w before.copy
    before="./trace record record"
    run 2 "$how" || true
    n=$(tail -1 log)
    if [ "$command" != report ]; then
      python3 "$PF_SRCDIR/tests/failures/power_loss.py" record "$work/w" "$work/w/out" before.copy >power || fail "$command, $with run before, power cut: $(cat power)"
      echo "$command, $with run before: power cuts: $(tail -1 power)"
    fi
    several=${KILLS:-3}
    [ "$several" != all ] && [ "$several" -lt "$n" ] || several=$n
    k=0
    while [ "$k" -lt "$several" ]; do
      k=$((k + 1))
      at=$((1 + (2 * k - 1) * n / (2 * several)))
      [ "$at" -le "$n" ] || at=$n
      prepare $with
      before="./trace kill $at"
      run 2 "$how" || true
      judge $with "$with run before, killed before call $at of $n"
      kills=$((kills + 1))
    done
    k=0
    while [ "$k" -lt "${RANDOM_KILLS:-0}" ]; do
      k=$((k + 1))
      prepare $with
      before="timeout -s KILL $(awk "BEGIN { srand($k); print 0.01 + 0.5 * rand() }")"
      run 2 "$how" 2>/dev/null || true
      judge $with "$with run before, random kill $k"
      kills=$((kills + 1))
    done
    echo "$command, $with run before: $n calls, $several kills, ${RANDOM_KILLS:-0} at random"
  done
done
echo "$kills kills"
finish
