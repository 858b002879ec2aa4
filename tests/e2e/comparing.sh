#!/bin/sh
# Comparisons whose answers are known (the project's folder of cases): optima, ties, fits that do not count, what differs.
. "$PF_SRCDIR/tests/e2e/lib.sh"
cases=${PF_SHARED:-$PF_SRCDIR/../shared}/cases
if [ ! -d "$cases/compare-stuck" ]; then
  echo "SKIPPED: the cases are not at $cases (set PF_SHARED)"
  exit 77
fi

# compare OUT CODE CONFIG ARGUMENT...: quietly into $work/OUT, ending with exit code CODE
compare() {
  out=$1 want=$2
  shift 2
  code=0
  "$PLASTFIT" compare "$@" report=false out="$work/$out" >"$work/$out.log" 2>&1 || code=$?
  [ "$code" -eq "$want" ] || fail "expected exit code $want of plastfit compare $*; found $code: $(tail -n 3 "$work/$out.log")"
}

# ---- no candidate stays at a wrong optimum, though the config asks for one start ----
compare stuck 0 "$cases/compare-stuck/d.cfg"
holds stuck "abs(s['candidates'][0]['validations']['in-sample']['log_likelihood_per_observation']['value'] + 0.2949) < 5e-5"
holds stuck "[c['validations']['in-sample']['status'] for c in s['candidates']] == ['ok', 'ok']"
# the bigger candidate fits no worse
holds stuck "(lambda v: v[1] >= v[0])([c['validations']['in-sample']['log_likelihood_per_observation']['value'] for c in s['candidates']])"

# ---- data of exactly w + x r: a constant term is not told apart ----
compare claim 0 "$cases/compare-false-claim/d.cfg" compare.ablations=false
holds claim "[round(c['validations']['forecast']['log_likelihood_per_observation']['value'], 4) for c in s['candidates']] == [-0.2855, -0.2854]"
holds claim "abs(s['candidates'][1]['validations']['forecast']['against_base']['p'] - 0.23) < 0.01"
holds claim "round(s['candidates'][0]['aic']) == 9080 and 'not told apart' in s['words'] and 'beats' not in s['words']"

# ---- one rule, two optimisers: a tie, in words, table and files ----
compare tie 0 "$cases/same-rule-twice/same-rule.cfg"
holds tie "(lambda f: f['n_ties'] == 18 and f['n_better'] == 0 and f['p'] == 1.0)(s['candidates'][1]['validations']['in-sample']['against_base'])"
holds tie "'tie in 18 of 18' in s['words'] and s['tie_nats'] == 1e-4"
[ "$(grep -c ',tie,' "$work/tie/compare.csv")" -eq 18 ] || fail "compare.csv does not name 18 ties"

# ---- what differs is named, and nothing else ----
compare plastic 2 "$cases/messages/plastic.cfg"
grep -q "what differs is .plastic., the steps" "$work/plastic.log" || fail "plastic: $(cat "$work/plastic.log")"
! grep -q "choice\|reward\|animals" "$work/plastic.log" || fail "more than plastic is named: $(cat "$work/plastic.log")"

# ---- fits that are cut short count for nothing: they are named, and the exit code is 1 ----
compare cut 1 "$cases/same-rule-twice/same-rule.cfg" \
  'compare.candidates=({ name = "whole"; }, { name = "cut"; set = [ "fit.iterations=1" ]; })'
holds cut "s['status'] != 'ok' and s['candidates'][1]['validations']['in-sample']['fits'] == {'not converged': 18}"
holds cut "s['candidates'][1]['aic'] is None and \"of 'cut' nothing can be said\" in s['words']"
holds cut "s['candidates'][0]['aic'] is not None and s['candidates'][0]['validations']['in-sample']['status'] == 'ok'"
[ "$(grep -c ',not converged,' "$work/cut/compare.csv")" -eq 18 ] || fail "compare.csv does not say which fits did not converge"
# passes that were all made claim nothing, and are no fault
compare passes 0 "$cases/same-rule-twice/same-rule.cfg" \
  'compare.candidates=({ name = "adam"; set = [ "fit.optimiser=adam", "fit.epochs=3" ]; })' compare.information_criteria=false
holds passes "s['candidates'][0]['validations']['in-sample']['fits'] == {'passes done': 18}"

# ---- an estimate that has seen the held-out steps is no fair start ----
run_fit seen "$cases/same-rule-twice/same-rule.cfg" report=false
compare warned 0 "$cases/same-rule-twice/same-rule.cfg" 'compare.validation=["forecast"]' compare.ablations=false 'compare.candidates=({ name = "lm"; })' \
  "init.theta=$work/seen/theta.csv"
grep -q "warning: fits of 'lm' start from init.theta" "$work/warned.log" || fail "no warning of init.theta: $(cat "$work/warned.log")"
holds warned "'init.theta' in s['warning'] and 'init.theta' in s['words']"
# what the data of all candidates are warned of is said once
awk 'BEGIN { print "animal,x1,choice"; for (t = 0; t < 20; t++) print "a,1," (t * 7 % 5 > 1); for (t = 0; t < 5; t++) print "b,1," }' >"$work/blank.csv"
cat >"$work/blank.cfg" <<'END'
name = "blank"; seed = 1; report = false;
source: { plugin = "table"; path = "blank.csv"; plastic = "always"; };
network: { plugin = "feedforward"; layers = [1, 1]; initial_weights: { sd = 0.0; }; projections = ( { layer = 1; rule = "learn"; } ); };
rules: { learn: { plugin = "taylor"; terms = "1"; }; };
losses = ( { plugin = "choice"; } );
evaluate: { draws = 0; };
compare: { validation = ["in-sample"]; candidates = ( { name = "one"; }, { name = "two"; set: { rules: { learn: { terms = "1 + w"; }; }; }; } ); };
END
"$PLASTFIT" compare "$work/blank.cfg" out="$work/blank" --quiet >"$work/blank.log" 2>&1 || true
[ "$(grep -c 'b is left out' "$work/blank.log")" -eq 1 ] || fail "a warning of the data is not said once: $(cat "$work/blank.log")"
finish
