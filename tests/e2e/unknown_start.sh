#!/bin/sh
# configs/unknown-start.cfg: unknown starting weights and a side bias, learned and not; theta kept on data not seen.
. "$PF_SRCDIR/tests/e2e/lib.sh"
config=$PF_SRCDIR/configs/unknown-start.cfg

# coefficient OUT NAME: of theta.csv, the mean over its copies
coefficient() {
  python3 -c 'import csv, sys
rows = [float(r["estimate"]) for r in csv.DictReader(open(sys.argv[1])) if r["name"] == sys.argv[2]]
print(sum(rows) / len(rows))' "$work/$1/theta.csv" "$2"
}
# expect TEXT EXPRESSION
expect() {
  python3 -c "import sys; sys.exit(0 if $2 else 1)" || fail "$1: expected $2"
}

run_fit learned "$config" || finish
run_fit fixed "$config" 'network.initial_weights={ sd = 1.0; }' \
  'network.parameters={ bias: { value = 1.0; initial = 0.0; fixed = true; }; }' || finish
# measured 0.916 and 0.964; 0.709 where nothing is learned
expect "x r, learned" "abs($(coefficient learned X1Y0W0R1) - 1) < 0.15"
expect "bias, learned" "abs($(coefficient learned bias) - 1) < 0.15"
expect "x r, fixed" "abs($(coefficient fixed X1Y0W0R1) - 1) > 0.2"
holds learned "s['mean']['r2_weights'] > 0.98 and s['refitted'] is True"
holds fixed "s['refitted'] is False"
grep -q 'all but the rule refitted' "$work/learned.log" || fail "the summary does not say that the null was refitted"
grep -q "starting weights learned, each animal's own: 20 numbers" "$work/learned.log" || fail "no line of starting weights"
[ "$(grep -c ',animal,animal' "$work/learned/theta.csv")" = 168 ] || fail "theta.csv: expected 21 copies of 8 animals"

# other animals: theta stays to the last digit, what is their own is fitted
"$PLASTFIT" evaluate "$work/learned" --data "$config" seed=5 --out "$work/other" >"$work/other.log" 2>&1 ||
  fail "evaluate: $(cat "$work/other.log")"
grep -q 'theta kept' "$work/other.log" || fail "evaluate does not say what it refitted"
python3 - "$work/other/evaluation.json" "$work/learned/theta.csv" <<'END' || fail "evaluate: theta was not kept"
import csv, json, sys
s = json.load(open(sys.argv[1]))
kept = {r["name"]: float(r["estimate"]) for r in csv.DictReader(open(sys.argv[2])) if r["scope"] == "shared"}
bias = {a["theta"]["bias"] for a in s["animals"]}
sys.exit(0 if s["refitted"] and len(bias) == 8 and s["mean"]["r2_weights"] > 0.98 and
         all(a["theta"][name] == value for a in s["animals"] for name, value in kept.items()) else 1)
END

# the same bits on any number of threads
run_fit one "$config" threads=1 && run_fit three "$config" threads=3 && {
  cmp "$work/one/theta.csv" "$work/three/theta.csv" || fail "theta depends on the number of threads"
}

# per experiment, as mean and sd; and what cannot be
run_fit spread "$config" 'network.initial_weights={ sd = 1.0; learn = "mean_and_sd"; scope = "shared"; draw = "per_draw"; }' \
  source.input.draws=3 fit.optimiser=adam fit.batch=full fit.epochs=20 fit.learning_rate=0.05
grep -q '^all,network,w0.layer1.sd,' "$work/spread/theta.csv" || fail "no sd of the starting weights in theta.csv"
says() {
  expected=$1
  shift
  status=0
  "$PLASTFIT" fit "$config" out="$work/no" "$@" >"$work/no.log" 2>&1 || status=$?
  { [ "$status" = 2 ] && grep -qF -- "$expected" "$work/no.log"; } || fail "expected '$expected', found $(cat "$work/no.log")"
}
says "has no projection 'layer9'" 'network.initial_weights.projections=["layer9"]'
says "has no parameter 'biass'" 'network.parameters={ biass = 1.0; }'
says "expected a value within its bounds" 'losses=( { plugin = "choice"; parameters: { lapse: { initial = 2.0; }; }; } )'
finish
