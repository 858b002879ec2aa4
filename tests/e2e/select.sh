#!/bin/sh
# Selection of terms: the rule that made the data is found among five terms, forward and backward; same bytes for any
# number of threads and after SIGKILL in the middle of a path; refusals.
. "$PF_SRCDIR/tests/e2e/lib.sh"
config=$PF_SRCDIR/configs/compare-quickstart.cfg

# with SELECT ARGUMENT...: `plastfit compare` of five terms with that group `select`. The animals' rule is x r - 0.05 w.
run=
with() {
  select=$1
  shift
  $run "$PLASTFIT" compare "$config" source.animals=6 'rules.learn.terms=1 + w + x + r + x r' fit.per=shared fit.starts=1 \
    "compare={ validation=[\"forecast\"]; ablations=false; information_criteria=false; candidates=({ name=\"five terms\"; }); select={ $select }; }" \
    "$@"
}

# same A B: the same files, byte for byte
same() {
  for file in selection.csv compare.csv compare.h5 summary.json; do
    cmp "$work/$1/$file" "$work/$2/$file" || fail "$1 and $2 differ in $file"
  done
}

# refused WORD SELECT: exit code 2, and one line with WORD
refused() {
  code=0
  with "$2" out="$work/refused" >"$work/refused.log" 2>&1 || code=$?
  [ "$code" -eq 2 ] || fail "expected exit code 2 of select { $2 }; found $code"
  grep -q -- "$1" "$work/refused.log" || fail "expected '$1' in: $(cat "$work/refused.log")"
  [ "$(wc -l <"$work/refused.log")" -eq 1 ] || fail "expected one line: $(cat "$work/refused.log")"
}

with '' threads=1 out="$work/one" >"$work/one.log" 2>&1 || { fail "compare with select"; cat "$work/one.log"; }
# measured (ll/obs): none -0.69, x r -0.53, w + x r -0.4223, all five -0.4222: the smallest that is as good is the truth
holds one "s['selection']['rule'] == 'rules.learn' and s['selection']['n_terms'] == 5 and s['selection']['validation'] == 'forecast'"
for path in forward backward; do
  holds one "[p['terms'] for p in s['selection']['paths']['$path'] if p['chosen']] == ['w + x r']"
  holds one "sum(p['best'] for p in s['selection']['paths']['$path']) == 1"
done
holds one "[p['terms'] for p in s['selection']['paths']['forward'][:3]] == ['none', 'x r', 'w + x r']"
holds one "[p['change'] for p in s['selection']['paths']['forward'][:3]] == ['', '+ x r', '+ w']"
# without terms every choice is as likely as not, but for what the small initial weights say (ln 2 = 0.6931)
holds one "abs(s['selection']['paths']['forward'][0]['log_likelihood_per_observation']['value'] + 0.6931) < 0.01"
holds one "s['selection']['paths']['backward'][0]['terms'].count('+') == 4"
# under a growing penalty there are fewer terms in the end, and w and x r are among them
holds one "[p['change'] for p in s['selection']['paths']['l1']] == ['l1 = 0.0001', 'l1 = 0.0003', 'l1 = 0.001', 'l1 = 0.003', 'l1 = 0.01', 'l1 = 0.03', 'l1 = 0.1']"
holds one "s['selection']['paths']['l1'][-1]['n_terms'] < 5 and all('w' in p['terms'] and 'x r' in p['terms'] for p in s['selection']['paths']['l1'])"
# a set is scored as a candidate is: all five terms are the comparison's own candidate
holds one "s['selection']['paths']['backward'][0]['log_likelihood_per_observation'] == s['candidates'][0]['validations']['forecast']['log_likelihood_per_observation']"
# forward tried 1 + 5 + 4 + 3 + 2 + 1 sets
[ "$(grep -c '^forward,' "$work/one/selection.csv")" -eq 16 ] || fail "selection.csv: $(cut -c1-60 "$work/one/selection.csv")"
grep -q "^ .\* forward   + w .* w + x r$" "$work/one.log" || fail "the terminal does not show what was chosen: $(cat "$work/one.log")"
grep -q "too good" "$work/one.log" || fail "it is not said that the scores picked the terms"
grep -q "Selection of terms" "$work/one/report.html" || fail "report.html has no selection"

# ---- killed in the middle of a path, resumed with other threads ----
(
  run='exec' # so that it is plastfit that is killed, not a shell that waits for it
  with '' threads=1 out="$work/killed"
) >"$work/killed.log" 2>&1 &
pid=$!
while kill -0 "$pid" 2>/dev/null; do # not the clock: the path has got to its second round
  find "$work/killed.part/jobs" -name 'select-forward-002*job' 2>/dev/null | grep -q . && break
done
kill -9 "$pid" 2>/dev/null || fail "it was over before it could be killed"
wait "$pid" 2>/dev/null || true
[ ! -e "$work/killed" ] || fail "a killed comparison left its folder"
with '' threads=3 out="$work/killed" --resume >"$work/resumed.log" 2>&1 || { fail "resume"; cat "$work/resumed.log"; }
same one killed

# ---- refusals ----
refused "did you mean 'learn'" 'rule="lern";'
refused "choose from forward, backward, l1" 'methods=["foreward"];'
refused "steps that no fit has seen" 'validation="in-sample";'
refused "did you mean 'patience'" 'patiance=3;'
refused "select.l1 is empty" 'l1=[];'
code=0
with '' 'rules.learn.terms=x r' out="$work/refused" >"$work/refused.log" 2>&1 || code=$?
[ "$code" -eq 2 ] && grep -q "nothing to select from" "$work/refused.log" || fail "one term: exit $code, $(cat "$work/refused.log")"
finish
