#!/bin/sh
# Layouts of public recordings, rebuilt small (layouts.py says which is which): read without a script; animals, sessions, steps,
# choice rates and mean rewards equal to numpy's; what cannot be read is one line. And connectivity and weights as matrices.
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
lost=$("$python" "$PF_SRCDIR/tests/e2e/layouts.py" .) || { fail "layouts.py"; finish; }
while read -r name animals sessions steps rate reward; do
  "$PLASTFIT" check "$name.cfg" >stdout 2>stderr || { fail "$name: $(cat stderr)"; continue; }
  grep -q "^  $animals animals*, $sessions sessions*, .* $steps steps" stdout ||
    fail "$name: expected $animals animals, $sessions sessions, $steps steps; found $(grep ' sessions, ' stdout)"
  [ "$rate" = - ] && continue
  [ "$animals" -eq 1 ] && line=$(grep -A1 'mean reward$' stdout | tail -1) || line=$(grep '^  all ' stdout)
  echo "$line" | grep -q " $rate % *$reward\$" || fail "$name: expected $rate % and $reward, found $line"
done <cases
[ "$(wc -l <cases)" -ge 10 ] || fail "fewer layouts than there were"

refused() { # refused CONFIG TEXT OVERRIDE...
  config=$1 text=$2 status=0
  shift 2
  "$PLASTFIT" check "$config" "$@" >stdout 2>stderr || status=$?
  if [ "$status" -ne 2 ] || [ "$(wc -l <stderr)" -ne 1 ] || ! grep -qF -- "$text" stderr; then
    fail "$config $*: exit $status, expected '$text', found '$(cat stderr)'"
  fi
}
sed 's/plugin = "mat"; path = "rlwm.mat".*/plugin = "npz"; path = "psytrack.npz"; arrays: { inputs = ["1"]; choice = "D"; }; };/' rlwm.cfg >refused.cfg
refused refused.cfg "array 'D': holds Python objects (they would be unpickled, which can run anything)"
refused refused.cfg 'np.savez("plain.npz", y=d["y"], ...)'
refused refused.cfg 'has 3 dimensions, 4 x 5 x 6; say what each is, in the order of the file: axes = ["trials", "steps", "cells"]' \
  source.path=psth-c/psth.npz 'source.arrays={ inputs = ["1"]; activities = ["rates"]; }'
refused psth-m.cfg 'has 3 dimensions, 5 x 4 x 6; say what each is, in the order of the file: axes =' 'source.axes=[]'
refused psth-c.cfg "each once, in the order of the file" 'source.axes=["trials", "steps", "steps"]'
refused kilosort.cfg "there is no params.py beside it; say how many a second, as sample_rate = 30000" source.path=kilosort
refused kilosort.cfg 'found "twenty", expected a bin, as "20 ms"' 'source.steps="twenty"'
refused kilosort.cfg "more than 1e+09 bins; is sample_rate right?" source.path=kilosort source.sample_rate=1e-9
refused kilosort.cfg "needs spike_times and spike_clusters" source.path=plane0
refused reversal.cfg "is a spreadsheet or an archive; export the sheet as CSV" source.path=book.xlsx
refused suite2p.cfg "there is no array 'F'" source.path=kilosort 'source.transposed=[]' 'source.arrays.inputs=["1"]'
refused rlwm.cfg "there is no array 'D[9]'; did you mean 'D[" 'source.arrays.reward="D[9]"' 'source.one_hot=[]' 'source.arrays.inputs=["1"]'

# a small file that unpacks to more than may be had is refused: with little address space, nothing of it is there
for plugin in mat hdf5; do
  for limit in 'memory="64 MiB"' source.most_memory=64; do
    status=0
    (ulimit -v 1000000 && exec "$PLASTFIT" check "packed-$plugin.cfg" "$limit" >stdout 2>stderr) || status=$?
    if [ "$status" -ne 2 ] || [ "$(wc -l <stderr)" -ne 1 ] || ! grep -q memory stderr; then
      fail "packed-$plugin $limit: exit $status, $(cat stderr)"
    fi
  done
done

# one recording in several forms: the same theta, byte for byte
for name in psth-c psth-f psth-t psth-h psth-m psth-v psth-w psth-rows kilosort seconds binned; do
  "$PLASTFIT" fit "$name.cfg" out="out-$name" --quiet report=false >stdout 2>stderr || [ -e "out-$name/theta.csv" ] || fail "$name: $(cat stderr)"
done
for name in f t h m v w rows; do
  cmp out-psth-c/theta.csv "out-psth-$name/theta.csv" || fail "psth-$name: another theta than trials x steps x cells"
done
for name in kilosort seconds; do
  sed 's/sorted,//' "out-$name/theta.csv" | cmp - out-binned/theta.csv || fail "$name: another theta than counts in a table"
done
"$PLASTFIT" check psth-c.cfg >stdout 2>stderr || fail "psth: $(cat stderr)"
grep -q " 4 trials, 20 steps" stdout || fail "psth: expected 4 trials: $(grep trials stdout)"

# cells that an animal has not are not observed, whichever file comes first
"$PLASTFIT" check cells.cfg >stdout 2>stderr || fail "cells: $(cat stderr)"
grep "target activity\|activity" stdout | grep -q " 40" || fail "cells: expected 40 missing values: $(grep activity stdout)"

# connectivity: either direction, with and without names, weights
cat >wired.cfg <<'END'
name = "wired"; seed = 1;
source: { plugin = "table"; path = "wired.csv"; };
network: { plugin = "feedforward"; layers = [4, 3, 1]; initial_weights: { sd = 0.5; }; projections = ( { layer = 1; rule = "learn"; } ); };
rules: { learn: { plugin = "taylor"; terms = "x r + w"; modulator = "reward"; }; };
losses = ( { plugin = "choice"; } );
fit: { per = "shared"; optimiser = "adam"; epochs = 2; }; evaluate: { draws = 1; }; report = false;
END
fit() { # fit NAME OVERRIDE...
  name=$1
  shift
  "$PLASTFIT" fit wired.cfg out="out-$name" --quiet "$@" >stdout 2>"$name.err" || fail "$name: $(cat "$name.err")"
}
mask='network.projections.[0].connected'
fit post "$mask={ file = \"post.csv\"; rows = \"post\"; }"
fit pre "$mask={ file = \"pre.csv\"; rows = \"pre\"; }"
fit named "$mask.file=named.csv"
fit none
for name in pre named; do
  cmp out-$name/theta.csv out-post/theta.csv || fail "connectivity: $name gives another theta than post"
done
cmp -s out-none/theta.csv out-post/theta.csv && fail "connectivity does nothing"
grep -q "cells are neither 0 nor 1: every cell that is not 0 is taken for a synapse" named.err || fail "weights as a mask: $(cat named.err)"
refused wired.cfg 'it fits the other way round: rows = "pre"' "$mask.file=pre.csv"

# starting weights: the long form, a matrix, a matrix the other way round with names
fit w-long network.initial_weights.file=w-long.csv
fit w-post network.initial_weights.file=w-post.csv
fit w-pre network.initial_weights.file=w-pre.csv network.initial_weights.rows=pre
for name in w-post w-pre; do
  cmp out-$name/theta.csv out-w-long/theta.csv || fail "weights: $name gives another theta than the long form"
done
cmp -s out-w-long/theta.csv out-none/theta.csv && fail "starting weights do nothing"
refused wired.cfg 'initial_weights.rows = "pre"' network.initial_weights.file=w-pre.csv
"$PLASTFIT" check wired.cfg network.initial_weights.file=w-post.csv "$mask.file=post.csv" >stdout 2>stderr || fail "dropped: $(cat stderr)"
grep -q "$lost of 12 starting weights that are not 0 have no synapse" stdout || fail "dropped weights: expected $lost: $(grep WARNING stdout)"
finish
