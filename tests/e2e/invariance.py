"""The same data in other units, another order, other words: the same answer.

    invariance.py PLASTFIT FOLDER
"""
import csv, json, math, os, random, subprocess, sys

plastfit, folder = sys.argv[1], sys.argv[2]
os.makedirs(folder, exist_ok=True)
bad = []
CHOICE = """name = "i"; seed = 1; report = false;
source: {{ plugin = "table"; path = "{data}"; plastic = "accepts"; {source} }};
network: {{ plugin = "feedforward"; layers = [2, 1]; initial_weights: {{ sd = 0.0; }};
           projections = ( {{ layer = 1; rule = "learn"; }} ); }};
rules: {{ learn: {{ plugin = "taylor"; terms = "x r + w"; modulator = "reward"; eta = 1.0; }}; }};
losses = ( {{ plugin = "choice"; }} );
fit: {{ per = "shared"; }}; evaluate: {{ draws = 0; }};
intervals: {{ methods = [{methods}]; }};
"""
ACTIVITY = """name = "i"; seed = 1; report = false;
source: {{ plugin = "table"; path = "{data}"; plastic = "always"; columns: {{ channels = ["r"]; }}; {source} }};
network: {{ plugin = "feedforward"; layers = [2, 1]; output = "linear"; initial_weights: {{ sd = 0.0; }};
           projections = ( {{ layer = 1; rule = "learn"; }} ); }};
rules: {{ learn: {{ plugin = "taylor"; terms = "x r + w"; modulator = "r"; eta = 1.0; }}; }};
losses = ( {{ plugin = "activity"; }} );
fit: {{ per = "shared"; }}; evaluate: {{ draws = 0; }};
intervals: {{ methods = [{methods}]; }};
"""


def choices(animals=6, trials=80):
    rows, draw = [], random.Random(3)
    for animal in range(animals):
        weights = [0.0, 0.0]
        for trial in range(trials):
            odour = draw.randrange(2)
            accepts = int(draw.random() < 1 / (1 + math.exp(-weights[odour])))
            reward = int(accepts and draw.random() < (0.8, 0.3)[odour]) - 0.4 * accepts
            rows.append(dict(animal=f"a{animal}", session=1, x1=1.0 - odour, x2=float(odour), choice=accepts, reward=reward))
            if accepts:
                weights = [w + 1.1 * x * reward - 0.08 * w for w, x in zip(weights, (1 - odour, odour))]
    return rows


def activities(animals=3, trials=60):
    rows, draw = [], random.Random(5)
    for animal in range(animals):
        weights = [0.0, 0.0]
        for trial in range(trials):
            x, r = [draw.gauss(1, 1), draw.gauss(0, 1)], draw.gauss(0.3, 1)
            y = sum(w * v for w, v in zip(weights, x)) + draw.gauss(0, 0.2)
            rows.append(dict(animal=f"a{animal}", session=1, x1=x[0], x2=x[1], r=r, y1=y))
            weights = [w + 0.3 * v * r - 0.1 * w for w, v in zip(weights, x)]
    return rows


def write(name, rows, columns=None):
    columns = columns or list(rows[0])
    with open(f"{folder}/{name}.csv", "w") as file:
        print(*columns, sep=",", file=file)
        for row in rows:
            print(*(repr(row[c]) if isinstance(row[c], float) else row[c] for c in columns), sep=",", file=file)


def fit(name, config, *options, data=None, source="", methods='"fisher", "profile"'):
    """theta.csv, or a list of nothing; an exit code of 1 is a complaint."""
    with open(f"{folder}/{name}.cfg", "w") as file:
        file.write(config.format(data=f"{data or name}.csv", source=source, methods=methods))
    run = f"{folder}/{name}.out"
    done = subprocess.run([plastfit, "fit", f"{folder}/{name}.cfg", "--quiet", "--force", f"out={run}", *options],
                          capture_output=True, text=True)
    if done.returncode != 0:
        bad.append(f"{name}: exit {done.returncode}: {done.stderr.strip()[-200:]}")
        return {}
    return {(r["name"], r["method"]): {k: float(r[k] or "nan") for k in ("estimate", "se", "lower", "upper")}
            for r in csv.DictReader(open(f"{run}/intervals.csv"))} | {
        (r["name"], ""): {"estimate": float(r["estimate"])} for r in csv.DictReader(open(f"{run}/theta.csv"))}


def agreement(name):
    """Statistic and degrees of freedom of the test of whether animals agree."""
    found = json.load(open(f"{folder}/{name}.out/summary.json"))["inference"]["units"][0].get("animals_agree")
    return (found["statistic"], found["degrees_of_freedom"]) if found else (math.nan, math.nan)


def compare(name, want, got, factors=None, of_width=2e-3, se=None):
    """Estimates and intervals of `got`, divided by the factors of units, are those of `want`; se: standard errors, by method, are
    so many times those of `want`, and nobody looks at the intervals."""
    if not got:
        return
    width = {n: want[n, m]["upper"] - want[n, m]["lower"] for n, m in want if m == "fisher"}
    for (parameter, method), numbers in want.items():
        if (parameter, method) not in got:
            bad.append(f"{name}: no {method} of {parameter}")
            continue
        factor = (factors or {}).get(parameter, 1.0)
        for key, number in numbers.items():
            found = got[parameter, method].get(key, math.nan) / factor
            wanted = number * se[method] if key == "se" and se else number
            if se and key in ("lower", "upper"):
                continue
            if math.isnan(wanted) and math.isnan(found):
                continue
            if not abs(found - wanted) <= of_width * width[parameter]:
                bad.append(f"{name}: {parameter} {method} {key}: {found} instead of {wanted}")


LEARNED = """name = "l"; seed = 1; report = false;
source: {{ plugin = "table"; path = "{data}"; {source} }};
network: {{ plugin = "feedforward"; layers = [2, 2]; output = "linear"; initial_weights: {{ sd = 0.01; learn = "each"; }}; }};
rules: {{ learn: {{ plugin = "taylor"; terms = "x y + w + y^2 w"; eta = 0.5; init_sd = 0.0; }}; }};
losses = ( {{ plugin = "activity"; }} );
fit: {{ per = "shared"; }}; evaluate: {{ draws = 0; }};
intervals: {{ methods = [{methods}]; }};
"""


def cells(steps=200):
    rows, draw, weights = [], random.Random(5), [[0.3, -0.2], [0.1, 0.4]]
    for step in range(steps):
        x = [draw.gauss(0, 1), draw.gauss(0, 1)]
        y = [sum(w * v for w, v in zip(row, x)) for row in weights]
        rows.append(dict(animal="a", session=1, x1=x[0], x2=x[1], y1=y[0] + 0.1 * draw.gauss(0, 1), y2=y[1] + 0.1 * draw.gauss(0, 1)))
        weights = [[w + 0.05 * v * a - 0.05 * a * a * w - 0.01 * w for w, v in zip(row, x)] for row, a in zip(weights, y)]
    return rows


XR, W = "X1Y0W0R1", "X0Y0W1R0"
# starting weights that are learned begin at 0.01, whatever the units of the activity are
recorded = cells()
write("cells", recorded)
want = fit("cells", LEARNED, methods='"fisher"')
for c in 1e-12, 1e9:
    write(f"cells{c:g}", [row | {"y1": c * row["y1"], "y2": c * row["y2"]} for row in recorded])
    units = {"X0Y2W1R0": c ** -2} | {name: c for name, method in want if name.startswith("w0.")}
    compare(f"learned weights, activity x {c:g}", want, fit(f"cells{c:g}", LEARNED, methods='"fisher"'), units)

for kind, config, rows in ("choice", CHOICE, choices()), ("activity", ACTIVITY, activities()):
    reward = "reward" if kind == "choice" else "r"
    for optimiser in "lm", "lbfgs":
        write(kind, rows)
        want = fit(f"{kind}_{optimiser}", config, f"fit.optimiser={optimiser}", data=kind)
        for power in -12, -6, 3, 9:
            c = 10.0 ** power
            units = {"x1 x2": {XR: c ** -2}, reward: {XR: 1 / c}}
            if kind == "activity":
                units["y1"] = {XR: c}
            for columns, factors in units.items():
                name = f"{kind}_{optimiser}_{columns[:2].strip()}{power}"
                write(name, [{k: v * c if k in columns.split() else v for k, v in row.items()} for row in rows])
                compare(name, want, fit(name, config, f"fit.optimiser={optimiser}"), factors)
                here, there = agreement(f"{kind}_{optimiser}"), agreement(name)
                if not (abs(here[0] - there[0]) <= 1e-3 * here[0] and here[1] == there[1]):
                    bad.append(f"{name}: animals agree: {there} instead of {here}")

    # another order, other names
    want = fit(f"{kind}_lm", config, data=kind)
    names = sorted({row["animal"] for row in rows})
    write("order", [row for name in reversed(names) for row in rows if row["animal"] == name])
    compare(f"{kind}, order of animals", want, fit("order", config))
    write("columns", rows, columns=list(reversed(rows[0])))
    compare(f"{kind}, order of columns", want, fit("columns", config))
    write("odours", [row | {"x1": row["x2"], "x2": row["x1"]} for row in rows])
    compare(f"{kind}, inputs relabelled", want, fit("odours", config))
    half = {name: sum(row["animal"] == name for row in rows) // 2 for name in names}
    seen, split = dict.fromkeys(names, 0), []
    for row in rows:
        seen[row["animal"]] += 1
        split.append(row | {"session": 1 if seen[row["animal"]] <= half[row["animal"]] else 2})
    write("split", split)
    compare(f"{kind}, split sessions", want, fit("split", config, source="sessions: { persist = true; };"))

    # everything twice: as other animals, and as other sessions of the same animals
    both = '"fisher", "sandwich"'
    once = fit("once", config, data=kind, methods=both)
    write("twice", rows + [row | {"animal": row["animal"] + "b"} for row in rows])
    twice = fit("twice", config, methods=both)
    m = len(names)  # a sandwich of m clusters has a factor m / (m - 1)
    compare(f"{kind}, animals twice", once, twice,
            se={"fisher": math.sqrt(0.5), "sandwich": math.sqrt((m - 1) / (2 * m - 1))})
    write("again", [r for name in names for s in (1, 2) for r in [row | {"session": s} for row in rows if row["animal"] == name]])
    again = fit("again", config, methods=both)
    compare(f"{kind}, sessions twice", once, again, se={"fisher": math.sqrt(0.5), "sandwich": 1.0})

    # threads: the same bits
    texts = set()
    for threads in 1, 2, 4:
        fit(f"threads{threads}", config, f"threads={threads}", data=kind)
        texts.add("".join(open(f"{folder}/threads{threads}.out/{f}").read() for f in ("theta.csv", "intervals.csv", "profiles.csv")))
    if len(texts) != 1:
        bad.append(f"{kind}: threads change the answer")

print(*bad, sep="\n")
sys.exit(1 if bad else 0)
