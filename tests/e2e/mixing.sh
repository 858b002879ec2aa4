#!/bin/sh
# Every rule x activation x loss x source (a teacher, a table, .mat files), by overrides alone: each runs a few steps, has
# a finite objective and moves. A plugin of `plastfit list` that has no line here is a failure. (Their gradients:
# tests/gradients.c.)
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
fit: { per = "shared"; batch = "full"; learning_rate = 1e-3; epochs = 3; log_every = 1; };
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

# with_rules NAME CONFIG OVERRIDE...: with every rule, in every form
with_rules() {
  mixed=$1
  shift
  for rule in $(plugins Rules); do
    case $rule in
      taylor | mlp | oja) mix "$mixed-$rule" "$@" rules.learn.plugin="$rule" ;;
      reward)
        for form in "x r" "x y r" covariance rescorla-wagner; do
          mix "$mixed-$rule-$form" "$@" rules.learn.plugin="$rule" rules.learn.form="\"$form\""
        done
        ;;
      *) fail "rule '$rule' is not in this test" ;;
    esac
  done
}

# with_losses NAME CONFIG OVERRIDE...: with every loss, and both
activity='{ plugin="activity"; observable="layer1"; target="layer1"; weight=0.5; }'
with_losses() {
  lossless=$1
  shift
  for loss in $(plugins Losses) both; do
    case $loss in
      choice) losses='( { plugin="choice"; } )' ;;
      activity) losses="( $activity )" ;;
      both) losses="( { plugin=\"choice\"; }, $activity )" ;;
      *) fail "loss '$loss' is not in this test" ;;
    esac
    with_rules "$lossless-$loss" "$@" losses="$losses"
  done
}

[ "$(plugins Networks)" = feedforward ] || fail "networks other than feedforward are not in this test: $(plugins Networks)"
for activation in tanh sigmoid relu linear; do
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
      *) fail "source '$source' is not in this test" ;;
    esac
  done
done

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
[ "$n" -ge 196 ] || [ "$(plugins Sources | wc -l)" -lt 3 ] || fail "$n mixtures, expected at least 196"
finish
