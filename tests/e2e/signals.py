"""Choices between arms: made-up animals, and likelihoods of Q-learning written down anew, to compare plastfit's with.

signals.py make K SEED            animals that learn, K arms, as a table on standard output
signals.py dopamine DATA WEIGHTS  three outputs whose synapses follow dw = -0.3 x dopamine - 0.05 w, each its own dopamine
signals.py compare KIND RUN DATA  log likelihoods of the run's thetas, and that no better one is near
"""
import csv
import json
import math
import random
import sys

MISSED = 0.04


def softmax(values):
    top = max(values)
    weights = [math.exp(v - top) for v in values]
    return [w / sum(weights) for w in weights]


def make(n_arms, seed):
    random.seed(seed)
    print("animal,trial,one,choice,reward,plastic")
    for animal in range(10):
        rate, beta = random.uniform(0.15, 0.6), random.uniform(1.5, 5.0)
        values = [0.0] * n_arms
        pays = [0.8] + [0.2] * (n_arms - 1)
        for trial in range(150):
            if trial % 50 == 49:
                pays = pays[1:] + pays[:1]
            if random.random() < MISSED:
                print(f"a{animal},{trial},1,,,1")
                continue
            p = softmax([beta * v for v in values])
            choice = random.choices(range(n_arms), p)[0]
            reward = int(random.random() < pays[choice])
            values[choice] += rate * (reward - values[choice])
            print(f"a{animal},{trial},1,{choice},{reward},1")


def dopamine(data, weights):
    random.seed(3)
    start = [[1.0, 0.5], [0.3, 0.8], [-0.2, 0.1]]
    with open(weights, "w", encoding="utf-8") as file:
        file.write("projection,post,pre,value\n")
        for i, row in enumerate(start):
            for j, value in enumerate(row):
                file.write(f"layer1,{i},{j},{value}\n")
    with open(data, "w", encoding="utf-8") as file:
        file.write("animal,trial,o1,o2,dan_g1,dan_g2,dan_b1,y1,y2,y3\n")
        for animal in range(3):
            w = [list(row) for row in start]
            for trial in range(60):
                x = random.choice([(1, 0), (0, 1)])
                d = [round(random.random(), 6) for _ in range(3)]
                y = [sum(w[i][j] * x[j] for j in range(2)) for i in range(3)]
                file.write(",".join(map(str, [f"a{animal}", trial, *x, *d, *[f"{v:.17g}" for v in y]])) + "\n")
                for i in range(3):
                    for j in range(2):
                        w[i][j] += -0.3 * x[j] * d[i] - 0.05 * w[i][j]


# Each takes theta in the order of the terms of the config, and one animal's (choice, reward), None where it was missed.
def q_learning(theta, steps, n_arms):
    """Q of the option taken moves to the reward; the logits are beta Q: w = beta Q."""
    learns, forgets = theta
    rate = -forgets
    beta = learns / rate
    values = [0.0] * n_arms
    total = 0.0
    for choice, reward in steps:
        if choice is None:
            continue
        total += math.log(softmax([beta * v for v in values])[choice])
        values[choice] += rate * (reward - values[choice])
    return total


def forgetting(theta, steps, n_arms):
    """As before, and the options not taken decay."""
    decays, learns, forgets = theta
    rate, phi = -(forgets + decays), -decays
    beta = learns / rate
    values = [0.0] * n_arms
    total = 0.0
    for choice, reward in steps:
        if choice is None:
            continue
        total += math.log(softmax([beta * v for v in values])[choice])
        for k in range(n_arms):
            values[k] = values[k] + rate * (reward - values[k]) if k == choice else (1.0 - phi) * values[k]
    return total


def reinforce(theta, steps, n_arms):
    """The logits climb the gradient of the expected reward: r (choice - probability)."""
    logits = [0.0] * n_arms
    total = 0.0
    for choice, reward in steps:
        if choice is None:
            continue
        p = softmax(logits)
        total += math.log(p[choice])
        logits = [v + theta[0] * reward * ((k == choice) - p[k]) for k, v in enumerate(logits)]
    return total


def signed(theta, steps, n_arms):
    """One logit for the second of two arms; it moves to (choice, 1 or -1) times reward."""
    decays, learns = theta
    w = 0.0
    total = 0.0
    for choice, reward in steps:
        if choice is None:
            continue
        total += -math.log1p(math.exp(-w if choice == 1 else w))
        w += learns * (2 * choice - 1) * reward + decays * w
    return total


def actor_critic(theta, steps, n_arms):
    """As REINFORCE, of the reward minus what the critic expects: e moves a tenth of the way to each reward."""
    logits, e = [0.0] * n_arms, 0.0
    total = 0.0
    for choice, reward in steps:
        if choice is None:
            continue
        p = softmax(logits)
        total += math.log(p[choice])
        logits = [v + theta[0] * (reward - e) * ((k == choice) - p[k]) for k, v in enumerate(logits)]
        e += 0.1 * (reward - e)
    return total


def stay(theta, steps, n_arms):
    """Win-stay-lose-shift: after a reward r the option taken has the logit a + b r, the others 0."""
    _, a, b = theta  # the first is the coefficient of w, fixed at -1
    logits = [0.0] * n_arms
    total = 0.0
    for choice, reward in steps:
        if choice is None:
            continue
        total += math.log(softmax(logits)[choice])
        logits = [a + b * reward if k == choice else 0.0 for k in range(n_arms)]
    return total


KINDS = {"q": q_learning, "forgetting": forgetting, "reinforce": reinforce, "signed": signed, "actor-critic": actor_critic, "stay": stay}


def compare(kind, run, data):
    """Largest difference from the run's log likelihoods; stops where a step away is better by more than it may be."""
    steps = {}
    for row in csv.DictReader(open(data)):
        choice = int(row["choice"]) if row["choice"] else None
        steps.setdefault(row["animal"], []).append((choice, float(row["reward"] or "nan")))
    n_arms = 1 + max(c for animal in steps.values() for c, _ in animal if c is not None)
    thetas, bounds = {}, {}
    for row in csv.DictReader(open(run + "/theta.csv")):
        if row["owner"] == "rules.learn":
            thetas.setdefault(row["unit"], []).append(float(row["estimate"]))
            bounds.setdefault(row["unit"], []).append((float(row["lower"]), float(row["upper"])))
    units = {u["name"]: u for u in json.load(open(run + "/summary.json"))["units"]}
    worst = 0.0
    for animal, theta in thetas.items():
        likelihood = KINDS[kind]
        n = sum(choice is not None for choice, _ in steps[animal])
        here = likelihood(theta, steps[animal], n_arms)
        worst = max(worst, abs(units[animal]["data_term"] * n + here))
        for k in range(len(theta)):
            for step in (-1e-2, 1e-2, -1e-4, 1e-4):
                away = list(theta)
                away[k] += step
                lower, upper = bounds[animal][k]
                if lower <= away[k] <= upper and likelihood(away, steps[animal], n_arms) > here + 1e-6:
                    sys.exit(f"{kind}: {animal}: parameter {k} moved by {step} is better")
    print(f"{kind}: {len(thetas)} animals, log likelihoods at most {worst:.2g} apart")
    if not (worst <= 1e-6 and len(thetas) == 10):
        sys.exit(1)


if sys.argv[1] == "dopamine":
    dopamine(sys.argv[2], sys.argv[3])
elif sys.argv[1] == "make":
    make(int(sys.argv[2]), int(sys.argv[3]))
else:
    compare(*sys.argv[2:])
