#!/bin/sh
# python/plastfit_read.py: a run folder and a comparison as DataFrames and arrays, with the values that are in the files.
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"
python=
for candidate in python3 /usr/bin/python3; do
  if "$candidate" -c 'import numpy, h5py, pandas' 2>/dev/null; then
    python=$candidate
    break
  fi
done
if [ -z "$python" ]; then
  echo "SKIPPED: no python3 with numpy, h5py and pandas (apt-get install python3-numpy python3-h5py python3-pandas)"
  [ -z "${PF_SHARED:-}" ] || exit 1 # CI has them
  exit 77
fi
run_fit run "$PF_SRCDIR/configs/quickstart.cfg" source.animals=3 evaluate.animals=2 fit.optimiser=adam fit.batch=full fit.learning_rate=2e-2 fit.epochs=10 fit.log_every=5 \
  fit.per=animal evaluate.animals=0
run_fit oja "$PF_SRCDIR/configs/oja.cfg" source.animals=2 source.task.steps=20 fit.optimiser=adam fit.batch=full fit.learning_rate=2e-2 fit.epochs=2
run_brief_fit spikes "$PF_SRCDIR/configs/spikes.cfg" source.animals=1 source.task.steps=30 evaluate.animals=1 fit.epochs=2 report=false
"$PLASTFIT" compare "$PF_SRCDIR/configs/compare-quickstart.cfg" source.animals=3 fit.epochs=3 out=compared --quiet \
  >out 2>&1 || fail "compare: $(cat out)"
# more than 1,000 experiments are packed: what the reader gives is what the table has
awk -F, -v OFS=, 'NR == 1 { print } NR > 1 { line[n++] = $0 }
  END { for (i = 0; i < 1100; i++) for (j = 0; j < 1 + i % 3; j++) { $0 = line[(i + j) % n]; $1 = "a/" i; $2 = j; print } }' \
  "$PF_SRCDIR/configs/own-data.csv" >many.csv
awk -F, 'NR == 1 || $1 ~ /^a\/(0|1|2|3|4|5|6|7|8|9)$/' many.csv >few.csv
run_brief_fit many "$PF_SRCDIR/configs/own-data.cfg" source.path="$work/many.csv" fit.epochs=0 report=false
run_brief_fit few "$PF_SRCDIR/configs/own-data.cfg" source.path="$work/few.csv" fit.epochs=0 report=false
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$PF_SRCDIR/python" "$python" - <<'PY' || fail "the reader"
import csv
import numpy as np
import plastfit_read

run = plastfit_read.read("run")
rows = list(csv.DictReader(open("run/theta.csv")))
assert len(run.theta) == len(rows) == 3 * 18
assert [float(r["estimate"]) for r in rows] == list(run.theta["estimate"])  # the same bits
assert run.compare is None and run.summary["name"] == "quickstart"
wide = run.estimates()
assert wide.shape == (3, 18) and list(wide.index) == ["animal1", "animal2", "animal3"], wide
for r in rows:
    assert wide.loc[r["unit"], r["name"]] == float(r["estimate"])
assert list(run.fit["epoch"].unique()) == [0, 5, 10] and np.isfinite(run.fit["objective"]).all()

experiments = list(run.experiments())
assert [e.animal for e in experiments] == ["animal1", "animal2", "animal3"]
e = experiments[1]
n = len(e.trial)
assert e.unit == "animal2" and e.experiment == 0 and e.input.shape == (n, 2)
assert e.targets["choice"].shape == (n, 1) and set(np.unique(e.targets["choice"])) == {0.0, 1.0}
w = e.weights["layer1"]
assert w["model"].shape == w["truth"].shape == (len(w["step"]), 10, 2) and w["@every"] == 1
assert (w["model"][0] == w["truth"][0]).all() and (w["model"][-1] != w["truth"][-1]).any()
trials = run.trials()
assert len(trials) == sum(len(e.trial) for e in experiments)
of_two = trials[trials["animal"] == "animal2"]
assert (of_two["choice"].to_numpy() == e.targets["choice"][:, 0]).all()
assert (of_two["probability"].to_numpy() == e.observables["probability"][:, 0]).all()
assert {"trial", "block", "reward", "expected_reward"} <= set(trials.columns)
# the score that summary.json has, from the arrays: the reader and the program mean the same
p, c = of_two["probability"].to_numpy(), of_two["choice"].to_numpy()
assert np.isfinite(np.log(np.where(c == 1, p, 1 - p))).all()

rows = list(csv.DictReader(open("run/simulated.csv")))  # the fitted rule in the animals' task
assert len(run.simulated) == len(rows) and list(run.simulated["animal"].unique()) == ["animal1", "animal2", "animal3"]
assert (run.simulated["reward"].isna() == (run.simulated["choice"] == 0)).all()

oja = plastfit_read.read("oja")
assert oja.simulated is None
assert next(oja.experiments()).targets["activity"].ndim == 2

# what a Poisson loss expects is exp(gain activity + baseline)
spikes = plastfit_read.read("spikes")
theta = {r["name"]: float(r["estimate"]) for r in csv.DictReader(open("spikes/theta.csv"))}
e = next(spikes.experiments())
assert e.expected["activity"].shape == e.targets["activity"].shape
rate = np.exp(theta["gain"] * e.observables["layer1"].astype(float) + theta["baseline"])
assert np.allclose(e.expected["activity"], rate, rtol=1e-5), np.abs(e.expected["activity"] / rate - 1).max()

compared = plastfit_read.read("compared")
rows = list(csv.DictReader(open("compared/compare.csv")))
assert len(compared.compare) == len(rows) and compared.theta is None
assert [r["candidate"] for r in rows] == list(compared.compare["candidate"])
some = compared.compare.groupby("candidate")["log_likelihood"].sum()
assert np.isfinite(some).all() and len(some) == len(compared.summary["candidates"])
assert compared.arrays()["scores"]["forecast"].shape == (len(some), 3)

def same(one, other, where):
    if isinstance(one, dict):
        assert one.keys() == other.keys(), (where, one.keys(), other.keys())
        for key in one:
            same(one[key], other[key], f"{where} {key}")
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype and one.shape == other.shape, (where, one, other)
        assert np.array_equal(one, other, equal_nan=one.dtype.kind == "f"), (where, one, other)
    else:
        assert one == other, (where, one, other)


# of 1,100 animals packed, of 10 in groups: the first ten are the same, but for random numbers that go by the animal's place, which is the same too
many, few = (list(plastfit_read.read(run).experiments()) for run in ("many", "few"))
assert len(many) == 1100 and len(few) == 10
by_name = {e.animal: e for e in many}
for e in few:
    own = {"unit": "", "name": ""}  # the name begins with that of the file
    same({**vars(e), **own}, {**vars(by_name[e.animal]), **own}, e.animal)
assert [len(e.trial) for e in many[:4]] == [1, 2, 3, 1]
packed = plastfit_read.read("many").trials()
rows = list(csv.DictReader(open("many.csv")))
assert list(packed["animal"]) == [r["mouse"] for r in rows] and list(packed["trial"]) == [int(r["trial"]) for r in rows]
assert list(packed["choice"]) == [float(r["licked"]) for r in rows]
grouped = plastfit_read.read("few").trials()
first = packed[packed["animal"].isin(set(grouped["animal"]))]
assert list(first.columns) == list(grouped.columns)
same(*({c: t.sort_values(["animal", "step"])[c].to_numpy() for c in t.columns if c != "animal"} for t in (first, grouped)), "trials")

for bad in (".", "run/theta.csv"):
    try:
        plastfit_read.read(bad)
    except FileNotFoundError as error:
        assert "no plastfit run folder" in str(error)
    else:
        raise AssertionError(bad)
PY
finish
