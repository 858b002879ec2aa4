"""Thirty-five more small problems whose answer is known: what is identified, what is not, and where there is nothing to
identify (no optimum, separation, the wrong model, nothing to find).

    verdicts_more.py PLASTFIT FOLDER

With tests/e2e/verdicts.py sixty. What is expected follows from the model by reasoning, which stands with each case, or from a
regression done here. Prints what differs; exit status 1 if anything does.
"""
import csv, json, math, os, random, subprocess, sys

plastfit, folder = sys.argv[1:3]
only = sys.argv[3:]

IDENTIFIED, PRACTICALLY, NOT = "identified", "practically not identified", "not identified by this design"


def write_table(name, header, rows):
    with open(os.path.join(folder, name + ".csv"), "w") as file:
        file.write(",".join(header) + "\n")
        for row in rows:
            file.write(",".join("" if cell is None else cell if isinstance(cell, str) else f"{cell:.17g}" for cell in row) + "\n")


def config(name, dw, loss="choice", source="", network="", rule="", losses="", fit="", more="", n_in=1, n_out=1,
           output="sigmoid", parameters=None, terms=None):
    """dw: a formula whose letters are parameters, or (terms) a taylor rule; weights start at 0 and change at every step."""
    parameters = parameters if parameters is not None else sorted(set(dw or "") & set("abcde"))
    body = (f'plugin = "taylor"; terms = "{terms}"; init_sd = 0.0;' if terms else
            f'plugin = "expr"; dw = "{dw}"; parameters: {{ {" ".join(p if "=" in p else p + " = 0.1;" for p in parameters)} }};')
    return f"""name = "{name}"; seed = 3; report = false;
source: {{ plugin = "table"; path = "{name}.csv"; plastic = "always"; {source} }};
network: {{ plugin = "feedforward"; layers = [{n_in}, {n_out}]; output = "{output}"; initial_weights: {{ sd = 0.0; }}; {network}
  projections = ( {{ layer = 1; rule = "learn"; }} ); }};
rules: {{ learn: {{ {body} eta = 1.0; {rule} }}; }};
losses = ( {{ plugin = "{loss}"; {losses} }} );
fit: {{ per = "shared"; {fit} }};
evaluate: {{ draws = 0; }};
{more}
"""


def sigmoid(z):
    return 1 / (1 + math.exp(-z)) if z > -700 else 0.0


def log_likelihood(logits, choices):
    return sum(-math.log1p(math.exp(-z if c else z)) if abs(z) < 700 else (min(z, 0) if c else min(-z, 0))
               for z, c in zip(logits, choices))


def drifting(n, slope, seed, intercept=0.0):
    """Choices that drift: P = sigmoid(slope t + intercept)."""
    draw = random.Random(seed)
    return [int(draw.random() < sigmoid(slope * t + intercept)) for t in range(n)]


def newton(x, choices):
    """Logistic regression on the columns x: estimate."""
    beta = [0.0] * len(x[0])
    for _ in range(60):
        k = len(beta)
        g, h = [0.0] * k, [[0.0] * k for _ in range(k)]
        for row, c in zip(x, choices):
            p = sigmoid(sum(b * v for b, v in zip(beta, row)))
            for i in range(k):
                g[i] += (c - p) * row[i]
                for j in range(k):
                    h[i][j] += p * (1 - p) * row[i] * row[j]
        if k == 1:
            step = [g[0] / h[0][0]]
        else:
            d = h[0][0] * h[1][1] - h[0][1] * h[1][0]
            step = [(h[1][1] * g[0] - h[0][1] * g[1]) / d, (h[0][0] * g[1] - h[1][0] * g[0]) / d]
        beta = [b + s for b, s in zip(beta, step)]
    return beta


def profile_ends(choices, times):
    """Where 2 (L_max - L) of logit = a t is 3.84."""
    best = newton([[t] for t in times], choices)[0]
    top = log_likelihood([best * t for t in times], choices)
    ends = []
    for sign in (-1, 1):
        low, high = 0.0, 1e-3
        while 2 * (top - log_likelihood([(best + sign * high) * t for t in times], choices)) < 3.841459 and high < 1e6:
            high *= 2
        for _ in range(80):
            middle = (low + high) / 2
            if 2 * (top - log_likelihood([(best + sign * middle) * t for t in times], choices)) < 3.841459:
                low = middle
            else:
                high = middle
        ends.append(best + sign * low)
    return best, ends


cases = []


class Case:
    """One problem: its files, and what must come of it."""

    def __init__(self, name, text, verdicts=None, status="ok", code=0, notes=None, near=None, ends=None, says=(), unit=None):
        self.name, self.text, self.verdicts, self.status, self.code = name, text, verdicts, status, code
        self.notes, self.near, self.ends, self.says, self.unit = notes or {}, near or {}, ends or {}, says, unit
        cases.append(self)


def rows_of(choices, x=None, more=None):
    return [["a", x[t] if x else 1.0, c] + ([column[t] for column in more] if more else []) for t, c in enumerate(choices)]


HEAD = ["animal", "x1", "choice"]

# ---- identified

# logit = a t: a regression on t without a constant
c = drifting(60, 0.04, 1)
write_table("slope", HEAD, rows_of(c))
Case("slope", config("slope", "a"), {"a": IDENTIFIED}, near={"a": newton([[t] for t in range(60)], c)[0]})

# logit = a t + bias
c = drifting(80, 0.05, 2, -2.0)
write_table("line", HEAD, rows_of(c))
both = newton([[t, 1.0] for t in range(80)], c)
Case("line", config("line", "a", losses="parameters: { bias: { fixed = false; }; };"), {"a": IDENTIFIED, "bias": IDENTIFIED},
     near={"a": both[0], "bias": both[1]})

# few choices: the profile of one coefficient is not symmetric
c = [0, 1, 0, 1, 1, 0, 1, 1, 1, 1]
write_table("few", HEAD, rows_of(c))
best, ends = profile_ends(c, range(10))
Case("few", config("few", "a"), {"a": IDENTIFIED}, near={"a": best}, ends={"a": ends})

# the same in other units of x: logit = a x^2 t with x = 1e-6
write_table("micro", HEAD, rows_of(c, x=[1e-6] * 10))
Case("micro", config("micro", "a*x"), {"a": IDENTIFIED}, near={"a": best * 1e12}, ends={"a": [e * 1e12 for e in ends]})

# two animals, a theta for each
c1, c2 = drifting(60, 0.04, 3), drifting(60, -0.03, 4)
write_table("each", HEAD, rows_of(c1) + [["b"] + r[1:] for r in rows_of(c2)])
Case("each", config("each", "a").replace('per = "shared"', 'per = "animal"'), {"a": IDENTIFIED}, unit="b",
     near={"a": newton([[t] for t in range(60)], c2)[0]})

# y = a t + noise: a line through 0
draw = random.Random(5)
y = [0.3 * t + draw.gauss(0, 1) for t in range(50)]
write_table("ramp", ["animal", "x1", "y1"], [["a", 1.0, v] for v in y])
Case("ramp", config("ramp", "a", loss="activity", output="linear"), {"a": IDENTIFIED},
     near={"a": sum(t * v for t, v in enumerate(y)) / sum(t * t for t in range(50))})

# counts: log rate = a t, whose estimate solves sum t (n - exp(a t)) = 0
draw = random.Random(6)


def poisson(rate):
    k, p, limit = 0, draw.random(), math.exp(-rate)
    while p > limit:
        k, p = k + 1, p * draw.random()
    return k


n = [poisson(math.exp(0.05 * t)) for t in range(40)]
a = 0.0
for _ in range(100):
    a += sum(t * (v - math.exp(a * t)) for t, v in enumerate(n)) / sum(t * t * math.exp(a * t) for t in range(40))
write_table("counts", ["animal", "x1", "y1"], [["a", 1.0, float(v)] for v in n])
POISSON = dict(loss="poisson", output="linear", losses='target = "activity";')
Case("counts", config("counts", "a", **POISSON), {"a": IDENTIFIED}, near={"a": a})

# a reward that says which way: logit = a (sum of r so far)
draw = random.Random(7)
r = [draw.choice([-1.0, 1.0]) for _ in range(120)]
sums = [sum(r[:t]) for t in range(120)]
c = [int(draw.random() < sigmoid(0.3 * s)) for s in sums]
write_table("walk", HEAD + ["reward"], rows_of(c, more=[r]))
Case("walk", config("walk", None, terms="r", rule='modulator = "reward";'), {"X0Y0W0R1": IDENTIFIED},
     near={"X0Y0W0R1": newton([[s] for s in sums], c)[0]})

# ---- not identified

# a reward of 2 at every step: x r is 2 x
draw = random.Random(8)
x = [draw.uniform(0.2, 1.0) for _ in range(80)]
c = [int(draw.random() < 0.5 + 0.2 * math.sin(t)) for t in range(80)]
write_table("paid", HEAD + ["reward"], rows_of(c, x=x, more=[[2.0] * 80]))
Case("paid", config("paid", None, terms="x + x r", rule='modulator = "reward";'), {"X1Y0W0R0": NOT, "X1Y0W0R1": NOT},
     notes={"X1Y0W0R0": "only x + 2 x r is determined"})

# r is a copy of x, so x r is x^2
write_table("copy", HEAD + ["reward"], rows_of(c, x=x, more=[x]))
Case("copy", config("copy", None, terms="x^2 + x r", rule='modulator = "reward";'), {"X2Y0W0R0": NOT, "X1Y0W0R1": NOT},
     notes={"X2Y0W0R0": "only x r + x^2 is determined"})

# inputs of 0 and 2: x^2 is 2 x; the drift of the weights tells w from both
two = [2.0 * (t % 3 > 0) for t in range(80)]
c = [int(draw.random() < sigmoid(0.01 * t)) for t in range(80)]
write_table("twice", HEAD, rows_of(c, x=two))
Case("twice", config("twice", None, terms="x + x^2"), {"X1Y0W0R0": NOT, "X2Y0W0R0": NOT},
     notes={"X1Y0W0R0": "only x + 2 x^2 is determined"})

# never paid: nothing of x r; w starts at 0 and stays there, so nothing of w either
write_table("unpaid", HEAD + ["reward"], rows_of(c, more=[[0.0] * 80]))
Case("unpaid", config("unpaid", None, terms="x r + w", rule='modulator = "reward";'), {"X1Y0W0R1": NOT, "X0Y0W1R0": NOT},
     notes={"X1Y0W0R1": "nothing of x r is determined", "X0Y0W1R0": "nothing of w is determined"})

# weights that never change: nothing of any term
write_table("still", HEAD + ["plastic"], rows_of(c, more=[[0.0] * 80]))
Case("still", config("still", None, terms="1 + x").replace('plastic = "always"', 'plastic = "column"'),
     {"X0Y0W0R0": NOT, "X1Y0W0R0": NOT})

# a rate times everything: e (a + b w): three numbers, two of them determined
c = drifting(150, 0.03, 9)
write_table("rate", HEAD, rows_of(c))
Case("rate", config("rate", "e*(a + b*w)", parameters=["e = 1.0;", "a = 0.1;", "b = -0.1;"]), {n: NOT for n in "eab"})

# softmax: what is added to the weights of all options alike changes nothing
draw = random.Random(10)
c = [draw.randrange(3) for _ in range(60)]
write_table("alike", HEAD, rows_of(c))
Case("alike", config("alike", "a", loss="categorical", losses="categories = 3;", output="softmax", n_out=3), {"a": NOT},
     notes={"a": "nothing of a is determined"})

# ---- no optimum

# every choice is 1: the likelihood rises with a without end
write_table("ones", HEAD, rows_of([1] * 30))
Case("ones", config("ones", "a"), {"a": PRACTICALLY}, "separation", 1, notes={"a": "separation"}, says=["separation"])
write_table("zeros", HEAD, rows_of([0] * 30))
Case("zeros", config("zeros", "a"), {"a": PRACTICALLY}, "separation", 1, notes={"a": "separation"}, says=["separation"])

# 0 before the tenth step, 1 from then on: a (t - 9.5) with a without end
step = [int(t > 9) for t in range(20)]
write_table("step", HEAD, rows_of(step))
Case("step", config("step", "a", losses="parameters: { bias: { fixed = false; }; };"),
     {"a": PRACTICALLY, "bias": PRACTICALLY}, "separation", 1, says=["separation"])

# the same with lapses that may be: the best share of them is 0, and the rest is as before
Case("step", config("step", "a", losses="parameters: { bias: { fixed = false; }; lapse: { fixed = false; initial = 0.1; }; };"),
     {"a": PRACTICALLY, "bias": PRACTICALLY}, "separation", 1, says=["separation"])

# one animal of two is separated; the other is not
write_table("one_of_two", HEAD, rows_of(drifting(60, 0.04, 3)) + [["b", 1.0, 1] for _ in range(30)])
Case("one_of_two", config("one_of_two", "a").replace('per = "shared"', 'per = "animal"'), {"a": PRACTICALLY}, "separation", 1,
     unit="b", says=["b: separation"])
Case("one_of_two", config("one_of_two", "a").replace('per = "shared"', 'per = "animal"'), {"a": IDENTIFIED}, "ok", 1, unit="a",
     near={"a": newton([[t] for t in range(60)], drifting(60, 0.04, 3))[0]})

# two inputs in turns, r = 1 at the second: its weight is (a + b) k, and its choices are all 1; the first one's, a k, are mixed
mixed = drifting(40, 0.04, 11)
write_table("partly", ["animal", "x1", "x2", "reward", "choice"],
            [["a", float(t % 2 == 0), float(t % 2), float(t % 2), c if t % 2 == 0 else 1] for t, c in enumerate(mixed)])
Case("partly", config("partly", None, terms="x + x r", rule='modulator = "reward";', n_in=2), {"X1Y0W0R1": PRACTICALLY},
     "separation", 1, says=["separation"], near={"X1Y0W0R0": newton([[t / 2] for t in range(0, 40, 2)], mixed[::2])[0]})

# no spike at all: the rate goes to 0
write_table("silent", ["animal", "x1", "y1"], [["a", 1.0, 0.0] for _ in range(30)])
Case("silent", config("silent", "a", **POISSON), {"a": PRACTICALLY}, "separation", 1, says=["separation"])

# a single choice
write_table("single", HEAD, [["a", 1.0, 1], ["a", 1.0, 1]])
Case("single", config("single", "a"), {"a": PRACTICALLY}, "separation", 1, says=["separation"])

# the likelihood rises up to the bound of a, and that is where the estimate is: an optimum, of which there is one side
write_table("bounded", HEAD, rows_of([1] * 30))
Case("bounded", config("bounded", "a", parameters=["a: { initial = 0.1; lower = -1.0; upper = 0.02; };"]), None, "ok", 0,
     near={"a": 0.02})

# ---- the wrong model

# targets of 5 out of a tanh: the weights grow without end
write_table("above", ["animal", "x1", "y1"], [["a", 1.0, 5.0 + 0.1 * math.sin(t)] for t in range(30)])
Case("above", config("above", "a", loss="activity", output="tanh"), None, ("separation", "not converged"), 1)

# dw = b w from weights of 0: nothing ever moves, whatever was chosen
write_table("stuck", HEAD, rows_of(drifting(60, 0.04, 1)))
Case("stuck", config("stuck", None, terms="w"), {"X0Y0W1R0": NOT}, notes={"X0Y0W1R0": "nothing of w is determined"})

# one iteration is not enough
write_table("short", HEAD, rows_of(drifting(60, 0.04, 1)))
Case("short", config("short", "a", fit="iterations = 1; starts = 1;"), {"a": ""}, "not converged", 1, says=["not converged"])

# adam claims nothing
Case("short", config("short", "a", fit='optimiser = "adam"; epochs = 5;'), {"a": ""}, "passes done", 0,
     notes={"a": "adam stops when its passes are used up"})

# a penalty is no likelihood
Case("short", config("short", "a", more="penalty: { l2 = 0.1; };"), {"a": ""}, "ok", 0, notes={"a": "penalty.l2=0"})

# activity met to rounding: the noise is not known
write_table("exact", ["animal", "x1", "y1"], [["a", 1.0, 0.25 * t] for t in range(30)])
Case("exact", config("exact", "a", loss="activity", output="linear"), {"a": IDENTIFIED}, near={"a": 0.25}, ends={"a": None})

# weights that overflow wherever the fit looks
write_table("blows", HEAD, rows_of(drifting(60, 0.04, 1)))
Case("blows", config("blows", "exp(900 + a*0)", parameters=["a = 0.1;"]), None, "failed", 1)

# ---- nothing to find

# a coin: the interval holds 0, and the equation says that no term is told apart from it
draw = random.Random(12)
coin = [int(draw.random() < 0.5) for _ in range(100)]
write_table("coin", HEAD, rows_of(coin))
Case("coin", config("coin", None, terms="1"), {"X0Y0W0R0": IDENTIFIED}, says=["no term is told apart from 0"],
     near={"X0Y0W0R0": newton([[t] for t in range(100)], coin)[0]})
draw = random.Random(13)
write_table("noise", ["animal", "x1", "y1", "reward"], [["a", draw.gauss(0, 1), draw.gauss(0, 1), draw.gauss(0, 1)] for _ in range(200)])
Case("noise", config("noise", None, terms="x + x r", loss="activity", output="linear", rule='modulator = "reward";'),
     {"X1Y0W0R0": IDENTIFIED, "X1Y0W0R1": IDENTIFIED}, says=["no term is told apart from 0"])

# an animal without a choice: left out by name
write_table("blank", HEAD, rows_of(drifting(60, 0.04, 1)) + [["b", 1.0, None] for _ in range(20)])
Case("blank", config("blank", "a"), {"a": IDENTIFIED}, says=["b"], near={"a": newton([[t] for t in range(60)], drifting(60, 0.04, 1))[0]})


def run(k, case):
    out = os.path.join(folder, f"more{k}")
    path = os.path.join(folder, f"more{k}.cfg")
    with open(path, "w") as file:
        file.write(case.text)
    done = subprocess.run([plastfit, "fit", path, f"out={out}", "--force"], capture_output=True, text=True)
    try:
        with open(os.path.join(out, "theta.csv")) as file:
            rows = list(csv.DictReader(file))
    except OSError:
        rows = []
    return done.returncode, rows, done.stdout + done.stderr


def close(value, wanted, share):
    return abs(value - wanted) <= share * abs(wanted)


def judge(case, code, rows, said):
    wrong = []
    if code != case.code:
        wrong.append(f"exit code {code}, expected {case.code}")
    rows = {r["name"]: r for r in rows if case.unit is None or r["unit"] == case.unit}
    statuses = case.status if isinstance(case.status, tuple) else (case.status,)
    if not rows and case.code == 0:
        wrong.append("no theta.csv")
    for name, row in rows.items():
        if row["status"] not in statuses:
            wrong.append(f"{name}: status '{row['status']}', expected {case.status}")
    for name, verdict in (case.verdicts or {}).items():
        if name in rows and rows[name]["verdict"] != verdict:
            wrong.append(f"{name}: '{rows[name]['verdict']}', expected '{verdict}' ({rows[name]['note']})")
    for name, note in case.notes.items():
        if name in rows and note not in rows[name]["note"]:
            wrong.append(f"{name}: note '{rows[name]['note']}', expected '{note}'")
    for name, wanted in case.near.items():
        if name in rows and not close(float(rows[name]["estimate"]), wanted, 1e-3):
            wrong.append(f"{name}: {rows[name]['estimate']}, expected {wanted}")
    for name, wanted in case.ends.items():
        found = [rows[name][c] for c in ("ci_lower", "ci_upper")]
        if wanted is None and found != ["", ""]:
            wrong.append(f"{name}: interval {found}, expected none")
        if wanted is not None and not all(f and abs(float(f) - w) <= 0.01 * (wanted[1] - wanted[0]) for f, w in zip(found, wanted)):
            wrong.append(f"{name}: interval {found}, expected {wanted}")
    wrong += [f"does not say '{word}'" for word in case.says if word not in said]
    return wrong


bad = 0
for k, case in enumerate(cases):
    if only and case.name not in only:
        continue
    code, rows, said = run(k, case)
    wrong = judge(case, code, rows, said)
    if wrong:
        bad += 1
        print(f"{case.name}: " + "; ".join(wrong) + "\n" + said)
print(f"{len(cases) - bad} of {len(cases)} right")
sys.exit(1 if bad else 0)
