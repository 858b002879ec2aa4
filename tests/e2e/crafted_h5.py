"""crafted_h5.py RUN CASE: rewrite RUN/trajectories.h5 so that it is well formed, but wrong. Needs h5py."""

import sys

import h5py
import numpy as np

path, case = sys.argv[1] + "/trajectories.h5", sys.argv[2]
f = h5py.File(path, "r+")


def replace(group, name, **how):
    if name in group:
        del group[name]
    group.create_dataset(name, **how)


def packed_cases():
    """Of the layout of many experiments: tables of animals, experiments, steps and states."""
    animals, of = f["animals"], f["experiments"]
    steps, states = f["steps"], f["states"]
    n = of["animal"].shape[0]

    def number(table, name, row, value):
        table[name][row] = value

    return {
        "animal-beyond": lambda: number(of, "animal", n - 1, 2**40),
        "animal-negative": lambda: number(of, "animal", 0, -1),
        "animal-back": lambda: number(of, "animal", 5, 0),
        "animal-missing": lambda: of.__delitem__("animal"),
        "animal-float": lambda: replace(of, "animal", data=np.full(n, np.nan)),
        "animal-few": lambda: replace(of, "animal", data=np.arange(3)),
        "animal-none": lambda: replace(of, "animal", data=np.arange(0)),
        "step-beyond": lambda: number(of, "first_step", 3, 2**52),
        "steps-beyond": lambda: number(of, "n_steps", 3, 2**52),
        "steps-wrap": lambda: (number(of, "first_step", 3, 2**53), number(of, "n_steps", 3, 2**53)),
        "steps-negative": lambda: number(of, "n_steps", 3, -5),
        "steps-overlap": lambda: replace(of, "n_steps", data=np.full(n, 1000)),
        "states-beyond": lambda: number(of, "n_states", 0, 2**40),
        "state-beyond": lambda: number(of, "first_state", 0, 2**40),
        "states-missing": lambda: of.__delitem__("n_states"),
        "no-states": lambda: f.__delitem__("states"),
        "no-steps": lambda: f.__delitem__("steps"),
        "groups-few": lambda: replace(animals, "group", data=np.array([b"a", b"b"])),
        "groups-numbers": lambda: replace(animals, "group", data=np.arange(n)),
        "groups-any-length": lambda: replace(animals, "group", data=["x" * k for k in range(n)], dtype=h5py.string_dtype()),
        "groups-same": lambda: replace(animals, "group", data=np.array([b"a"] * n)),
        "groups-full": lambda: replace(animals, "group", data=np.array([b"a" * 255] * n)),
        "groups-long": lambda: replace(animals, "group", data=np.array([b"a" * 5000] * n)),
        "groups-paths": lambda: replace(animals, "group", data=np.array([b"../a", b"", b"/", b"."] + [b"x/y"] * (n - 4))),
        "groups-huge": lambda: replace(animals, "group", shape=(2**40,), dtype="S8", chunks=(64,)),
        "model-short": lambda: replace(states, "weights/layer1/model", data=np.zeros((7, 10, 2))),
        "model-flat": lambda: replace(states, "weights/layer1/model", data=np.zeros(100000)),
        "truth-other": lambda: replace(states, "weights/layer1/truth", data=np.zeros((100000, 3, 3))),
        "choice-group": lambda: (steps.__delitem__("targets/choice"), steps.create_group("targets/choice")),
        "choice-huge": lambda: replace(steps, "targets/choice", shape=(2**60, 1), dtype="f8", chunks=(64, 1)),
        "reward-short": lambda: replace(steps, "channels/reward", data=np.zeros(2)),
    }


if "animals/group" in f:
    cases = packed_cases()
    if case == "--list":
        print("\n".join(cases))
    else:
        cases[case]()
    f.close()
    sys.exit(0)
animal = list(f)[0]
experiment = f[animal + "/experiment_0"]
weights = experiment["weights/layer1"]
targets, observables = experiment["targets"], experiment["observables"]
n_states = weights["model"].shape[0]
n_steps = targets["choice"].shape[0]


def truth(shape):
    replace(weights, "truth", data=np.full(shape, 1.25))


cases = {
    # more states, fewer synapses, other sides than the model's
    "truth-longer": lambda: truth((400, 10, 2)),
    "truth-narrower": lambda: truth((n_states, 1, 1)),
    "truth-turned": lambda: truth((n_states,) + weights["model"].shape[:0:-1]),
    "truth-flat": lambda: truth((n_states * 20,)),
    # 32 x 4096 x 2^47 cells are 0 modulo 2^64
    "product-wraps": lambda: (
        replace(targets, "activity", shape=(32, 4096, 2**47), dtype="f8", chunks=(32, 64, 1)),
        replace(observables, "layer9", data=np.zeros((32, 4096))),
    ),
    # claims that the file's bytes cannot hold
    "choice-huge": lambda: replace(targets, "choice", shape=(2**60, 1), dtype="f8", chunks=(64, 1)),
    "activity-huge": lambda: replace(
        targets, "activity", shape=(2**30, 4000), dtype="f8", chunks=(64, 1), compression="gzip"
    ),
    "observable-short": lambda: (
        replace(targets, "activity", data=np.ones((400, 3))),
        replace(observables, "layer9", data=np.ones((2, 3))),
    ),
    "choice-cube": lambda: replace(targets, "choice", data=np.zeros((n_steps, 1, 7))),
    "cue-cube": lambda: replace(experiment, "cue", data=np.zeros((n_steps, 2, 9))),
    "step-short": lambda: replace(weights, "step", data=np.arange(1.0)),
    "no-states": lambda: replace(weights, "model", shape=(0, 10, 2), dtype="f8"),
    "text": lambda: replace(weights, "model", data=np.array([[["a"]]], dtype="S3")),
}
if case == "--list":
    print("\n".join(cases))
else:
    cases[case]()
f.close()
