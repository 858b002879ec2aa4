"""crafted_h5.py RUN CASE: rewrite RUN/trajectories.h5 so that it is well formed, but wrong. Needs h5py."""

import sys

import h5py
import numpy as np

path, case = sys.argv[1] + "/trajectories.h5", sys.argv[2]
f = h5py.File(path, "r+")
animal = list(f)[0]
experiment = f[animal + "/experiment_0"]
weights = experiment["weights/layer1"]
targets, observables = experiment["targets"], experiment["observables"]
n_states = weights["model"].shape[0]
n_steps = targets["choice"].shape[0]


def replace(group, name, **how):
    if name in group:
        del group[name]
    group.create_dataset(name, **how)


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
