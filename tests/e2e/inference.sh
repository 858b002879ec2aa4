#!/bin/sh
# Standard errors against regressions computed otherwise, and the verdicts on problems whose answer is known.
. "$PF_SRCDIR/tests/e2e/lib.sh"
mkdir "$work/known" "$work/verdicts"
python3 "$PF_SRCDIR/tests/e2e/inference.py" "$PLASTFIT" "$work/known" >"$work/log" 2>&1 || fail "$(cat "$work/log")"
python3 "$PF_SRCDIR/tests/e2e/verdicts.py" "$PLASTFIT" "$work/verdicts" >"$work/log" 2>&1 || fail "$(cat "$work/log")"
cat "$work/log"
mkdir "$work/more"
python3 "$PF_SRCDIR/tests/e2e/verdicts_more.py" "$PLASTFIT" "$work/more" >"$work/log" 2>&1 || fail "$(cat "$work/log")"
cat "$work/log"
python3 "$PF_SRCDIR/tests/e2e/separation.py" "$PLASTFIT" "$work/separation" >"$work/log" 2>&1 || fail "$(cat "$work/log")"
cat "$work/log"
finish
