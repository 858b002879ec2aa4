#!/bin/sh
# The studies of doc/studies.md, with one seed: their scripts run, and their tables say what they should.
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"

# Noise costs, the more the fewer units are recorded: seeds 1 to 10 gave R2 of weights of 0.78 to 0.95 at the worst corner,
# 0.99 and more where all are recorded
python3 "$PF_SRCDIR/bench/not-recorded" --seeds 1 --out "$work/out" >not-recorded.log 2>&1 || fail "not-recorded: $(cat not-recorded.log)"
python3 - <<'END_OF_PYTHON' || fail "not-recorded: $(cat not-recorded.log)"
import csv
rows = {(float(r["fraction"]), float(r["noise"])): (float(r["r2_weights"]), float(r["r2_activity"]))
        for r in csv.DictReader(open("out/not-recorded.csv"))}
assert len(rows) == 20, rows
assert all(rows[f, 0.0][0] > 0.9999 for f in (0.1, 0.25, 0.5, 1.0)), rows
assert rows[1.0, 0.2][0] > 0.98 > 0.97 > rows[0.1, 0.2][0] > 0.7, rows
assert all(w <= a for w, a in rows.values()), rows
END_OF_PYTHON

# seed 1: x r 0.936 known, 0.916 learned, 0.709 fixed
python3 "$PF_SRCDIR/bench/unknown-start" --seeds 1 >unknown-start.log 2>&1 || fail "unknown-start: $(cat unknown-start.log)"
python3 - <<'END_OF_PYTHON' || fail "unknown-start: $(cat unknown-start.log)"
rows = [line.split("|")[1:6] for line in open("unknown-start.log") if line.startswith("| weights")]
x_r = {row[0].strip(): float(row[1].split("±")[0]) for row in rows}
assert len(x_r) == 5, x_r
assert abs(x_r["weights known, bias known"] - 1) < 0.15 and abs(x_r["weights learned, bias learned"] - 1) < 0.15, x_r
assert x_r["weights fixed, bias fixed"] < 0.8, x_r
END_OF_PYTHON
finish
