"""Q-learning of flies in a Y-maze, worked out here: is the log likelihood that plastfit reports that of its theta, and is there none
better? Arguments: folder of the matrices, run folder, rule ("forget": all values decay)."""
import csv
import json
import math
import sys

data, run, forget = sys.argv[1], sys.argv[2], len(sys.argv) > 3
choices = [[int(float(x)) for x in row] for row in csv.reader(open(data + "/training_choice_set.csv"))]
rewards = [[float(x) for x in row] for row in csv.reader(open(data + "/training_reward_set.csv"))]


def log_likelihood(theta, fly):
    w, total = [0.0, 0.0], 0.0
    if any(not -1.0 <= decay <= 0.0 for decay in theta[1:]):
        return -1e12
    for c, r in zip(choices[fly], rewards[fly]):
        d = w[c] - w[1 - c]
        total += -math.log1p(math.exp(-d)) if d > 0 else d - math.log1p(math.exp(d))
        if forget:
            w[1 - c] += theta[2] * w[1 - c]
            w[c] += theta[0] * r + (theta[1] + theta[2]) * w[c]
        else:
            w[c] += theta[0] * r + theta[1] * w[c]
    return total


def simplex(f, x, size=0.2):
    """Nelder and Mead, to the top of f."""
    points = [x] + [[v + (size if i == j else 0.0) for j, v in enumerate(x)] for i in range(len(x))]
    values = [f(p) for p in points]
    for _ in range(600):
        order = sorted(range(len(points)), key=lambda i: -values[i])
        points, values = [points[i] for i in order], [values[i] for i in order]
        mean = [sum(p[j] for p in points[:-1]) / len(x) for j in range(len(x))]

        def at(t):
            p = [m + t * (q - m) for m, q in zip(mean, points[-1])]
            return f(p), p
        new = at(-1.0)
        if new[0] > values[0]:
            new = max(new, at(-2.0))
        elif new[0] <= values[-2]:
            new = max(new, at(0.5))
        if new[0] > values[-1]:
            values[-1], points[-1] = new
        else:
            points = [points[0]] + [[(a + b) / 2 for a, b in zip(points[0], p)] for p in points[1:]]
            values = [values[0]] + [f(p) for p in points[1:]]
    return max(values)


names = ["X1Y1W0R1", "X1Y1W1R0"] + (["X0Y0W1R0"] if forget else [])
worst, missed = 0.0, 0.0
animals = json.load(open(run + "/summary.json"))["animals"]
for fly, animal in enumerate(animals):
    theta = [animal["theta"][n] for n in names]
    worst = max(worst, abs(log_likelihood(theta, fly) - animal["log_likelihood"]))
    best = max(simplex(lambda t: log_likelihood(t, fly), start) for start in (theta, [0.5, -0.3, -0.1][:len(names)], [0.1, -0.02, -0.02][:len(names)]))
    missed = max(missed, best - animal["log_likelihood"])
print("%d flies: log likelihoods differ by at most %.1e; at most %.1e are missed" % (len(animals), worst, missed))
sys.exit(len(animals) != 10 or worst > 1e-6 or missed > 1e-6)
