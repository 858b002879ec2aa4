#!/bin/sh
# Fits that start badly or have no clean optimum: they go on, or say in one line why they cannot.
. "$PF_SRCDIR/tests/e2e/lib.sh"

config=$PF_SRCDIR/configs/coverage-choices.cfg
fit() {
  out=$1
  shift
  run_brief_fit "$out" "$config" source.animals=1 evaluate.draws=0 report=false 'intervals.methods=["fisher"]' "$@"
}
optimiser="s['units'][0]['optimiser']"

fit plain
holds plain "${optimiser}['converged'] and ${optimiser}['failed_evaluations'] == 0"

# from a start whose weights overflow a few steps on, the fit ends at the same optimum
fit overflows fit.starts=1 rules.learn.parameters.X0Y0W1R0.initial=-3.0
holds overflows "${optimiser}['converged']"
[ "$(figure plain "round(s['units'][0]['objective'], 9)")" = "$(figure overflows "round(s['units'][0]['objective'], 9)")" ] ||
  fail "after overflows another optimum was found: $(figure overflows "s['units'][0]['objective']")"

# a start at which they overflow is pulled towards 0; where that ends worse than a rule that does nothing, another start
# is made from there: the fit ends at the same optimum
fit far fit.starts=1 rules.learn.parameters.X0Y0W1R0.initial=-900.0
holds far "${optimiser}['converged'] and s['status'] == 'ok'"
[ "$(figure plain "round(s['units'][0]['objective'], 9)")" = "$(figure far "round(s['units'][0]['objective'], 9)")" ] ||
  fail "from far away another optimum was found: $(figure far "s['units'][0]['objective']")"

# a bound that is active at the optimum: the estimate stands on it, and has no standard error
fit bound rules.learn.parameters.X1Y0W0R1.upper=0.5
holds bound "${optimiser}['converged']"
python3 - "$work/bound/theta.csv" <<'PY' || fail "the bound: $(cat "$work/bound/theta.csv")"
import csv, sys
row = {r["name"]: r for r in csv.DictReader(open(sys.argv[1]))}["X1Y0W0R1"]
assert row["estimate"] == "0.5" and row["upper"] == "0.5", row
assert row["se"] == "", row
PY

# no noise on the inputs: x and x^2 are one, the information is singular, and the fit converges all the same
fit singular source.input.sd=0.0 'rules.learn.terms="1 + w + x + x^2 + r + x r"'
holds singular "${optimiser}['converged'] and s['inference']['units'][0]['verdicts']['not identified by this design'] == 2"

# a network of a rule that starts at 0 in all its parameters: a saddle, which is left
fit saddle 'rules.learn={plugin="mlp"; init_sd=0.0;}' fit.iterations=12 fit.starts=1
holds saddle "${optimiser}['saddles_left'] >= 1 and ${optimiser}['iterations'] >= 12"
python3 - "$work/saddle/fit.csv" <<'PY' || fail "the saddle was not left"
import csv, sys
rows = [(float(r["gradient_norm"]), float(r["objective"])) for r in csv.DictReader(open(sys.argv[1]))]
still = [i for i, r in enumerate(rows) if r[0] < 1e-6]  # only the output's bias has moved by then
assert still and still[0] < 6 and rows[-1][1] < rows[still[0]][1] - 1e-5, rows
PY

# an objective that is no number anywhere: one clear line, exit 1
got=0
"$PLASTFIT" fit "$config" source.animals=1 report=false 'rules.learn={plugin="expr"; dw="a*log(-1 - x^2)"; parameters: {a = 0.1;};}' \
  out="$work/nowhere" --quiet >"$work/nowhere.log" 2>&1 || got=$?
[ "$got" -eq 1 ] || fail "no number anywhere: exit $got, expected 1"
[ "$(wc -l <"$work/nowhere.log")" -eq 1 ] && grep -q 'all: the fit failed: .*log(-1.* is nan' "$work/nowhere.log" ||
  fail "no number anywhere: $(cat "$work/nowhere.log")"
finish
