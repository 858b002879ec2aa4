#!/bin/sh
# `simulate` writes what the source `table` reads: a fit to it gives the theta of a fit to the teacher, byte for byte.
. "$PF_SRCDIR/tests/e2e/lib.sh"

# same NAME CONFIG OVERRIDE...
same() {
  name=$1
  config=$2
  shift 2
  run_fit "$name" "$config" "$@" evaluate.animals=0 evaluate.draws=1 fit.optimiser=adam fit.epochs=4 || return 0
  "$PLASTFIT" simulate "$config" "$@" evaluate.draws=1 fit.optimiser=adam fit.epochs=4 out="$work/$name-data" >"$work/log" 2>&1 ||
    { fail "simulate $name: $(cat "$work/log")"; return 0; }
  grep -q "Next: plastfit fit $work/$name-data/fit.cfg" "$work/log" || fail "simulate $name does not say what comes next"
  run_fit "$name-table" "$work/$name-data/fit.cfg" || return 0
  cmp "$work/$name/theta.csv" "$work/$name-table/theta.csv" || fail "$name: fitting the table gives another theta"
}

quick=$PF_SRCDIR/configs/quickstart.cfg
for inputs in true false; do
  for weights in true false; do
    same "choices-$inputs-$weights" "$quick" source.animals=3 source.input.draws=2 source.give.inputs=$inputs \
      source.give.initial_weights=$weights
    same "activity-$inputs-$weights" "$PF_SRCDIR/configs/oja.cfg" source.animals=2 source.task.steps=20 \
      source.give.inputs=$inputs source.give.initial_weights=$weights
  done
done
# the four do differ: otherwise the above would test less than it says
for other in true-false false-true false-false; do
  ! cmp -s "$work/choices-true-true/theta.csv" "$work/choices-$other/theta.csv" || fail "give has no effect ($other)"
done
# initial weights drawn anew in every draw, one theta for each animal, another expected reward
same per-draw "$quick" source.animals=2 source.input.draws=2 source.give.inputs=false source.give.initial_weights=false \
  network.initial_weights.draw=per_draw fit.per=animal fit.batch=draw source.expected_reward.kind=exponential
# channels that the host derives, from choices that were rejected too
same derived "$quick" source.animals=2 "source.derive=( { name=\"before\"; of=\"reward\"; lag=2; }, { name=\"change\"; of=\"expected_reward\"; difference=3; } )" \
  rules.learn.modulator="reward - 0.5 before + change"

# several plastic layers, masks, recordings with noise and units left out
for name in two-layers sparse partial; do
  same "$name" "$PF_SRCDIR/configs/$name.cfg" source.animals=2
done

# sessions through which weights last, and fade between
same sessions "$PF_SRCDIR/configs/sessions.cfg" source.animals=2 fit.iterations=3

# a tie of one of several true rules is to a parameter of its own, whatever the others' are called
for tie in 'X0Y0W1R0 = -0.5;' 'X0Y0W1R0: { tied = "-0.5 * X1Y1W0R0"; };' 'X0Y0W1R0: { tied = "-10 * rules.reward.X0Y0W1R0"; };'; do
  "$PLASTFIT" simulate "$PF_SRCDIR/configs/two-layers.cfg" source.animals=1 out="$work/tied" --force --quiet \
    source.rules.reward.terms='0.05 w + 0.001 x y + x r' source.rules.hebb.parameters="{ $tie }" >"$work/log" 2>&1 ||
    fail "a true rule with $tie: $(cat "$work/log")"
  cksum <"$work/tied/table.csv"
done | sort -u | wc -l | grep -qx 1 || fail "a tie of a true rule is to another rule's parameter"

# the truth goes along
cut -d, -f12 "$work/choices-true-true-table/theta.csv" | grep -q . || fail "the table's fit does not know the truth"
# the folder can be moved
mv "$work/choices-true-true-data" "$work/moved"
run_fit moved-fit "$work/moved/fit.cfg" && { cmp "$work/moved-fit/theta.csv" "$work/choices-true-true/theta.csv" ||
  fail "moved away, the data give another theta"; }
# folders are not overwritten, nor left half written
sum=$(cksum <"$work/moved/table.csv")
status=0
"$PLASTFIT" simulate "$quick" source.animals=1 out="$work/moved" >"$work/log" 2>&1 || status=$?
[ "$status" -eq 2 ] && grep -q -- --force "$work/log" || fail "an existing folder: exit $status, $(cat "$work/log")"
[ "$(cksum <"$work/moved/table.csv")" = "$sum" ] || fail "an existing folder was changed"
"$PLASTFIT" simulate "$quick" source.animals=1 out="$work/moved" --force --quiet >"$work/log" 2>&1 || fail "--force"
[ ! -s "$work/log" ] || fail "--quiet says something: $(cat "$work/log")"
[ ! -e "$work/moved.part" ] && [ ! -e "$work/moved.old" ] || fail "something is left beside the folder"
# only a task can be simulated
status=0
"$PLASTFIT" simulate "$work/moved/fit.cfg" out="$work/x" >"$work/log" 2>&1 || status=$?
[ "$status" -eq 2 ] && grep -q "reads data; to simulate, a task is needed" "$work/log" || fail "simulate of a table: $(cat "$work/log")"
[ ! -e "$work/x" ] || fail "a refused simulate left a folder"
finish
