#!/bin/sh
# Experiments of unequal length: theta.csv is the same byte for byte with 1, 2 and 3 threads.
. "$PF_SRCDIR/tests/e2e/lib.sh"

config=$PF_SRCDIR/configs/quickstart.cfg
for way in "shared full" "shared draw" "animal draw"; do
  per=${way% *}
  batch=${way#* }
  for threads in 1 2 3; do
    run_fit "$per-$batch-$threads" "$config" source.animals=5 seed=2 evaluate.animals=0 evaluate.draws=1 source.input.draws=2 fit.optimiser=adam fit.epochs=4 \
      fit.per="$per" fit.batch="$batch" threads="$threads" || continue
    cmp "$work/$per-$batch-1/theta.csv" "$work/$per-$batch-$threads/theta.csv" ||
      fail "per $per, batch $batch: theta.csv differs between 1 and $threads threads"
  done
done
# the lengths do differ: otherwise this would test less than it says
figure shared-full-1 "[a['n_scored'] for a in s['animals']]"
holds shared-full-1 "len(set(a['n_scored'] for a in s['animals'])) == 5"
finish
