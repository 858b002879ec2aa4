#!/bin/sh
# plastfit recover: the same bits on any number of threads, the first data set is the config's own, every method gives
# intervals, and what cannot be recovered is refused in one line.
. "$PF_SRCDIR/tests/e2e/lib.sh"

config=$PF_SRCDIR/configs/coverage-choices.cfg
small="source.animals=1 recover.data_sets=3"
methods='intervals.methods=["fisher", "sandwich", "profile", "bootstrap"]'

# shellcheck disable=SC2086 # small is a list of words
for threads in 1 3; do
  "$PLASTFIT" recover "$config" $small "$methods" intervals.bootstrap.resamples=20 threads=$threads \
    out="$work/by$threads" >"$work/by$threads.log" 2>&1 || fail "recover with $threads threads: $(cat "$work/by$threads.log")"
done
cmp "$work/by1/recover.csv" "$work/by3/recover.csv" || fail "recover.csv differs between 1 and 3 threads"
holds by1 "s['fits'] == {'all': 3, 'converged': 3, 'not_converged': 0, 'failed': 0, 'worse_than_truth': 0, 'worse_than_best_start': None}"
holds by1 "len(s['parameters']) == 5 and sorted(p['truth'] for p in s['parameters']) == [-0.05, 0, 0, 0, 1]"
holds by1 "all(p['methods'][m]['intervals'] == 3 for p in s['parameters'] for m in ('fisher', 'sandwich', 'profile', 'bootstrap'))"
grep -q 'bias' "$work/by1.log" || fail "no table: $(cat "$work/by1.log")"

# does each fit arrive at the best of many starts? From one start alone 1 of these 12 does not
for starts in 1 0; do
  "$PLASTFIT" recover "$config" source.animals=1 fit.per=animal recover.data_sets=12 recover.arriving=8 fit.starts=$starts \
    'rules.learn.terms="x r + w"' 'intervals.methods=["fisher"]' out="$work/arriving$starts" \
    'source.task.blocks=( { trials=150; reward=[0.2,0.8]; }, { trials=150; reward=[0.8,0.2]; } )' \
    >"$work/arriving$starts.log" 2>&1 || fail "arriving: $(cat "$work/arriving$starts.log")"
done
holds arriving1 "s['fits']['worse_than_best_start'] == 1"
holds arriving0 "s['fits']['worse_than_best_start'] == 0"

# data set 0 has the config's seed: its estimates and standard errors are those that `fit` finds
run_fit fitted "$config" source.animals=1 || finish
python3 - "$work" <<'PY' || fail "data set 0 is not the config's own"
import csv, sys
fit = {r["name"]: r for r in csv.DictReader(open(sys.argv[1] + "/fitted/theta.csv")) if r["fixed"] == "0"}
rows = [r for r in csv.DictReader(open(sys.argv[1] + "/by1/recover.csv"))]
first = [r for r in rows if r["data_set"] == "0" and r["method"] == "fisher"]
assert len(rows) == 3 * 5 * 4 and len(first) == 5, len(rows)
for r in first:
    assert r["estimate"] == fit[r["name"]]["estimate"], r["name"]
    assert float(r["lower"]) < float(r["estimate"]) < float(r["upper"]), r
    assert r["covers"] == str(int(float(r["lower"]) <= float(r["truth"]) <= float(r["upper"])))
assert len({r["estimate"] for r in rows if r["name"] == "X1Y0W0R1"}) == 3  # other data in every set
# one method's interval is not another's
assert len({r["lower"] for r in rows if r["data_set"] == "0" and r["name"] == "X1Y0W0R1"}) == 4
PY

# what nothing recorded sees, the weights, is compared between fits that are as good: thetas, and starts of one optimum
run_fit starts "$config" source.animals=1 fit.starts=3 fit.spread=0.05 report=false evaluate.draws=0 || finish
latent="s['inference']['units'][0]['latent_weights']"
holds starts "${latent}['fits'] == 10 + ${latent}['starts'] and ${latent}['starts'] >= 1"
holds starts "0 < ${latent}['r2_lowest'] <= ${latent}['r2_median'] < 1"

# fits that did not reach the optimum are told: there the truth is better than the estimate. Fits that did are not, nor
# are those of data without noise, where both are as good to rounding; sigma, and so any error, is then not to be had
activity=$PF_SRCDIR/configs/coverage-activity.cfg
"$PLASTFIT" recover "$activity" recover.data_sets=2 fit.optimiser=adam fit.epochs=3 out="$work/missed" >"$work/missed.log" 2>&1 ||
  fail "recover by adam: $(cat "$work/missed.log")"
holds missed "s['fits']['worse_than_truth'] == 2"
grep -q '^  2 of 2 fits are worse than the truth' "$work/missed.log" || fail "missed: not told: $(cat "$work/missed.log")"
"$PLASTFIT" recover "$activity" recover.data_sets=2 source.record.noise=0 out="$work/exact" >"$work/exact.log" 2>&1 ||
  fail "recover without noise: $(cat "$work/exact.log")"
holds exact "s['fits']['worse_than_truth'] == 0"
holds exact "all(p['methods'][m]['intervals'] == 0 for p in s['parameters'] for m in ('fisher', 'sandwich'))"

# the animals bootstrap, where there are enough to draw
"$PLASTFIT" recover "$config" source.animals=3 recover.data_sets=1 'intervals.methods=["bootstrap"]' \
  intervals.bootstrap.of=animals intervals.bootstrap.resamples=20 out="$work/animals" >"$work/animals.log" 2>&1 ||
  fail "bootstrap over animals: $(cat "$work/animals.log")"
holds animals "s['parameters'][0]['methods']['bootstrap']['intervals'] == 1"

# a penalised fit has no intervals, and says why; bias it has
"$PLASTFIT" recover "$config" source.animals=1 recover.data_sets=2 penalty.l1=0.01 out="$work/penalised" >"$work/penalised.log" 2>&1 ||
  fail "penalised: $(cat "$work/penalised.log")"
holds penalised "s['parameters'][0]['methods']['fisher']['intervals'] == 0 and s['parameters'][0]['bias'] is not None"
grep -q 'a penalty moves coefficients away' "$work/penalised.log" || fail "penalised: no reason: $(cat "$work/penalised.log")"

# what a teacher has beside its rule is recovered too: lapses and a bias of the loss, each animal's own starting weights
losses='losses=({ plugin="choice"; parameters: { lapse={ fixed=false; initial=0.05; value=0.3; }; bias={ fixed=false; value=0.7; }; }; })'
"$PLASTFIT" recover "$config" source.animals=6 recover.data_sets=8 'intervals.methods=["fisher"]' rules.learn.terms='"x r + w"' "$losses" \
  out="$work/lapse" >"$work/lapse.log" 2>&1 || fail "lapses: $(cat "$work/lapse.log")"
holds lapse "sorted(p['truth'] for p in s['parameters']) == [-0.05, 0.3, 0.7, 1]"
# off by 4 standard errors of the mean by chance: 1 in 16,000
holds lapse "all(abs(p['bias']) < 4 * p['methods']['fisher']['mean_se'] / 8 ** 0.5 for p in s['parameters'])"
"$PLASTFIT" recover "$config" source.animals=2 recover.data_sets=2 'intervals.methods=["fisher"]' rules.learn.terms='"x r + w"' \
  network.initial_weights.learn=each network.layers='[2,2,1]' source.give.initial_weights=false fit.starts=1 out="$work/w0" \
  >"$work/w0.log" 2>&1 || fail "starting weights: $(cat "$work/w0.log")"
python3 - "$work/w0/recover.csv" <<'PY' || fail "starting weights have no truth of their own"
import csv, sys
rows = [r for r in csv.DictReader(open(sys.argv[1])) if r["name"].startswith("w0.")]
truths = {(r["data_set"], r["animal"], r["name"]): float(r["truth"]) for r in rows}
sys.exit(0 if len(truths) == len(set(truths.values())) == 16 else 1)
PY

# refuse CODE TEXT ARGUMENT...: one line with TEXT
refuse() {
  code=$1 text=$2
  shift 2
  got=0
  "$PLASTFIT" recover "$@" >"$work/refused" 2>&1 || got=$?
  [ "$got" -eq "$code" ] || fail "recover $*: exit $got, expected $code"
  [ "$(wc -l <"$work/refused")" -eq 1 ] && grep -q "$text" "$work/refused" || fail "recover $*: $(cat "$work/refused")"
}
refuse 2 "reads data, whose truth is not known" "$PF_SRCDIR/configs/own-data.cfg" out="$work/none"
refuse 2 "recover wants" --quiet
refuse 2 "already holds a run" "$config" source.animals=1 recover.data_sets=1 out="$work/by1"
refuse 2 "there is no method 'wald'" "$config" 'intervals.methods=["wald"]' out="$work/none"
[ ! -e "$work/none" ] || fail "a refused recovery left a folder"
finish
