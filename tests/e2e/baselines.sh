#!/bin/sh
# Win-stay-lose-shift and the logistic history, which stand beside the nulls where animals choose between options: against plain
# Python, on the same fitted and held-out trials. Two arms and four; and the rules of compare-arms.cfg at their estimates.
# shellcheck source=tests/e2e/lib.sh
. "$PF_SRCDIR/tests/e2e/lib.sh"
export PYTHONPATH="$PF_SRCDIR/tests/e2e" PYTHONDONTWRITEBYTECODE=1
cat >"$work/baselines.py" <<'END'
"""Log likelihoods of one animal's scored trials. trials: (choice, reward, fitted, scored), in order."""
import math

from linear import solve


def win_stay(trials, k):
    rewards = [r for _, r, fitted, _ in trials if fitted]
    above = sum(r > 0 for r in rewards)
    limit = sum(rewards) / len(rewards) if above in (0, len(rewards)) else 0.0
    n, stays = [0, 0], [0, 0]
    for before, now in zip(trials, trials[1:]):
        if now[2]:
            n[before[1] > limit] += 1
            stays[before[1] > limit] += now[0] == before[0]
    total = 0.0
    for i, (choice, _, _, scored) in enumerate(trials):
        p = 1 / k
        if i > 0:
            won = trials[i - 1][1] > limit
            stay = (stays[won] + 0.5) / (n[won] + 1)
            p = stay if choice == trials[i - 1][0] else (1 - stay) / (k - 1)
        total += math.log(p) if scored else 0.0
    return total


def logistic(trials, k, back):
    n = 2 * back + k - 1
    rows = []
    for i, (choice, _, fitted, scored) in enumerate(trials):
        x = [[0.0] * n for _ in range(k)]
        for option in range(1, k):
            x[option][2 * back + option - 1] = 1.0
        for lag in range(min(back, i)):
            then = trials[i - lag - 1]
            x[then[0]][lag] = 1.0
            x[then[0]][back + lag] = then[1]
        rows.append((x, choice, fitted, scored))

    def probabilities(x, theta):
        u = [sum(a * b for a, b in zip(row, theta)) for row in x]
        top = max(u)
        e = [math.exp(v - top) for v in u]
        return [v / sum(e) for v in e]
    theta = [0.0] * n
    for _ in range(60):
        g = [-t / 9 for t in theta]
        h = [[1 / 9 if i == j else 0.0 for j in range(n)] for i in range(n)]
        for x, choice, fitted, _ in rows:
            if fitted:
                p = probabilities(x, theta)
                mean = [sum(q * row[i] for q, row in zip(p, x)) for i in range(n)]
                for i in range(n):
                    g[i] += x[choice][i] - mean[i]
                    for j in range(n):
                        h[i][j] += sum(q * row[i] * row[j] for q, row in zip(p, x)) - mean[i] * mean[j]
        theta = [t + s for t, s in zip(theta, solve(h, g))]
    return sum(math.log(probabilities(x, theta)[choice]) for x, choice, _, scored in rows if scored)
END

# two arms, the first trials fitted and the others scored
cp "$PF_SRCDIR/configs/arms.cfg" "$PF_SRCDIR/configs/arms.csv" "$work"
cat >"$work/two.cfg" <<END
@include "arms.cfg"
evaluate: { draws = 0; history = 3; };
compare: { validation = ["forecast", "in-sample"]; ablations = false; information_criteria = false;
           candidates = ( { name = "Q-learning"; } ); };
END
"$PLASTFIT" compare "$work/two.cfg" out="$work/two" >"$work/two.log" 2>&1 || {
  fail "compare"
  cat "$work/two.log"
}
python3 - "$work" "$PF_SRCDIR/configs/arms.csv" <<'END' || fail "two arms: not what Python gets"
import csv, json, sys
sys.path.insert(0, sys.argv[1])
from baselines import logistic, win_stay
animals = {}
for row in csv.DictReader(open(sys.argv[2])):
    animals.setdefault(row["animal"], []).append(row)
worst = 0.0
found = {(r["animal"], r["validation"]): r for r in csv.DictReader(open(sys.argv[1] + "/two/compare.csv"))}
for name, rows in animals.items():
    n_fit = max(1, int(0.75 * len(rows)))
    for validation, split in (("forecast", True), ("in-sample", False)):
        trials = [(int(float(r["choice"])), float(r["reward"] or 0), not split or t < n_fit, not split or t >= n_fit)
                  for t, r in enumerate(rows) if r["choice"] not in ("", "NaN", "NA")]
        row = found[name, validation]
        for key, value in (("null_win_stay_lose_shift", win_stay(trials, 2)), ("null_logistic_history", logistic(trials, 2, 3))):
            worst = max(worst, abs(float(row[key]) - value))
print("two arms: off by", worst)
assert worst < 1e-6  # measured: 2e-11
summary = json.load(open(sys.argv[1] + "/two/summary.json"))
one = summary["baselines"]["forecast"]["win_stay_lose_shift"]
mean = sum(float(r["null_win_stay_lose_shift"]) / int(r["n"]) for k, r in found.items() if k[1] == "forecast") / len(animals)
assert abs(one["log_likelihood_per_observation"]["value"] - mean) < 1e-12 and one["n_pairs"] == len(animals)
END
grep -q "win-stay-lose-shift .*baseline; the base is better in 10/10, by .*, Holm *0.00" "$work/two.log" || fail "no row of win-stay-lose-shift"
grep -q "'Q-learning' predicts better than win-stay-lose-shift (in 10 of 10 animals, p = 0.00[0-9]*)" "$work/two.log" || fail "words"
grep -q "<td>logistic history</td>" "$work/two/report.html" || fail "not in the page"

# four arms, in sample, by fit
"$PLASTFIT" simulate "$PF_SRCDIR/configs/q-learning.cfg" source.animals=3 out="$work/four" >"$work/four.log" 2>&1 || cat "$work/four.log"
sed -n '/^network/,$p' "$PF_SRCDIR/configs/q-learning.cfg" | sed 's/evaluate: .*/evaluate: { draws = 0; };/; s/per = "shared"/per = "animal"; starts = 2/' >"$work/rest"
{
  echo 'name = "four"; source: { plugin = "table"; kind = "choice"; path = "'"$work"'/four/table.csv"; };'
  cat "$work/rest"
} >"$work/four.cfg"
run_fit own "$work/four.cfg" 'intervals.methods=["fisher"]'
python3 - "$work" <<'END' || fail "four arms: not what Python gets"
import csv, json, sys
sys.path.insert(0, sys.argv[1])
from baselines import logistic, win_stay
animals = {}
for row in csv.DictReader(open(sys.argv[1] + "/four/table.csv")):
    animals.setdefault(row["animal"], []).append((int(float(row["choice"])), float(row["reward"]), True, True))
for animal in json.load(open(sys.argv[1] + "/own/summary.json"))["animals"]:
    trials, explained = animals[animal["name"]], animal["deviance_explained"]
    for key, value in (("win_stay_lose_shift", win_stay(trials, 4)), ("logistic_history", logistic(trials, 4, 5))):
        expected = 100 * (value - animal["log_likelihood"]) / value
        print(animal["name"], key, explained[key], expected)
        assert abs(explained[key] - expected) < 1e-6
END
tr -s ' ' <"$work/own.log" | grep -q "baseline: logistic history, 5 trials back" || fail "the fit says nothing of the logistic history"

# a go/no-go has none: what an animal did last says nothing of what it is offered now
run_brief_fit go "$PF_SRCDIR/configs/own-data.cfg" fit.iterations=3 evaluate.draws=0 'intervals.methods=["fisher"]'
holds go "s['mean']['deviance_explained']['logistic_history'] is None and s['mean']['deviance_explained']['mean_rate'] is not None"
if grep -q baseline "$work/go.log"; then fail "a baseline of a go/no-go"; fi
finish
