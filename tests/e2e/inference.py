"""Standard errors against those of linear and logistic regression, computed here.

    inference.py PLASTFIT FOLDER

A layer of two inputs and one output whose weights start at 0 and change once, after step 0, by eta (a x_j + b): from
there on drive_t = w . x_t is linear in a and b, with features that can be written down.
"""
import csv, json, math, os, random, subprocess, sys

plastfit, folder = sys.argv[1:3]
# eta is 1 / (number of inputs)
ETA, FIRST, N_ANIMALS, N_STEPS = 0.5, (1.0, -2.0), 12, 40
T_11, Z = 2.2009851600916, 1.9599639845400545
wrong = 0


def check(what, found, expected, tolerance):
    global wrong
    if not math.isclose(found, expected, rel_tol=tolerance, abs_tol=1e-300):
        print(f"{what}: {found!r}, expected {expected!r}")
        wrong += 1


def make(name, respond):
    """Rows (animal, x, target) after step 0; the file has step 0 of each animal before them."""
    draw = random.Random(5)
    rows = []
    with open(os.path.join(folder, name + ".csv"), "w") as file:
        file.write("animal,x1,x2,%s,plastic\n" % ("choice" if name == "logistic" else "y1"))
        for animal in range(N_ANIMALS):
            file.write(f"a{animal},{FIRST[0]},{FIRST[1]},,1\n")
            for _ in range(N_STEPS):
                x = (draw.gauss(0.5, 1), draw.gauss(0, 1))
                target = respond(draw, 0.8 * x[0] - 0.4 * x[1])
                file.write(f"a{animal},{x[0]!r},{x[1]!r},{target!r},0\n")
                rows.append((animal, x, target))
    return rows


def fit(name, *more):
    path, out = os.path.join(folder, name + ".cfg"), os.path.join(folder, "out")
    loss, output = ("choice", "sigmoid") if name == "logistic" else ("activity", "linear")
    with open(path, "w") as file:
        file.write(f"""name = "{name}"; report = false;
source: {{ plugin = "table"; path = "{name}.csv"; }};
network: {{ plugin = "feedforward"; layers = [2, 1]; output = "{output}"; initial_weights: {{ sd = 0.0; }};
           projections = ( {{ layer = 1; rule = "learn"; }} ); }};
rules: {{ learn: {{ plugin = "taylor"; terms = "1 + x"; init_sd = 0.0; }}; }};
losses = ( {{ plugin = "{loss}"; }} );
fit: {{ per = "shared"; optimiser = "lm"; }};
intervals: {{ methods = ["fisher", "sandwich"]; }};
evaluate: {{ draws = 0; }};
""")
    subprocess.run([plastfit, "fit", path, f"out={out}", "--force", "--quiet", *more], check=True)
    with open(os.path.join(out, "theta.csv")) as file:
        theta = {r["name"]: r for r in csv.DictReader(file)}
    with open(os.path.join(out, "intervals.csv")) as file:
        intervals = {(r["method"], r["name"]): r for r in csv.DictReader(file)}
    return theta, intervals


def feature(x):
    """d drive / d (b, a)"""
    return [ETA * (x[0] + x[1]), ETA * (FIRST[0] * x[0] + FIRST[1] * x[1])]


def inverse(m):
    det = m[0][0] * m[1][1] - m[0][1] * m[1][0]
    return [[m[1][1] / det, -m[0][1] / det], [-m[1][0] / det, m[0][0] / det]]


def times(a, b):
    return [[sum(a[i][k] * b[k][j] for k in range(2)) for j in range(2)] for i in range(2)]


def compare(label, name, rows, logistic, *more, clusters=lambda row, k: row[0], quantile=T_11):
    """Errors at plastfit's own estimate, which the score there says is the optimum."""
    theta, intervals = fit(name, *more)
    names = ["X0Y0W0R0", "X1Y0W0R0"]
    v = [float(theta[n]["estimate"]) for n in names]
    info, scores, sse = [[0.0, 0.0], [0.0, 0.0]], {}, 0.0
    for k, row in enumerate(rows):
        f = feature(row[1])
        drive = v[0] * f[0] + v[1] * f[1]
        mean = 1 / (1 + math.exp(-drive)) if logistic else drive
        own = scores.setdefault(clusters(row, k), [0.0, 0.0])
        sse += (row[2] - mean) ** 2
        for i in range(2):
            own[i] += (row[2] - mean) * f[i]
            for j in range(2):
                info[i][j] += (mean * (1 - mean) if logistic else 1.0) * f[i] * f[j]
    variance = 1.0 if logistic else sse / (len(rows) - 2)
    total = [sum(s[i] for s in scores.values()) for i in range(2)]
    assert max(map(abs, total)) < 1e-6 * len(rows), total
    bread = inverse(info)
    n = len(scores)
    meat = [[sum(s[i] * s[j] for s in scores.values()) * n / (n - 1) for j in range(2)] for i in range(2)]
    robust = times(times(bread, meat), bread)
    for i, which in enumerate(names):
        se = math.sqrt(variance * bread[i][i])
        check(f"{label}: fisher {which}", float(intervals["fisher", which]["se"]), se, 1e-6)
        check(f"{label}: fisher {which} lower", float(theta[which]["ci_lower"]), v[i] - Z * se, 1e-6)
        check(f"{label}: fisher {which} upper", float(theta[which]["ci_upper"]), v[i] + Z * se, 1e-6)
        se = math.sqrt(robust[i][i])
        check(f"{label}: sandwich {which}", float(intervals["sandwich", which]["se"]), se, 1e-6)
        check(f"{label}: sandwich {which} upper", float(intervals["sandwich", which]["upper"]), v[i] + quantile * se, 1e-6)


linear = make("linear", lambda draw, drive: drive + draw.gauss(0, 0.3))
logistic = make("logistic", lambda draw, drive: float(draw.random() < 1 / (1 + math.exp(-drive))))
compare("linear", "linear", linear, False)
compare("logistic", "logistic", logistic, True)
# what must not matter: how many draws of the same inputs, the loss's weight, how the objective is normalised
compare("5 draws", "logistic", logistic, True, "source.input.draws=5")
compare("weight", "logistic", logistic, True, "losses.[0].weight=3", "normalise=sum")
compare("padded", "linear", linear, False, "normalise=padded")
# blocks of 10 steps within an animal: step 0 counts, so the blocks of its 40 steps begin at its step 9
compare("blocks", "logistic", logistic, True, "intervals.cluster=block", "intervals.block=10",
        clusters=lambda row, k: (row[0], min((k % N_STEPS + 1) // 10, 3)), quantile=2.0117405137297655)

# nothing where there is a penalty, nor where the fit did not arrive: the reason instead
for more, words in ((["penalty.l1=0.01"], "a penalty"), (["fit.iterations=1"], "did not converge"),
                    (["fit.optimiser=adam", "fit.epochs=2"], "adam stops"), (["intervals.most=1"], "intervals.most")):
    theta, _ = fit("logistic", *more)
    for row in theta.values():
        if row["se"] or row["ci_lower"] or row["verdict"] or words not in row["note"]:
            print(f"{more}: se '{row['se']}', verdict '{row['verdict']}', note '{row['note']}'")
            wrong += 1

# at a bound: no standard error, and the other's is as if it were fixed
theta, _ = fit("linear", "rules.learn.parameters={ X0Y0W0R0: { upper = -0.5; }; }")
info = sum(feature(x)[1] ** 2 for _, x, _ in linear)
v = [float(theta[n]["estimate"]) for n in ("X0Y0W0R0", "X1Y0W0R0")]
sse = sum((target - sum(a * b for a, b in zip(v, feature(x)))) ** 2 for _, x, target in linear)
check("bound", v[0], -0.5, 0)
check("given the bound", float(theta["X1Y0W0R0"]["se"]), math.sqrt(sse / (len(linear) - 2) / info), 1e-6)
if theta["X0Y0W0R0"]["se"] or theta["X0Y0W0R0"]["note"] != "at its bound":
    print(f"at a bound: {theta['X0Y0W0R0']}")
    wrong += 1
print(f"{wrong} wrong")
sys.exit(1 if wrong else 0)
