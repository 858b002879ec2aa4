#!/bin/sh
# Every target of tests/fuzz on its kept inputs (tests/fuzz/corpus/TARGET) and some changed copies: no crash, no sanitizer's
# report, nothing that takes a minute. FUZZ_CHANGED=N: that many copies of each (default 1); FUZZ_SEED: other ones.
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"
. "$PF_SRCDIR/tests/fuzz/prepare.sh"
fuzz_make_bases
fuzz_make_runs || { cat comparison.log; exit 1; }
fuzz_make_seeds
for target in $fuzz_targets; do
  fuzz_set "$target" "$work/scratch"
  OMP_NUM_THREADS=1 \
    "$PF_BUILDDIR/tests/fuzz/replay" "seeds/$target" "${FUZZ_CHANGED:-1}" "${FUZZ_SEED:-1}" >log 2>&1 || {
    fail "$target: exit $?: $(grep -v 'warning:' log | tail -3); the input is in ${TMPDIR:-/tmp}/fuzz-input"
    cp "$work/scratch.last" "${TMPDIR:-/tmp}/fuzz-input"
  }
  tail -1 log
done
finish
