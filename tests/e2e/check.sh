#!/bin/sh
# `plastfit check`: what it shows is what a fit then does; it writes nothing, and warns of what looks odd.
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"

# shows TEXT...: each stands in the last output, spaces counted as one
shows() {
  for text in "$@"; do
    tr -s ' ' <stdout | grep -qF -- "$text" || fail "check does not show '$text'"
  done
}

check() {
  status=0
  "$PLASTFIT" check "$@" >stdout 2>stderr || status=$?
  [ "$status" -eq 0 ] || fail "check $*: exit code $status: $(cat stderr)"
}

config=$PF_SRCDIR/configs/quickstart.cfg
check "$config" --verbose source.animals=3 evaluate.animals=2 fit.optimiser=adam fit.batch=full fit.epochs=500 threads=1 out=run
shows "source teacher 1.0 " "rules.learn taylor 1.0 " "the truth taylor" "3 animals, 3 sessions, 3 experiments, 720 trials" \
  "weights change after 720 steps" "input: 2, layer1: 10, layer2: 1" "learns by rules.learn (taylor), eta 0.5, r = reward - expected_reward" \
  "Parameters: 18, of which 18 free" "1 fit, one theta for all; 3 draws (3 experiments x 1)" "500 steps in all, on 1 thread" \
  "gradients by sweep: 1 block of 10 rows" "evaluated on fresh animals: 2 animals" "No warnings." "It could run"
[ ! -e run ] && [ ! -e run.part ] || fail "check wrote something"
# the fit sees the same: steps and choices, from its own files
run_fit run "$config" source.animals=3 evaluate.animals=0 evaluate.draws=0 fit.optimiser=adam fit.batch=full fit.learning_rate=2e-2 fit.epochs=0 || finish
scored=$(figure run "sum(a['n_scored'] for a in s['animals'])")
shows " $scored are scored"

# every part of the plan follows the config
check "$config" source.animals=3 fit.per=animal fit.batch=draw source.give.inputs=false source.input.draws=4 fit.optimiser=adam fit.epochs=5 \
  evaluate.animals=0 threads=2
shows "3 fits, a theta for each animal; 12 draws" "60 steps in all, on 2 threads" "inputs x = 0.75 cue + 0.4 noise, 4 draws of it"
check "$PF_SRCDIR/configs/oja.cfg" --verbose network.layers='[2000, 20]' source.task.steps=200 source.animals=1 evaluate.animals=0
shows "blocks of 4 rows through all of time; a checkpoint every 25 of 200 changes" "target activity (20)"
check "$config" source.animals=2 'rules.learn.parameters={ X1Y0W0R1 = { fixed = true; initial = 0.5; }; X0Y0W1R0 = { upper = 0.0; initial = 0.0; }; X0Y0W0R0 = { tied = "X1Y0W0R1"; }; }'
shows "of which 16 free" "X1Y0W0R1 x r 0.5 fixed" "tied: 1 X1Y0W0R1" "WARNING X0Y0W1R0: the start is on a bound"

# warnings
mkdir -p "$work/run"
check "$config" source.animals=1 'source.task.blocks=( { trials = 5; reward = [1.0, 1.0]; } )' source.task.baited=false out=run
shows "WARNING the reward is 1 wherever one was possible" "observations for 18 free parameters" \
  "WARNING 'run' already holds a run"
grep -q "No warnings" stdout && fail "warnings, and none"
# with every rule fixed there is nothing to fit
check "$config" source.animals=1 rules.learn.plugin=reward rules.learn.form='"x r"' 'rules.learn.parameters={ rate = { fixed = true; }; }'
shows "WARNING no parameter is free"

# what a table will mislead with: nina never rejects, karl is always paid 1, in mara's block 1 nothing is paid; side tells what omar
# does, but is no input, so that no weight can grow with it
python3 - <<'END'
import random
random.seed(4)
with open("odd.csv", "w") as file:
    file.write("animal,block,trial,x1,x2,choice,reward,side\n")
    for name in ("nina", "karl", "mara", "omar", "well"):
        for trial in range(40):
            block, option, side = trial // 20, random.randrange(2), random.random()
            choice = 1 if name == "nina" else int(side > 0.4) if name == "omar" else random.randrange(2)
            paid = 1 if name == "karl" else 0 if name == "mara" and block == 1 else int(random.random() < 0.5 or trial % 20 < 2)
            file.write("%s,%d,%d,%d,%d,%d,%s,%.2f\n" % (name, block, trial, 1 - option, option, choice, paid if choice else "", side))
END
cat >odd.cfg <<'END'
source: { plugin = "table"; path = "odd.csv"; input: { mean = 0.75; sd = 0.1; draws = 2; }; };
network: { plugin = "feedforward"; layers = [2, 4, 1]; };
rules: { learn: { plugin = "taylor"; terms = "x + x r + x^2 r"; modulator = "reward"; init_sd = 0.01; }; };
losses = ( { plugin = "choice"; } );
END
check odd.cfg
shows "5 animals, 5 sessions" "WARNING nina always made the same choice (1 of 5 animals)" "WARNING karl: the reward is the same wherever one was possible" \
  "WARNING mara block 1: no reward in a whole block (1 of them)" \
  "WARNING x r and x^2 r: only the input noise that plastfit draws"
[ "$(grep -c WARNING stdout)" -eq 4 ] || fail "other warnings: $(grep WARNING stdout)"
sed -i '/^\(nina\|karl\|mara\|omar\),/d' odd.csv # one that is well has nothing to be warned of
check odd.cfg rules.learn.terms="x + x r"
grep -q "No warnings" stdout || fail "warned of nothing: $(grep WARNING stdout)"
check odd.cfg rules.learn.terms="x r + x^2 r" source.input.sd=0 # without noise they are one, and no noise hides it
grep -q "No warnings" stdout || fail "warned of noise that there is not: $(grep WARNING stdout)"
awk -F, -v OFS=, 'NR > 1 { $6 = $5; $7 = $5 == 1 ? $3 % 2 : "" } 1' odd.csv >inputs.csv
check odd.cfg source.path=inputs.csv rules.learn.terms="x + x r"
shows "WARNING well: input 1 alone predicts every choice"
check odd.cfg 'rules.learn={ plugin = "taylor"; modulator = "reward"; }' source.input.sd=0 # 81 terms
shows "WARNING well: fewer observations than free parameters (81)"

# licks of two mice written as 0 and misses as 1: every reward then stands where nothing was chosen
python3 - <<'END'
import random
random.seed(4)
with open("licks.csv", "w") as right, open("exchanged.csv", "w") as wrong:
    for file in right, wrong:
        file.write("subject,trial,odour,lick,reward\n")
    for row in range(120):
        lick = random.randrange(2)
        reward = random.randrange(2) if lick else ""
        start = "m%d,%d,%.2f," % (1 + row // 60, row % 60, random.random())
        right.write("%s%d,%s\n" % (start, lick, reward))
        wrong.write("%s%d,%s\n" % (start, 1 - lick, reward))
END
cat >licks.cfg <<'END'
source: { plugin = "table"; path = "exchanged.csv"; columns: { animal = "subject"; choice = "lick"; inputs = ["odour"]; }; };
network: { plugin = "feedforward"; layers = [1, 1]; };
rules: { learn: { plugin = "taylor"; terms = "x r + w"; modulator = "reward"; }; };
losses = ( { plugin = "choice"; } );
END
check licks.cfg
grep WARNING stdout | grep -qF "or 0 and 1 of the choices are exchanged" || fail "exchanged choices: $(grep WARNING stdout)"
check licks.cfg source.path=licks.csv
grep -q "exchanged" stdout && fail "choices that are right are called exchanged: $(grep WARNING stdout)"

# a plugin: by name, by file; what there is not, and what it takes, is said
"$PLASTFIT" check oja >stdout 2>stderr || fail "check oja: $(cat stdout stderr)"
grep -q "rule oja keeps its promises: [1-9][0-9]* derivatives" stdout || fail "check oja: $(tail -3 stdout)"
grep -q "^Normal are relative errors below" stdout || fail "check oja does not say what is normal: $(tail -3 stdout)"
"$PLASTFIT" check "$PF_BUILDDIR/plugins/oja.la" >stdout 2>stderr || fail "check oja.la: $(cat stdout stderr)"
refused() { # refused SENTENCE ARGUMENT...: exit code 2 and the sentence
  sentence=$1
  shift
  status=0
  "$PLASTFIT" check "$@" >stdout 2>stderr || status=$?
  [ "$status" -eq 2 ] && grep -q -e "$sentence" stderr || fail "check $*: exit $status, $(cat stderr)"
}
refused "there is no plugin ./nowhere.so" nowhere.so
refused "did you mean 'oja'" ojja
refused "takes no key=value" oja a=1
refused "there is no plugin" "$work"
finish
