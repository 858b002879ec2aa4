"""One recording in every form that plastfit reads, with made-up numbers: two animals, two sessions each, choices, rewards, two
inputs, three cells. Python with numpy and h5py; scipy and pynwb write more where they are there (printed). Argument: a folder."""
import json
import os
import sys

import h5py
import numpy as np

os.chdir(sys.argv[1])
rng = np.random.default_rng(15)
T = 24  # trials a session
animal = np.repeat(["m1", "m1", "m2", "m2"], T)
session = np.repeat(["d1", "d2", "d1", "d2"], T)
n = len(animal)
trial = np.tile(np.arange(T), 4)
x = rng.normal(size=(n, 2)).round(4)
choice = rng.integers(0, 2, n).astype(float)
choice[[3, 40]] = np.nan
reward = rng.integers(0, 2, n).astype(float)
reward[choice != 1] = np.nan
y = rng.normal(size=(n, 3)).round(5)
y[7, 1] = np.nan
rows = {"animal": animal, "session": session, "trial": trial, "x": x, "choice": choice, "reward": reward, "y": y}
utf8 = h5py.string_dtype()


def save_h5(file, values, transposed=False):
    for key, v in values.items():
        if v.dtype.kind == "U":
            file.create_dataset(key, data=list(v), dtype=utf8)
        else:
            file.create_dataset(key, data=v.T if transposed else v, compression="gzip")


np.savez("npz.npz", **rows)
os.mkdir("bare")
for key, v in rows.items():
    np.save("bare/%s.npy" % key, v.T if key == "y" else v)  # cells x steps, as suite2p writes them
with h5py.File("h5.h5", "w") as f:
    save_h5(f.create_group("lab"), rows)
with open("jsonl.jsonl", "w") as f:
    for i in range(n):
        def number(v):
            return None if np.isnan(v) else float(v)
        f.write(json.dumps({"animal": str(animal[i]), "session": str(session[i]), "trial": int(trial[i]), "x": list(x[i]),
                            "choice": number(choice[i]), "reward": number(reward[i]), "y": [number(v) for v in y[i]]}) + "\n")


def matlab_class(d, name):  # as MATLAB writes it: ended by 0 within its length
    kind = h5py.h5t.C_S1.copy()
    kind.set_size(len(name))
    space = h5py.h5s.create(h5py.h5s.SCALAR)
    h5py.h5a.create(d.id, b"MATLAB_class", kind, space).write(np.array(name.encode(), "S%d" % len(name)), mtype=kind)


def matlab_text(f, name, texts):  # a cell array of texts in v7.3
    refs = f.require_group("#refs#")
    cells = []
    for i, text in enumerate(texts):
        d = refs.create_dataset("%s%d" % (name.replace("/", ""), i), data=np.array([[ord(c)] for c in text], "u2"))
        matlab_class(d, "char")
        d.attrs["MATLAB_int_decode"] = np.int32(2)
        cells.append(d.ref)
    d = f.create_dataset(name, data=np.array([cells], dtype=h5py.ref_dtype))
    matlab_class(d, "cell")


def matlab_head(name):
    with open(name, "r+b") as f:
        f.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64, HDF5 schema 1.00 .".ljust(116) + b"\0" * 8 + b"\0\2IM")


with h5py.File("v73.mat", "w", userblock_size=512) as f:  # MATLAB writes column by column: h5py sees rows and columns exchanged
    lab = f.create_group("lab")
    matlab_class(lab, "struct")
    names = np.empty(len(rows), dtype=object)
    for i, key in enumerate(rows):
        names[i] = np.array(list(key), "S1")
    lab.attrs.create("MATLAB_fields", names, dtype=h5py.vlen_dtype(np.dtype("S1")))
    for key, v in rows.items():
        if v.dtype.kind == "U":
            matlab_text(f, "lab/" + key, v)
        else:
            matlab_class(lab.create_dataset(key, data=np.atleast_2d(v.astype(float).T)), "double")
matlab_head("v73.mat")
with h5py.File("plain73.mat", "w", userblock_size=512) as f:  # by h5py alone, which knows nothing of MATLAB's classes
    save_h5(f.create_group("lab"), rows, transposed=True)
matlab_head("plain73.mat")


# NWB 2, a file a session, in the layout that pynwb writes: trials, units, a fluorescence series
def spikes_of(a):
    return [np.sort(rng.uniform(0, T, 40)) for _ in range(2)]


os.mkdir("nwb")
counts = np.zeros((n, 2))
spikes = []
for k in range(4):
    own = slice(k * T, (k + 1) * T)
    trains = spikes_of(k)
    spikes.append(trains)
    for u in range(2):
        for t in range(T):
            counts[k * T + t, u] = np.sum((trains[u] >= t) & (trains[u] < t + 0.75))
    with h5py.File("nwb/%d.nwb" % k, "w") as f:
        f.attrs["nwb_version"] = "2.7.0"
        f.create_dataset("identifier", data="file%d" % k, dtype=utf8)
        f.create_dataset("general/session_id", data=str(session[k * T]), dtype=utf8)
        f.create_dataset("general/subject/subject_id", data=str(animal[k * T]), dtype=utf8)
        trials = f.create_group("intervals/trials")
        trials.create_dataset("id", data=np.arange(T))
        trials.create_dataset("start_time", data=np.arange(T) * 1.0)
        trials.create_dataset("stop_time", data=np.arange(T) + 0.75)
        for key in ("choice", "reward", "x"):
            trials.create_dataset(key, data=rows[key][own])
        units = f.create_group("units")
        units.create_dataset("id", data=np.arange(2))
        units.create_dataset("spike_times", data=np.concatenate(trains))
        units.create_dataset("spike_times_index", data=np.cumsum([len(s) for s in trains]).astype("u1"))
        series = f.create_group("processing/ophys/Fluorescence/y")
        d = series.create_dataset("data", data=y[own])
        d.attrs["conversion"] = 1.0
        series.create_dataset("timestamps", data=np.arange(T) + 0.5)
np.savez("counts.npz", **{**rows, "y": counts})
# bins of 500 ms, until the last trial is over
bins = np.zeros((4 * 2 * T, 2))
for k in range(4):
    for b in range(2 * T):
        for u in range(2):
            bins[k * 2 * T + b, u] = np.sum((spikes[k][u] >= 0.5 * b) & (spikes[k][u] < 0.5 * (b + 1)))
np.savez("bins.npz", y=bins, animal=np.repeat(animal, 2), session=np.repeat(session, 2), dt=np.full(8 * T, 500.0))
with h5py.File("large.h5", "w") as f:  # a small file that unpacks to 8 MB
    group = f.create_group("lab")
    save_h5(group, {"x": np.zeros((500000, 2)), "choice": np.zeros(500000)})

# a row an animal, a column a trial
grid = rng.integers(0, 2, (3, 20))
paid = rng.integers(0, 2, (3, 20))
np.savez("grid.npz", choice=grid, reward=paid)
np.savez("grid-turned.npz", choice=grid.T, reward=paid.T)
for name, m in (("choices", grid), ("rewards", paid)):
    np.savetxt(name + ".csv", m, delimiter=",", fmt="%d")
np.savez("codes.npz", choice=np.where(grid == 1, "right", "left"), reward=2 * paid - 1)  # texts, -1 and 1

print("npz bare h5 jsonl v73 plain73 nwb", end="")
try:
    import scipy.io
    as_cells = {k: (v.astype(object) if v.dtype.kind == "U" else v) for k, v in rows.items()}
    scipy.io.savemat("v5.mat", {"lab": as_cells}, do_compression=True)
    fields = [(k, object) for k in ("id", "day", "trial", "x", "choice", "reward", "y")]
    one = np.zeros(4, dtype=fields)
    for k in range(4):
        own = slice(k * T, (k + 1) * T)
        one[k] = (str(animal[k * T]), str(session[k * T]), trial[own], x[own], choice[own], reward[own], y[own])
    scipy.io.savemat("structs.mat", {"data": one})
    print(" v5 structs", end="")
except ImportError:
    pass
try:
    from datetime import datetime, timezone
    from pynwb import NWBHDF5IO, NWBFile, TimeSeries
    from pynwb.file import Subject
    os.mkdir("pynwb")
    for k in range(4):
        own = range(k * T, (k + 1) * T)
        f = NWBFile(session_description="made up", identifier="file%d" % k, session_id=str(session[k * T]),
                    session_start_time=datetime(2024, 3, 4, tzinfo=timezone.utc),
                    subject=Subject(subject_id=str(animal[k * T]), species="Mus musculus", sex="U", age="P90D"))
        for key in ("choice", "reward", "x"):
            f.add_trial_column(name=key, description=key)
        for t, i in enumerate(own):
            f.add_trial(start_time=float(t), stop_time=t + 0.75, choice=choice[i], reward=reward[i], x=x[i])
        for train in spikes[k]:
            f.add_unit(spike_times=train)
        module = f.create_processing_module(name="ophys", description="made up")
        module.add(TimeSeries(name="y", data=y[k * T:(k + 1) * T], unit="1", timestamps=np.arange(T) + 0.5))
        with NWBHDF5IO("pynwb/%d.nwb" % k, "w") as io:
            io.write(f)
    print(" pynwb", end="")
except ImportError:
    pass
print()
