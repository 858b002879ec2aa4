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
"$PLASTFIT" check "$cases/blank-warning/d.cfg" out=out >stdout 2>&1
grep -q "every choice follows" stdout && fail "a channel that is no input was said to predict choices"
finish
