#!/bin/sh
# Recorded cells with standard errors of their own: losses[].sem, unit_sem and cell_weight, against weighted least squares.
# shellcheck source=tests/e2e/lib.sh
. "$PF_SRCDIR/tests/e2e/lib.sh"

# y = w x, without plasticity: what is fitted is the starting weight of each of two units
python3 - "$work" <<'END'
import random, sys
random.seed(2)
rows = ["x1,y1,y2,s1,s2,n1,n2,all"]
for step in range(60):
    x, s = random.gauss(0, 1), [random.choice((0.1, 0.5, 2.0)) for _ in range(2)]
    y = [f"{w * x + random.gauss(0, 0.3 * e):.9f}" for w, e in zip((1.5, -0.5), s)]
    if step % 7 == 3:
        y[1], s[1] = "", ""
    n = [f"{1 / e ** 2:.17g}" if e else "" for e in s]
    rows.append(f"{x:.9f},{y[0]},{y[1]},{s[0]},{s[1]},{n[0]},{n[1]},{s[0]}")
open(sys.argv[1] + "/a.csv", "w").write("\n".join(rows) + "\n")
END
cat >"$work/c.cfg" <<END
name = "c";
source: { plugin = "table"; path = "$work/a.csv"; columns: { inputs = ["x1"]; activities = ["y1", "y2"]; channels = []; };
          targets = ( { name = "sem"; columns = ["s1", "s2"]; }, { name = "n"; columns = ["n*"]; },
                      { name = "step_sem"; columns = ["all"]; } ); };
network: { plugin = "feedforward"; layers = [1, 2]; output = "linear";
           initial_weights: { sd = 0.0; learn = "each"; scope = "shared"; projections = ["layer1"]; }; };
rules: { learn: { plugin = "taylor"; terms = "1"; init_sd = 0.0; parameters: { X0Y0W0R0: { fixed = true; initial = 0.0; }; }; }; };
losses = ( { plugin = "activity"; } );
fit: { per = "shared"; optimiser = "lm"; starts = 1; };
normalise = "steps";
intervals: { methods = ["fisher"]; };
evaluate: { draws = 0; };
END
run_fit plain "$work/c.cfg"
run_fit sem "$work/c.cfg" 'losses=( { plugin="activity"; sem="sem"; } )'
run_fit weight "$work/c.cfg" 'losses=( { plugin="activity"; cell_weight="n"; } )'
run_fit step "$work/c.cfg" 'losses=( { plugin="activity"; sem="step_sem"; } )'
run_fit unit "$work/c.cfg" 'losses=( { plugin="activity"; unit_sem=[0.5, 2.0]; } )'
python3 - "$work" <<'END' || fail "not weighted least squares"
import csv, math, sys
rows = list(csv.DictReader(open(sys.argv[1] + "/a.csv")))
weights = {"plain": lambda r, i: 1.0, "sem": lambda r, i: float(r[f"s{i}"]) ** -2, "weight": lambda r, i: float(r[f"s{i}"]) ** -2,
           "step": lambda r, i: float(r["all"]) ** -2, "unit": lambda r, i: (0.5, 2.0)[i - 1] ** -2}
for run, weight in weights.items():
    found = [(float(r["estimate"]), float(r["se"])) for r in csv.DictReader(open(f"{sys.argv[1]}/{run}/theta.csv")) if r["se"]]
    cells = [[(weight(r, i), float(r["x1"]), float(r[f"y{i}"])) for r in rows if r[f"y{i}"]] for i in (1, 2)]
    w = [sum(a * x * y for a, x, y in c) / sum(a * x * x for a, x, y in c) for c in cells]
    squares = sum(a * (y - v * x) ** 2 for v, c in zip(w, cells) for a, x, y in c)
    sigma2 = squares / (sum(map(len, cells)) - 2)
    expected = [(v, math.sqrt(sigma2 / sum(a * x * x for a, x, y in c))) for v, c in zip(w, cells)]
    print(run, found, expected)
    assert len(found) == 2
    for (a, b), (c, d) in zip(found, expected):
        assert abs(a - c) < 1e-7 and abs(b - d) < 1e-6 * d  # measured: 1e-12, 1e-9
END
"$PLASTFIT" check "$work/c.cfg" 'losses=( { plugin="activity"; sem="sem"; } )' >"$work/check.log" 2>&1 || fail "$(cat "$work/check.log")"
grep -q "loss activity, weight 1: activity against activity, weighed by sem" "$work/check.log" || fail "check does not say what weighs"
# a cell that was recorded and has no standard error
awk -F, -v OFS=, 'NR == 4 { $5 = "" } 1' "$work/a.csv" >"$work/b.csv"
"$PLASTFIT" fit "$work/c.cfg" source.path="$work/b.csv" 'losses=( { plugin="activity"; sem="sem"; } )' out="$work/none" >"$work/none.log" 2>&1 &&
  fail "a missing standard error was taken"
grep -q 'step 3: line 4: target "activity" was recorded at unit 2, but its "sem" there is nan, expected a number above 0' "$work/none.log" || fail "$(cat "$work/none.log")"
# its targets are not drawn anew with one sd
"$PLASTFIT" fit "$work/c.cfg" 'losses=( { plugin="activity"; unit_sem=[0.5, 2.0]; } )' 'intervals.methods=["bootstrap"]' intervals.bootstrap.of=parametric out="$work/none" --force >"$work/none.log" 2>&1 || true
tr -s ' \n' ' ' <"$work/none.log" | grep -q 'cells have weights of their own' || { fail "drawn anew"; cat "$work/none.log"; }
finish
