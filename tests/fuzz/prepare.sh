# What every target of tests/fuzz starts from. Sourced, with PLASTFIT, PF_SRCDIR and $work set and $work the current folder:
# a config that fits, a run, an interrupted comparison's config, and valid files of each kind in seeds/TARGET.
fuzz_targets="config terms expr csv npz mat theta job job-values hdf5-values summary.json fit.csv theta.csv simulated.csv
  multistart.csv trajectories.h5 config.cfg compare/summary.json"

fuzz_make_bases() {
  sed "s#own-data.csv#$PF_SRCDIR/configs/own-data.csv#" "$PF_SRCDIR/configs/own-data.cfg" >base.cfg
  # short, so that an input takes milliseconds
  head -61 "$PF_SRCDIR/configs/own-data.csv" >short.csv
  sed "s#$PF_SRCDIR/configs/own-data.csv#$work/short.csv#" base.cfg >short.cfg
  sed 's/plugin = "taylor"; terms = "[^"]*";/plugin = "expr"; dw = "a*x*r";/' short.cfg >expr.cfg
  sed "s#^ *path = .*#  path = \"$PF_SRCDIR/plugins/sources/npz/conformance.npz\";#; s/plugin = \"table\"/plugin = \"npz\"/; /columns:/d; /plastic =/d" \
    base.cfg >npz.cfg
  sed "s#path = \"Fly.*#path = \"$PF_SRCDIR/plugins/sources/fly_mat/conformance*.mat\";#; s/trials = \[80, 80, 80\]/trials = [3, 3]/" \
    "$PF_SRCDIR/configs/fly.cfg" >mat.cfg
  {
    cat short.cfg
    echo 'compare: { base = "a"; validation = ["in-sample"]; candidates = ( { name = "a"; }, { name = "b"; set = ["rules.learn.terms=w + x r"]; } ); };'
  } | sed 's/epochs = 300/epochs = 2/; s/draws = 5/draws = 1/' >compare.cfg
}

# fuzz_fit OUT CONFIG OVERRIDE...: a run folder; whether the fit converged does not matter
fuzz_fit() {
  fuzz_out=$1
  shift
  "$PLASTFIT" fit "$@" out="$work/$fuzz_out" >"$work/$fuzz_out.log" 2>&1 || [ -e "$work/$fuzz_out/summary.json" ] || {
    cat "$work/$fuzz_out.log"
    return 1
  }
}

fuzz_make_runs() {
  # with a table of starts, of intervals, of the spectrum
  fuzz_fit small short.cfg penalty.l1=0 fit.optimiser=lbfgs fit.iterations=3 fit.starts=2 report=false || return
  # with simulated.csv
  fuzz_fit taught "$PF_SRCDIR/configs/quickstart.cfg" source.animals=1 evaluate.animals=1 fit.optimiser=adam fit.epochs=1 \
    'source.task.blocks=({ trials = 15; reward = [1.0, 0.5]; })' report=false || return
  "$PLASTFIT" compare compare.cfg out=comparison --quiet report=false >comparison.log 2>&1 || [ -e comparison/compare.csv ]
}

# fuzz_make_seeds: files as this version writes them, and those that are kept in the tree
fuzz_make_seeds() {
  for each in $fuzz_targets; do
    mkdir -p "seeds/$each"
    case $each in
    compare/*) cp "comparison/${each#compare/}" "seeds/$each/seed" ;;
    simulated.csv) cp taught/simulated.csv "seeds/$each/seed" ;;
    *.*) cp "small/$each" "seeds/$each/seed" ;;
    esac
    [ ! -d "$PF_SRCDIR/tests/fuzz/corpus/$each" ] || cp -R "$PF_SRCDIR/tests/fuzz/corpus/$each/." "seeds/$each"
  done
  cp short.csv seeds/csv/seed
  cp short.cfg seeds/config/seed
  cp small/theta.csv seeds/theta/seed
  cp "$PF_SRCDIR/plugins/sources/npz/conformance.npz" seeds/npz/seed
  cp "$PF_SRCDIR/plugins/sources/fly_mat/conformance1.mat" seeds/mat/seed
  printf 'abcdefghij' >seeds/hdf5-values/seed
  printf 'abcdefghij' >seeds/job-values/seed
}

# fuzz_set TARGET FOLDER: FUZZ_MODE, FUZZ_BASE and FUZZ_FOLDER, and what the folder must hold
fuzz_set() {
  FUZZ_MODE=$1
  FUZZ_FOLDER=$2
  FUZZ_BASE=$work/short.cfg
  rm -rf "$2"
  case $1 in
  expr | npz | mat) FUZZ_BASE=$work/$1.cfg ;;
  esac
  case $1 in
  compare/*) cp -R comparison "$2" ;;
  hdf5-values)
    cp -R small "$2"
    cp small/trajectories.h5 "$2.h5"
    ;;
  simulated.csv) cp -R taught "$2" ;;
  *.*) cp -R small "$2" ;;
  *)
    mkdir "$2"
    cp compare.cfg "$2/compare.cfg"
    ;;
  esac
  export FUZZ_MODE FUZZ_FOLDER FUZZ_BASE
}
