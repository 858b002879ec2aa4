#!/bin/sh
# missing_inputs = "draw": inputs that were not recorded are drawn from what the same input was where it was recorded.
# shellcheck source=tests/e2e/lib.sh
. "$PF_SRCDIR/tests/e2e/lib.sh"

# Ten animals see two numbers a trial, choose by w x, and learn by dw = 0.3 x r - 0.03 w from rewards at random; of the inputs
# 20 % were lost. And the same with all of them.
python3 - "$work" <<'END'
import math, random, sys
random.seed(1)
rows, holes = ["animal,x1,x2,choice,reward"], ["animal,x1,x2,choice,reward"]
for animal in range(10):
    w = [0.0, 0.0]
    for trial in range(200):
        x = [random.gauss(0.5, 1.0) for _ in w]
        choice = random.random() < 1 / (1 + math.exp(-sum(a * b for a, b in zip(w, x))))
        r = random.choice((-1, 1))
        end = f"{choice:d},{r}"
        rows.append(f"a{animal},{x[0]:.6f},{x[1]:.6f},{end}")
        cells = ["" if random.random() < 0.2 else f"{v:.6f}" for v in x]
        holes.append(f"a{animal},{cells[0]},{cells[1]},{end}")
        w = [b + 0.3 * a * r - 0.03 * b for a, b in zip(x, w)]
open(sys.argv[1] + "/all.csv", "w").write("\n".join(rows) + "\n")
open(sys.argv[1] + "/holes.csv", "w").write("\n".join(holes) + "\n")
END
cat >"$work/c.cfg" <<END
name = "c";
source: { plugin = "table"; path = "$work/holes.csv"; kind = "choice"; };
network: { plugin = "feedforward"; layers = [2, 1]; initial_weights: { sd = 0.0; }; };
rules: { learn: { plugin = "taylor"; terms = "x r + w"; modulator = "reward"; eta = 1.0; init_sd = 0.0; }; };
losses: ( { plugin = "choice"; } );
fit: { per = "shared"; optimiser = "lm"; starts = 1; };
normalise = "steps";
intervals: { methods = ["fisher"]; };
END
"$PLASTFIT" check "$work/c.cfg" >"$work/check.log" 2>&1 && fail "missing inputs were taken"
grep -q "holes.csv:[0-9]*: column 'x[12]': found nothing, expected a number.*\"draw\"" "$work/check.log" ||
  fail "$(cat "$work/check.log")"
"$PLASTFIT" check "$work/c.cfg" source.missing_inputs=draw >"$work/check.log" 2>&1 || fail "$(cat "$work/check.log")"
lost=$(tail -n +2 "$work/holes.csv" | cut -d, -f2,3 | tr ',' '\n' | grep -c '^$')
grep -q "$lost of 4000 inputs are missing and drawn anew in every draw" "$work/check.log" || fail "check does not say $lost"

run_fit all "$work/c.cfg" source.path="$work/all.csv"
run_fit mean "$work/c.cfg" source.missing_inputs=draw source.input.draws=10
run_fit again "$work/c.cfg" source.missing_inputs=draw source.input.draws=10 threads=2
run_fit marginal "$work/c.cfg" source.missing_inputs=draw likelihood=marginal source.input.draws=20
cmp -s "$work/mean/theta.csv" "$work/again/theta.csv" || fail "other draws with two threads"
tr -s ' \n' ' ' <"$work/mean.log" | grep -q "$lost inputs are missing and were drawn" || fail "mean: says nothing of $lost drawn inputs"
python3 - "$work" <<'END' || fail "estimates"
import csv, sys
def theta(run):
    return {r["name"]: (float(r["estimate"]), float(r["se"])) for r in csv.DictReader(open(f"{sys.argv[1]}/{run}/theta.csv"))}
found = {run: theta(run) for run in ("all", "mean", "marginal")}
for run, values in found.items():
    print(run, values)
for name, truth in (("X1Y0W0R1", 0.3), ("X0Y0W1R0", -0.03)):
    for run in ("all", "marginal"):
        value, se = found[run][name]
        assert abs(value - truth) < 3 * se, (run, name, value, se)
    # what is lost widens the interval
    assert found["marginal"][name][1] > found["all"][name][1], name
# the mean over draws is biased towards 0 (doc/unknown-inputs.md); measured: .129 and .271, with all inputs .280
assert found["mean"]["X1Y0W0R1"][0] < 0.7 * found["marginal"]["X1Y0W0R1"][0]
END

# an experiment that has no value of an input says nothing of it
sed 's/^a3,[^,]*,/a3,,/' "$work/holes.csv" >"$work/none.csv"
"$PLASTFIT" check "$work/c.cfg" source.path="$work/none.csv" source.missing_inputs=draw >"$work/check.log" 2>&1 && fail "taken"
grep -q "a3.*'x1' has 0 recorded values, expected two or more" "$work/check.log" || fail "$(cat "$work/check.log")"
finish
