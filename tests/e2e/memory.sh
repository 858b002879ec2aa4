#!/bin/sh
# A memory budget holds: 10,000 changes of 200 x 200 weights would be 3.2 GB if every state were kept. A whole fit, with
# its data, evaluation and files, was measured to take 529 MiB (the fit itself 262); 800 are allowed. And theta is the
# same for any budget.
. "$PF_SRCDIR/tests/e2e/lib.sh"

cat >"$work/limited.py" <<'END'
import resource, subprocess, sys
code = subprocess.run(sys.argv[2:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(f"exit {code}, peak {peak:.0f} MiB of {sys.argv[1]}")
sys.exit(code or peak > float(sys.argv[1]))
END
python3 "$work/limited.py" 800 "$PLASTFIT" fit "$PF_SRCDIR/configs/oja.cfg" network.layers='[200, 200]' \
  source.task.steps=10000 source.animals=1 evaluate.animals=1 fit.epochs=1 fit.learning_rate=1e-9 rules.learn.init_sd=1e-9 \
  memory='"200 MiB"' out="$work/large" || fail "a fit of 10,000 changes of 200 x 200 weights"
holds large "s['plan']['path'] == 'sweep' and s['plan']['checkpoint_interval'] >= 25"

for mib in 1 1024; do
  run_fit "budget-$mib" "$PF_SRCDIR/configs/oja.cfg" source.animals=2 source.task.steps=400 evaluate.animals=1 \
    fit.epochs=4 memory="\"$mib MiB\"" || continue
  figure "budget-$mib" "s['plan']"
done
cmp "$work/budget-1/theta.csv" "$work/budget-1024/theta.csv" || fail "theta depends on the memory budget"
finish
