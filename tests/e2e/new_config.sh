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

# inputs with a few empty cells: drawn, and the config says so
awk 'BEGIN { print "mouse,trial,x1,x2,choice,reward"
  for (t = 0; t < 40; t++) printf "a,%d,%s,%g,%d,%d\n", t, t % 10 == 3 ? "" : t % 7 / 7, t % 5 / 5, t % 3 == 0, t % 2 }' >holes.csv
"$PLASTFIT" new config holes.csv >out 2>err || fail "holes.csv: $(cat err)"
grep -q 'missing_inputs = "draw";   # guess: 4 cells of the inputs are empty, the first in x1' holes.cfg || fail "holes.cfg: $(cat holes.cfg)"
"$PLASTFIT" check holes.cfg >out 2>err || fail "holes.cfg: $(cat err)"
grep -q "4 of 80 inputs are missing and drawn" out || fail "holes.cfg: $(cat out)"

# names with other signs in them; a table without a reward is told, and its rule has none
awk -F, -v OFS=";" 'NR == 1 { print "Mouse ID", "trial#", "side", "Correct?" } NR > 1 { print "M" int((NR - 2) / 40), 1 + (NR - 2) % 40, (NR % 3 == 0 ? "R" : "L"), NR % 2 }
  NR == 121 { exit }' "$PF_SRCDIR/configs/arms.csv" >signs.csv
"$PLASTFIT" new config signs.csv >out 2>err || fail "signs: $(cat err)"
for role in 'animal = "Mouse ID"' 'trial = "trial#"' 'choice = "side"' 'reward = "Correct?"'; do
  grep -qF "$role" signs.cfg || fail "signs: no $role in $(cat signs.cfg)"
done
sed '1s/Correct?/shade/' signs.csv >shade.csv
"$PLASTFIT" new config shade.csv >out 2>err || fail "shade: $(cat err)"
grep -q "No column looks like the reward" out || fail "shade: that there is no reward is not told: $(cat out)"
grep -q 'terms = "x y + x y w"' shade.cfg || fail "shade: $(cat shade.cfg)"
"$PLASTFIT" check shade.cfg >out 2>err || fail "shade: $(cat err)"
# a new user with the 88 flies of mohanta2022, as matrices and as a long table: three commands to a comparison of three rules
flies=${PF_SHARED:-$PF_SRCDIR/../shared}/data/mohanta2022
[ -d "$flies" ] || finish
mkdir flies
for matrix in "$flies"/training_choice_set.csv "$flies"/training_reward_set.csv; do head -12 "$matrix" >"flies/$(basename "$matrix")"; done
{
  echo "fly,trial,choice,reward"
  paste -d, flies/training_choice_set.csv flies/training_reward_set.csv |
    awk -F, '{ n = NF / 2; for (t = 1; t <= n; t++) printf "%d,%d,%d,%d\n", NR, t, $t, $(n + t) }'
} >long.csv
for data in flies/training_choice_set.csv long.csv; do
  name=$(basename "$data" .csv)
  "$PLASTFIT" new config "$data" >out 2>err || fail "$name: $(cat err)"
  "$PLASTFIT" check "$name.cfg" >out 2>err || fail "$name: $(cat err)"
  grep -q "^  12 animals, .* 1920 steps" out || fail "$name: $(grep ' steps' out)"
  run_fit "$name" "$name.cfg" 'intervals.methods=["fisher"]' report=false --quiet
done
cmp training_choice_set/theta.csv long/theta.csv || fail "the long table gives another theta than the matrices"
"$PLASTFIT" compare long.cfg 'compare.validation=["forecast"]' report=false out=compared >out 2>err || [ $? -eq 1 ] || fail "compare: $(cat err)"
[ "$(cut -d, -f1 compared/compare.csv | sort -u | wc -l)" -ge 4 ] || fail "compare: not three rules: $(head -3 compared/compare.csv)"
grep -q "On held-out steps (forecast)" out || fail "compare: no conclusion: $(tail -5 out)"
finish
