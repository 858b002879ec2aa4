#!/bin/sh
# Each config that recovers a known rule does so. Tolerances: several times the error that seeds 1 to 3 gave (the configs' headers).
. "$PF_SRCDIR/tests/e2e/lib.sh"

# recovers NAME R2 [LABEL=TOLERANCE ...]: every parameter that has a truth is within 10 % of it, or within 0.02 of 0, or
# within its own relative tolerance; R2 of weights on fresh animals is above R2
recovers() {
  name=$1 least=$2
  shift 2
  run_fit "$name" "$PF_SRCDIR/configs/$name.cfg" report=false || return 0
  holds "$name" "s['mean']['r2_weights'] > $least"
  python3 - "$work/$name/theta.csv" "$@" <<'PY' || fail "$name: not recovered"
import csv, sys
own = dict(word.split("=") for word in sys.argv[2:])
rows = list(csv.DictReader(open(sys.argv[1])))
bad = [] if rows else ["no parameters"]
for r in rows:
    found, truth = float(r["estimate"]), float(r["truth"])
    allowed = float(own.get(r["name"], 0.1)) * abs(truth) or 0.02
    if not abs(found - truth) <= allowed:
        bad.append(f'{r["owner"]}.{r["name"]}: {found:g}, truth {truth:g}')
print(f"{len(rows)} parameters", *bad, sep="\n")
sys.exit(1 if bad else 0)
PY
}

recovers recurrent 0.99
recovers dale 0.99
recovers stdp 0.999
recovers delayed-reward 0.999
recovers spikes 0.995
recovers sessions 0.99 forgetting=0.3 X0Y0W1R0=0.15
recovers groups 0.999
recovers bandit 0.99
finish
