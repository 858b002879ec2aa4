"""Small problems of choices whose weights grow from trial to trial: what has an optimum converges, what has none is called so.

    small_problems.py PLASTFIT FOLDER N [FIRST]

Each fit that claims an optimum is held against the objective written anew here: no step of a coefficient, up or down, gains.
One in twenty may end without an optimum; before valleys were followed, one in five did.
"""
import csv, json, math, os, random, subprocess, sys

plastfit, folder, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
first = int(sys.argv[4]) if len(sys.argv) > 4 else 0
os.makedirs(folder, exist_ok=True)
TERMS = [("w", "x r"), ("1", "w", "x r"), ("w", "x", "x r"), ("1", "w", "x", "x r"), ("w", "r")]
POWERS = {"1": (0, 0, 0), "r": (0, 0, 1), "w": (0, 1, 0), "x": (1, 0, 0), "x r": (1, 0, 1)}
CONFIG = """name = "small"; seed = 1; report = false;
source: {{ plugin = "table"; path = "{name}.csv"; plastic = "accepts"; }};
network: {{ plugin = "feedforward"; layers = [{inputs}, 1]; initial_weights: {{ sd = 0.0; }};
           projections = ( {{ layer = 1; rule = "learn"; }} ); }};
rules: {{ learn: {{ plugin = "taylor"; terms = "{terms}"; modulator = "reward"; eta = {eta}; init_sd = 0.0; }}; }};
losses = ( {{ plugin = "choice"; }} );
fit: {{ per = "shared"; optimiser = "lm"; }}; evaluate: {{ draws = 0; }}; intervals: {{ methods = ["fisher"]; }};
"""


class Problem:
    """An animal that learns, or answers at random, or always alike."""

    def __init__(self, seed):
        draw = random.Random(1000 + seed)
        self.name, self.terms, self.inputs = f"s{seed}", TERMS[seed % len(TERMS)], 2 + seed % 2
        self.eta, self.reward = (0.5, 1.0, 0.1)[seed % 3], (1.0, 5.0)[seed % 2]
        weights, self.rows = [0.0] * self.inputs, []
        for _ in range(draw.randint(20, 60)):
            odour = draw.randrange(self.inputs)
            learns = seed % 4 != 3
            accepts = int(draw.random() < (1 / (1 + math.exp(-weights[odour])) if learns else 0.5))
            reward = self.reward * (draw.random() < (0.8, 0.2, 0.5)[odour]) * accepts
            self.rows.append(([float(i == odour) for i in range(self.inputs)], accepts, reward))
            weights[odour] += 0.8 * (reward / self.reward - 0.4) * accepts

    def write(self):
        with open(f"{folder}/{self.name}.csv", "w") as file:
            print("animal", *(f"x{i + 1}" for i in range(self.inputs)), "choice", "reward", sep=",", file=file)
            for x, accepts, reward in self.rows:
                print("a", *x, accepts, reward, sep=",", file=file)
        with open(f"{folder}/{self.name}.cfg", "w") as file:
            file.write(CONFIG.format(name=self.name, inputs=self.inputs, terms=" + ".join(self.terms), eta=self.eta))

    def objective(self, theta):
        """Minus the log likelihood of all choices."""
        weights, total = [0.0] * self.inputs, 0.0
        try:
            for x, accepts, reward in self.rows:
                u = sum(w * v for w, v in zip(weights, x))
                s = -u if accepts else u
                total += max(s, 0.0) + math.log1p(math.exp(-abs(s)))
                if accepts:
                    weights = [w + self.eta * sum(theta[t] * v ** POWERS[t][0] * w ** POWERS[t][1] * reward ** POWERS[t][2]
                                                  for t in self.terms) for w, v in zip(weights, x)]
        except OverflowError:
            return math.inf
        return total if total == total else math.inf


bad, late, counts = [], [], {}
for seed in range(first, first + n):
    problem = Problem(seed)
    problem.write()
    run = f"{folder}/{problem.name}.out"
    done = subprocess.run([plastfit, "fit", f"{folder}/{problem.name}.cfg", "--quiet", "--force", f"out={run}"], capture_output=True, text=True)
    if not os.path.exists(f"{run}/summary.json"):
        bad.append(f"{problem.name}: {done.stderr}")
        continue
    unit = json.load(open(f"{run}/summary.json"))["units"][0]
    counts[unit["status"]] = counts.get(unit["status"], 0) + 1
    if unit["status"] not in ("ok", "separation"):
        late.append(f"{problem.name}: {unit['status']} ({problem.terms}, {unit['optimiser']['reason']}, {unit['objective']})")
    if unit["status"] != "ok":
        continue
    powers = {f"X{a}Y0W{b}R{c}": t for t, (a, b, c) in POWERS.items()}
    theta = {powers[row["name"]]: float(row["estimate"]) for row in csv.DictReader(open(f"{run}/theta.csv"))}
    here = problem.objective(theta)
    if abs(here - unit["objective"] * len(problem.rows)) > 1e-3:  # rounding grows with the weights
        bad.append(f"{problem.name}: objective {unit['objective'] * len(problem.rows)}, here {here}")
    for term in problem.terms:
        for share in (1e-1, 1e-3, 1e-5, 1e-7, 1e-9):
            for side in (-1, 1):
                gain = here - problem.objective(theta | {term: theta[term] * (1 + side * share)})
                if gain > 1e-6:
                    bad.append(f"{problem.name}: {term} times 1 {side * share:+} gains {gain}")
print(f"{n} problems: {counts}", *late, *bad, sep="\n")
sys.exit(1 if bad or len(late) > n / 20 or counts.get("ok", 0) < n // 2 else 0)
