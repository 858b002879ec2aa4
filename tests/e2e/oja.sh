#!/bin/sh
# configs/oja.cfg finds Oja's rule again: R2 of weights and activity on fresh experiments.
. "$PF_SRCDIR/tests/e2e/lib.sh"

run_fit oja "$PF_SRCDIR/configs/oja.cfg" || finish
figure oja "s['mean']"
holds oja "s['mean']['r2_weights'] >= 0.99"
holds oja "s['mean']['r2_activity'] >= 0.999"
# and the summary shows truth beside estimate
grep -q 'truth' "$work/oja.log" || fail "the terminal summary does not show the truth"
finish
