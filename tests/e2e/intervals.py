"""Small problems of choices, 20 to 60 trials and 1 to 5 coefficients, some of them separated: every end of a profile that is not
marked open is a converged refit with 2dL of 3.84, and no point further out that was looked at is allowed.

    intervals.py PLASTFIT FOLDER N
"""
import csv, math, os, random, subprocess, sys

plastfit, folder, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.makedirs(folder, exist_ok=True)
TERMS = ["x r + w", "x r + w + 1", "x r", "x r + x + w", "x r + x + w + 1", "x r + x + w + r + 1"]
KINDS = ["learns", "learns", "always the same odour", "at random"]
CONFIG = """name = "small"; seed = 1; report = false;
source: {{ plugin = "table"; path = "{name}.csv"; plastic = "accepts"; }};
network: {{ plugin = "feedforward"; layers = [2, 1]; initial_weights: {{ sd = 0.0; }};
           projections = ( {{ layer = 1; rule = "learn"; }} ); }};
rules: {{ learn: {{ plugin = "taylor"; terms = "{terms}"; modulator = "reward - expected_reward"; eta = 0.5; init_sd = 0.0; }}; }};
losses = ( {{ plugin = "choice"; }} );
fit: {{ per = "shared"; optimiser = "lm"; }};
evaluate: {{ draws = 0; }};
intervals: {{ methods = ["profile"]; }};
"""


def write(name, seed):
    """A problem's files."""
    random_ = random.Random(seed)
    kind, weights = KINDS[seed % len(KINDS)], [0.0, 0.0]
    with open(f"{folder}/{name}.csv", "w") as file:
        file.write("animal,trial,x1,x2,choice,reward\n")
        for trial in range(random_.randint(20, 60)):
            odour = random_.randrange(2)
            p = 0.5 if kind == "at random" else 1 / (1 + math.exp(-weights[odour]))
            accepts = odour == 0 if kind == "always the same odour" else random_.random() < p
            reward = int(accepts and random_.random() < (0.8 if odour == 0 else 0.2))
            file.write(f"a,{trial + 1},{int(odour == 0)},{int(odour == 1)},{int(accepts)},{reward}\n")
            weights[odour] += 0.8 * (reward - 0.4) if accepts else 0
    with open(f"{folder}/{name}.cfg", "w") as file:
        file.write(CONFIG.format(name=name, terms=TERMS[seed % len(TERMS)]))


def read(path):
    return list(csv.DictReader(open(path))) if os.path.exists(path) else []


ends = opened = without = 0
bad = []
for seed in range(n):
    name = f"p{seed}"
    write(name, seed)
    run = f"{folder}/{name}.out"
    subprocess.run([plastfit, "fit", f"{folder}/{name}.cfg", "--quiet", "--force", f"out={run}"], capture_output=True)
    theta, curve = read(f"{run}/theta.csv"), read(f"{run}/profiles.csv")
    if not theta:
        bad.append(f"{name}: no fit")
    without += not curve
    for row in theta:
        points = [(float(c["value"]), float(c["twice_log_likelihood_ratio"]), c["converged"] == "1")
                  for c in curve if c["name"] == row["name"]]
        for end, sign in ("ci_lower", -1), ("ci_upper", 1):
            if row[end] in ("", "inf", "-inf"):
                opened += row[end] != ""
                continue
            at = float(row[end])
            ends += 1
            here = [rise for value, rise, converged in points if value == at and converged]
            beyond = [rise for value, rise, _ in points if sign * (value - at) > 0]
            near = 1e-6 * max(abs(at), abs(at - float(row["estimate"])))  # of an end at 0, a share of the way there
            jumps = any(abs(value - at) <= near and rise < 3.84 for value, rise, _ in points)  # 2dL jumps there
            if not here or not 3.6 < min(here) or (min(here) > 4.0 and not jumps):
                bad.append(f"{name} {row['name']} {end} {at}: 2dL {here}")
            if beyond and min(beyond) < 3.6:
                bad.append(f"{name} {row['name']} {end} {at}: 2dL {min(beyond)} further out")
print(f"{n} problems: {ends} ends, {opened} open, {without} without profiles", *bad, sep="\n")
sys.exit(1 if bad or ends < 2 * n // 2 or opened == 0 else 0)
