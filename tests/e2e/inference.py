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
NAMES = ["X0Y0W0R0", "X1Y0W0R0"]
CHOICE = {"losses": '{ plugin = "choice"; }', "output": "sigmoid"}
wrong = 0


def check(what, found, expected, tolerance):
    global wrong
    if not math.isclose(found, expected, rel_tol=tolerance, abs_tol=1e-300):
        print(f"{what}: {found!r}, expected {expected!r}")
        wrong += 1


def make(name, respond, columns=("y1",), n_steps=lambda animal: N_STEPS):
    """Rows (animal, x, target, ...) after step 0; the file has step 0 of each animal before them."""
    draw = random.Random(5)
    rows = []
    with open(os.path.join(folder, name + ".csv"), "w") as file:
        file.write(f"animal,x1,x2,{','.join(columns)},plastic\n")
        for animal in range(N_ANIMALS):
            file.write(f"a{animal},{FIRST[0]},{FIRST[1]},{',' * len(columns)}1\n")
            for _ in range(n_steps(animal)):
                x = (draw.gauss(0.5, 1), draw.gauss(0, 1))
                targets = respond(draw, 0.8 * x[0] - 0.4 * x[1])
                file.write(f"a{animal},{x[0]!r},{x[1]!r},{','.join(map(repr, targets))},0\n")
                rows.append((animal, x, *targets))
    return rows


def fit(name, *more, losses='{ plugin = "activity"; }', output="linear", n_outputs=1):
    path, out = os.path.join(folder, name + ".cfg"), os.path.join(folder, "out")
    with open(path, "w") as file:
        file.write(f"""name = "{name}"; report = false;
source: {{ plugin = "table"; path = "{name}.csv"; }};
network: {{ plugin = "feedforward"; layers = [2, {n_outputs}]; output = "{output}"; initial_weights: {{ sd = 0.0; }};
           projections = ( {{ layer = 1; rule = "learn"; }} ); }};
rules: {{ learn: {{ plugin = "taylor"; terms = "1 + x"; init_sd = 0.0; }}; }};
losses = ( {losses} );
fit: {{ per = "shared"; optimiser = "lm"; }};
intervals: {{ methods = ["fisher", "sandwich"]; }};
evaluate: {{ draws = 0; }};
""")
    done = subprocess.run([plastfit, "fit", path, f"out={out}", "--force", "--quiet", *more], stderr=subprocess.PIPE)
    assert done.returncode == 0 or b"no result rests on this fit" in done.stderr, done.stderr
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


def inverse_of(m):
    """By Gauss and Jordan; positive definite."""
    n = len(m)
    rows = [list(row) + [float(i == j) for j in range(n)] for i, row in enumerate(m)]
    for i in range(n):
        rows[i] = [v / rows[i][i] for v in rows[i]]
        for j in range(n):
            if j != i:
                rows[j] = [v - rows[j][i] * w for v, w in zip(rows[j], rows[i])]
    return [row[n:] for row in rows]


def product(a, b):
    return [[sum(x * y for x, y in zip(row, column)) for column in zip(*b)] for row in a]


def student(df):
    """97.5 % of Student's t by its expansion in 1 / df; to 1e-9 from 400 degrees on."""
    return (Z + (Z**3 + Z) / (4 * df) + (5 * Z**5 + 16 * Z**3 + 3 * Z) / (96 * df**2)
            + (3 * Z**7 + 19 * Z**5 + 17 * Z**3 - 15 * Z) / (384 * df**3))


def compare(label, name, rows, logistic, *more, clusters=lambda row, k: row[0], quantile=T_11):
    """Errors at plastfit's own estimate, which the score there says is the optimum."""
    theta, intervals = fit(name, *more, **(CHOICE if logistic else {}))
    v = [float(theta[n]["estimate"]) for n in NAMES]
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
    half = Z if logistic else student(len(rows) - 2)
    for i, which in enumerate(NAMES):
        se = math.sqrt(variance * bread[i][i])
        check(f"{label}: fisher {which}", float(intervals["fisher", which]["se"]), se, 1e-6)
        check(f"{label}: fisher {which} lower", float(theta[which]["ci_lower"]), v[i] - half * se, 1e-6)
        check(f"{label}: fisher {which} upper", float(theta[which]["ci_upper"]), v[i] + half * se, 1e-6)
        se = math.sqrt(robust[i][i])
        check(f"{label}: sandwich {which}", float(intervals["sandwich", which]["se"]), se, 1e-6)
        check(f"{label}: sandwich {which} upper", float(intervals["sandwich", which]["upper"]), v[i] + quantile * se, 1e-6)


def weighed(label, name, rows, weight, scores, *more, **model):
    """
    Errors where what is minimised is not the likelihood: sum over rows and losses of weight(row, k) loss_k, loss_k a
    squared error or minus a log likelihood (scores[k] "normal" or "bernoulli"). Its minimum has covariance
    H^-1 V H^-1, V the variance of its score. Returns the errors, and sigma of each loss.
    """
    theta, intervals = fit(name, *more, **model)
    v = [float(theta[n]["estimate"]) for n in NAMES]
    n_losses, sigmoid = len(scores), model.get("output") == "sigmoid"
    sse, total = [0.0] * n_losses, [0.0, 0.0]
    terms = []  # H of a loss's every cell at weight 1, and V over sigma^2 if it is a squared error
    for row in rows:
        f = feature(row[1])
        drive = v[0] * f[0] + v[1] * f[1]
        mean = 1 / (1 + math.exp(-drive)) if sigmoid else drive
        slope = mean * (1 - mean) if sigmoid else 1.0
        for k in range(n_losses):
            off, w = row[2 + k] - mean, weight(row, k)
            sse[k] += off**2
            squared = scores[k] == "normal"
            h = 2 * slope**2 if squared else slope
            terms.append((k, w, f, h, 2 * h if squared else h))
            for i in range(2):
                total[i] += w * off * f[i] * (2 * slope if squared else 1.0)
    assert max(map(abs, total)) < 1e-6 * sum(w for _, w, *_ in terms), total
    normal = [k for k in range(n_losses) if scores[k] == "normal"]
    freedom = len(rows) * (1 - 2 / (len(rows) * len(normal)))
    variance = [sse[k] / freedom if k in normal else 1.0 for k in range(n_losses)]
    bread, meat, naive = ([[0.0, 0.0], [0.0, 0.0]] for _ in range(3))
    for k, w, f, h, square in terms:
        for i in range(2):
            for j in range(2):
                bread[i][j] += w * h * f[i] * f[j]
                meat[i][j] += w**2 * square * variance[k] * f[i] * f[j]
                naive[i][j] += h * f[i] * f[j] / (2 * variance[k] if k in normal else 1.0)
    bread, naive = inverse(bread), inverse(naive)
    covariance = times(times(bread, meat), bread)
    half = student(len(rows) * n_losses - 2) if len(normal) == n_losses else Z
    for i, which in enumerate(NAMES):
        se = math.sqrt(covariance[i][i])
        check(f"{label}: fisher {which}", float(intervals["fisher", which]["se"]), se, 1e-6)
        check(f"{label}: fisher {which} upper", float(theta[which]["ci_upper"]), v[i] + half * se, 1e-6)
        assert se > 1.05 * math.sqrt(naive[i][i]), f"{label}: the likelihood's own errors would pass"
        assert ("sandwich", which) not in intervals or not intervals["sandwich", which]["se"], "a sandwich is refused"
    return [math.sqrt(covariance[i][i]) for i in range(2)], [math.sqrt(u) for u in variance]


def spread(rows, weight, sds, n_sets=4000):
    """sd of weighted least squares over sets drawn anew, without any formula for it: sds[k] of column k's noise."""
    draw = random.Random(9)
    features = [feature(row[1]) for row in rows]
    cells = [(f, weight(row, k), sds[k]) for row, f in zip(rows, features) for k in range(len(sds))]
    bread = inverse([[sum(w * f[i] * f[j] for f, w, _ in cells) for j in range(2)] for i in range(2)])
    moments = [0.0, 0.0]
    for _ in range(n_sets):
        score = [0.0, 0.0]
        for f, w, sd in cells:
            noise = w * draw.gauss(0, sd)
            score[0] += f[0] * noise
            score[1] += f[1] * noise
        for i in range(2):
            moments[i] += (bread[i][0] * score[0] + bread[i][1] * score[1]) ** 2
    return [math.sqrt(m / n_sets) for m in moments]


linear = make("linear", lambda draw, drive: [drive + draw.gauss(0, 0.3)])
logistic = make("logistic", lambda draw, drive: [float(draw.random() < 1 / (1 + math.exp(-drive)))], ["choice"])
compare("linear", "linear", linear, False)
compare("logistic", "logistic", logistic, True)
# what must not matter: how many draws of the same inputs, the loss's weight, how the objective is normalised
compare("5 draws", "logistic", logistic, True, "source.input.draws=5")
compare("weight", "logistic", logistic, True, "losses.[0].weight=3", "normalise=sum")
compare("padded", "linear", linear, False, "normalise=padded")
# blocks of 10 steps within an animal: step 0 counts, so the blocks of its 40 steps begin at its step 9
compare("blocks", "logistic", logistic, True, "intervals.cluster=block", "intervals.block=10",
        clusters=lambda row, k: (row[0], min((k % N_STEPS + 1) // 10, 3)), quantile=2.0117405137297655)

# what is minimised is not the likelihood: two losses whose noise differs, animals of 10 to 65 steps that count alike,
# a choice and an activity of one output. What the two regressions' errors are is told by drawing them anew, too, with the
# sigma that was found: the sd of 4,000 sets has an error of 1.1 %
TWO = '{ plugin = "activity"; units = [0]; }, { plugin = "activity"; units = [1]; weight = 3.0; }'
two = make("two", lambda draw, drive: [drive + draw.gauss(0, 0.1), drive + draw.gauss(0, 1)], ["y1", "y2"])
ses, sigma = weighed("two losses", "two", two, lambda row, k: (1.0, 3.0)[k], ["normal"] * 2, losses=TWO, n_outputs=2)
for i, sd in enumerate(spread(two, lambda row, k: (1.0, 3.0)[k], sigma)):
    check(f"two losses, drawn: {NAMES[i]}", ses[i], sd, 0.04)

uneven = make("uneven", lambda draw, drive: [drive + draw.gauss(0, 0.3)], n_steps=lambda animal: 10 + 5 * animal)
alike = lambda row, k: 1.0 / (11 + 5 * row[0])  # step 0 counts as one that is not observed
ses, sigma = weighed("padded, uneven", "uneven", uneven, alike, ["normal"], "normalise=padded")
for i, sd in enumerate(spread(uneven, alike, sigma)):
    check(f"padded, drawn: {NAMES[i]}", ses[i], sd, 0.04)
compare("steps, uneven", "uneven", uneven, False)

BOTH = '{ plugin = "choice"; }, { plugin = "activity"; weight = 200.0; }'
both = make("both", lambda draw, drive: [float(draw.random() < 1 / (1 + math.exp(-drive))),
                                         1 / (1 + math.exp(-drive)) + draw.gauss(0, 0.2)], ["choice", "y1"])
for draws in (1, 3):
    weighed(f"choice and activity, {draws} draws", "both", both, lambda row, k: (1.0, 200.0)[k], ["bernoulli", "normal"],
            f"source.input.draws={draws}", losses=BOTH, output="sigmoid")

# a bias of each animal's own beside coefficients that all share: clusters of animals tell of these alone, and the sandwich is
# that of the whole regression, with a constant for each animal
BIASED = '{ plugin = "choice"; parameters: { bias: { fixed = false; scope = "animal"; }; }; }'
theta, intervals = fit("logistic", "intervals.methods=[\"auto\"]", losses=BIASED, output="sigmoid")
with open(os.path.join(folder, "out", "theta.csv")) as file:
    every = list(csv.DictReader(file))
own = {r["animal"]: r for r in every if r["name"] == "bias"}
estimates = [float(theta[n]["estimate"]) for n in NAMES] + [float(own[f"a{a}"]["estimate"]) for a in range(N_ANIMALS)]
n = len(estimates)
info, scores = [[0.0] * n for _ in range(n)], [[0.0] * n for _ in range(N_ANIMALS)]
for animal, x, choice in logistic:
    f = feature(x) + [float(a == animal) for a in range(N_ANIMALS)]
    mean = 1 / (1 + math.exp(-sum(e * v for e, v in zip(estimates, f))))
    for i in range(n):
        scores[animal][i] += (choice - mean) * f[i]
        for j in range(n):
            info[i][j] += mean * (1 - mean) * f[i] * f[j]
bread = inverse_of(info)
meat = [[sum(s[i] * s[j] for s in scores) * N_ANIMALS / (N_ANIMALS - 1) for j in range(n)] for i in range(n)]
robust = product(product(bread, meat), bread)
for i, which in enumerate(NAMES):
    se = math.sqrt(robust[i][i])
    check(f"own biases: sandwich {which}", float(intervals["sandwich", which]["se"]), se, 1e-5)
    check(f"own biases: shown {which}", float(theta[which]["ci_upper"]), estimates[i] + T_11 * se, 1e-5)
for a in range(N_ANIMALS):
    check(f"own biases: bias of a{a}", float(own[f"a{a}"]["se"]), math.sqrt(bread[2 + a][2 + a]), 1e-5)
    if own[f"a{a}"]["ci_method"] == "sandwich" or theta[NAMES[0]]["ci_method"] != "sandwich":
        print(f"own biases: the method is {own[f'a{a}']['ci_method']}, and of what is shared {theta[NAMES[0]]['ci_method']}")
        wrong += 1

# nothing where there is a penalty, nor where the fit did not arrive: the reason instead
for more, words in ((["penalty.l1=0.01"], "a penalty"), (["fit.iterations=1"], "did not converge"),
                    (["fit.optimiser=adam", "fit.epochs=2"], "adam stops"), (["intervals.max_values=1"], "intervals.max_values")):
    theta, _ = fit("logistic", *more, **CHOICE)
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
