#!/bin/sh
# Baseline models without synapses, as configs of the same parts, against a few lines of Python: logistic regression on what was
# chosen and paid in the last trials, and Q-learning. The log likelihoods at the optimum are the same.
# shellcheck disable=SC2089,SC2090 # the quotes in $base are libconfig's

. "$PF_SRCDIR/tests/e2e/lib.sh"
export PYTHONPATH="$PF_SRCDIR/tests/e2e" PYTHONDONTWRITEBYTECODE=1
base='normalise="steps" penalty.l1=0 fit.optimiser=lm fit.per=animal evaluate.draws=0'
config=$PF_SRCDIR/configs/own-data.cfg

run_fit logistic "$config" $base \
  'source.derive=({ name="c1"; of="choice"; lag_trials=1; signed_by_cue=true; }, { name="c2"; of="choice"; lag_trials=2; signed_by_cue=true; }, { name="r1"; of="reward"; lag_trials=1; signed_by_cue=true; }, { name="r2"; of="reward"; lag_trials=2; signed_by_cue=true; })' \
  'source.input={ channels=["c1","c2","r1","r2"]; }' \
  'network={ plugin="feedforward"; layers=[4,1]; initial_weights={ sd=0.0; learn="each"; scope="shared"; projections=["layer1"]; }; parameters={ bias={ fixed=false; }; }; }' \
  'rules={ learn={ plugin="taylor"; terms="1"; init_sd=0.0; parameters={ X0Y0W0R0={ fixed=true; initial=0.0; }; }; }; }'

run_fit values "$config" $base fit.starts=4 \
  'network={ plugin="feedforward"; layers=[2,1]; initial_weights={ sd=0.0; }; parameters={ gain={ fixed=false; initial=1.0; }; bias={ fixed=false; }; }; }' \
  'rules={ learn={ plugin="taylor"; terms="x r + x w"; modulator="reward"; eta=1.0; init_sd=0.0; parameters={ X1Y0W0R1={ initial=0.1; lower=0.0; upper=1.0; }; X1Y0W1R0={ tied="-1 * X1Y0W0R1"; }; }; }; }'

python3 - "$work" "$PF_SRCDIR/configs/own-data.csv" <<'PY' || fail "not what Python gets"
import csv, json, math, sys

from linear import solve

work = sys.argv[1]
rows = {}
for row in csv.DictReader(open(sys.argv[2])):
    rows.setdefault(row["mouse"], []).append(row)


def number(text):
    return float(text) if text not in ("", "NaN", "NA") else math.nan


def features(animal):
    """What was chosen and paid 1 and 2 trials ago, + if of the cue that is there now, - if not; and 1."""
    ends, out, trial = [], [], None
    for row in rows[animal]:
        cue = int(number(row["light"]) > number(row["tone"]))
        if trial is not None and row["trial"] != trial:
            ends.append(last)
        trial = row["trial"]
        x = []
        for column in range(2):
            for k in (1, 2):
                value = 0.0 if len(ends) < k else ends[-k][1 + column] * (1 if ends[-k][0] == cue else -1)
                x.append(value)
        reward = number(row["water"])
        last = (cue, number(row["licked"]), 0.0 if math.isnan(reward) else reward)
        out.append((x + [1.0], last[1]))
    return [(x, y) for x, y in out if not math.isnan(y)]


def logistic(data):
    """Newton's method; the largest log likelihood."""
    n = len(data[0][0])
    w = [0.0] * n
    for _ in range(30):
        g, h = [0.0] * n, [[0.0] * n for _ in range(n)]
        for x, y in data:
            p = 1 / (1 + math.exp(-sum(a * b for a, b in zip(w, x))))
            for i in range(n):
                g[i] += (y - p) * x[i]
                for j in range(n):
                    h[i][j] += p * (1 - p) * x[i] * x[j]
        w = [a + b for a, b in zip(w, solve(h, g))]
    return sum(log_p(sum(a * b for a, b in zip(w, x)), y) for x, y in data)


def log_p(z, y):
    return -math.log1p(math.exp(-z)) if y > 0.5 else -math.log1p(math.exp(z))


def q_learning(animal, alpha, gain, bias):
    """Rescorla-Wagner: a value of each cue, times how strongly it is there; learned from after accepts."""
    q, total = [0.0, 0.0], 0.0
    for row in rows[animal]:
        x = [number(row["tone"]), number(row["light"])]
        y = number(row["licked"])
        if not math.isnan(y):
            total += log_p(gain * (q[0] * x[0] + q[1] * x[1]) + bias, y)
        if y > 0.5:
            reward = number(row["water"])
            reward = 0.0 if math.isnan(reward) else reward
            q = [v + alpha * a * (reward - v) for v, a in zip(q, x)]
    return total


summary = {name: {a["name"]: a for a in json.load(open(f"{work}/{name}/summary.json"))["animals"]}
           for name in ("logistic", "values")}
for animal in rows:
    found, expected = summary["logistic"][animal]["log_likelihood"], logistic(features(animal))
    # measured: 1e-13; of 5 coefficients and some 100 choices
    assert abs(found - expected) < 1e-8 * abs(expected), (animal, found, expected)
    theta = {r["name"]: float(r["estimate"]) for r in csv.DictReader(open(work + "/values/theta.csv")) if r["unit"] == animal}
    at = (theta["X1Y0W0R1"], theta["gain"], theta["bias"])
    found, expected = summary["values"][animal]["log_likelihood"], q_learning(animal, *at)
    assert abs(found - expected) < 1e-9 * abs(expected), (animal, found, expected, at)
    for i in range(3):  # and no better in any direction within the bounds
        for step in (-0.02, 0.02):
            near = list(at)
            near[i] += step
            if 0 <= near[0] <= 1:
                assert q_learning(animal, *near) <= found + 1e-9, (animal, at, near)
PY

# a task's animals have the inputs of their cues
code=0
"$PLASTFIT" fit "$PF_SRCDIR/configs/quickstart.cfg" 'source.input.channels=["reward"]' out="$work/task" >"$work/task.log" 2>&1 || code=$?
[ "$code" -eq 2 ] && grep -q "source.input.channels: the inputs of a task" "$work/task.log" || fail "exit $code: $(cat "$work/task.log")"
finish
