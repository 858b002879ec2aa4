#!/bin/sh
# theta.csv is the same byte for byte with 1, 2, 3 and 4 threads: threads over experiments of unequal length, and, where
# there is one experiment, over its blocks of rows. OpenBLAS's own threads do nothing meanwhile.
. "$PF_SRCDIR/tests/e2e/lib.sh"

# same_theta NAME CONFIG OVERRIDE...
same_theta() {
  name=$1
  shift
  for threads in 1 2 3 4; do
    run_fit "$name-$threads" "$@" threads="$threads" || continue
    holds "$name-$threads" "s['plan']['threads'] == $threads"
    cmp "$work/$name-1/theta.csv" "$work/$name-$threads/theta.csv" ||
      fail "$name: theta.csv differs between 1 and $threads threads"
  done
}

for way in "shared full" "shared draw" "animal draw"; do
  per=${way% *}
  batch=${way#* }
  same_theta "$per-$batch" "$PF_SRCDIR/configs/quickstart.cfg" source.animals=5 seed=2 evaluate.animals=0 \
    evaluate.draws=1 source.input.draws=2 fit.optimiser=adam fit.epochs=4 fit.per="$per" fit.batch="$batch"
done
# the lengths do differ: otherwise this would test less than it says
figure shared-full-1 "[a['n_scored'] for a in s['animals']]"
holds shared-full-1 "len(set(a['n_scored'] for a in s['animals'])) == 5"

# one experiment: the first layer's 100 units in blocks of rows; the second layer's product is large enough for OpenBLAS
same_theta blocks "$PF_SRCDIR/configs/oja.cfg" source.animals=1 evaluate.animals=0 evaluate.draws=1 \
  source.task.steps=50 network.layers='[40, 100, 100]' losses.[0].observable=layer2 \
  fit.optimiser=adam fit.batch=full fit.learning_rate=1e-2 fit.epochs=5
holds blocks-1 "s['plan']['path'] == 'sweep' and s['plan']['block_rows'] * 4 <= 100"

# threads that computed: of a process with one thread, one
cat >"$work/busy.py" <<'END'
import glob, os, subprocess, sys, time
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
seconds = {}
while process.poll() is None:
    for path in glob.glob(f"/proc/{process.pid}/task/*/stat"):
        try:
            fields = open(path).read().rsplit(")", 1)[1].split()
        except OSError:  # a thread that has ended
            continue
        seconds[path] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    time.sleep(0.01)
busy = [round(s, 2) for s in seconds.values() if s >= 0.05]
print(f"exit {process.returncode}; seconds of each thread that computed: {busy}")
sys.exit(process.returncode or len(busy) != 1)
END
if [ -d /proc/self/task ]; then
  OPENBLAS_NUM_THREADS=4 python3 "$work/busy.py" "$PLASTFIT" fit "$PF_SRCDIR/configs/oja.cfg" source.animals=1 \
    evaluate.animals=0 evaluate.draws=1 source.task.steps=200 network.layers='[5, 600, 600]' \
    losses.[0].observable=layer2 fit.optimiser=adam fit.batch=full fit.learning_rate=1e-2 \
    fit.epochs=20 threads=1 out="$work/busy" || fail "OpenBLAS's threads compute too"
fi
finish
