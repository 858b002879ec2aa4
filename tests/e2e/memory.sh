#!/bin/sh
# A memory budget holds, whichever way a gradient goes through time; and theta is the same for any budget.
. "$PF_SRCDIR/tests/e2e/lib.sh"

# A gradient over 10,000 changes of 200 x 200 weights under a hard limit on the address space that keeping every state
# would exceed tenfold: by blocks of rows, and step by step. (Each thread of OpenBLAS reserves address space: one.)
bytes=8
grep -q '^PF_PRECISION = single' "$PF_BUILDDIR/Makefile" && bytes=4
limit_kib=$((10000 * 200 * 200 * bytes / 10 / 1024))
if grep -q '^PF_SANITIZE = *$' "$PF_BUILDDIR/Makefile"; then
  # limited CASE...
  limited() {
    (ulimit -v "$limit_kib" && OPENBLAS_NUM_THREADS=1 "$PF_BUILDDIR/bench/gradient" --count 1 "$@") ||
      fail "a gradient over 10,000 changes within $limit_kib KiB: $*"
  }
  limited custom 200 200 10000 'plugin = "oja";'
  limited recurrent-long
else
  echo "not limited: a sanitizer takes address space of its own"
fi

# A whole fit, with its data, evaluation and files, was measured to take 529 MiB (the fit itself 262).
cat >"$work/limited.py" <<'END'
import resource, subprocess, sys
code = subprocess.run(sys.argv[2:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(f"exit {code}, peak {peak:.0f} MiB of {sys.argv[1]}")
sys.exit(code or peak > float(sys.argv[1]))
END
python3 "$work/limited.py" 800 "$PLASTFIT" fit "$PF_SRCDIR/configs/oja.cfg" network.layers='[200, 200]' \
  source.task.steps=10000 source.animals=1 evaluate.animals=1 fit.optimiser=adam fit.batch=full fit.epochs=1 fit.learning_rate=1e-9 rules.learn.init_sd=1e-9 \
  memory='"200 MiB"' out="$work/large" || fail "a fit of 10,000 changes of 200 x 200 weights"
holds large "s['plan']['path'] == 'sweep' and s['plan']['checkpoint_interval'] >= 25"

# the same of a recurrent network whose rule keeps traces, which goes step by step: 1,000 states of 200 x 200 weights and
# as many traces would be 665 MB; measured 125 MiB, the program's own 35 among them; lm and
# intervals 3 CPU seconds
cat >"$work/recurrent.cfg" <<'END'
source: { plugin = "teacher"; animals = 1;
  task: { kind = "activity"; steps = 1000; record = ["units"]; reward_sd = 1.0; };
  rule: { plugin = "trace"; modulator = "reward"; parameters: { rate = { value = 0.01; }; decay = { value = 0.01; }; }; };
  input: { mean = 0.0; sd = 1.0; };
  give: { inputs = true; initial_weights = true; };
  record: { noise = 0.05; }; };
network: { plugin = "recurrent"; inputs = 10; units = 200; outputs = 0; tau = 5.0;
  projections = ( { name = "recurrent"; rule = "learn"; connected: { density = 0.2; }; } ); };
rules: { learn: { plugin = "trace"; modulator = "reward"; parameters: { rate = 0.005; decay = 0.02; }; }; };
losses = ( { plugin = "activity"; observable = "units"; target = "units"; } );
fit: { per = "shared"; optimiser = "lm"; starts = 1; };
evaluate: { draws = 1; };
END
if "$PLASTFIT" check "$work/recurrent.cfg" >"$work/check" 2>&1; then
  python3 "$work/limited.py" 200 "$PLASTFIT" fit "$work/recurrent.cfg" memory='"100 MiB"' report=false out="$work/coupled" ||
    fail "a fit of 1,000 changes of a recurrent network"
  holds coupled "s['plan']['path'] == 'coupled' and s['plan']['checkpoint_interval'] > 1"
  holds coupled "s['inference']['units'][0]['verdicts']['identified'] == 3 and s['inference']['units'][0]['derivatives'] == 'exact'"
else
  echo "SKIPPED: a recurrent network (configured without a plugin?): $(cat "$work/check")"
fi

# What check announces of 800 and 900 values is what the fit takes beyond a fit of 4 values: measured 1 to 6 % more
cat >"$work/planned.cfg" <<'END'
source: { plugin = "teacher"; animals = 1; task: { kind = "activity"; steps = 40; };
  rule: { plugin = "taylor"; terms = "0.01 x y"; }; input: { sd = 1.0; }; give: { inputs = true; initial_weights = false; };
  record: { noise = 0.05; }; };
network: { plugin = "feedforward"; layers = [30, 30]; output = "linear"; initial_weights: { sd = 0.01; learn = "each"; }; };
rules: { learn: { plugin = "taylor"; terms = "x y"; }; };
losses = ( { plugin = "activity"; } );
fit: { per = "shared"; optimiser = "lm"; starts = 1; iterations = 1; };
evaluate: { draws = 1; };
END
cat >"$work/planned.py" <<'END'
import os, re, subprocess, sys
plastfit, config, folder = sys.argv[1:4]
def peak(layers):
    child = subprocess.Popen([plastfit, "fit", config, "network.layers=" + layers, "report=false", "out=%s/planned-%s" % (folder, layers[1:3])],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return os.wait4(child.pid, 0)[2].ru_maxrss / 1024
small, wrong = peak("[2, 2]"), 0
for layers in "[30, 30]", "[40, 20]":
    said = subprocess.run([plastfit, "check", config, "network.layers=" + layers], capture_output=True, text=True).stdout
    number, unit = re.search(r"memory: about ([0-9.]+) (MiB|GiB) in the fit", said).groups()
    planned, used = float(number) * (1024 if unit == "GiB" else 1), peak(layers) - small
    print("%s: %.1f MiB planned, %.1f used" % (layers, planned, used))
    wrong += not 0.85 * planned < used < 1.15 * planned
sys.exit(wrong)
END
if grep -q '^PF_SANITIZE = *$' "$PF_BUILDDIR/Makefile"; then
  python3 "$work/planned.py" "$PLASTFIT" "$work/planned.cfg" "$work" || fail "the memory that check announces is not what a fit takes"
fi

for mib in 1 1024; do
  run_fit "budget-$mib" "$PF_SRCDIR/configs/oja.cfg" source.animals=2 source.task.steps=400 evaluate.animals=1 \
    fit.optimiser=adam fit.batch=full fit.learning_rate=1e-2 fit.epochs=4 memory="\"$mib MiB\"" || continue
  figure "budget-$mib" "s['plan']"
done
holds budget-1 "s['plan']['checkpoint_interval'] is not None"
holds budget-1024 "s['plan']['checkpoint_interval'] is None"
cmp "$work/budget-1/theta.csv" "$work/budget-1024/theta.csv" || fail "theta depends on the memory budget"
finish
