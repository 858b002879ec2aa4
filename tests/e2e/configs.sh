#!/bin/sh
# Every shipped config runs: a few passes, few draws, and leaves a whole run folder.
. "$PF_SRCDIR/tests/e2e/lib.sh"

n=0
skipped=no
for config in "$PF_SRCDIR"/configs/*.cfg; do
  name=$(basename "$config" .cfg)
  n=$((n + 1))
  animals=2
  case $name in
    own-data | lab)
      animals=$([ "$name" = lab ] && echo 8 || echo 4)
      set --
      ;;
    arms | compare-arms | compare-four-arms)
      animals=10
      set --
      ;;
    fly | fly-18-terms | fly-exact | compare-fly | population-flies)
      if ! folder=$(flies); then
        echo "$name: $folder"
        skipped=yes
        continue
      fi
      set -- source.path="\"$folder/Fly[12].mat\"" source.input.draws=2
      ;;
    two-arms | population-two-arms)
      folder=${PF_SHARED:-$PF_SRCDIR/../shared}/data/mohanta2022
      if [ ! -d "$folder" ]; then
        echo "$name: SKIPPED: the flies of mohanta2022 are not at $folder (set PF_SHARED)"
        skipped=yes
        continue
      fi
      animals=88
      set -- source.folder="\"$folder\"" fit.starts=1
      ;;
    population-groups) # two means need more than two animals
      animals=8
      set -- source.animals=8
      ;;
    *) set -- evaluate.animals=2 source.animals=2 ;;
  esac
  run_brief_fit "$name" "$config" "$@" fit.epochs=3 fit.iterations=3 fit.log_every=1 || continue
  for file in config.cfg fit.csv theta.csv trajectories.h5 summary.json; do
    [ -s "$work/$name/$file" ] || fail "$name: $file is missing or empty"
  done
  holds "$name" "len(s['animals']) == $animals and s['mean']['deviance_explained']['no_plasticity'] is not None"
  # the resolved config alone repeats the run, byte for byte
  run_brief_fit "$name-again" "$work/$name/config.cfg" || continue
  cmp "$work/$name/theta.csv" "$work/$name-again/theta.csv" || fail "$name: the resolved config gives another theta"
done
echo "$n configs"
[ "$n" -ge 10 ] || fail "expected at least 10 configs in $PF_SRCDIR/configs"
[ "$failures" -gt 0 ] || [ "$skipped" = no ] || exit 77
finish
