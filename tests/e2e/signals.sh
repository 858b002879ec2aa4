#!/bin/sh
# What a rule can see: spike pairs by their lag.
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"

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
run_fit lag lag.cfg || finish
figure lag "s['units'][0]['objective']"
python3 - "$work/lag/summary.json" <<'PY' || fail "pairs 5 and 50 ms apart do not count exp(-lag / 20)"
import json, math, sys
found = json.load(open(sys.argv[1]))["units"][0]["objective"]
expected = sum((-0.9 - (1 + 0.1 * math.exp(-lag / 20) - 2)) ** 2 for lag in (5, 50)) / 2
sys.exit(abs(found - expected) > 1e-12)
PY
finish
