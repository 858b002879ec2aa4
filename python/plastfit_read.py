"""A plastfit run folder (or comparison) as DataFrames and arrays.

    import plastfit_read
    run = plastfit_read.read("runs/fly")
    run.theta                                   # DataFrame: unit, name, estimate, truth, ...
    run.fit                                     # DataFrame: the course of the fit
    run.summary["mean"]["deviance_explained"]   # summary.json, as it is
    run.trials()                                # DataFrame: choice, probability, reward, ... at every step
    run.simulated                               # DataFrame: what the fitted rule does by itself in the task
    for e in run.experiments():                 # trajectories.h5, one experiment at a time
        e.animal, e.targets["choice"][:, 0], e.weights["layer1"]["model"]

    comparison = plastfit_read.read("runs/compare-fly")
    comparison.compare                          # DataFrame: one row per candidate x animal x fold

One file: copy it where you like. Needs numpy, pandas and h5py. Files and columns: doc/files.md.
"""

import json
from pathlib import Path

try:
    import h5py
    import numpy as np
    import pandas as pd
except ImportError as missing:
    raise ImportError(f"plastfit_read needs numpy, pandas and h5py ({missing}): pip install numpy pandas h5py") from missing

FORMAT = 1  # of the run folder: `format` in summary.json
PACKED = 2  # `layout` of trajectories.h5


class Run:
    """A folder of results; what is not in it is None. Tables are read at once, arrays when they are asked for."""

    def __init__(self, folder):
        self.folder = Path(folder)
        path = self.folder / "summary.json"
        if not path.is_file():
            raise FileNotFoundError(f"'{folder}' is no plastfit run folder: it has no summary.json")
        self.summary = json.loads(path.read_text(encoding="utf-8"))
        if self.summary.get("format") != FORMAT:
            raise ValueError(f"'{folder}' has format {self.summary.get('format')}; this reader knows {FORMAT}")
        self.theta = self._table("theta.csv", ("unit", "owner", "name", "label", "unit_of_measure", "tied", "animal", "verdict", "status"))
        self.fit = self._table("fit.csv", ("unit", "name"))
        self.compare = self._table("compare.csv", ("candidate", "validation", "animal", "ablation", "status", "error"))
        self.simulated = self._table("simulated.csv", ("animal",))
        self.table = self._table("table.csv", ("animal",))

    def _table(self, name, texts):
        path = self.folder / name
        if not path.is_file():
            return None
        # names of animals are text, also those that look like numbers or like "NA"
        head = pd.read_csv(path, nrows=0).columns
        return pd.read_csv(path, dtype={c: str for c in texts if c in head}, keep_default_na=False,
                           na_values={c: ["", "NaN", "nan"] for c in head if c not in texts},
                           float_precision="round_trip")

    def estimates(self):
        """theta as a table: a row for each unit, a column for each parameter (owner.name where a name comes twice)."""
        theta = self.theta
        twice = theta.groupby("name")["owner"].nunique() > 1
        key = [f"{o}.{n}" if twice[n] else n for o, n in zip(theta["owner"], theta["name"])]
        for scope in ("animal", "experiment"):  # copies of a parameter that is not shared
            if scope in theta and theta[scope].notna().any():
                key = [k if pd.isna(s) or s == "" else f"{k}[{s}]" for k, s in zip(key, theta[scope])]
        frame = theta.assign(key=key)
        order = list(dict.fromkeys(key))
        units = list(dict.fromkeys(theta["unit"]))
        return frame.pivot(index="unit", columns="key", values="estimate").loc[units, order]

    def experiments(self):
        """Every experiment of trajectories.h5 in turn, animals in the file's order.

        An Experiment has animal, unit, name, session, experiment (its number), arrays over steps (input, flags, trial,
        block), and dicts of arrays: channels, targets, observables, expected, truth; weights[projection] is a dict with model,
        truth (where known), change and step; filtered_mean, filtered_sd, smoothed_mean and smoothed_sd where
        inputs were integrated out.
        """
        with h5py.File(self.folder / "trajectories.h5") as file:
            if file.attrs["layout"] == PACKED:
                yield from _Packed(file).experiments()
                return
            for group in file.values():
                names = sorted((n for n in group if n.startswith("experiment_")), key=lambda n: int(n[11:]))
                for name in names:
                    yield Experiment(_plain(group.attrs["name"]), _plain(group.attrs.get("unit", "")),
                                     int(name[len("experiment_"):]), _tree(group[name]))

    def trials(self):
        """Steps of all experiments in one DataFrame: animal, experiment, step, trial, block, and every channel, target
        and observable that is one number a step (choice, probability, reward, ...)."""
        with h5py.File(self.folder / "trajectories.h5") as file:
            if file.attrs["layout"] == PACKED:
                return _Packed(file).trials()
        frames = []
        for e in self.experiments():
            n = len(e.trial)
            columns = {"animal": [e.animal] * n, "experiment": e.experiment, "step": np.arange(n), "trial": e.trial,
                       "block": e.block, **e.channels}
            for group in (e.targets, e.observables):
                columns.update({k: v[:, 0] for k, v in group.items() if v.ndim == 2 and v.shape[1] == 1})
            frames.append(pd.DataFrame(columns))
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()

    def arrays(self, name="compare.h5"):
        """An HDF5 file of the folder as nested dicts of numpy arrays; attributes of a group under "@name"."""
        with h5py.File(self.folder / name) as file:
            return _tree(file)


class Experiment:
    """One experiment of trajectories.h5; see Run.experiments."""

    def __init__(self, animal, unit, experiment, tree):
        self.animal, self.unit, self.experiment = animal, unit, experiment
        self.name, self.session = tree.get("@name", ""), tree.get("@session", "")
        self.input, self.flags, self.trial, self.block = (tree.get(k) for k in ("input", "flags", "trial", "block"))
        self.channels, self.targets, self.observables, self.expected, self.truth, self.weights = (
            tree.get(k, {}) for k in ("channels", "targets", "observables", "expected", "truth", "weights"))


class _Packed:
    """trajectories.h5 of more than 1,000 experiments: each dataset has the rows of all of them."""

    def __init__(self, file):
        self.animals, self.of, self.steps, self.states = (
            _tree(file[k]) if k in file else {} for k in ("animals", "experiments", "steps", "states"))
        for table, keys in ((self.animals, ("name", "unit")), (self.of, ("name", "session"))):
            for key in keys:
                table[key] = [_plain(v) for v in table.get(key, [])]

    def experiments(self):
        for i, a in enumerate(self.of.get("animal", [])):
            first = self.of["first_step"][i]
            tree = _rows(self.steps, first, first + self.of["n_steps"][i])
            if self.of.get("n_states", {i: 0})[i] > 0:
                first, n = self.of["first_state"][i], self.of["n_states"][i]
                shared = {k: self.states[k][first:first + n] for k in ("change", "step")}
                tree["weights"] = {k: {**_rows(v, first, first + n), **shared, "@every": int(self.of["every"][i])}
                                   for k, v in self.states["weights"].items()}
            tree["@name"], tree["@session"] = self.of["name"][i], self.of["session"][i]
            yield Experiment(self.animals["name"][a], self.animals["unit"][a], int(self.of["experiment"][i]), tree)

    def trials(self):
        n = self.of.get("n_steps", np.zeros(0, int))
        columns = {"animal": np.repeat(np.array(self.animals["name"], object)[self.of["animal"]], n),
                   "experiment": np.repeat(self.of["experiment"], n),
                   "step": np.arange(n.sum()) - np.repeat(self.of["first_step"], n), "trial": self.steps["trial"],
                   "block": self.steps["block"], **self.steps.get("channels", {})}
        for group in (self.steps.get("targets", {}), self.steps.get("observables", {})):
            columns.update({k: v[:, 0] for k, v in group.items() if v.ndim == 2 and v.shape[1] == 1})
        return pd.DataFrame(columns)


def _rows(tree, first, end):
    """The same tree with rows [first, end) of each of its arrays."""
    return {k: _rows(v, first, end) if isinstance(v, dict) else v[first:end] for k, v in tree.items()}


def _plain(value):
    """An attribute as a Python value: text as str, a number as int or float."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value.item() if isinstance(value, np.generic) else value


def _tree(group):
    tree = {"@" + key: _plain(value) for key, value in group.attrs.items()}
    for key, value in group.items():
        tree[key] = _tree(value) if isinstance(value, h5py.Group) else value[()]
    return tree


def read(folder):
    """The folder that `plastfit fit` or `plastfit compare` left."""
    return Run(folder)
