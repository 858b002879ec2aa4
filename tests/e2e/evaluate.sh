#!/bin/sh
# `evaluate`: a fitted rule scored again, on a table, on another config; animals found by name; folders that are no runs.
. "$PF_SRCDIR/tests/e2e/lib.sh"
quick=$PF_SRCDIR/configs/quickstart.cfg
cd "$work"

# same FILE-A FILE-B: the scores in both are the same
same() {
  python3 - "$1" "$2" <<'END' || fail "$1 and $2 differ"
import json, sys
a, b = (json.load(open(f)) for f in sys.argv[1:])
sys.exit(0 if all(a[k] == b[k] for k in ("animals", "mean", "median", "evaluated_on", "truth")) else 1)
END
}

# works ARGUMENT...; says CODE TEXT ARGUMENT...
works() {
  "$PLASTFIT" evaluate "$@" >stdout 2>stderr || fail "evaluate $*: $(cat stderr)"
}
says() {
  code=$1 text=$2
  shift 2
  status=0
  "$PLASTFIT" evaluate "$@" >stdout 2>stderr || status=$?
  [ "$status" -eq "$code" ] || fail "evaluate $*: exit code $status instead of $code"
  grep -qF -- "$text" stderr || fail "evaluate $*: expected '$text', found '$(cat stderr)'"
  [ "$(wc -l <stderr)" -eq 1 ] || fail "evaluate $*: more or less than one line: '$(cat stderr)'"
}

run_fit run "$quick" source.animals=4 evaluate.animals=0 evaluate.draws=2 fit.optimiser=adam fit.batch=full fit.learning_rate=2e-2 fit.epochs=3 || finish
"$PLASTFIT" simulate "$quick" source.animals=4 out=data --quiet

# on its own data: the scores of the fit; on the table of the same animals too
works run
same run/summary.json run/evaluation-fitted-data.json
grep -q "deviance explained" stdout && grep -q "Scores are in run/evaluation-fitted-data.json" stdout || fail "no summary"
works run --data data/fit.cfg
same run/summary.json run/evaluation-fit.json
works run --data=data/table.csv --quiet
[ ! -s stdout ] && [ ! -s stderr ] || fail "--quiet says something: $(cat stdout stderr)"
# the model stays the run's, whatever the config of the data says
sed 's/layers = \[2, 10, 1\]/layers = [2, 3, 1]/; s/modulator = .*/modulator = "reward";/' data/fit.cfg >data/other.cfg
works run --data data/other.cfg source.truth.rule.modulator="reward - expected_reward"
same run/summary.json run/evaluation-other.json
# other animals
works run --data "$quick" source.animals=2 seed=7 evaluate.draws=1
python3 -c 'import json, sys; e = json.load(open("run/evaluation-quickstart.json")); sys.exit(len(e["animals"]) != 2)' ||
  fail "expected two animals in evaluation-quickstart.json"
# elsewhere
works run --data data/table.csv --out scores
same run/evaluation-table.json scores/evaluation.json
says 2 "--force" run --data data/table.csv --out scores
works run --data data/table.csv --out scores --force

# a key of the source that lacks its group is told where it belongs
says 2 "did you mean 'source.columns'?" run --data data/table.csv columns.animal=fly --force

# masks drawn by chance are the run's whatever the seed of the data; with others the scores would be others
run_fit masked "$quick" source.animals=2 evaluate.animals=0 evaluate.draws=1 fit.epochs=3 \
  'network.projections=( { layer=1; rule="learn"; connected: { density=0.6; }; } )' && {
  works masked seed=9 --out seeded
  works masked --data masked/config.cfg seed=9 --out reseeded
  same seeded/evaluation.json reseeded/evaluation.json
  works masked seed=9 network.mask_seed=9 --out redrawn
  ! cmp -s seeded/evaluation.json redrawn/evaluation.json || fail "network.mask_seed does nothing"
}

# sessions hang together in a table as they did in the run
"$PLASTFIT" simulate "$PF_SRCDIR/configs/sessions.cfg" source.animals=2 source.give.initial_weights=false out=days --quiet || fail "simulate sessions"
run_unsure_fit days-run "$PF_SRCDIR/configs/sessions.cfg" source.animals=2 source.give.initial_weights=false evaluate.animals=0 evaluate.draws=1 fit.epochs=2 fit.iterations=2 fit.starts=1 || finish
says 1 "all: not converged, says the run: no result rests on this fit" days-run --data days/table.csv
python3 -c '
import json, sys
a, b = ([x["log_likelihood"] for x in json.load(open("days-run/" + f))["animals"]] for f in ("summary.json", "evaluation-table.json"))
sys.exit(a != b)' || fail "sessions in a table score otherwise than in the run"

# nothing is overwritten unasked; a run with evaluations in it can still be replaced
says 2 "is there already; --force" run
works run --force
run_fit run "$quick" source.animals=2 evaluate.animals=0 fit.optimiser=adam fit.batch=full fit.learning_rate=2e-2 fit.epochs=1 --force && [ ! -e run/evaluation-fit.json ] ||
  fail "a run with evaluations in it is not replaced"

# one theta per animal: found by name
run_fit per "$quick" source.animals=2 evaluate.animals=0 evaluate.draws=1 fit.optimiser=adam fit.epochs=2 fit.per=animal fit.batch=draw
grep -E '^animal(,|2,)' data/table.csv >one.csv
works per --data one.csv
python3 - <<'END' || fail "animal2 is not scored with the theta of animal2"
import json, sys
e = json.load(open("per/evaluation-one.json"))["animals"]
s = {a["name"]: a["theta"] for a in json.load(open("per/summary.json"))["animals"]}
sys.exit(0 if len(e) == 1 and e[0]["theta"] == s["animal2"] != s["animal1"] else 1)
END
says 2 "has no theta for 'animal3'; it has: animal1, animal2" per --data data/table.csv

# what is no run, no data, no option
says 2 "there is no run folder 'gone'" gone
says 2 "; did you mean 'per'?" pre
says 2 "is no folder" data/table.csv
mkdir empty
says 2 "is no whole run folder: summary.json" empty
says 2 "is no whole run folder: summary.json" data
cp -r run old
sed 's/"format": 1/"format": 2/' run/summary.json >old/summary.json
says 2 "format 2; this is plastfit" old
grep -v '"format"' run/summary.json >old/summary.json
says 2 "no format; this is plastfit" old
echo '{' >old/summary.json
says 2 "is no JSON that can be read" old
cp run/summary.json old/
head -c 300 run/theta.csv >old/theta.csv
says 2 "old/theta.csv:" old
cp per/theta.csv old/
says 2 "has no theta for 'all'" old
says 2 "gone.csv: cannot be read" run --data gone.csv
says 2 "gone.cfg" run --data gone.cfg
says 2 "evaluate has no option '--dta'; did you mean '--data'?" run --dta x
says 2 "--data wants a value behind it" run --data
says 2 "takes one run folder" run per
says 2 "wants a RUN folder"
finish
