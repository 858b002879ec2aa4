#!/bin/sh
# What `plastfit check` warns of where rows look like others than they are taken for: each warning where it must come, and where not.
# shellcheck source=tests/e2e/lib.sh
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"
python3 - <<'END'
import random
random.seed(4)


def write(name, header, rows):
    open(name, "w").write(header + "\n" + "\n".join(",".join(str(c) for c in row) for row in rows) + "\n")


def offers(reward_of_rejected, one_step=False):
    rows, trial = [], 0
    for animal in "ab":
        for step in range(60):
            odour, accepts = random.randrange(2), random.randrange(2)
            reward = random.randrange(2) if accepts else reward_of_rejected
            rows.append((animal, trial, 1 - odour, odour, accepts, reward))
            trial += 1 if accepts or one_step else 0
        trial = 0
    return rows


def arms(rows_a_trial=1, missed_reward=""):
    rows = []
    for animal in "ab":
        for row in range(60):
            choice = random.randrange(2)
            rows.append((animal, row // rows_a_trial, choice, random.randrange(2)))
        rows.append((animal, 60, "", missed_reward))
    return rows


header = "animal,trial,x1,x2,choice,reward"
write("good.csv", header, offers(""))
write("single.csv", header, offers("", one_step=True))
write("zeros.csv", header, offers(0))
write("single_zeros.csv", header, offers(0, one_step=True))
write("arms.csv", "animal,trial,choice,reward", arms())
write("missed.csv", "animal,trial,choice,reward", arms(1, 1))
write("pairs.csv", "animal,trial,choice,reward", arms(2))
copied = [row for row in offers("") if row[0] == "a"]
write("copied.csv", header, copied + [("c",) + row[1:] for row in copied] + [row for row in offers("") if row[0] == "b"])
units = [(a, random.random(), random.random(), random.random() if a == "a" else "") for a in "ab" for _ in range(20)]
write("units.csv", "animal,x1,y1,y2", units)
write("same_units.csv", "animal,x1,y1,y2", [row[:3] + (random.random() if random.random() < 0.5 else "",) for row in units])
write("unseen.csv", "animal,x1,y1,reward,plastic", [(a, random.random(), random.random(), k % 2, (k + 1) % 2) for a in "ab" for k in range(20)])
write("seen.csv", "animal,x1,y1,reward,plastic", [(a, random.random(), random.random(), k % 2, k % 2) for a in "ab" for k in range(20)])
END
cat >go.cfg <<END
source: { plugin = "table"; path = "good.csv"; };
network: { plugin = "feedforward"; layers = [2, 1]; };
rules: { learn: { plugin = "taylor"; terms = "x r"; modulator = "reward"; init_sd = 0.01; }; };
losses = ( { plugin = "choice"; } );
END
cat >arms.cfg <<END
source: { plugin = "table"; path = "arms.csv"; kind = "choice"; columns: { inputs = ["1"]; }; };
network: { plugin = "feedforward"; layers = [1, 2]; output = "softmax"; initial_weights: { sd = 0.0; };
           projections = ( { layer = 1; rule = "learn"; post = "choice"; } ); };
rules: { learn: { plugin = "taylor"; terms = "x y r"; modulator = "reward"; init_sd = 0.01; }; };
losses = ( { plugin = "categorical"; categories = 2; } );
END
cat >units.cfg <<END
source: { plugin = "table"; path = "units.csv"; };
network: { plugin = "feedforward"; layers = [1, 2]; output = "linear"; };
rules: { learn: { plugin = "taylor"; terms = "x"; init_sd = 0.01; }; };
losses = ( { plugin = "activity"; } );
END
# warns CONFIG FILE TEXT: one such warning, and no other of this page
warns() {
  "$PLASTFIT" check "$1" source.path="$2" >stdout 2>stderr || fail "$2: $(cat stderr)"
  grep -q "WARNING.*$3" stdout || fail "$2: no warning of '$3': $(grep WARNING stdout)"
}
# silent CONFIG FILE: nothing to warn of
silent() {
  "$PLASTFIT" check "$1" source.path="$2" >stdout 2>stderr || fail "$2: $(cat stderr)"
  if grep -q "WARNING" stdout; then fail "$2: $(grep WARNING stdout)"; fi
}
silent go.cfg good.csv
silent go.cfg single.csv
warns go.cfg zeros.csv "rejected offers have a reward too ([0-9]*, all 0)"
warns go.cfg single_zeros.csv "every trial has one step, and choices of 0 have a reward (0) too: this looks like a choice between options"
warns go.cfg copied.csv "a and c have the same rows, 1 experiment is so"
silent arms.cfg arms.csv
warns arms.cfg missed.csv "2 rewards stand at steps without a choice, after which weights do not change"
warns arms.cfg pairs.csv "60 of 62 trials have several choices"
grep -q "are rows repeated" stdout || fail "pairs: $(grep WARNING stdout)"
"$PLASTFIT" check go.cfg source.path=good.csv source.kind=choice >stdout 2>stderr || fail "$(cat stderr)"
grep -q "no reward stands where the choice is 0\|so this looks like go/no-go" stdout || fail "go/no-go as choices: $(grep WARNING stdout)"
warns units.cfg units.csv "animals have different numbers of recorded units, from 1 (b) to 2 (a)"
silent units.cfg same_units.csv
reads='rules.learn={ plugin="taylor"; terms="x r"; modulator="reward"; init_sd=0.01; }'
"$PLASTFIT" check units.cfg source.path=unseen.csv 'network.layers=[1,1]' "$reads" >stdout 2>stderr || fail "$(cat stderr)"
grep -q "WARNING 20 rewards stand at steps that are not plastic" stdout || fail "unseen: $(grep WARNING stdout)"
"$PLASTFIT" check units.cfg source.path=seen.csv 'network.layers=[1,1]' "$reads" >stdout 2>stderr || fail "$(cat stderr)"
if grep -q "rewards stand" stdout; then fail "seen: $(grep WARNING stdout)"; fi

# kind = "spikes" makes `activity` of the counts: a loss that looks for another target says which there is
printf 'x1,y1,y2\n1,0,2\n0,1,0\n1,3,1\n0,0,1\n1,2,2\n' >spikes.csv
"$PLASTFIT" check units.cfg source.path=spikes.csv source.kind=spikes 'losses=( { plugin="poisson"; } )' >stdout 2>stderr && fail "no counts, and taken"
grep -q "compares with 'counts', which spikes.csv: spikes does not have; it has: activity (the loss's target = \"activity\" says so)" stderr ||
  fail "spikes: $(cat stderr)"
"$PLASTFIT" check units.cfg source.path=spikes.csv source.kind=spikes 'losses=( { plugin="poisson"; target="activity"; } )' >stdout 2>stderr || fail "$(cat stderr)"
grep -q "taken for spikes" stdout || fail "spikes: $(grep taken stdout)"
finish
