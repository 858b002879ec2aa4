"""Separation by kind, and what only looks like it: which coefficients run off, to which side, and which do not.

    separation.py PLASTFIT FOLDER

Every case says why. Each is tried in other units, or with other seeds, too. Prints what differs; exit status 1 if anything
does. Written by someone who did not write the code it tests.
"""
import csv, json, math, os, random, subprocess, sys

plastfit, folder = sys.argv[1:3]
os.makedirs(folder, exist_ok=True)
INF = math.inf
wrong, n_cases = [], 0


def logistic(z):
    return 1 / (1 + math.exp(-z))


def fit(name, header, rows, terms, more="", loss='plugin = "choice";', network="", layers="[1, 1]", modulator="reward", per="shared",
        plastic="always", rule=None, post=""):
    with open(f"{folder}/{name}.csv", "w") as file:
        print(header, file=file)
        for row in rows:
            print(*row, sep=",", file=file)
    body = rule or f'plugin = "taylor"; terms = "{terms}"; modulator = "{modulator}"; init_sd = 0.0;'
    with open(f"{folder}/{name}.cfg", "w") as file:
        file.write(f"""name = "{name}"; seed = 2; report = false;
source: {{ plugin = "table"; path = "{name}.csv"; plastic = "{plastic}"; }};
network: {{ plugin = "feedforward"; layers = {layers}; initial_weights: {{ sd = 0.0; }}; {network}
           projections = ( {{ layer = 1; rule = "learn"; {post} }} ); }};
rules: {{ learn: {{ {body} eta = 1.0; }}; }};
losses = ( {{ {loss} }} );
fit: {{ per = "{per}"; }}; evaluate: {{ draws = 0; }};
{more}
""")
    run = f"{folder}/{name}.out"
    done = subprocess.run([plastfit, "fit", f"{folder}/{name}.cfg", "--force", f"out={run}"], capture_output=True, text=True)
    theta = list(csv.DictReader(open(f"{run}/theta.csv"))) if os.path.exists(f"{run}/theta.csv") else []
    return done.returncode, theta, done.stdout + done.stderr


def case(name, result, separated, coefficients, unit="all", says=()):
    """coefficients: name -> None (identified, closed on both sides) or the side that is open: "up", "down", "both", or "out":
    away from 0, whichever way."""
    global n_cases
    n_cases += 1
    code, theta, said = result
    rows = {r["name"]: r for r in theta if r["unit"] == unit}
    found = []
    if not rows:
        found.append("no theta.csv")
    if code != (1 if separated or separated is None else 0) and unit == "all":
        found.append(f"exit code {code}")
    for row in rows.values():
        if separated is not None and (row["status"] == "separation") != separated:
            found.append(f"status {row['status']}")
            break
    if separated and unit == "all" and "separation" not in said:
        found.append("the word separation is not printed")
    found += [f"does not say '{word}'" for word in says if word not in said]
    for key, side in coefficients.items():
        row = rows.get(key)
        if row is None:
            found.append(f"no {key}")
            continue
        low, high = (float(row[c] or "nan") for c in ("ci_lower", "ci_upper"))
        if side == "out":
            side = "up" if float(row["estimate"]) > 0 else "down"
        open_low, open_high = side in ("down", "both"), side in ("up", "both")
        if side is None:
            right = row["verdict"] == "identified" and math.isfinite(low) and math.isfinite(high)
        else:
            right = (row["verdict"] == "practically not identified" and
                     (low == -INF or not open_low) and (high == INF or not open_high) and "separation" in row["note"])
        if not right:
            found.append(f"{key}: [{low:.4g}, {high:.4g}] {row['verdict']} ({row['note']}), expected {side or 'identified'}")
    if found:
        wrong.append(f"{name}: " + "; ".join(found))


HEAD = "animal,x1,choice,reward"
ONE, X, R, W, XR = "X0Y0W0R0", "X1Y0W0R0", "X0Y0W0R1", "X0Y0W1R0", "X1Y0W0R1"

for seed in 1, 2:
    draw = random.Random(seed)
    n = 30 + 10 * seed
    sums = [0.0]
    rewards = [draw.choice((-1.0, 1.0)) for _ in range(n)]
    for r in rewards:
        sums.append(sums[-1] + r)

    # perfect, by the reward column: accepts where the rewards so far sum to more than half; logit = a sum of r, a without end
    rows = [["a", 1, int(sums[t] > 0) if sums[t] else draw.randrange(2), rewards[t]] for t in range(n)]
    case(f"perfect by reward {seed}", fit(f"reward{seed}", HEAD, rows, "r"), True, {R: "up"})
    # the other way round: a falls without end
    flipped = [[a, x, 1 - c, r] for a, x, c, r in rows]
    case(f"perfect, reversed {seed}", fit(f"reversed{seed}", HEAD, flipped, "r"), True, {R: "down"})
    # the reward in other units
    for unit in 1e-6, 1e4:
        scaled = [[a, x, c, r * unit] for a, x, c, r in rows]
        case(f"perfect, reward x {unit:g} {seed}", fit(f"scaled{seed}", HEAD, scaled, "r"), True, {R: "up"})
    # one choice in the middle of it that is not as predicted: nothing runs off
    odd = [list(row) for row in rows]
    at = max(range(n), key=lambda t: abs(sums[t]))
    odd[at][2] = 1 - odd[at][2]
    case(f"but for one choice {seed}", fit(f"odd{seed}", HEAD, odd, "r"), False, {R: None})

    # quasi: the first input's choices are mixed, the second's all 1; a weight each, and r tells them apart: logit = a k for the
    # first, (a + b) k for the second
    mixed = [int(draw.random() < logistic(0.06 * t)) for t in range(n)]
    rows = [["a", int(t % 2 == 0), int(t % 2), mixed[t] if t % 2 == 0 else 1, t % 2] for t in range(n)]
    case(f"quasi {seed}", fit(f"quasi{seed}", "animal,x1,x2,choice,reward", rows, "x + x r", layers="[2, 1]"), True,
         {XR: "up", X: None})

    # by the rule's own term: choices all 1 but the first, w grows by itself: weights k (1 + w k ...): both grow without end
    rows = [["a", 1, int(t > 0), 1] for t in range(n)]
    case(f"by its own term {seed}", fit(f"own{seed}", HEAD, rows, "1 + w"), True, {ONE: "up"})

    # one animal of three, each with its own theta; the others are identified
    def slope(seed, unit):
        other = random.Random(seed)
        return [[unit, 1, int(other.random() < logistic(0.05 * t - 0.5)), 1] for t in range(50)]
    rows = slope(seed, "a") + [["b", 1, 0, 1] for _ in range(20)] + slope(seed + 7, "c")
    result = fit(f"three{seed}", HEAD, rows, "1", per="animal")
    case(f"one of three {seed}", result, True, {ONE: "down"}, unit="b", says=["b: separation"])
    for unit in "a", "c":
        case(f"beside it {unit} {seed}", result, False, {ONE: None}, unit=unit)
    # one theta for the three: the other two set a limit
    case(f"shared by three {seed}", fit(f"shared{seed}", HEAD, rows, "1"), False, {ONE: None})

    # a bias of each animal's own beside a shared coefficient: the animal that always accepts has none, what is shared has
    rows = slope(seed, "a") + slope(seed + 20, "b") + [["c", 1, 1, 1] for _ in range(30)]
    biased = 'plugin = "choice"; parameters: { bias: { fixed = false; scope = "animal"; }; };'
    code, theta, said = fit(f"bias{seed}", HEAD, rows, "1", loss=biased, more='intervals: { methods = ["profile"]; };')
    n_cases += 1
    bias = {r["animal"]: r for r in theta if r["name"] == "bias"}
    shared = [r for r in theta if r["name"] == ONE]
    right = (code == 1 and len(bias) == 3 and bias["c"]["verdict"] == "practically not identified" and bias["c"]["ci_upper"] == "inf" and
             all(bias[a]["verdict"] == "identified" and math.isfinite(float(bias[a]["ci_upper"])) for a in "ab") and
             shared[0]["verdict"] == "identified")
    if not right:
        wrong.append(f"own bias {seed}: exit {code}, " + "; ".join(
            f"{r['name']} {r['animal']} [{r['ci_lower']}, {r['ci_upper']}] {r['verdict']} {r['note']}" for r in theta))

    # three arms: the arm shown (one input each) is the one chosen, always: its drive grows without end by
    # x y, y the choice
    arms = [draw.randrange(3) for _ in range(n)]
    rows = [["a", int(k == 0), int(k == 1), int(k == 2), k, 1] for k in arms]
    softmax = dict(loss='plugin = "categorical"; categories = 3;', layers="[3, 3]",
                   rule='plugin = "expr"; dw = "a*x*y"; parameters: { a = 0.1; };',
                   post='post = "choice";')
    net = 'output = "softmax"; '
    case(f"three arms {seed}", fit(f"arms{seed}", "animal,x1,x2,x3,choice,reward", rows, "", network=net, **softmax,
                                  more='intervals: { methods = ["profile"]; };'), True, {"a": "out"})
    # the same with one in five by chance
    rows = [["a", int(k == 0), int(k == 1), int(k == 2), k if draw.random() < 0.8 else draw.randrange(3), 1] for k in arms]
    case(f"three arms with lapses {seed}", fit(f"lapses{seed}", "animal,x1,x2,x3,choice,reward", rows, "", network=net, **softmax,
                                              more='intervals: { methods = ["profile"]; };'), False, {"a": None})

# counts: no spike in any step where the rule has acted
rows = [["a", 1, 0, 1] for _ in range(25)]
case("no spike", fit("silent", "animal,x1,y1,reward", rows, "1", loss='plugin = "poisson"; target = "activity";',
                     network='output = "linear";'), True, {ONE: "down"})
# activities have noise that is estimated: nothing separates
draw = random.Random(3)
rows = [["a", 1, 0.1 * t + 0.3 * draw.gauss(0, 1), 1] for t in range(30)]
case("a line", fit("line", "animal,x1,y1,reward", rows, "1", loss='plugin = "activity";', network='output = "linear";'), False,
     {ONE: None})
# two choices
case("two choices", fit("two", HEAD, [["a", 1, 1, 1]] * 3, "1"), True, {ONE: "up"})
# a weak penalty has a maximum: nothing runs off, and nothing is claimed
code, theta, said = fit("penalty", HEAD, [["a", 1, 1, 1]] * 30, "1", more="penalty: { l2 = 0.01; };")
n_cases += 1
if code != 0 or theta[0]["status"] != "ok" or theta[0]["verdict"] != "" or not math.isfinite(float(theta[0]["estimate"])):
    wrong.append(f"penalised: exit {code}, {theta}")

print(*wrong, sep="\n")
print(f"{n_cases - len(wrong)} of {n_cases} right")
sys.exit(1 if wrong else 0)
