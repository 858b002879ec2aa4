#!/bin/sh
# `plastfit new config` on files as labs have them (labs.py): a config that `check` and `fit` take as it stands, every guess
# marked; what cannot be guessed is one line.
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"
python=python3
for candidate in "${PF_PYTHON:-}" python3 /usr/bin/python3; do
  [ -n "$candidate" ] && "$candidate" -c 'import numpy, h5py' 2>/dev/null && { python=$candidate; break; }
done
"$python" "$PF_SRCDIR/tests/e2e/labs.py" . || { fail "labs.py"; finish; }
while read -r file animals steps; do
  "$PLASTFIT" new config "$file" >out 2>err </dev/null || { fail "$file: $(cat err)"; continue; }
  config=$(sed -n 's/^Wrote \([^:]*\):.*/\1/p' out)
  "$PLASTFIT" check "$config" >out 2>err || { fail "$config: $(cat err)"; continue; }
  grep -q "^  $animals animals*, .* $steps steps" out || fail "$file: expected $animals animals, $steps steps: $(grep ' steps' out)"
  run_fit "fit-${config%.cfg}" "$config" fit.starts=1 'intervals.methods=["fisher"]' report=false --quiet
done <cases
echo "$(wc -l <cases) files became configs that run"
[ "$(wc -l <cases)" -ge 17 ] || fail "fewer files than there were"
"$PLASTFIT" new config l18.csv >out 2>err && fail "latin1 was taken"
grep -q "l18.csv:2: the byte 0xE9 is no UTF-8" err || fail "latin1: $(cat err)"
grep -q 'missing = \["-1"\]' l06.cfg || fail "-1 beside 0 and 1 is no missed trial: $(cat l06.cfg)"
grep -q 'trial = ""' l05.cfg || fail "trials that begin anew were taken: $(cat l05.cfg)"
grep -q 'from = \["loss", "win"\]; to = \[0.0, 1.0\]' l04.cfg || fail "win and loss: $(cat l04.cfg)"
grep -q 'kind = "go_no_go"' l08.cfg || fail "an odour taken or left: $(cat l08.cfg)"
grep -q 'l11_rewards.csv' l11_choices.cfg || fail "the rewards beside the choices: $(cat l11_choices.cfg)"
[ "$(grep -c '# guess' l02.cfg)" -ge 6 ] || fail "guesses are not marked: $(cat l02.cfg)"
finish
