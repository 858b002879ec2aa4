#!/bin/sh
# The source `npz`: numpy arrays say what a table says, whatever their types and order; broken files are told in one line.
# npz.py writes them without numpy; where numpy is there, it writes some too.
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"
"$PLASTFIT" describe npz >/dev/null 2>&1 || { echo "SKIPPED: built without npz"; exit 77; }
good=$(python3 "$PF_SRCDIR/tests/e2e/npz.py") || { fail "npz.py"; finish; }

cat >own.cfg <<'END'
name = "own";
source: { plugin = "npz"; path = "base.npz"; };
network: { plugin = "feedforward"; layers = [2, 3, 1]; initial_weights: { sd = 0.5; }; };
rules: { learn: { plugin = "taylor"; terms = "x r + w"; modulator = "reward - expected_reward + 0.1 * novelty"; }; };
losses = ( { plugin = "choice"; } );
fit: { per = "shared"; optimiser = "adam"; epochs = 2; learning_rate = 0.1; }; evaluate: { draws = 1; }; report = false;
END

# ---- what is the same comes out the same, to the bit ----
"$PLASTFIT" fit own.cfg source.plugin=table source.path=table.csv out=table --quiet >out 2>err || fail "table: $(cat err)"
for name in $good; do
  rm -rf fit
  "$PLASTFIT" fit own.cfg source.path="$name.npz" out=fit --quiet >out 2>err || { fail "$name: $(cat err)"; continue; }
  cmp -s fit/theta.csv table/theta.csv || fail "$name gives another theta than the table"
done
echo "$(echo "$good" | wc -w) files as good as the table"
# ... and what is not, does not
"$PLASTFIT" fit own.cfg arrays= >/dev/null 2>&1 && fail "a key that is none was taken"
"$PLASTFIT" fit own.cfg source.arrays.choice=novelty plastic= >/dev/null 2>&1 && fail "novelty was taken for a choice"
"$PLASTFIT" fit own.cfg source.arrays.inputs='["x", "trial"]' network.layers='[3, 3, 1]' source.arrays.trial=trial out=other --quiet || fail "other inputs"
! cmp -s other/theta.csv table/theta.csv || fail "arrays.inputs does nothing"
"$PLASTFIT" fit own.cfg source.plastic=always out=always --quiet || fail "plastic"
! cmp -s always/theta.csv table/theta.csv || fail "plastic does nothing"
# time between steps: a channel although the config lists others
with_gap='rules.learn.modulator="reward - expected_reward + 0.1 * novelty + 0.01 * gap"'
"$PLASTFIT" fit own.cfg "$with_gap" source.plugin=table source.path=table.csv out=gap-table --quiet || fail "gap of a table"
"$PLASTFIT" fit own.cfg "$with_gap" source.path=pause.npz source.arrays.gap=pause source.arrays.channels='["novelty"]' out=gap --quiet || fail "gap"
cmp -s gap/theta.csv gap-table/theta.csv || fail "gap gives another theta than the table"
! cmp -s gap/theta.csv table/theta.csv || fail "gap does nothing"
"$PLASTFIT" check own.cfg out=x >out 2>err || fail "check: $(cat err)"
grep -q "2 animals, 3 sessions" out && grep -q "reward" out || fail "check understood something else: $(cat out)"

# several choices, where something else than an accept says when weights change
"$PLASTFIT" check own.cfg source.path=two.npz source.plastic=always losses.[0].plugin=categorical losses.[0].categories=3 network.layers='[2, 3, 3]' >out 2>err ||
  fail "three choices: $(cat err)"

# ---- what is broken ----
refused() { # refused NAME TEXT OVERRIDE...: one line with the file, exit code 2, nothing written
  name=$1 text=$2
  shift 2
  status=0
  rm -rf x
  (ulimit -v 1500000; exec "$PLASTFIT" fit own.cfg source.path="$name.npz" out=x "$@") >out 2>err || status=$?
  [ "$status" -eq 2 ] || fail "$name: exit code $status instead of 2: $(cat err)"
  grep -qF -- "$text" err && grep -qF "$name.npz" err || fail "$name: expected '$text', found '$(cat err)'"
  [ "$(wc -l <err)" -eq 1 ] && [ ! -e x ] || fail "$name: more than one line, or a folder: $(cat err)"
}
refused objects "array 'x': holds Python objects"
refused structured "is a structured array"
refused complex "has cells of type '<c16'"
refused half "has cells of type '<f2'"
refused cut "does not come to the 125 bytes it has"
refused shape "its shape, 9 x 2 cells"
refused huge "its shape"
refused overflow "cannot be read: expected its shape"
refused negative "cannot be read: expected its shape"
refused dimensions "has 3 dimensions"
refused no-header "ends within its header"
refused no-array "is no .npy array"
refused version "has version 9.0"
refused code "cannot be read: expected the type"
refused twice "once each"
refused keys "and no other"
refused empty-header "expected {"
refused rows "array 'reward': has 7 rows, others have 8"
refused wide "array 'reward': has several columns, expected one value a step"
refused scalar "is a single value"
refused text "row 0: array 'reward': found 'fly1', expected a number"
refused infinite "row 0: array 'reward': found 'inf'"
refused no-input "row 0: array 'x[1]': found nothing, expected a number: an input cannot be missing"
refused two "choice 2; expected 0, 1, or NaN"
refused third "row 2: array 'choice': found '0.5', expected a choice: a whole number from 0" source.plastic=always
refused half-trial "found '0.5', expected a whole number"
refused back "row 1: found trial 2 behind trial 3"
refused again "row 4: a row of a, which was over at row 1"
refused nobody "row 0: array 'animal': found nothing, expected the animal"
refused no-rows "no rows"
refused nothing-to-predict "has nothing to predict"
refused nothing-to-see "has no inputs"
refused bomb "MiB, more than the 10 MiB of most_memory" source.most_memory=10
refused liar "x'" # told by the shape, or when it is unpacked
refused checksum "cannot be unpacked, the file is damaged"
refused short "is no .npz file"
refused no-zip "is no .npz file"
refused nothing "entries"
refused readme "has no array"
refused nowhere "No such file"
refused base "there is no array 'rewards'; did you mean 'reward'?" source.arrays.reward=rewards
refused base "there is no array 'sugar'; it has: animal, session, trial, x[1], x[2], choice, reward, novelty" source.arrays.reward=sugar

# ---- by numpy itself ----
python=
for candidate in python3 /usr/bin/python3; do
  "$candidate" -c 'import numpy' 2>/dev/null && { python=$candidate; break; }
done
if [ -z "$python" ]; then
  echo "not tested for want of numpy: files that numpy writes"
  [ -z "${PF_SHARED:-}" ] || fail "CI has numpy"
  finish
fi
"$python" - <<'END'
import csv
import numpy as np
rows = list(csv.DictReader(open("table.csv")))
number = lambda key: np.array([float(r[key]) if r[key] else np.nan for r in rows])
x = np.stack([number("x1"), number("x2")], axis=1)
base = dict(animal=np.array([r["animal"] for r in rows]), session=np.array([r["session"] for r in rows]),
            trial=number("trial").astype(int), x=x, choice=number("choice"), reward=number("reward"), novelty=number("novelty"))
np.savez("n1.npz", **base)
np.savez_compressed("n2.npz", **{**base, "x": np.asfortranarray(x.astype(np.float32)), "reward": base["reward"].astype(">f4"),
                                 "animal": np.char.encode(base["animal"]), "novelty": base["novelty"].astype(np.int8)})
np.savez("n3.npz", **{**base, "x": np.repeat(x, 2, axis=1)[:, ::2], "trial": base["trial"].astype(np.uint16)})
np.savez("n4.npz", **{**base, "animal": base["animal"].astype(object)})
END
for name in n1 n2 n3; do
  rm -rf fit
  "$PLASTFIT" fit own.cfg source.path="$name.npz" out=fit --quiet >out 2>err || { fail "$name: $(cat err)"; continue; }
  cmp -s fit/theta.csv table/theta.csv || fail "$name gives another theta than the table"
done
refused n4 "array 'animal': holds Python objects"
finish
