#!/bin/sh
# What a rule can see: spike pairs by their lag; choices, their error: Q-learning and its kin against likelihoods of their own.
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"
case $("$PLASTFIT" --version) in
  *single*)
    echo "SKIPPED: what is compared to 1e-6 and less needs double precision"
    exit 77
    ;;
esac

# Pre then post, 5 and 50 ms apart: the weight of 1 becomes 1 + 0.1 exp(-lag / 20), 1.0779 and 1.0082. The objective is half the sum
# of squares of -0.9 - (w - 2) over the two sessions.
cat >lag.csv <<'CSV'
session,dt,pre,post,y1,plastic
lag5,5,1,0,,1
lag5,5,0,1,,1
lag5,1,1,0,-0.9,0
lag50,50,1,0,,1
lag50,50,0,1,,1
lag50,1,1,0,-0.9,0
CSV
printf 'projection,post,pre,value\nlayer1,0,0,1\nlayer1,0,1,3\n' >w0.csv
cat >lag.cfg <<'CFG'
name = "lag"; seed = 1;
source: { plugin = "table"; path = "lag.csv"; columns: { inputs = ["pre", "post"]; }; };
network: { plugin = "feedforward"; layers = [2, 1]; output = "relu"; biases: { output = -2.0; }; initial_weights: { file = "w0.csv"; };
  projections = ( { layer = 1; rule = "learn"; plastic: { matrix = ([1, 0]); }; } ); };
rules: { learn: { plugin = "stdp"; eta = 1.0; parameters: { A_minus: { fixed = true; }; tau_plus: { fixed = true; };
  tau_minus: { fixed = true; }; }; }; };
losses = ( { plugin = "activity"; observable = "logit"; } );
fit: { per = "shared"; iterations = 0; };
CFG
run_fit lag lag.cfg fit.optimiser=adam fit.epochs=0 || finish
figure lag "s['units'][0]['objective']"
python3 - "$work/lag/summary.json" <<'PY' || fail "pairs 5 and 50 ms apart do not count exp(-lag / 20)"
import json, math, sys
found = json.load(open(sys.argv[1]))["units"][0]["objective"]
expected = sum((-0.9 - (1 + 0.1 * math.exp(-lag / 20) - 2)) ** 2 for lag in (5, 50)) / 2
sys.exit(abs(found - expected) > 1e-12)
PY

# The same with imposed postsynaptic spikes: what was recorded is what the rule sees, whatever the model does. The cells of the spikes
# themselves are 3 away from the logit, -2.
cat >imposed.csv <<'CSV'
session,dt,pre,y1,plastic
lag5,5,1,,1
lag5,5,0,1,1
lag5,1,1,-0.9,0
lag50,50,1,,1
lag50,50,0,1,1
lag50,1,1,-0.9,0
CSV
printf 'projection,post,pre,value\nlayer1,0,0,1\n' >w1.csv
sed -e 's/lag.csv/imposed.csv/; s/"pre", "post"/"pre"/; s/\[2, 1\]/[1, 1]/; s/w0.csv/w1.csv/; s/plastic: { matrix = (\[1, 0\]); };/post = "recorded";/' lag.cfg >imposed.cfg
run_fit imposed imposed.cfg fit.optimiser=adam fit.epochs=0 || finish
python3 - "$work/imposed/summary.json" <<'PY' || fail "imposed spikes 5 and 50 ms after the presynaptic one do not count exp(-lag / 20)"
import json, math, sys
found = json.load(open(sys.argv[1]))["units"][0]["objective"]
ends = [(-0.9 - (1 + 0.1 * math.exp(-lag / 20) - 2)) ** 2 for lag in (5, 50)]
sys.exit(abs(found - (9 + 9 + sum(ends)) / 4) > 1e-12)
PY

# Choices between arms: log likelihoods within 1e-6 of those that signals.py works out, and at their maximum.
python3 "$PF_SRCDIR/tests/e2e/signals.py" make 2 7 >two.csv
python3 "$PF_SRCDIR/tests/e2e/signals.py" make 4 8 >four.csv
# arms NAME DATA ARMS POST TERMS PARAMETERS
arms() {
  cat >"$1.cfg" <<CFG
name = "$1"; seed = 1;
source: { plugin = "table"; path = "$2.csv"; columns: { inputs = ["one"]; }; };
network: { plugin = "feedforward"; layers = [1, $3]; output = "softmax"; initial_weights: { sd = 0.0; };
  projections = ( { layer = 1; rule = "learn"; post = "$4"; } ); };
rules: { learn: { plugin = "taylor"; terms = "$5"; modulator = "reward"; eta = 1.0; parameters: { $6 }; }; };
losses = ( { plugin = "categorical"; categories = $3; } );
fit: { per = "animal"; };
intervals: { methods = []; };
CFG
  run_fit "$1" "$1.cfg" fit.starts=4 || return 0
  python3 "$PF_SRCDIR/tests/e2e/signals.py" compare "$7" "$work/$1" "$2.csv" || fail "$1: likelihoods"
}
q="X1Y1W0R1: { initial = 0.5; }; X1Y1W1R0: { initial = -0.3; lower = -1.0; upper = -0.01; };"
arms q-two two 2 choice "x y r + x y w" "$q" q
arms q-four four 4 choice "x y r + x y w" "$q" q
arms forget-two two 2 choice "w + x y r + x y w" "$q X0Y0W1R0: { initial = -0.1; lower = -1.0; upper = 0.0; };" forgetting
arms forget-four four 4 choice "w + x y r + x y w" "$q X0Y0W1R0: { initial = -0.1; lower = -1.0; upper = 0.0; };" forgetting
arms reinforce two 2 error "x y r" "X1Y1W0R1: { initial = 0.3; };" reinforce
arms reinforce-four four 4 error "x y r" "X1Y1W0R1: { initial = 0.3; };" reinforce
# the same against what a critic expects
for n in "" -four; do
  sed -e "s/^name = .*/name = \"actor-critic$n\"; seed = 1;/" -e 's/path = /expected_reward: { kind = "exponential"; rate = 0.1; }; path = /' \
    -e 's/modulator = "reward"/modulator = "reward - expected_reward"/' "reinforce$n.cfg" >"actor-critic$n.cfg"
  run_fit "actor-critic$n" "actor-critic$n.cfg" fit.starts=4 || continue
  python3 "$PF_SRCDIR/tests/e2e/signals.py" compare actor-critic "$work/actor-critic$n" "$([ -z "$n" ] && echo two || echo four).csv" ||
    fail "actor-critic$n: likelihoods"
done
# win-stay-lose-shift as a rule: the weights of the trial before are gone, and that of the option taken is a + b r
only="X0Y0W1R0: { fixed = true; initial = -1.0; }; X1Y1W0R1: { initial = 0.5; }; X1Y1W0R0: { initial = 0.0; };"
arms stay two 2 choice "w + x y r + x y" "$only" stay
arms stay-four four 4 choice "w + x y r + x y" "$only" stay
# a formula has the signals as names
formula() {
  name=$1
  kind=$2
  shift 2
  sed -e 's/post = "[a-z]*"; //' -e 's/^rules: .*/rules: { learn: { plugin = "expr"; modulator = "reward"; eta = 1.0; dw = "'"$1"'"; parameters: { '"$2"' }; }; };/' q-two.cfg >"$name.cfg"
  run_fit "$name" "$name.cfg" fit.starts=4 || return 0
  python3 "$PF_SRCDIR/tests/e2e/signals.py" compare "$kind" "$work/$name" two.csv || fail "$name: likelihoods"
}
formula expr-q q 'a*x*choice*reward + b*choice*w' 'a: { init = 0.5; }; b: { init = -0.3; lower = -1.0; upper = -0.01; };'
formula expr-reinforce reinforce 'a*x*error*reward' 'a: { init = 0.3; };'
# one output, the choice 1 or -1
cat >signed.cfg <<'CFG'
name = "signed"; seed = 1;
source: { plugin = "table"; path = "two.csv"; columns: { inputs = ["one"]; }; };
network: { plugin = "feedforward"; layers = [1, 1]; output = "sigmoid"; initial_weights: { sd = 0.0; };
  projections = ( { layer = 1; rule = "learn"; post = "choice"; choice_code = "signed"; } ); };
rules: { learn: { plugin = "taylor"; terms = "x y r + w"; modulator = "reward"; eta = 1.0;
                  parameters: { X1Y1W0R1: { initial = 0.5; }; X0Y0W1R0: { initial = -0.1; lower = -1.0; upper = 0.0; }; }; }; };
losses = ( { plugin = "choice"; } );
fit: { per = "animal"; };
CFG
run_fit signed signed.cfg || finish
python3 "$PF_SRCDIR/tests/e2e/signals.py" compare signed "$work/signed" two.csv || fail "signed: likelihoods"
grep -q "y = choice (1 or -1)" signed.log || fail "the summary does not say what y is"
# in closed loop rules see what was chosen: at the truth the weights are the teacher's
truth="fit.optimiser=adam fit.epochs=0 rules.learn.init_sd=0 rules.learn.parameters.X1Y1W0R1.initial=1.2
  rules.learn.parameters.X1Y1W1R0.initial=-0.2 rules.learn.parameters.X0Y0W1R0.initial=-0.1 source.animals=4"
# shellcheck disable=SC2086
for post in choice error; do
  run_fit "truth-$post" "$PF_SRCDIR/configs/q-learning.cfg" $truth 'intervals.methods=[]' \
    "network.projections=( { layer = 1; rule = \"learn\"; post = \"$post\"; } )" &&
    holds "truth-$post" "s['mean']['r2_weights'] > 1 - 1e-12 and s['mean']['r2_activity'] > 1 - 1e-12"
done
# a channel for each unit: at the truth the weights are the teacher's, whose task derives the channels as it goes
run_fit compartments "$PF_SRCDIR/configs/compartments.cfg" fit.optimiser=adam fit.epochs=0 rules.learn.init_sd=0 source.animals=4 \
  rules.learn.parameters.X1Y0W0R1.initial=0.4 rules.learn.parameters.X0Y0W1R0.initial=-0.05 'intervals.methods=[]' &&
  holds compartments "s['mean']['r2_weights'] > 1 - 1e-12 and s['mean']['r2_activity'] > 1 - 1e-12"
run_fit compartments-found "$PF_SRCDIR/configs/compartments.cfg" &&
  holds compartments-found "s['mean']['r2_weights'] > 0.99"
# from a file: what dw = -0.3 x dan[post] - 0.05 w does to three outputs, each with its dopamine; the numbers to 1e-9
python3 "$PF_SRCDIR/tests/e2e/signals.py" dopamine dopamine.csv dopamine-w.csv
dopamine() {
  cat >"$1.cfg" <<CFG
name = "$1"; seed = 1;
source: { plugin = "table"; path = "dopamine.csv"; columns: { inputs = ["o1", "o2"]; channels = ["dan*"]; }; };
network: { plugin = "feedforward"; layers = [2, 3]; output = "linear"; initial_weights: { file = "dopamine-w.csv"; };
  projections = ( { layer = 1; rule = "learn"; } ); };
rules: { learn: { eta = 1.0; $2 }; };
losses = ( { plugin = "activity"; } );
fit: { per = "shared"; };
CFG
  run_fit "$1" "$1.cfg" && holds "$1" "s['units'][0]['objective'] < 1e-18 and s['units'][0]['optimiser']['derivatives'] == 'exact'"
}
dopamine dopamine 'plugin = "expr"; dw = "a*x*dan[post] - b*w"; parameters: { a = 0.1; b = 0.1; };'
dopamine dopamine-taylor 'plugin = "taylor"; terms = "x r + w"; modulator = "dan[post]";'
dopamine dopamine-reward 'plugin = "reward"; form = "x r"; decay_term = true; modulator = "dan[post]";'
said() { "$PLASTFIT" check "$@" 2>&1; }
said dopamine.cfg 'rules.learn.dw="a*x*dan[pre] - b*w"' | grep -q "is 3 channels (dan_g1, dan_g2, dan_b1), but the projection has 2 presynaptic units" ||
  fail "a family of another number of channels than units is not told"
said dopamine.cfg | grep -q "by postsynaptic unit: dan_g1, dan_g2, dan_b1" || fail "check does not say which unit has which channel"
# products and masks of channels, and of the choice, in a modulator: reward only for arm 1; missed trials change nothing
run_unsure_fit masked q-two.cfg 'rules.learn.modulator="reward * (choice == 1)"' fit.iterations=2 &&
  { grep -q "r = reward (choice == 1)" masked.log || fail "the summary does not say what r is"; }
holds signed "all(u['optimiser']['derivatives'] == 'exact' for u in s['units'])"
finish
