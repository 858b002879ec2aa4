#!/bin/sh
# Sessions by the config, by known answers: with everything forgotten, an animal's sessions are experiments of their own
# (so traces, state and E[R] start anew); with nothing forgotten the gap does not matter; what counts is rate x hours,
# wherever the hours are said. Feedforward by sweeps, recurrent with traces step by step. (Gradients: unit tests.)
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"
python3 - <<'END'
import random
for name, gap in ("plain.csv", False), ("gaps.csv", True):
    random.seed(5)
    with open(name, "w") as f:
        f.write("animal,session,x1,x2,choice,reward" + ",gap_hours" * gap + "\n")
        for animal in "ab":
            for session in range(3):
                for step in range(40):
                    choice = int(random.random() < 0.6)
                    reward = str(int(random.random() < 0.5)) if choice else ""
                    hours = f",{24 if session > 0 and step == 0 else 0}" * gap
                    f.write(f"{animal},{session},{random.random():.3f},{random.random():.3f},{choice},{reward}{hours}\n")
with open("w.csv", "w") as f: # weights that change start at 0, which forgetting everything brings back
    f.write("animal,projection,post,pre,value\n")
    for animal in "ab":
        for name, n_post, n_pre in ("input", 3, 2), ("recurrent", 3, 3), ("output", 1, 3):
            for i in range(n_post):
                for j in range(n_pre):
                    f.write(f"{animal},{name},{i},{j},{0 if name == 'recurrent' else random.gauss(0, 1):.4f}\n")
END
cat >swept.cfg <<'END'
source: { plugin = "table"; path = "plain.csv"; };
network: { plugin = "feedforward"; layers = [2, 4, 1]; initial_weights: { sd = 0.0; }; readout: { gain = 5.0; }; };
rules: { learn: { plugin = "taylor"; terms = "x r + w"; modulator = "reward - expected_reward";
                  parameters: { X1Y0W0R1 = 0.8; X0Y0W1R0 = -0.02; }; }; };
losses = ( { plugin = "choice"; } );
fit: { per = "shared"; optimiser = "adam"; batch = "full"; epochs = 0; };
evaluate: { draws = 0; };
END
cat >stepped.cfg <<'END'
source: { plugin = "table"; path = "plain.csv"; plastic = "always"; };
network: { plugin = "recurrent"; inputs = 2; units = 3; tau = 4.0; initial_weights: { file = "w.csv"; };
  projections = ( { name = "recurrent"; rule = "learn"; } ); };
rules: { learn: { plugin = "trace"; modulator = "reward - expected_reward"; parameters: { rate = 0.8; decay = 0.02; tau = 3.0; }; }; };
losses = ( { plugin = "choice"; } );
fit: { per = "shared"; optimiser = "adam"; batch = "full"; epochs = 0; };
evaluate: { draws = 0; };
END

# run NAME OVERRIDE...: the objective at the start, in NAME.value
run() {
  name=$1
  shift
  rm -rf "${work:?}/$name"
  run_fit "$name" "$config.cfg" report=false "$@" && figure "$name" "repr(s['units'][0]['objective'])" >"$name.value"
}
# agree WORDS A B TOLERANCE, differ WORDS A B: objectives of two runs
agree() {
  python3 -c 'import sys; a, b = (float(open(n + ".value").read()) for n in sys.argv[1:3]); sys.exit(not abs(a - b) <= float(sys.argv[3]))' \
    "$2" "$3" "$4" || fail "$config: $1: $(cat "$2.value" "$3.value")"
}
differ() {
  ! cmp -s "$2.value" "$3.value" || fail "$config: $1: $(cat "$2.value" "$3.value")"
}

for config in swept stepped; do
  "$PLASTFIT" check $config.cfg >check 2>&1 || { echo "SKIPPED: $config.cfg (configured without a plugin?): $(cat check)"; continue; }
  run alone || continue
  run forgotten 'source.sessions={ persist=true; forget=true; rate=1000.0; gap=24.0; }' || continue
  run lasting 'source.sessions={ persist=true; }' || continue
  run kept 'source.sessions={ persist=true; forget=true; rate=0.0; gap=24.0; }' || continue
  run some 'source.sessions={ persist=true; forget=true; rate=0.05; gap=24.0; }' || continue
  run half 'source.sessions={ persist=true; forget=true; rate=0.1; gap=12.0; }' || continue
  run said source.path=gaps.csv 'source.sessions={ persist=true; forget=true; rate=0.05; gap=7.0; }' || continue
  agree "with all forgotten, sessions are experiments" alone forgotten 1e-14 # sums in another order: measured 1e-16
  agree "a rate of 0 forgets nothing" lasting kept 0
  agree "rate x hours is what counts" some half 0
  agree "gap_hours is the gap" some said 0
  differ "weights last" lasting alone
  differ "something is forgotten" some lasting
done
finish
