"""Ends of profiles, checked without plastfit's own curve: the model is simulated and fitted anew here.

    profile_ends.py PLASTFIT FOLDER N [FIRST]

N small problems of choices, of 20 to 60 trials and 2 to 5 coefficients, some of them separated. At every end of an interval
that is not marked open the others are refitted from many starts (Fisher scoring with damping, all starts at once; where
scipy is there BFGS and Nelder-Mead from the best of them too), and 2dL must be 3.6 or more there; so it must further out.
Where 2dL is said to jump, the end is known to 1e-9 of its size, so it is looked at just outside: 1e-6 of the interval beyond.
What is printed last is the table of doc/coverage.md. Needs numpy; exit status 77: it is not there.
"""
import csv, json, math, os, random, subprocess, sys

try:
    import numpy as np
except ImportError:
    print("SKIPPED: no numpy")
    sys.exit(77)
try:
    from scipy.optimize import minimize
except ImportError:
    minimize = None

plastfit, folder, n_problems = sys.argv[1], sys.argv[2], int(sys.argv[3])
first = int(sys.argv[4]) if len(sys.argv) > 4 else 0
os.makedirs(folder, exist_ok=True)
ETA, LIMIT = 0.5, 3.841458820694124
# powers of x, w, r of each term; x is 0 or 1
RULES = {
    "x r + w": [(1, 0, 1), (0, 1, 0)],
    "x r + w + 1": [(1, 0, 1), (0, 1, 0), (0, 0, 0)],
    "x r + x": [(1, 0, 1), (1, 0, 0)],
    "x r + x + w": [(1, 0, 1), (1, 0, 0), (0, 1, 0)],
    "x r + x + w + r": [(1, 0, 1), (1, 0, 0), (0, 1, 0), (0, 0, 1)],
    "x r + x + w + 1": [(1, 0, 1), (1, 0, 0), (0, 1, 0), (0, 0, 0)],
    "x r + x + w + r + 1": [(1, 0, 1), (1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 0)],
}
KINDS = ["learns", "learns fast", "always one odour", "at random", "by the sign of its weight", "rarely wrong"]
CONFIG = """name = "{name}"; seed = 1; report = false;
source: {{ plugin = "table"; path = "{name}.csv"; plastic = "accepts"; columns: {{ channels = ["r"]; }}; }};
network: {{ plugin = "feedforward"; layers = [2, 1]; initial_weights: {{ sd = 0.0; }};
           projections = ( {{ layer = 1; rule = "learn"; }} ); }};
rules: {{ learn: {{ plugin = "taylor"; terms = "{terms}"; modulator = "r"; eta = {eta}; init_sd = 0.0; }}; }};
losses = ( {{ plugin = "choice"; {bias} }} );
fit: {{ per = "shared"; }};
evaluate: {{ draws = 0; }};
intervals: {{ methods = ["profile"]; }};
"""


class Problem:
    """Choices of one animal, and the likelihood of the model, written down anew."""

    def __init__(self, seed):
        draw = random.Random(1000 + seed)
        self.kind = KINDS[seed % len(KINDS)]
        self.terms = list(RULES)[(seed // len(KINDS) + seed) % len(RULES)]
        self.powers = RULES[self.terms]
        self.has_bias = seed % 5 == 4 and len(self.powers) < 5
        self.k = len(self.powers) + self.has_bias
        self.names = ["X%dY0W%dR%d" % p for p in self.powers] + ["bias"] * self.has_bias
        weights, self.odour, self.choice, self.r = [0.0, 0.0], [], [], []
        gain = {"learns": 0.8, "learns fast": 2.0}.get(self.kind, 1.0)
        for _ in range(draw.randint(20, 60)):
            odour = draw.randrange(2)
            p = 1 / (1 + math.exp(-weights[odour]))
            accepts = {"always one odour": odour == 0, "at random": draw.random() < 0.5,
                       "by the sign of its weight": weights[odour] >= 0,
                       "rarely wrong": (odour == 0) != (draw.random() < 0.06)}.get(self.kind, draw.random() < p)
            r = round((draw.random() < (0.8, 0.2)[odour]) - 0.4 + 0.1 * draw.gauss(0, 1), 3) if accepts else 0.0
            self.odour.append(odour), self.choice.append(int(accepts)), self.r.append(r)
            if accepts:
                weights[odour] += ETA * gain * r * 2
                weights = [w * 0.98 for w in weights]

    def write(self, name):
        with open(f"{folder}/{name}.csv", "w") as file:
            print("animal,trial,x1,x2,choice,r", file=file)
            for t, (o, c, r) in enumerate(zip(self.odour, self.choice, self.r)):
                print("a", t + 1, int(o == 0), int(o == 1), c, r, sep=",", file=file)
        with open(f"{folder}/{name}.cfg", "w") as file:
            bias = "parameters: { bias: { fixed = false; }; };" if self.has_bias else ""
            file.write(CONFIG.format(name=name, terms=self.terms, eta=ETA, bias=bias))

    def look(self, theta, derivatives=True):
        """-L [S], its gradient [S][k] and Fisher information [S][k][k] at theta [S][k]; L is -inf where weights overflow."""
        s, k = theta.shape
        w, dw = np.zeros((s, 2)), np.zeros((s, 2, k))
        nll, g, h = np.zeros(s), np.zeros((s, k)), np.zeros((s, k, k))
        x_of = np.eye(2)
        with np.errstate(all="ignore"):
            for o, c, r in zip(self.odour, self.choice, self.r):
                z = w[:, o] + (theta[:, -1] if self.has_bias else 0.0)
                nll += np.logaddexp(0.0, -z if c else z)
                if derivatives:
                    dz = dw[:, o].copy()
                    if self.has_bias:
                        dz[:, -1] += 1.0
                    p = 1 / (1 + np.exp(-z))
                    g += (p - c)[:, None] * dz
                    h += (p * (1 - p))[:, None, None] * dz[:, :, None] * dz[:, None, :]
                if not c:
                    continue
                x, step, slope = x_of[o], np.zeros((s, 2)), np.zeros((s, 2))
                change = np.zeros((s, 2, k))
                for j, (px, pw, pr) in enumerate(self.powers):
                    value = (x**px)[None, :] * w**pw * r**pr
                    step += theta[:, j, None] * value
                    change[:, :, j] += value
                    if pw:
                        slope += theta[:, j, None] * (x**px)[None, :] * r**pr
                dw = dw + ETA * (change + slope[:, :, None] * dw) if derivatives else dw
                w = w + ETA * step
        nll[~np.isfinite(nll)] = np.inf
        return nll, g, h

    def minimise(self, starts, fixed=None, rounds=60, polish=False):
        """The lowest -L from the starts [S][k], value `fixed` staying as it is in them; and where."""
        theta = np.array(starts, dtype=float)
        free = [i for i in range(self.k) if i != fixed]
        best, g, h = self.look(theta)
        damping = np.full(len(theta), 1e-3)
        eye, still = np.eye(len(free)), 0
        for _ in range(rounds if free else 0):
            ok = np.isfinite(best) & np.isfinite(g).all(1) & np.isfinite(h).all((1, 2))
            if not ok.any():
                break
            hf = h[np.ix_(ok, free, free)]
            size = np.maximum(np.einsum("sii->si", hf), 1e-12)
            step = np.zeros_like(theta)
            a = hf + eye * (damping[ok][:, None] * size)[:, None, :]
            step[np.ix_(ok, free)] = -np.linalg.solve(a, g[ok][:, free][:, :, None])[:, :, 0]
            moved = np.clip(theta + step, -1e6, 1e6)
            value, g2, h2 = self.look(moved)
            better = value < best
            gain = np.max(np.where(better, best - value, 0.0), initial=0.0) if np.isfinite(best).all() else np.inf
            theta[better], best[better], g[better], h[better] = moved[better], value[better], g2[better], h2[better]
            damping = np.where(better, np.maximum(damping / 5, 1e-9), np.minimum(damping * 4, 1e9))
            still = still + 1 if gain < 1e-7 else 0
            if still > 4:
                break
        order = np.argsort(best)
        at, value = theta[order[0]].copy(), best[order[0]]
        if polish and minimize is not None and free:
            for k in order[:2]:
                for method in "BFGS", "Nelder-Mead":
                    at, value = self.polish(theta[k], free, method, at, value)
        return value, at

    def one(self, theta):
        """-L at one theta, with nothing but numbers."""
        w, bias, nll = [0.0, 0.0], theta[-1] if self.has_bias else 0.0, 0.0
        for o, c, r in zip(self.odour, self.choice, self.r):
            z = -(w[o] + bias) if c else w[o] + bias
            nll += z + math.log1p(math.exp(-z)) if z > 0 else math.log1p(math.exp(z)) if z > -700 else 0.0
            if c:
                step = [sum(v * (px == 0 or i == o) * (w[i] if pw else 1.0) * (r if pr else 1.0)
                            for v, (px, pw, pr) in zip(theta, self.powers)) for i in (0, 1)]
                w = [w[0] + ETA * step[0], w[1] + ETA * step[1]]
                if not abs(w[0]) + abs(w[1]) < 1e300:
                    return 1e10
        return min(nll, 1e10)

    def polish(self, start, free, method, at, value):
        full = start.copy()

        def f(v):
            full[free] = v
            return self.one(full.tolist())
        with np.errstate(all="ignore"):
            found = minimize(f, start[free], method=method, options={"maxiter": 300})
        if found.fun < value:
            full[free] = found.x
            return full, float(found.fun)
        return at, value


def spread_starts(k, n, rng):
    return [rng.normal(0, 1, k) * np.exp(rng.uniform(-2, 2)) for _ in range(n)]


def check(seed):
    """Of one problem: what is wrong with it, and how it counts."""
    problem, name, rng = Problem(seed), f"e{seed}", np.random.default_rng(seed)
    problem.write(name)
    run = f"{folder}/{name}.out"
    subprocess.run([plastfit, "fit", f"{folder}/{name}.cfg", "--quiet", "--force", f"out={run}"], capture_output=True)
    count["problems"] += 1
    if not os.path.exists(f"{run}/theta.csv"):
        return [f"{name}: no fit"]
    theta = {r["name"]: r for r in csv.DictReader(open(f"{run}/theta.csv"))}
    rows = [theta[n] for n in problem.names]
    status = rows[0]["status"]
    count[status] += 1
    estimate = np.array([float(r["estimate"]) for r in rows])
    starts = [estimate, np.zeros(problem.k)] + spread_starts(problem.k, 40, rng)
    best, at = problem.minimise(starts, polish=True)
    own = problem.look(estimate[None, :], False)[0][0]
    wrong = []
    unit = json.load(open(f"{run}/summary.json"))["inference"]["units"][0]
    said = unit.get("log_likelihood")
    if said is not None and abs(said + own) > 1e-5 * (1 + abs(own)):
        wrong.append(f"{name}: log likelihood {said}, here {-own}")
    if status == "ok" and own - best > 0.05:
        short.append(f"{name}: L {-own:.4f} at the fit, {-best:.4f} here")
    for i, row in enumerate(rows):
        for end, sign in ("ci_lower", -1), ("ci_upper", 1):
            if row[end] == "":
                continue
            if math.isinf(float(row[end])):
                count["open"] += 1
                continue
            jumps = "jump" in row["note"]
            end_at = float(row[end])
            end_at += sign * 1e-6 * abs(end_at - estimate[i]) if jumps else 0.0
            count["ends"] += 1
            # out from the estimate and from the best optimum here in steps, each from the last, and from everywhere
            walked = [estimate.copy(), at.copy()]
            for share in 0.25, 0.5, 0.75:
                for v in walked:
                    v[i] = estimate[i] + share * (end_at - estimate[i])
                walked = [problem.minimise([v], i, 15)[1] for v in walked]
            from_here = walked + [estimate.copy()] + spread_starts(problem.k, 30, rng)
            for v in from_here:
                v[i] = end_at
            value, there = problem.minimise(from_here, i, polish=True)
            rise = 2 * (value - best)
            rises.append(rise)
            if not rise >= 3.6:
                wrong.append(f"{name} {problem.kind}: {row['name']} {end} {end_at:.6g}: 2dL {rise:.3f} ({row['note']})")
            elif rise > 4.1 and not jumps and row["note"] == "" and own - best < 0.05:
                count["wide"] += 1
            # further out nothing may be allowed, but what the note says
            reach = abs(end_at - estimate[i])
            for far in 0.1, 0.5, 1, 4:
                v = [u.copy() for u in [there] + spread_starts(problem.k, 15, rng)]
                for u in v:
                    u[i] = end_at + sign * far * reach
                value, there = problem.minimise(v, i, 40)
                if 2 * (value - best) < 3.6 and row["note"] == "":
                    count["beyond"] += 1
                    beyond.append(f"{name}: {row['name']} {end_at:.4g}: 2dL {2 * (value - best):.2f} at {v[0][i]:.4g}")
                    break
    return wrong


class Counts(dict):
    def __missing__(self, key):
        return 0


count, bad, beyond, rises, short = Counts(), [], [], [], []
for seed in range(first, first + n_problems):
    found = check(seed)
    bad += found
    if found:
        print(*found, sep="\n", file=sys.stderr, flush=True)
text = ", ".join(f"{count[k]} {k}" for k in count if k not in ("problems", "ends", "open", "wide", "beyond"))
print(f"{count['problems']} problems ({text}): {count['ends']} ends, {count['open']} open")
if rises:
    print(f"2dL at ends, refitted here: least {min(rises):.3f}, median {np.median(rises):.3f}, greatest {max(rises):.3f}; "
          f"{count['wide']} above 4.1 without a word; {count['beyond']} where further out 2dL falls below 3.6 again")
print(f"{len(short)} fits at another than the best optimum found here:", *short)
print(*beyond, *bad, sep="\n")
sys.exit(1 if bad or count["ends"] < n_problems or count["open"] == 0 else 0)
