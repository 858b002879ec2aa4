#!/bin/sh
# The journeys of bench/journeys that need no compiler (tests/e2e/new_rule.sh and new_plugins.sh have the others).
. "$PF_SRCDIR/tests/e2e/lib.sh"
for journey in CSV bandit imaged spikes expr comparison Python; do
  python3 "$PF_SRCDIR/bench/journeys" --only "$journey" || fail "$journey"
done
finish
