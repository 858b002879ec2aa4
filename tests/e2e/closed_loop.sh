#!/bin/sh
# `simulate --from RUN`: a fitted rule put back into a task, each animal with its own theta; what a fit leaves of it.
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"
quick=$PF_SRCDIR/configs/quickstart.cfg
# the true rule, as if it had been fitted; and a rule that does nothing
truth='rules.learn={ plugin = "taylor"; terms = "x r + w"; modulator = "reward - expected_reward"; parameters = { X1Y0W0R1 = { initial = 1.0; }; X0Y0W1R0 = { initial = -0.05; }; }; }'
nothing='rules.learn={ plugin = "taylor"; terms = "x r + w"; modulator = "reward - expected_reward"; parameters = { X1Y0W0R1 = { initial = 0.0; }; X0Y0W1R0 = { initial = 0.0; }; }; }'

# works ARGUMENT...; says CODE TEXT ARGUMENT...
works() {
  "$PLASTFIT" simulate "$@" >stdout 2>stderr || fail "simulate $*: $(cat stderr)"
}
says() {
  code=$1 text=$2
  shift 2
  status=0
  "$PLASTFIT" simulate "$@" >stdout 2>stderr || status=$?
  [ "$status" -eq "$code" ] || fail "simulate $*: exit code $status instead of $code"
  grep -qF -- "$text" stderr || fail "simulate $*: expected '$text', found '$(cat stderr)'"
  [ "$(wc -l <stderr)" -eq 1 ] || fail "simulate $*: more or less than one line: '$(cat stderr)'"
}
# better FILE: how often the last 30 trials of a block ended with the option that it pays better, blocks 0.2 : 0.8, 0.9 : 0.1, 0.2 : 0.8
better() {
  python3 - "$1" <<'END'
import csv, sys
hits = n = 0
for row in csv.DictReader(open(sys.argv[1])):
    if row["choice"] == "1" and int(row["trial"]) % 80 >= 50:
        n += 1
        hits += (float(row["x2"]) > float(row["x1"])) == (row["block"] != "1")
print(100 * hits // n)
END
}
names() {
  cut -d, -f1 "$1" | uniq | tr '\n' ' '
}

# ---- the same task: what the fit left is what the command makes of the folder ----
run_fit run "$quick" source.animals=6 evaluate.animals=0 evaluate.draws=1 fit.optimiser=adam fit.batch=full fit.learning_rate=2e-2 fit.epochs=0 "$truth" source.input.sd=0.1 || finish
[ "$(names run/simulated.csv)" = "animal animal1 animal2 animal3 animal4 animal5 animal6 " ] || fail "animals: $(names run/simulated.csv)"
cp run/simulated.csv kept.csv
says 2 "'run/simulated.csv' is there already; --force to replace it, or --out FOLDER" --from run
cmp run/simulated.csv kept.csv || fail "it was replaced all the same"
works --from run --force
cmp run/simulated.csv kept.csv || fail "theta.csv gives other animals than the fit did"
grep -q "6 animals simulated with the fitted rule, in run/simulated.csv; report.html" stdout || fail "it says: $(cat stdout)"
# the true rule goes where the reward is, at least as the teacher's animals do; one that does nothing does not (binomial: 540 trials, sd 2 %)
"$PLASTFIT" simulate "$quick" source.animals=6 source.input.sd=0.1 out=teacher --quiet || fail "simulate"
run_fit inert "$quick" source.animals=6 evaluate.animals=0 evaluate.draws=1 fit.optimiser=adam fit.batch=full fit.learning_rate=2e-2 fit.epochs=0 "$nothing" source.input.sd=0.1 || finish
echo "better option: the rule $(better run/simulated.csv) %, the teacher $(better teacher/table.csv) %, no rule $(better inert/simulated.csv) %"
[ "$(better run/simulated.csv)" -ge $(($(better teacher/table.csv) - 10)) ] && [ "$(better run/simulated.csv)" -ge 60 ] ||
  fail "the true rule does not act like the teacher"
[ "$(better inert/simulated.csv)" -le 58 ] || fail "a rule that does nothing prefers the better option"
# repeats are other lives, the first of them the same; --out leaves the run alone, and can be fitted
works --from run --repeats 2 --out twice
[ "$(names twice/table.csv)" = "animal animal1 animal1-2 animal2 animal2-2 animal3 animal3-2 animal4 animal4-2 animal5 animal5-2 animal6 animal6-2 " ] ||
  fail "repeats: $(names twice/table.csv)"
cmp run/simulated.csv kept.csv || fail "--out touched the run"
works --from run --repeats 2 --out twice --force --quiet
[ ! -s stdout ] || fail "--quiet says $(cat stdout)"
run_fit again twice/fit.cfg evaluate.draws=1 fit.optimiser=adam fit.batch=full fit.learning_rate=2e-2 fit.epochs=2 && holds again "len(s['animals']) == 12"
# what is true of animals that a fitted rule simulates is the fitted rule
python3 - <<'END' || fail "the fitted rule is not the truth of the animals that it simulates"
import json, sys
fitted, again = (json.load(open(f"{run}/summary.json")) for run in ("run", "again"))
theta = fitted["animals"][0]["theta"]
sys.exit(0 if again["truth"] and all(abs(v - theta[k]) <= 1e-12 * abs(v) for k, v in again["truth"].items()) else 1)
END
works --from run seed=7 --force
! cmp -s run/simulated.csv kept.csv || fail "the seed does nothing"

# ---- a theta per animal, another task ----
cat >task.cfg <<'END'
source: { plugin = "teacher";
          task: { kind = "two_odours"; blocks = ( { trials = 30; reward = [1.0, 0.0]; }, { trials = 20; reward = [0.0, 1.0]; } ); }; };
END
run_fit each "$quick" source.animals=3 evaluate.animals=0 evaluate.draws=1 fit.optimiser=adam fit.batch=full fit.learning_rate=2e-2 fit.epochs=0 fit.per=animal "$truth" || finish
works --from each --task task.cfg --force
python3 -c '
import csv, sys
rows = list(csv.DictReader(open("each/simulated.csv")))
sys.exit(sorted({r["block"] for r in rows}) != ["0", "1"] or max(int(r["trial"]) for r in rows) != 49)' || fail "not the task of task.cfg"
cp each/simulated.csv kept.csv
python3 - <<'END'
import csv
rows = list(csv.reader(open("each/theta.csv")))
unit, estimate = rows[0].index("unit"), rows[0].index("estimate")
for row in rows[1:]:
    row[estimate] = "0" if row[unit] == "animal2" else row[estimate]
csv.writer(open("each/theta.csv", "w")).writerows(rows)
END
works --from each --task task.cfg --force
for animal in 1 2 3; do
  grep "^animal$animal," kept.csv >before
  grep "^animal$animal," each/simulated.csv >after
  same=yes
  cmp -s before after || same=no
  [ "$same" = "$([ "$animal" = 2 ] && echo no || echo yes)" ] || fail "animal$animal does not live by its own theta"
done

# ---- data that were read have no task; a task must fit ----
run_fit own "$PF_SRCDIR/configs/own-data.cfg" fit.epochs=1 evaluate.draws=1 || finish
[ ! -e own/simulated.csv ] || fail "a fit to a table was simulated in no task"
says 2 "it states no task; name one with --task CONFIG" --from own
works --from own --task task.cfg
says 2 "there is no task in it" --from own --task "$PF_SRCDIR/configs/own-data.cfg" --force
says 1 "2 inputs" --from own --task task.cfg --force 'source.task={ kind = "cues"; blocks = ( { trials = 5; reward = [1.0, 0.5, 0.0]; } ); }'
# a channel that the host derives from the task's is there while the task runs
run_fit derived "$quick" source.animals=2 evaluate.animals=0 evaluate.draws=1 fit.optimiser=adam fit.batch=full fit.learning_rate=2e-2 fit.epochs=0 rules.learn.modulator=before \
  'source.derive=( { name="before"; of="reward"; lag=1; } )' || finish
[ -s derived/simulated.csv ] || fail "a rule that reads a derived channel was not simulated"
# used wrongly
says 2 "simulate: --task goes with --from RUN" "$quick" --task task.cfg
says 2 "its key \`out\`: out=FOLDER" "$quick" --out x
says 2 "simulate takes a config or --from RUN" "$quick" --from run
says 2 "expected a whole number from 1" --from run --repeats none
says 2 "there is no run folder 'nowhere'" --from nowhere
finish
