#!/bin/sh
# The same recording in every form (formats.py): each is read, fitted, and gives the same theta.csv to the byte.
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"
python=
for candidate in "${PF_PYTHON:-}" python3 /usr/bin/python3; do
  [ -n "$candidate" ] && "$candidate" -c 'import numpy, h5py' 2>/dev/null && { python=$candidate; break; }
done
if [ -z "$python" ]; then
  echo "SKIPPED: no python3 with numpy and h5py (apt-get install python3-numpy python3-h5py)"
  [ -z "${PF_SHARED:-}" ] || fail "CI has them"
  exit 77
fi
"$python" "$PF_SRCDIR/tests/e2e/formats.py" . >made || { fail "formats.py"; finish; }
made=$(cat made)

cat >own.cfg <<'END'
name = "own"; seed = 1;
network: { plugin = "feedforward"; layers = [2, 3, 1]; initial_weights: { sd = 0.5; }; };
rules: { learn: { plugin = "taylor"; terms = "x r + w"; modulator = "reward - expected_reward"; }; };
losses = ( { plugin = "choice"; }, { plugin = "activity"; observable = "layer1"; target = "activity"; } );
fit: { per = "shared"; optimiser = "adam"; epochs = 2; learning_rate = 0.1; }; evaluate: { draws = 1; }; report = false;
END
config() { # config NAME PLUGIN REST
  { echo "source: { plugin = \"$2\"; $3 };"; cat own.cfg; } >"$1.cfg"
}
lab() { # lab KEY PREFIX: where each is in a group
  echo "$1: { animal = \"$2animal\"; session = \"$2session\"; trial = \"$2trial\"; inputs = [\"$2x\"]; choice = \"$2choice\"; reward = \"$2reward\"; activities = [\"$2y\"]; channels = [ ]; };"
}
config npz npz 'path = "npz.npz"; kind = "go_no_go"; arrays: { channels = [ ]; };'
config bare npy 'path = "bare"; kind = "go_no_go"; transposed = ["y"]; arrays: { channels = [ ]; };'
config h5 hdf5 "path = \"h5.h5\"; kind = \"go_no_go\"; $(lab datasets lab/)"
config jsonl jsonl 'path = "jsonl.jsonl"; kind = "go_no_go"; columns: { channels = [ ]; };'
config v73 mat "path = \"v73.mat\"; kind = \"go_no_go\"; $(lab arrays lab.)"
config plain73 mat "path = \"plain73.mat\"; kind = \"go_no_go\"; $(lab arrays lab.)"
config v5 mat "path = \"v5.mat\"; kind = \"go_no_go\"; $(lab arrays lab.)"
config structs mat "path = \"structs.mat\"; kind = \"go_no_go\"; $(lab arrays data. | sed 's/data.animal/data.id/; s/data.session/data.day/')"
config nwb nwb 'path = "nwb/*.nwb"; kind = "go_no_go"; columns: { inputs = ["x"]; activities = ["y"]; channels = [ ]; };'
config pynwb nwb 'path = "pynwb/*.nwb"; kind = "go_no_go"; columns: { inputs = ["x"]; activities = ["y"]; channels = [ ]; };'
for name in $made; do
  "$PLASTFIT" check "$name.cfg" >"$name.out" 2>"$name.err" || { fail "$name: $(cat "$name.err")"; continue; }
  grep -q "2 animals, 4 sessions, 4 experiments, .* 96 steps" "$name.out" || fail "$name: $(grep ' animals, ' "$name.out")"
  "$PLASTFIT" fit "$name.cfg" out="out-$name" --quiet >out 2>err || { fail "$name: $(cat err)"; continue; }
  cmp "out-$name/theta.csv" out-npz/theta.csv || fail "$name gives another theta than npz"
done
echo "to the byte as npz: $made"
for name in v5 pynwb; do
  case " $made " in
    *" $name "*) ;;
    *) echo "not tested for want of $([ "$name" = v5 ] && echo scipy || echo pynwb): files that it writes (PF_PYTHON names a python that has it)" ;;
  esac
done

# spikes of trials; frames; bins
config counts npz 'path = "counts.npz"; kind = "go_no_go"; arrays: { channels = [ ]; };'
config units nwb 'path = "nwb/*.nwb"; kind = "go_no_go"; columns: { inputs = ["x"]; activities = ["units"]; channels = [ ]; };'
for name in counts units; do
  "$PLASTFIT" fit "$name.cfg" 'network.layers=[2, 2, 1]' out="out-$name" --quiet >out 2>err || fail "$name: $(cat err)"
done
cmp out-units/theta.csv out-counts/theta.csv || fail "spikes counted by plastfit and by numpy differ"
"$PLASTFIT" check units.cfg source.steps=y source.kind=activity 'source.columns.inputs=["units"]' 'source.columns.activities=["y"]' 'network.layers=[2, 3]' \
  'source.columns.choice=""' 'losses=( { plugin = "activity"; } )' >out 2>err || fail "frames: $(cat err)"
grep -q "4 sessions, .* 96 steps" out || fail "frames: $(grep ' animals, ' out)"
cat >own.cfg <<'END'
name = "own"; seed = 1;
network: { plugin = "feedforward"; layers = [1, 2]; output = "linear"; };
rules: { learn: { plugin = "taylor"; terms = "x y + w"; }; };
losses = ( { plugin = "activity"; } );
fit: { per = "shared"; optimiser = "adam"; epochs = 2; }; evaluate: { draws = 1; }; report = false;
END
config binned npz 'path = "bins.npz"; kind = "spikes"; arrays: { inputs = ["1"]; };'
config bins nwb 'path = "nwb/*.nwb"; kind = "spikes"; steps = "500 ms"; columns: { inputs = ["1"]; choice = ""; activities = ["units"]; channels = [ ]; };'
for name in binned bins; do
  "$PLASTFIT" fit "$name.cfg" out="out-$name" --quiet >out 2>err || fail "$name: $(cat err)"
done
cmp out-bins/theta.csv out-binned/theta.csv || fail "spikes binned by plastfit and by numpy differ"

# matrices with a row an animal, from arrays as from CSV; the other way round; texts, and -1 and 1
cat >own.cfg <<'END'
name = "own"; seed = 1;
network: { plugin = "feedforward"; layers = [1, 2]; output = "linear"; };
rules: { learn: { plugin = "taylor"; terms = "w + x r"; modulator = "reward"; }; };
losses = ( { plugin = "categorical"; categories = 2; } );
fit: { per = "shared"; optimiser = "adam"; epochs = 2; }; evaluate: { draws = 1; }; report = false;
END
config csv table 'kind = "choice"; matrices = ( { column = "choice"; path = "choices.csv"; }, { column = "reward"; path = "rewards.csv"; } ); columns: { inputs = ["1"]; };'
config grid npz 'path = "grid.npz"; kind = "choice"; rows = "animals"; arrays: { inputs = ["1"]; };'
config turned npz 'path = "grid-turned.npz"; kind = "choice"; rows = "animals"; transposed = ["choice", "reward"]; arrays: { inputs = ["1"]; };'
config codes npz 'path = "codes.npz"; rows = "animals"; values = ( { array = "reward"; from = ["-1", "1"]; to = [0.0, 1.0]; } ); arrays: { inputs = ["1"]; };'
for name in csv grid turned codes; do
  "$PLASTFIT" fit "$name.cfg" out="out-$name" --quiet >out 2>"$name.err" || { fail "$name: $(cat "$name.err")"; continue; }
  cmp "out-$name/theta.csv" out-csv/theta.csv || fail "$name gives another theta than the matrices of text"
done
grep -q "choices in array 'choice': left is 0, right is 1" codes.err || fail "codes: what texts are taken for is not said: $(cat codes.err)"

# what is wrong is one line
refused() {
  name=$1 text=$2
  shift 2
  status=0
  "$PLASTFIT" check "$name.cfg" "$@" >out 2>err || status=$?
  if [ "$status" -ne 2 ] || [ "$(wc -l <err)" -ne 1 ] || ! grep -qF -- "$text" err; then
    fail "$name: exit $status, expected '$text', found '$(cat err)'"
  fi
}
refused turned "array 'choice': has 20 rows, others have 3; expected one row an animal in all of them" 'source.transposed=["reward"]'
refused h5 "there is no dataset 'lab/rewards'; did you mean 'lab/reward'?" source.datasets.reward=lab/rewards
refused nwb "steps may be \"trials\", \"y\", or a length as \"20 ms\"" source.steps=epochs
refused v73 "there is no array 'lab.rewards'; did you mean 'lab.reward'?" source.arrays.reward=lab.rewards
head -c 3000 h5.h5 >cut.h5
refused h5 "cut.h5: is no HDF5 file that can be read" source.path=cut.h5
refused nwb "npz.npz: is no NWB file that can be read" source.path=npz.npz
refused nwb "h5.h5: is HDF5, but no NWB" source.path=h5.h5
refused bare "has 3 rows, others have 96; expected one row a step in all of them; it has as many columns: transposed = [\"y\"]" 'source.transposed=[]'
config large hdf5 'path = "large.h5"; kind = "choice"; most_memory = 1; datasets: { inputs = ["lab/x"]; choice = "lab/choice"; };'
refused large "more than the 1 MiB of most_memory"
printf '{"choice": 1, "x": 2}\n[1]\n' >bad.jsonl
refused jsonl "bad.jsonl:2: found an array, expected an object a line" source.path=bad.jsonl
printf '{"choice": 1, "x": 2}\n{"choice": 1\n' >bad.jsonl
refused jsonl "bad.jsonl:2: is no JSON" source.path=bad.jsonl
finish
