#!/bin/sh
# Every rule x activation x loss x source (a teacher, a table, .mat files), and every rule x loss on a recurrent network,
# by overrides alone: each runs a few steps, has a finite objective and moves. A plugin of `plastfit list` that has no
# line here is a failure. (Their gradients: tests/gradients.c.)
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"

# plugins TITLE: the names under that heading of `plastfit list`
plugins() {
  "$PLASTFIT" list | awk -v title="$1" '/^[A-Z]/ { on = $1 == title } on && /^  [a-z]/ { print $1 }'
}

cat >base.cfg <<'END'
name = "mix";
source: { plugin = "teacher"; animals = 2;
  task: { kind = "two_odours"; blocks = ( { trials = 30; reward = [0.2, 0.8]; }, { trials = 30; reward = [0.9, 0.1]; } );
          record = ["layer1"]; };
  rule: { plugin = "taylor"; terms = "x r - 0.05 w"; };
  input: { mean = 0.75; sd = 0.3; };
  give: { inputs = true; initial_weights = true; }; };
network: { plugin = "feedforward"; layers = [2, 6, 1]; initial_weights: { sd = 0.1; };
  projections = ( { layer = 1; rule = "learn"; connected: { density = 0.8; }; plastic: { density = 0.7; }; } ); };
rules: { learn: { plugin = "taylor"; modulator = "reward - expected_reward"; }; };
losses = ( { plugin = "choice"; } );
fit: { per = "shared"; optimiser = "adam"; batch = "full"; learning_rate = 1e-3; epochs = 3; log_every = 1; };
evaluate: { draws = 1; };
END
n=0
# mix NAME CONFIG OVERRIDE...
mix() {
  out=$1
  shift
  n=$((n + 1))
  "$PLASTFIT" fit "$@" out="runs/$out" --quiet >"log" 2>&1 || fail "plastfit fit $*: exit code $?: $(cat log)"
}

# forms RULE: what to set for each form of a rule; an empty line for one with one form
forms() {
  case $1 in
    taylor | mlp | oja | trace | triplet | voltage | btsp) echo ;;
    reward) printf 'form="%s"\n' "x r" "x y r" covariance rescorla-wagner ;;
    stdp) printf 'third_factor="%s"\n' none eligibility ;;
    expr) echo 'dw="a*x*r - b*w"' ;;
    *) fail "rule '$1' is not in this test" ;;
  esac
}

# with_rules NAME CONFIG OVERRIDE...: with every rule of $rules, in every form
with_rules() {
  mixed=$1
  shift
  for rule in $rules; do
    forms "$rule" >forms
    while read -r form; do
      if [ "$rule" = expr ]; then
        mix "$mixed-$rule" "$@" rules.learn.plugin=expr "rules.learn.$form" 'rules.learn.parameters={ a=0.1; b=0.1; }'
      elif [ -n "$form" ]; then
        label=${form#*=\"}
        mix "$mixed-$rule-${label%\"}" "$@" rules.learn.plugin="$rule" "rules.learn.$form"
      else
        mix "$mixed-$rule" "$@" rules.learn.plugin="$rule"
      fi
    done <forms
  done
}

# with_losses NAME CONFIG OVERRIDE...: with each of $losses
activity='{ plugin="activity"; observable="layer1"; target="layer1"; weight=0.5; }'
with_losses() {
  lossless=$1
  shift
  for loss in $losses; do
    case $loss in
      choice) terms='( { plugin="choice"; } )' ;;
      activity) terms="( $activity )" ;;
      both) terms="( { plugin=\"choice\"; }, $activity )" ;;
      categorical) terms='( { plugin="categorical"; categories=3; } )' ;;
      poisson) terms='( { plugin="poisson"; observable="units"; target="counts"; } )' ;;
    esac
    with_rules "$lossless-$loss" "$@" losses="$terms"
  done
}

for loss in $(plugins Losses); do
  case $loss in
    choice | activity | categorical | poisson) ;;
    *) fail "loss '$loss' is not in this test" ;;
  esac
done
for network in $(plugins Networks); do
  case $network in
    feedforward | recurrent) ;;
    *) fail "network '$network' is not in this test" ;;
  esac
done

# ---- feedforward ----

losses="choice activity both"
for activation in tanh sigmoid relu linear; do
  # an activation meets traces and formulas in no other way than it meets these
  rules=$(plugins Rules)
  [ "$activation" = tanh ] || rules=$(echo "$rules" | grep -Ev '^(trace|stdp|triplet|voltage|btsp|expr)$')
  for source in $(plugins Sources); do
    case $source in
      teacher) with_losses "$source-$activation" base.cfg network.hidden=$activation ;;
      table)
        "$PLASTFIT" simulate base.cfg network.hidden=$activation out=data-$activation --quiet || fail "simulate: $activation"
        with_losses "$source-$activation" data-$activation/fit.cfg
        ;;
      fly_mat) # choices alone
        python3 "$PF_SRCDIR/tests/e2e/mat.py" "$work"
        with_rules "$source-$activation" base.cfg network.hidden=$activation \
          'source={ plugin="fly_mat"; path="fly.mat"; input={ mean=0.75; sd=0.3; draws=2; }; }'
        ;;
      npz) # choices alone, read as a table is; in its three steps a session no pair waits for a reward
        if [ "$activation" = tanh ]; then
          (mkdir npz && cd npz && python3 "$PF_SRCDIR/tests/e2e/npz.py" >names) || fail "npz.py"
          all=$rules
          rules=$(echo "$all" | grep -v '^stdp$')
          with_rules npz-tanh base.cfg 'source={ plugin="npz"; path="npz/base.npz"; }'
          rules=$all
        fi
        ;;
      hdf5 | jsonl | mat | npy | nwb) ;; # other files of the same rows
      *) fail "source '$source' is not in this test" ;;
    esac
  done
done

# ---- recurrent: three arms, as a teacher and, with spike counts made of the activities, as a table ----

cat >arms.cfg <<'END'
name = "arms";
source: { plugin = "teacher"; animals = 2;
  task: { kind = "bandit"; blocks = ( { trials = 40; reward = [0.2, 0.8, 0.5]; }, { trials = 40; reward = [0.9, 0.1, 0.5]; } );
          record = ["units"]; dt = 2.0; };
  rule: { plugin = "taylor"; terms = "x r - 0.05 w"; };
  give: { inputs = true; initial_weights = true; }; };
network: { plugin = "recurrent"; inputs = 2; units = 5; outputs = 3; output = "softmax"; tau = 4.0;
  projections = ( { name = "recurrent"; rule = "learn"; connected: { density = 0.8; }; } ); };
rules: { learn: { plugin = "taylor"; modulator = "reward - expected_reward"; }; };
losses = ( { plugin = "categorical"; categories = 3; } );
fit: { per = "shared"; optimiser = "adam"; batch = "full"; learning_rate = 1e-3; epochs = 3; log_every = 1; };
evaluate: { draws = 1; };
END
has() { plugins "$1" | grep -qx "$2"; }
if has Networks recurrent && has Losses categorical && has Sources teacher && has Sources table; then
  activity='{ plugin="activity"; observable="units"; target="units"; weight=0.5; }'
  rules=$(plugins Rules)
  losses="categorical activity"
  with_losses teacher-recurrent arms.cfg
  "$PLASTFIT" simulate arms.cfg out=data-arms --quiet || fail "simulate arms.cfg"
  losses=categorical
  rules=$(echo "$rules" | grep -E '^(taylor|trace)$')
  with_losses table-recurrent data-arms/fit.cfg
  python3 - <<'END'
import csv
rows = list(csv.DictReader(open("data-arms/table.csv")))
for row in rows:
    for i in range(1, 6):
        row["n%d" % i] = int(3 * (1 + float(row["units_%d" % i])))
with open("data-arms/counts.csv", "w", newline="") as file:
    out = csv.DictWriter(file, rows[0].keys())
    out.writeheader()
    out.writerows(rows)
END
  losses=poisson
  rules=$(plugins Rules)
  with_losses counts-recurrent data-arms/fit.cfg source.path=data-arms/counts.csv \
    'source.targets=( { name="counts"; columns=["n1", "n2", "n3", "n4", "n5"]; } )'
fi

# every one has run, and its theta has moved; a teacher and its table give the same
python3 - <<'END' || fail "some did not fit, see above"
import csv, glob, json, math, sys
bad, n, tables = 0, 0, 0
for path in sorted(glob.glob("runs/*/summary.json")):
    run = json.load(open(path))
    n += 1
    rows = list(csv.DictReader(open(path.replace("summary.json", "theta.csv"))))
    objective = run["units"][0]["objective"]
    if run["status"] != "ok" or objective is None or not math.isfinite(objective) or all(r["estimate"] == r["start"] for r in rows):
        print("did not fit:", path, run["status"], objective)
        bad += 1
    if "/table-" in path:
        tables += 1
        same = path.replace("/table-", "/teacher-")
        if open(path.replace("summary.json", "theta.csv")).read() != open(same.replace("summary.json", "theta.csv")).read():
            print("the table gives another theta than the teacher:", path)
            bad += 1
print(n, "mixtures,", tables, "of them as table and as teacher")
sys.exit(1 if bad or n == 0 else 0)
END
[ "$(ls runs | wc -l)" -eq "$n" ] || fail "$n mixtures were made, $(ls runs | wc -l) run folders are there"
[ "$n" -ge 259 ] || [ "$(plugins Sources | wc -l)" -lt 3 ] || fail "$n mixtures, expected at least 259"
finish
