#!/bin/sh
# Tables as labs have them are read as they stand: layouts of public recordings rebuilt small (reading.py), the flies of
# mohanta2022 from their matrices, and the cases of shared/cases that concern reading.
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"

python3 "$PF_SRCDIR/tests/e2e/reading.py"
while read -r name animals sessions trials steps rate reward; do
  "$PLASTFIT" check "$name.cfg" >stdout 2>stderr || {
    fail "$name: $(cat stderr)"
    continue
  }
  grep -q "^  $animals animals, $sessions sessions, [0-9]* experiments, $trials trials, $steps steps" stdout ||
    fail "$name: expected $animals animals, $sessions sessions, $trials trials; found $(grep ' animals, ' stdout)"
  [ "$animals" -eq 1 ] && line=$(grep -A1 'mean reward$' stdout | tail -1) || line=$(grep '^  all ' stdout)
  echo "$line" | grep -q " $rate % *$reward\$" || fail "$name: expected $rate % and $reward, found $line"
done <cases
[ "$(wc -l <cases)" -ge 10 ] || fail "fewer layouts than there were"

# what was told from the file and not by the config is said
said() {
  "$PLASTFIT" check "$1" >stdout 2>stderr || fail "$1: $(cat stderr)"
  grep -qF -- "$2" stderr || fail "$1: expected '$2', found '$(cat stderr)'"
}
said hbayesdm.cfg "columns are separated by tabs"
said hbayesdm.cfg "choices in column 'choice': 1 is 0, 2 is 1"
said excel.cfg "separated by semicolons, numbers have a decimal comma"
said excel.cfg "2 lines with # before the header are left out"
said excel.cfg "the column 'Tier' is taken for 'tier'"
said missed.cfg "choices in column 'choice': L is 0, R is 1"
said gng.cfg "an input for each value of 'cue': 1 is 0, 2 is 1"

# what a table looks like becomes a config that runs, and asks nothing; a config that is there stays
rm ./*.cfg
for table in hbayesdm.tsv four.tsv gng.tsv mouse.csv session1.csv explore.csv missed.csv guppy.csv excel.csv; do
  config=${table%.*}.cfg
  "$PLASTFIT" new config "$table" >stdout 2>stderr </dev/null || fail "new config $table: $(cat stderr)"
  read -r animals steps <<END
$(awk -v name="${table%.*}" '$1 == name { print $2, $5 }' cases)
END
  "$PLASTFIT" check "$config" >stdout 2>stderr || fail "$config: $(cat stderr)"
  [ -z "$animals" ] || grep -q "^  $animals animals, .* $steps steps" stdout || fail "$config: $(grep ' animals, ' stdout)"
done
"$PLASTFIT" fit hbayesdm.cfg fit.starts=1 'intervals.methods=["fisher"]' out=fitted --quiet 2>stderr || fail "hbayesdm.cfg: $(cat stderr)"
"$PLASTFIT" new config hbayesdm.tsv >stdout 2>&1 && fail "hbayesdm.cfg was written over"
printf 'a,b\nu,v\n' >nothing.csv
"$PLASTFIT" new config nothing.csv >stdout 2>stderr && fail "a table of nothing became a config"
grep -q "no column looks like" stderr || fail "nothing.csv: $(cat stderr)"

shared=${PF_SHARED:-$PF_SRCDIR/../shared}
[ -d "$shared/cases" ] || finish
cases=$shared/cases
# warned CONFIG TEXT OVERRIDE...
warned() {
  config=$1 text=$2
  shift 2
  "$PLASTFIT" check "$config" "$@" out=out >stdout 2>stderr || fail "$config: $(cat stderr)"
  grep WARNING stdout | grep -qF -- "$text" || fail "$config: expected '$text', found '$(grep WARNING stdout)'"
}
refused() {
  config=$1 text=$2
  shift 2
  "$PLASTFIT" check "$config" "$@" out=out >stdout 2>stderr && fail "$config: was taken"
  grep -qF -- "$text" stderr || fail "$config: expected '$text', found '$(cat stderr)'"
}
for table in capital lower; do
  "$PLASTFIT" fit "$cases/column-misnamed/capital.cfg" source.path="$cases/column-misnamed/$table.csv" out=$table --quiet 2>stderr ||
    fail "$table: $(cat stderr)"
done
cmp capital/theta.csv lower/theta.csv || fail "Animal and animal differ"
refused "$cases/blank-warning/d.cfg" "latin1.csv:2: the byte 0xE9 is no UTF-8" source.path="$cases/latin1/latin1.csv"
refused "$cases/messages/step0.cfg" "step 5: line 6: choice 2"
warned "$cases/arms-read-as-go-no-go/d.cfg" "4 rewards stand at steps where weights do not change"
warned "$cases/arms-read-as-go-no-go/d.cfg" "this looks like a choice between two arms"
"$PLASTFIT" fit "$cases/arms-read-as-go-no-go/d.cfg" fit.iterations=1 out=arms >fitted.out 2>&1 || [ $? -eq 1 ] # one iteration does not converge
grep -q "this looks like a choice between two arms" fitted.out || fail "a fit of arms as go/no-go says nothing: $(cat fitted.out)"
grep -q "taken for go/no-go" stdout || fail "arms: what the table was taken for is not said"
"$PLASTFIT" check "$cases/arms-read-as-go-no-go/d.cfg" 'source.kind="choice"' out=out | grep -q "looks like" && fail "warned of arms that are"
warned "$cases/mask-drops-weights/mask_w0.cfg" "1 of 1 starting weights that are not 0 have no synapse: is the matrix transposed?"
hint=$cases/penalty-hint
warned "$hint/penalty_hint.cfg" "4 of 4 values (4 to 7) cannot come out of" source.path="$hint/tanh_range.csv" network.output=tanh
"$PLASTFIT" check "$hint/penalty_hint.cfg" source.path="$hint/tanh_range.csv" out=out | grep -q "cannot come out" && fail "linear units have no bounds"
warned "$hint/penalty_hint.cfg" "unit 2 of 3 was never recorded" source.path="$hint/dead_cell.csv" 'network.layers=[1,3]'
warned "$hint/penalty_hint.cfg" "unit 3 of 3 is constant" source.path="$hint/dead_cell.csv" 'network.layers=[1,3]'
"$PLASTFIT" fit "$hint/penalty_hint.cfg" out=hint >stdout 2>stderr || fail "penalty_hint: $(cat stderr)"
tr -s ' \n' '  ' <stdout | grep -qF "fit without a penalty (network.initial_weights.l2=0)" || fail "another penalty is named than the one there is"
"$PLASTFIT" fit "$hint/penalty_hint.cfg" penalty.l1=0.01 out=hints >stdout 2>stderr || [ $? -eq 1 ] || fail "two penalties: $(cat stderr)"
tr -s ' \n' '  ' <stdout | grep -qF "fit without a penalty (penalty.l1=0, network.initial_weights.l2=0)" || fail "of two penalties not both are named"
refused "$cases/messages/valid.cfg" "the config has no option 'validation'; did you mean 'compare.validation'?"
"$PLASTFIT" compare "$cases/messages/plastic.cfg" out=compared >stdout 2>stderr && fail "other plastic steps were compared"
grep -qF "the steps after which weights change" stderr || fail "what differs is not named: $(cat stderr)"
"$PLASTFIT" check "$cases/blank-warning/d.cfg" out=out >stdout 2>&1
grep -q "predicts every choice" stdout && fail "a channel that is no input was said to predict choices"

# the 88 flies of mohanta2022 straight from their files; Q-learning of ten of them, against what Python makes of it
flies=$shared/data/mohanta2022
[ -d "$flies" ] || finish
"$PLASTFIT" check "$PF_SRCDIR/configs/two-arms.cfg" source.folder="$flies" out=out >stdout 2>stderr || fail "two-arms.cfg: $(cat stderr)"
grep -q "^  88 animals, 88 sessions, 88 experiments, 14080 trials, 14080 steps" stdout || fail "mohanta2022: $(grep ' animals, ' stdout)"
grep -q "^  all .* 55.3 % *0.441$" stdout || fail "mohanta2022: expected 55.3 % and 0.441, found $(grep '^  all' stdout)"
grep -q "taken for a choice between 2 options" stdout || fail "mohanta2022: $(grep 'taken for' stdout)"
mkdir ten
for matrix in "$flies"/*.csv; do head -10 "$matrix" >ten/"$(basename "$matrix")"; done
set -- "$PF_SRCDIR/configs/two-arms.cfg" source.folder=ten fit.per=animal 'intervals.methods=["fisher"]'
"$PLASTFIT" fit "$@" out=plain --quiet 2>stderr || fail "ten flies: $(cat stderr)"
python3 "$PF_SRCDIR/tests/e2e/two_arms.py" ten plain || fail "Q-learning: another log likelihood"
"$PLASTFIT" fit "$@" rules.learn.terms='"x y r + x y w + w"' \
  'rules.learn.parameters.X0Y0W1R0={ initial = -0.1; lower = -1.0; upper = 0.0; }' out=forget --quiet 2>stderr || fail "ten flies: $(cat stderr)"
python3 "$PF_SRCDIR/tests/e2e/two_arms.py" ten forget forget || fail "Q-learning, all forget: another log likelihood"
finish
