#!/bin/sh
# The same data in other units (1e-12 to 1e9), another order, other words, with other threads: the same answer.
. "$PF_SRCDIR/tests/e2e/lib.sh"
python3 "$PF_SRCDIR/tests/e2e/invariance.py" "$PLASTFIT" "$work/data" || fail "the answer depends on how the data are written"
finish
