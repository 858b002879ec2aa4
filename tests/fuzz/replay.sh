#!/bin/sh
# Every target of tests/fuzz on its kept inputs (tests/fuzz/corpus/TARGET) and some changed copies: no crash, no sanitizer's
# report, nothing that takes a minute. FUZZ_CHANGED=N: that many copies of each (default 15); FUZZ_SEED: other ones.
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"
corpus=$PF_SRCDIR/tests/fuzz/corpus
sed "s#own-data.csv#$PF_SRCDIR/configs/own-data.csv#" "$PF_SRCDIR/configs/own-data.cfg" >base.cfg
run_fit run base.cfg fit.epochs=2 report=false || finish
mkdir scratch seeds
# what is made, not kept: files of a run as this version writes them, the data, a config
for name in summary.json fit.csv theta.csv simulated.csv trajectories.h5 config.cfg; do
  mkdir -p "seeds/$name"
  [ ! -e "run/$name" ] || cp "run/$name" "seeds/$name/seed"
done
mkdir seeds/csv seeds/config seeds/theta seeds/npz
head -60 "$PF_SRCDIR/configs/own-data.csv" >seeds/csv/seed
cp base.cfg seeds/config/seed
cp run/theta.csv seeds/theta/seed
cp "$PF_SRCDIR/plugins/sources/npz/conformance.npz" seeds/npz/seed
for target in config terms expr csv npz theta job summary.json fit.csv theta.csv simulated.csv trajectories.h5 config.cfg; do
  mkdir -p "seeds/$target"
  [ ! -d "$corpus/$target" ] || cp "$corpus/$target"/* "seeds/$target/"
  base=$work/base.cfg
  if [ "$target" = expr ]; then
    sed 's/plugin = "taylor"; terms = "[^"]*";/plugin = "expr"; dw = "a*x*r";/' base.cfg >expr.cfg
    base=$work/expr.cfg
  fi
  folder=$work/scratch
  case $target in *.*)
    rm -rf copy
    cp -R run copy
    folder=$work/copy
    ;;
  esac
  FUZZ_MODE=$target FUZZ_BASE=$base FUZZ_FOLDER=$folder OMP_NUM_THREADS=1 \
    "$PF_BUILDDIR/tests/fuzz/replay" "seeds/$target" "${FUZZ_CHANGED:-15}" "${FUZZ_SEED:-1}" >log 2>&1 || {
    fail "$target: exit $?: $(grep -v 'warning:' log | tail -3); the input is in ${TMPDIR:-/tmp}/fuzz-$target"
    cp "$folder.last" "${TMPDIR:-/tmp}/fuzz-$target"
  }
  tail -1 log
done
finish
