#!/bin/sh
# configs/oja.cfg finds Oja's rule again: R2 of weights and activity on fresh experiments.
. "$PF_SRCDIR/tests/e2e/lib.sh"

run_fit oja "$PF_SRCDIR/configs/oja.cfg" || finish
figure oja "s['mean']"
holds oja "s['mean']['r2_weights'] >= 0.99"
holds oja "s['mean']['r2_activity'] >= 0.999"
# and the summary shows truth beside estimate
grep -q 'truth' "$work/oja.log" || fail "the terminal summary does not show the truth"

# starting weights that the fit does not know. Drawn at random: nothing rests on them, and the note says what to do
small='network.layers=[10, 10]'
fit_ends "0 1" drawn "$PF_SRCDIR/configs/oja.cfg" source.give.initial_weights=false "$small" report=false || finish
tr -s ' \n' '  ' <"$work/drawn.log" | grep -q "the fit drew the starting weights at random" || fail "drawn starting weights are not said"
grep -q "network.initial_weights.learn=each" "$work/drawn.log" || fail "what to do about drawn starting weights is not said"
python3 - "$work/drawn/theta.csv" <<'END' || fail "something is called identified that rests on drawn starting weights"
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1])))
sys.exit(0 if rows and not any(row["verdict"] == "identified" for row in rows) else 1)
END
# learned: the rule, to many digits
run_fit learned "$PF_SRCDIR/configs/oja.cfg" source.give.initial_weights=false network.initial_weights.learn=each "$small" \
  report=false 'intervals.methods=[]' || finish
holds learned "s['mean']['r2_weights'] > 0.999"
python3 - "$work/learned/theta.csv" <<'END' || fail "Oja's rule is not found beside learned starting weights"
import csv, sys
rule = {row["name"]: float(row["estimate"]) for row in csv.DictReader(open(sys.argv[1])) if row["owner"] == "rules.learn"}
right = {"X1Y1W0R0": 1.0, "X0Y2W1R0": -1.0}
sys.exit(0 if len(rule) == 27 and all(abs(v - right.get(n, 0.0)) < 1e-6 for n, v in rule.items()) else 1)
END
finish
