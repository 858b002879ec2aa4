"""Twenty-five small problems whose answer is known: what is identified, and which combination is where not.

    verdicts.py PLASTFIT FOLDER

Prints what differs; exit status 1 if anything does.
"""
import csv, json, math, random, re, subprocess, sys, os

plastfit, folder = sys.argv[1:3]
IDENTIFIED, NOT = "identified", "not identified by this design"


def config(source, network, rule, loss, fit='per = "shared"; optimiser = "lm";'):
    return f"""name = "case"; seed = 3; report = false;
source: {{ {source} }};
network: {{ plugin = "feedforward"; {network} projections = ( {{ layer = 1; rule = "learn"; }} ); }};
rules: {{ learn: {{ {rule} }}; }};
losses = ( {{ plugin = "{loss}"; }} );
fit: {{ {fit} }};
evaluate: {{ draws = 0; }};
"""


def activity(rule, truth="x y - y^2 w", task="reward_mean = 0.0; reward_sd = 1.0;", network="", more="", record="", animals=2):
    """Activity of 3 x 3 units with 5 % noise; r is the reward."""
    return config(
        f"""plugin = "teacher"; animals = {animals}; task: {{ kind = "activity"; steps = 60; {task} }};
        rule: {{ plugin = "taylor"; terms = "{truth}"; modulator = "reward"; }};
        input: {{ mean = 0.3; sd = 1.0; }}; give: {{ inputs = true; initial_weights = true; }};
        record: {{ noise = 0.05; {record} }}; {more}""",
        f"""layers = [3, 3]; output = "sigmoid"; initial_weights: {{ sd = 0.5; }}; {network}""",
        rule, "activity")


def choices(rule, sd=0.4, blocks="[0.2, 0.8]", modulator="reward - expected_reward", truth="x r - 0.05 w", more="",
            network="", baited="true", fit='per = "shared"; optimiser = "lm";', odours=2, animals=6):
    """Choices of animals that learn which odour pays; r is the modulator."""
    return config(
        f"""plugin = "teacher"; animals = {animals};
        task: {{ kind = "cues"; baited = {baited}; blocks = ( {{ trials = 60; reward = {blocks}; }} ); }};
        rule: {{ plugin = "taylor"; terms = "{truth}"; modulator = "{modulator}"; }};
        input: {{ mean = 0.75; sd = {sd}; }}; give: {{ inputs = true; initial_weights = true; }}; {more}""",
        f"""layers = [{odours}, 6, 1]; hidden = "tanh"; initial_weights: {{ sd = 0.3; }}; readout: {{ gain = 5.0; }};
        {network}""",
        f'{rule} modulator = "{modulator}";', "choice", fit)


def table(name, header, rows, rule, network):
    with open(os.path.join(folder, name + ".csv"), "w") as file:
        file.write(header + "\n")
        for row in rows:
            file.write(",".join(f"{cell:.6g}" for cell in row) + "\n")
    return config(f'plugin = "table"; path = "{name}.csv";', network, rule, "activity")


def y_constant():
    """Weights change only at steps without input, at which y = sigmoid(0) = 1/2 whatever they are."""
    draw = random.Random(7)
    w, rows = 0.3, []
    for t in range(80):
        plastic = t % 2
        x = 0.0 if plastic else draw.gauss(0, 1)
        y = 1 / (1 + math.exp(-w * x))
        rows.append([x, y + 0.02 * draw.gauss(0, 1), plastic])
        w += plastic * (0.25 - 0.4 * w)
    return table("y_constant", "x1,y1,plastic", rows, taylor("1 + y + w + y w"),
                 'layers = [1, 1]; output = "sigmoid"; initial_weights: { sd = 0.1; };')


def taylor(terms):
    return f'plugin = "taylor"; terms = "{terms}"; init_sd = 0.0;'


def expr(dw, names):
    return f'plugin = "expr"; dw = "{dw}"; parameters: {{ {" ".join(n + " = 0.3;" for n in names)} }};'


ALL = None  # every coefficient is identified

# name, config, {coefficient: what the note must be} of those that are not identified
cases = [
    # ---- identified
    ("oja", activity(taylor("x y + y^2 w")), ALL),
    ("27 terms", activity('plugin = "taylor"; powers: { x = [0,1,2]; y = [0,1,2]; w = [0,1,2]; r = [0]; }; init_sd = 0.0;',
                          animals=8), ALL),
    ("oja's own plugin", activity('plugin = "oja";'), ALL),
    ("reward in activity", activity(taylor("x r + x y + w"), truth="x r - 0.1 w"), ALL),
    ("a formula", activity(expr("a*x*y - b*y^2*w", "ab")), ALL),
    ("half the units", activity(taylor("x y + y^2 w"), record="fraction = 0.5;"), ALL),
    ("one parameter in two terms", activity(expr("a*x*y - c*y^2*w + 0.5*a*x*y", "ac")), ALL),
    ("five terms", choices(taylor("1 + w + x + r + x r")), ALL),
    ("one theta each", choices(taylor("w + x r"), fit='per = "animal"; optimiser = "lm";', animals=2), ALL),
    ("x alone at fixed inputs", choices(taylor("w + x + x r"), sd=0.0), ALL),
    ("covariance", choices('plugin = "reward"; form = "covariance"; decay_term = true;'), ALL),
    ("x and x^2 at varied inputs", choices(taylor("x r + x^2 r"), animals=12), ALL),
    # ---- not identified
    ("duplicate", activity(expr("a*x*y + b*x*y - c*y^2*w", "abc")),
     {"a": "only a + b is determined", "b": "only a + b is determined"}),
    ("duplicate, scaled", activity(expr("a*x*y + b*2*x*y - c*y^2*w", "abc")),
     {"a": "only a + 2 b is determined", "b": "only a + 2 b is determined"}),
    ("threefold", activity(expr("a*x*y + b*x*y - c*x*y + d*w", "abcd")),
     {n: "only a + b - c is determined" for n in "abc"}),
    ("a product", activity(expr("a*b*x*y - c*y^2*w", "abc")),
     {n: ("product", "a", "b") for n in "ab"}),
    ("x in {0, 0.75}", choices(taylor("w + x r + x^2 r"), sd=0.0),
     {"X1Y0W0R1": "only x r + 0.75 x^2 r is determined", "X2Y0W0R1": "only x r + 0.75 x^2 r is determined"}),
    ("reward always 1", choices(taylor("w + x + x r"), modulator="reward", truth="0.2 x r - 0.05 w",
                                blocks="[1.0, 1.0]", baited="false"),
     {"X1Y0W0R0": "only x + x r is determined", "X1Y0W0R1": "only x + x r is determined"}),
    ("r always 0", choices(taylor("x + w + x r"), modulator="reward", truth="0.05 x - 0.05 w", blocks="[0.0, 0.0]",
                           baited="false"),
     {"X1Y0W0R1": "nothing of x r is determined"}),
    ("r in {0, 1}", choices(taylor("w + x r + x r^2"), modulator="reward", truth="0.5 x r - 0.05 w"),
     {"X1Y0W0R1": "only x r + x r^2 is determined", "X1Y0W0R2": "only x r + x r^2 is determined"}),
    ("one odour only", choices(taylor("1 + x + r + x r"), sd=0.0, odours=1, blocks="[0.5]", baited="false",
                               modulator="reward", truth="0.3 r - 0.1 x"),
     {"X0Y0W0R0": "only 1 + 0.75 x is determined", "X1Y0W0R0": "only 1 + 0.75 x is determined",
      "X0Y0W0R1": "only r + 0.75 x r is determined", "X1Y0W0R1": "only r + 0.75 x r is determined"}),
    ("y constant", y_constant(),
     {"X0Y0W0R0": "only 1 + 0.5 y is determined", "X0Y1W0R0": "only 1 + 0.5 y is determined",
      "X0Y0W1R0": "only w + 0.5 y w is determined", "X0Y1W1R0": "only w + 0.5 y w is determined"}),
    ("no gap to forget over", activity(taylor("x y + y^2 w"), more="sessions: { persist = true; forget = true; };"),
     {"forgetting": "nothing of sessions: forgetting is determined"}),
    ("a term that never acts", activity(expr("a*x*y - b*y^2*w + c*max(0, y - 2)", "abc")),
     {"c": "nothing of c is determined"}),
    ("gain of a linear network", choices(
        expr("a*x*r", "a"), truth="x r", network='hidden = "linear"; parameters: { gain: { fixed = false; }; };').replace(
            'hidden = "tanh";', "", 1).replace("initial_weights: { sd = 0.3; };", "initial_weights: { sd = 0.0; };"),
     {n: ("product", "a", "network: gain") for n in ("a", "gain")}),
]


def run(k, text):
    path = os.path.join(folder, f"case{k}.cfg")
    out = os.path.join(folder, f"case{k}")
    with open(path, "w") as file:
        file.write(text)
    done = subprocess.run([plastfit, "fit", path, f"out={out}", "--quiet"], capture_output=True, text=True)
    if done.returncode != 0:
        return None, done.stderr
    with open(os.path.join(out, "theta.csv")) as file:
        return list(csv.DictReader(file)), done.stderr


def same_product(note, first, second, rows):
    """Of a b only the product is determined: near the estimate, a + (a / b) b."""
    value = {r["label"]: float(r["estimate"]) for r in rows}
    value.update({f"{r['owner']}: {r['label']}": float(r["estimate"]) for r in rows})
    found = re.fullmatch(f"only {re.escape(f'{first}')} \\+ ([0-9.e+-]*) ?{re.escape(second)} is determined",
                         note.replace("rules.learn: ", ""))
    return bool(found) and math.isclose(float(found.group(1) or 1), value[first] / value[second], rel_tol=0.01)


wrong = 0
for k, (name, text, expected) in enumerate(cases):
    rows, said = run(k, text)
    if rows is None:
        print(f"{name}: the fit failed: {said.strip()}")
        wrong += 1
        continue
    differs = []
    for row in rows:
        if row["fixed"] == "1":
            continue
        wanted = (expected or {}).get(row["name"])
        note = row["note"]
        right = row["verdict"] == (IDENTIFIED if wanted is None else NOT) and (row["se"] != "") == (wanted is None)
        if isinstance(wanted, tuple):
            right = right and same_product(note, wanted[1], wanted[2], rows)
        elif wanted is not None:
            right = right and note == wanted
        if not right:
            differs.append(f"  {row['name']}: '{row['verdict']}' '{note}' (se {row['se']}), expected '{wanted or IDENTIFIED}'")
    if differs:
        print(f"{name}:\n" + "\n".join(differs))
        wrong += 1
# what only the drawn noise of the inputs tells apart is identified, and warned of; what they tell by their means is not
words = "told apart only by what was drawn of the inputs (source.input.sd = 0.1)"
for k, (terms, expected) in enumerate((("w + x r + x^2 r", [words, "only x r + 0.75 x^2 r is determined"]), ("w + x r", []))):
    drawn = choices(taylor(terms), sd=0.1).replace("give: { inputs = true;", "give: { inputs = false;").replace(
        "sd = 0.1; };", "sd = 0.1; draws = 3; };", 1)
    rows, said = run(f"drawn{k}", drawn)
    with open(os.path.join(folder, f"casedrawn{k}", "summary.json")) as file:
        warnings = json.load(file)["inference"]["units"][0]["warnings"]
    # of every fit with drawn inputs: its coefficients are biased. What is looked at here is the other one
    biased = [w for w in warnings if "are not the animal's own, which biases" in w]
    warnings = [w for w in warnings if w not in biased]
    if not (rows and all(r["verdict"] == IDENTIFIED for r in rows) and len(biased) == 1 and len(warnings) == (1 if expected else 0) and
            all(words in warnings[0] for words in expected)):
        print(f"drawn inputs, {terms}: {[r['verdict'] for r in rows or []]}, {warnings}")
        wrong += 1
n_identified = sum(expected is ALL for _, _, expected in cases)
print(f"{len(cases)} cases, {n_identified} identified and {len(cases) - n_identified} not; {wrong} wrong")
sys.exit(1 if wrong else 0)
