"""The layouts of cases/layouts.md that reading.py has not, rebuilt small with made-up numbers. Which is which:

  rlwm        RLWM (AnneCollins/WMH): .mat of version 5, one numeric matrix without names; stimuli coded as numbers, -1 missed
  dynamic     dynamic foraging (AllenNeuralDynamics): NWB trials, missed trials (2), several sessions of a mouse
  reversal    reversal_learning and its kin: TSV without a header
  suite2p     F.npy, spks.npy (rois x frames), iscell.npy
  zebrafish   CSV without a header, a row a cell, a column a frame
  placefield  place-field shifts (BTSPvsSTDP): wide CSV, a row a cell, a column a lap, blanks
  mushroom    mushroom-body models: lobes x odours, Greek names with primes
  protocols   STDP protocols: a row a protocol (lag, pairs, ratio, sem, n)
  retina      retina (RetinaInvariance): spike times of each cell, stimulus times: as NWB units, in bins
  kilosort    spike_times.npy (samples), spike_clusters.npy, params.py: in bins; and times in seconds, not in order
  psth        PSTHs: a 3-D array, trials x steps x cells, in any order of the axes, C or Fortran, .npz, .npy, .mat and HDF5
  psytrack    once its parts are saved as plain arrays (tests/e2e/layouts.sh shows the line that says so)
and refused in one line: psytrack as it is (a pickled dict in .npz), a spreadsheet.
In reading.py: hBayesDM (two and four arms, go/no-go), mouse_bandit (both forms), exploration, foraging with n/a, FlYMazeRL, guppies.

Each has a config; `cases` says what `plastfit check` must find. Argument: a folder. Needs numpy and h5py."""
import os
import struct
import sys
import zlib

import h5py
import numpy as np

os.chdir(sys.argv[1])
rng = np.random.default_rng(15)
cases = []
ARMS = """network: { plugin = "feedforward"; layers = [%d, %d]; output = "linear"; };
rules: { learn: { plugin = "taylor"; terms = "w + x r"; modulator = "%s"; }; };
losses = ( { plugin = "%s"; %s} );
fit: { per = "shared"; optimiser = "lm"; };
"""


def config(name, source, inputs, outputs, loss='categorical', modulator="reward"):
    more = "categories = %d; " % outputs if loss == "categorical" else ""
    with open(name + ".cfg", "w") as f:
        f.write('name = "%s";\nsource: { %s };\n' % (name, source) + ARMS % (inputs, outputs, modulator, loss, more))


def case(name, animals, sessions, steps, choice=None, reward=None):
    rate = "-" if choice is None else "%.1f" % (100 * np.mean(choice[~np.isnan(choice)] > 0))
    paid = "-" if reward is None else "%.3g" % np.mean(reward[~np.isnan(reward)])
    cases.append("%s %d %d %d %s %s" % (name, animals, sessions, steps, rate, paid))


def matlab5(path, **variables):
    def element(kind, data):
        return struct.pack("<ii", kind, len(data)) + data + b"\0" * (-len(data) % 8)
    with open(path, "wb") as f:
        f.write(b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM")
        for name, m in variables.items():
            f.write(element(14, element(6, struct.pack("<II", 6, 0)) + element(5, struct.pack("<%di" % m.ndim, *m.shape)) +
                            element(1, name.encode()) + element(9, m.astype("<f8").T.tobytes())))


n = 90
D = np.column_stack([np.repeat([1, 2, 3], 30), np.tile(np.repeat([1, 2], 15), 3), np.tile(np.arange(1, 16), 6), rng.integers(1, 4, n),
                     rng.integers(-1, 3, n), rng.integers(0, 2, n)]).astype(float)
matlab5("rlwm.mat", D=D)
config("rlwm", 'plugin = "mat"; path = "rlwm.mat"; kind = "choice"; one_hot = ["D[4]"]; values = ( { array = "D[5]"; missing = ["-1"]; } ); '
       'arrays: { animal = "D[1]"; block = "D[2]"; trial = "D[3]"; choice = "D[5]"; reward = "D[6]"; };', 3, 3)
case("rlwm", 3, 3, n, np.where(D[:, 4] < 0, np.nan, D[:, 4]), D[:, 5])

response, rewarded = rng.integers(0, 3, (3, 20)).astype(float), rng.integers(0, 2, (3, 20)).astype(float)
os.mkdir("dynamic")
for s in range(3):
    with h5py.File("dynamic/%d.nwb" % s, "w") as f:
        f.attrs["nwb_version"] = "2.6.0"
        f.create_dataset("identifier", data="session%d" % s, dtype=h5py.string_dtype())
        f.create_dataset("general/subject/subject_id", data="mouse", dtype=h5py.string_dtype())
        t = f.create_group("intervals/trials")
        for key, v in (("id", np.arange(20)), ("start_time", np.arange(20) * 3.0), ("stop_time", np.arange(20) * 3.0 + 2),
                       ("animal_response", response[s]), ("rewarded", rewarded[s].astype(bool))):
            t.create_dataset(key, data=v)
config("dynamic", 'plugin = "nwb"; path = "dynamic/*.nwb"; kind = "choice"; values = ( { column = "animal_response"; missing = ["2"]; } ); '
       'columns: { inputs = ["1"]; choice = "animal_response"; reward = "rewarded"; };', 1, 2)
case("dynamic", 1, 3, 60, np.where(response == 2, np.nan, response).ravel(), rewarded.ravel())

c, r = rng.integers(1, 3, 40), rng.choice([-1, 1], 40)
np.savetxt("reversal.txt", np.column_stack([np.repeat([1, 2], 20), c, r]), fmt="%d", delimiter="\t")
config("reversal", 'plugin = "table"; path = "reversal.txt"; names = ["animal", "choice", "reward"]; columns: { inputs = ["1"]; };', 1, 2)
case("reversal", 2, 2, 40, c - 1.0, r.astype(float))

os.mkdir("plane0")
np.save("plane0/F.npy", rng.normal(size=(6, 80)).astype("f4"))
np.save("plane0/spks.npy", rng.random((6, 80)).astype("f4"))
np.save("plane0/iscell.npy", rng.random((6, 2)))
config("suite2p", 'plugin = "npy"; path = "plane0"; kind = "activity"; transposed = ["F", "spks"]; arrays: { inputs = ["spks"]; activities = ["F"]; '
       'channels = [ ]; };', 6, 6, "activity", "1")
case("suite2p", 1, 1, 80)
np.savetxt("zebrafish.csv", rng.normal(size=(5, 70)), delimiter=",")
config("zebrafish", 'plugin = "table"; path = "zebrafish.csv"; transposed = true; names = ["roi*"]; columns: { inputs = ["1"]; activities = ["roi*"]; };',
       1, 5, "activity", "1")
case("zebrafish", 1, 1, 70)
with open("placefield.csv", "w") as f:
    for k in range(4):
        f.write("cell%d," % (k + 1) + ",".join("" if rng.random() < 0.2 else "%.3f" % v for v in rng.normal(size=25)) + "\n")
config("placefield", 'plugin = "table"; path = "placefield.csv"; transposed = true; columns: { inputs = ["1"]; activities = ["cell*"]; };', 1, 4, "activity", "1")
case("placefield", 1, 1, 25)
with open("mushroom.csv", "w", encoding="utf-8") as f:
    for lobe in ("γ1", "α'2", "β′1"):
        f.write(lobe + "," + ",".join("%.3f" % v for v in rng.normal(size=12)) + "\n")
config("mushroom", 'plugin = "table"; path = "mushroom.csv"; transposed = true; columns: { inputs = ["1"]; activities = ["γ1", "α\'2", "β′1"]; };', 1, 3, "activity", "1")
case("mushroom", 1, 1, 12)
with open("protocols.csv", "w") as f:
    f.write("protocol,frequency,lag,pairs,ratio,sem,n\n")
    for k in range(8):
        f.write("p%d,%g,%g,%d,%.3f,%.3f,%d\n" % (k, 10, 5 * (k - 4), 60, 1 + rng.normal() / 10, 0.05, 7))
config("protocols", 'plugin = "table"; path = "protocols.csv"; kind = "activity"; columns: { animal = "protocol"; inputs = ["frequency"]; activities = ["ratio"]; };',
       1, 1, "activity", "lag")
case("protocols", 8, 8, 8)
with h5py.File("retina.nwb", "w") as f:
    f.attrs["nwb_version"] = "2.6.0"
    trains = [np.sort(rng.uniform(0, 2, k)) for k in (30, 50)]
    f.create_dataset("units/id", data=[0, 1])
    f.create_dataset("units/spike_times", data=np.concatenate(trains))
    f.create_dataset("units/spike_times_index", data=np.cumsum([30, 50]))
    f.create_dataset("stimulus/presentation/light/data", data=rng.normal(size=200))
    f.create_dataset("stimulus/presentation/light/timestamps", data=np.arange(200) / 100)
config("retina", 'plugin = "nwb"; path = "retina.nwb"; steps = "20 ms"; kind = "spikes"; missing_inputs = "hold"; columns: { inputs = ["light"]; activities = ["units"]; channels = [ ]; };',
       1, 2, "activity", "1")
case("retina", 1, 1, int(np.ceil(max(t[-1] for t in trains) / 0.02)))

y = rng.integers(1, 3, 60).astype(float)
d = {"y": y, "inputs": {"s1": rng.normal(size=(60, 1)), "s2": rng.normal(size=(60, 1))}, "dayLength": np.array([25, 35])}
np.savez("psytrack.npz", D=np.array(d, dtype=object))
np.savez("plain.npz", y=d["y"], session=np.repeat([1, 2], d["dayLength"]), **d["inputs"])
config("psytrack", 'plugin = "npz"; path = "plain.npz"; kind = "go_no_go"; values = ( { array = "y"; from = ["1", "2"]; to = [0, 1]; } ); '
       'arrays: { inputs = ["s1", "s2", "1"]; choice = "y"; reward = "one"; channels = [ ]; };'.replace('reward = "one"; ', ""), 3, 1, "choice", "1")
case("psytrack", 1, 2, 60)

# the same cells in every form: theta must be the same, byte for byte
X = rng.random((4, 5, 6))
forms = {"c": ("npz", "psth.npz", "arrays", "rates", ["trials", "steps", "cells"]),
         "f": ("npz", "psth.npz", "arrays", "rates", ["trials", "steps", "cells"]),
         "t": ("npy", "psth.npy", "arrays", "psth", ["steps", "cells", "trials"]),
         "m": ("mat", "psth.mat", "arrays", "rates", ["steps", "trials", "cells"]),
         "v": ("mat", "psth.mat", "arrays", "rates", ["cells", "trials", "steps"]),
         "w": ("mat", "psth.mat", "arrays", "rates", ["trials", "cells", "steps"]),
         "h": ("hdf5", "psth.h5", "datasets", "a/rates", ["cells", "trials", "steps"])}
for form, (plugin, file, keys, name, axes) in forms.items():
    os.mkdir("psth-" + form)
    turned = np.transpose(X, [("trials", "steps", "cells").index(a) for a in axes])
    if form == "h":
        with h5py.File("psth-h/psth.h5", "w") as f:
            f["a/rates"] = turned
    elif form == "m":
        matlab5("psth-m/psth.mat", rates=turned)
    elif form in "vw":  # version 7.3 holds the axes reversed; w: with MATLAB's note of the class
        with h5py.File("psth-%s/psth.mat" % form, "w", userblock_size=512) as f:
            f["rates"] = np.transpose(turned)
            if form == "w":
                f["rates"].attrs["MATLAB_class"] = np.bytes_("double")
        with open("psth-%s/psth.mat" % form, "r+b") as f:
            f.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM")
    elif form == "t":
        np.save("psth-t/psth.npy", np.ascontiguousarray(turned))
    else:
        np.savez("psth-%s/psth.npz" % form, rates=np.asfortranarray(turned) if form == "f" else turned)
    config("psth-" + form, 'plugin = "%s"; path = "psth-%s/%s"; kind = "activity"; axes = [%s]; %s: { inputs = ["1"]; activities = ["%s"]; channels = [ ]; };'
           % (plugin, form, file, ", ".join('"%s"' % a for a in axes), keys, name), 1, 6, "activity", "1")
    case("psth-" + form, 1, 1, 20)
with open("psth.csv", "w") as f:
    f.write("trial," + ",".join("r%d" % j for j in range(6)) + "\n")
    for k in range(4):
        for s in range(5):
            f.write("%d," % k + ",".join(repr(float(v)) for v in X[k, s]) + "\n")
config("psth-rows", 'plugin = "table"; path = "psth.csv"; kind = "activity"; columns: { inputs = ["1"]; activities = ["r*"]; channels = [ ]; };', 1, 6,
       "activity", "1")

samples, clusters = np.sort(rng.integers(0, 30000 * 4, 500)).astype("u8"), rng.choice([2, 7, 9], 500).astype("i4")
bins = int(samples[-1] / 30000 / 0.02) + 1
counts = np.zeros((bins, 3))
np.add.at(counts, ((samples / 30000 / 0.02).astype(int), np.searchsorted([2, 7, 9], clusters)), 1)
with open("sorted.csv", "w") as f:
    f.write("dt,u1,u2,u3\n" + "".join("20,%d,%d,%d\n" % tuple(row) for row in counts))
shuffled = rng.permutation(500)
for folder, t, c in (("sorted", samples, clusters), ("seconds/sorted", (samples[shuffled] / 30000.0).reshape(-1, 1), clusters[shuffled])):
    os.makedirs(folder)
    np.save(folder + "/spike_times.npy", t)
    np.save(folder + "/spike_clusters.npy", c)
with open("sorted/params.py", "w") as f:
    f.write("dat_path = 'x.bin'\nn_channels_dat = 64\nsample_rate = 30000.\nhp_filtered = False\n")
for name, source in (("kilosort", 'plugin = "npy"; path = "sorted"; steps = "20 ms"; arrays: { inputs = ["1"]; activities = ["units"]; channels = [ ]; }'),
                     ("seconds", 'plugin = "npy"; path = "seconds/sorted"; steps = "0.02 s"; arrays: { inputs = ["1"]; activities = ["units"]; channels = [ ]; }'),
                     ("binned", 'plugin = "table"; path = "sorted.csv"; columns: { inputs = ["1"]; activities = ["u*"]; channels = [ ]; }')):
    config(name, source + '; kind = "spikes";', 1, 3, "activity", "1")
    case(name, 1, 1, bins)
with open("book.xlsx", "wb") as f:
    f.write(b"PK\3\4" + b"\0" * 100)
os.mkdir("kilosort")
np.save("kilosort/spike_times.npy", np.arange(50, dtype="u8"))
np.save("kilosort/spike_clusters.npy", rng.integers(0, 4, 50).astype("i4"))

# small files that unpack to 160 MiB each: a compressed element of .mat, a compressed dataset
cells = 160 * 131072
packer = zlib.compressobj(1)
inside = struct.pack("<iiII", 6, 8, 6, 0) + struct.pack("<iiii", 5, 8, cells, 1) + struct.pack("<ii", 1, 1) + b"x".ljust(8, b"\0")
packed = packer.compress(struct.pack("<iI", 14, len(inside) + 8 + 8 * cells) + inside + struct.pack("<iI", 9, 8 * cells))
for k in range(160):
    packed += packer.compress(b"\0" * (1 << 20))
packed += packer.flush()
with open("packed.mat", "wb") as f:
    f.write(b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM" + struct.pack("<iI", 15, len(packed)) + packed)
with h5py.File("packed.h5", "w") as f:
    piece = zlib.compress(b"\0" * (1 << 20), 1)
    d = f.create_dataset("x", (cells,), dtype="f8", chunks=(131072,), compression="gzip", compression_opts=1)
    for k in range(160):
        d.id.write_direct_chunk((k * 131072,), piece)
for plugin, keys, file in (("mat", "arrays", "packed.mat"), ("hdf5", "datasets", "packed.h5")):
    config("packed-" + plugin, 'plugin = "%s"; path = "%s"; kind = "activity"; %s: { inputs = ["1"]; activities = ["x"]; channels = [ ]; };' % (plugin, file, keys),
           1, 1, "activity", "1")

# connectomes: 0/1, direction said; weights with names and blanks
C = rng.integers(0, 2, (3, 4))
C[0, 0], C[2, 3] = 1, 0
np.savetxt("post.csv", C, fmt="%d", delimiter=",")
np.savetxt("pre.csv", C.T, fmt="%d", delimiter=",")
with open("named.csv", "w") as f:
    f.write("," + ",".join("pn%d" % j for j in range(4)) + "\n")
    for i in range(3):
        f.write("kc%d," % i + ",".join("" if v == 0 else "%.2f" % (v * 2.5) for v in C[i]) + "\n")
W = rng.normal(size=(3, 4)).round(3)
np.savetxt("w-post.csv", W, fmt="%.3f", delimiter=",")
with open("w-pre.csv", "w") as f:
    f.write("pre," + ",".join("kc%d" % j for j in range(3)) + "\n")
    for j in range(4):
        f.write("pn%d," % j + ",".join("%.3f" % v for v in W[:, j]) + "\n")
with open("w-long.csv", "w") as f:
    f.write("projection,post,pre,value\n" + "".join("layer1,%d,%d,%.3f\n" % (i, j, W[i, j]) for i in range(3) for j in range(4)))
with open("wired.csv", "w") as f:
    f.write("x1,x2,x3,x4,choice,reward\n")
    for t in range(30):
        f.write(",".join("%.3f" % v for v in rng.normal(size=4)) + ",%d,%d\n" % tuple(rng.integers(0, 2, 2)))
print(int((C == 0).sum()))

# animals with other numbers of cells
for a, k in (("m1", 3), ("m2", 5)):
    with open("cells_%s.csv" % a, "w") as f:
        f.write("x1," + ",".join("roi%d" % (j + 1) for j in range(k)) + "\n")
        for t in range(20):
            f.write("1," + ",".join("%.3f" % v for v in rng.normal(size=k)) + "\n")
config("cells", 'plugin = "table"; path = "cells_*.csv"; kind = "activity"; columns: { activities = ["roi*"]; };', 1, 5, "activity", "1")
case("cells", 2, 2, 40)
with open("cases", "w") as f:
    f.write("\n".join(cases) + "\n")
