# What every target of tests/fuzz starts from. Sourced, with PLASTFIT, PF_SRCDIR and $work set and $work the current folder:
# a config that fits, a run, an interrupted comparison's config, and valid files of each kind in seeds/TARGET.
fuzz_targets="config terms expr csv npz mat mat5 mat5-values hdf5 hdf5-recording nwb nwb-values jsonl npy spikes theta job job-values hdf5-values summary.json fit.csv theta.csv simulated.csv
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
  # readers of a lab's files, each with a file that its plugin has for `plastfit check`
  sources=$PF_SRCDIR/plugins/sources
  fuzz_lab_config mat5 'plugin = "mat"; path = "'"$sources"'/mat/conformance.mat"; arrays: { animal = "lab.animal"; inputs = ["lab.x"]; choice = "lab.choice"; reward = "lab.reward"; }'
  fuzz_lab_config mat5-values 'plugin = "mat"; path = "x"; arrays: { inputs = ["x"]; choice = "choice"; reward = "reward"; }'
  fuzz_lab_config hdf5 'plugin = "hdf5"; path = "'"$sources"'/hdf5/conformance.h5"; axes = ["trials", "steps", "cells"];
    datasets: { animal = "data/animal"; session = "data/session"; inputs = ["data/x"]; choice = "data/choice"; reward = "data/reward"; }'
  cp hdf5.cfg hdf5-recording.cfg
  fuzz_lab_config nwb 'plugin = "nwb"; path = "'"$sources"'/nwb/conformance.nwb"; steps = "250 ms"; columns: { inputs = ["roi"]; activities = ["units"]; }'
  cp nwb.cfg nwb-values.cfg
  fuzz_lab_config jsonl 'plugin = "jsonl"; path = "'"$sources"'/jsonl/conformance.jsonl"'
  fuzz_lab_config npy 'plugin = "npy"; path = "x"; axes = ["steps", "cells", "trials"]; arrays: { inputs = ["data"]; choice = ""; activities = ["data"]; }'
  fuzz_lab_config spikes 'plugin = "npy"; path = "x"; steps = "20 ms"; sample_rate = 1000; arrays: { inputs = ["1"]; activities = ["units"]; }'
  {
    cat short.cfg
    echo 'compare: { base = "a"; validation = ["in-sample"]; candidates = ( { name = "a"; }, { name = "b"; set = ["rules.learn.terms=w + x r"]; } ); };'
  } | sed 's/epochs = 300/epochs = 2/; s/draws = 5/draws = 1/' >compare.cfg
}

# fuzz_lab_config NAME SOURCE
fuzz_lab_config() {
  fuzz_layers="2, 1" fuzz_loss=choice
  case $1 in
  nwb* | npy) fuzz_layers="2, 2" fuzz_loss=activity ;;
  spikes) fuzz_layers="1, 2" fuzz_loss=activity ;;
  esac
  cat >"$1.cfg" <<END
seed = 1;
source: { $2; most_memory = 64; };
network: { plugin = "feedforward"; layers = [$fuzz_layers]; };
rules: { learn: { plugin = "taylor"; terms = "w + x r"; modulator = "1"; }; };
losses = ( { plugin = "$fuzz_loss"; } );
fit: { optimiser = "adam"; };
END
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
  cp "$sources/mat/conformance.mat" seeds/mat5/seed
  cp "$sources/hdf5/conformance.h5" seeds/hdf5/seed
  cp "$sources/nwb/conformance.nwb" seeds/nwb/seed
  cp "$sources/jsonl/conformance.jsonl" seeds/jsonl/seed
  cp "$sources/npy/conformance_x.npy" seeds/npy/seed
  # two arrays of whole numbers, 88 bytes each: times, clusters
  {
    printf '\130\000'
    for each in 'abcdefgh' 'ABABBABA'; do
      printf '\223NUMPY\001\000\106\000%-69s\n%s' "{'descr': '|u1', 'fortran_order': False, 'shape': (8,), }" "$each"
    done
  } >seeds/spikes/seed
  printf 'abcdefghij' >seeds/mat5-values/seed
  : >seeds/mat5-values/right
  printf 'abcdefghij' >seeds/hdf5-recording/seed
  printf 'abcdefghij' >seeds/nwb-values/seed
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
  expr | npz | mat | mat5* | hdf5 | hdf5-recording | nwb* | jsonl | npy | spikes) FUZZ_BASE=$work/$1.cfg ;;
  esac
  case $1 in
  compare/*) cp -R comparison "$2" ;;
  hdf5-values)
    cp -R small "$2"
    cp small/trajectories.h5 "$2.h5"
    ;;
  hdf5-recording | nwb-values)
    mkdir "$2"
    case $1 in
    nwb*) cp "$sources/nwb/conformance.nwb" "$2.h5" ;;
    *) cp "$sources/hdf5/conformance.h5" "$2.h5" ;;
    esac
    ;;
  spikes) mkdir "$2" ;;
  simulated.csv) cp -R taught "$2" ;;
  *.*) cp -R small "$2" ;;
  *)
    mkdir "$2"
    cp compare.cfg "$2/compare.cfg"
    ;;
  esac
  export FUZZ_MODE FUZZ_FOLDER FUZZ_BASE
}
