#!/bin/sh
# Experiments of unequal length: theta.csv is the same byte for byte with 1, 2 and 3 threads.
. "$PF_SRCDIR/tests/e2e/lib.sh"

config=$PF_SRCDIR/configs/quickstart.cfg
for way in "shared full" "shared draw" "animal draw"; do
  per=${way% *}
  batch=${way#* }
  for threads in 1 2 3; do
    run_fit "$per-$batch-$threads" "$config" source.animals=5 evaluate.animals=3 source.input.draws=2 fit.epochs=4 \
      fit.per="$per" fit.batch="$batch" threads="$threads" || continue
    cmp "$work/$per-$batch-1/theta.csv" "$work/$per-$batch-$threads/theta.csv" ||
      fail "per $per, batch $batch: theta.csv differs between 1 and $threads threads"
  done
done
# the lengths do differ: otherwise this would test less than it says
python3 - "$work/shared-full-1/trajectories.h5" "$work/shared-full-1/summary.json" <<'END' || fail "lengths"
import json, sys
lengths = [a.get("n_steps", a.get("n")) for a in json.load(open(sys.argv[2]))["animals"]]
print("steps:", lengths)
sys.exit(0 if len(set(lengths)) > 1 else 1)
END
finish
