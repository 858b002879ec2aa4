#!/bin/sh
# Commands that write into a run folder that is there, two at once: scores, closed-loop animals, figures, and a fit that
# replaces the run meanwhile. And `plastfit new`, twice.
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"
cp "$PF_SRCDIR/configs/own-data.cfg" "$PF_SRCDIR/configs/own-data.csv" .
fit="fit own-data.cfg fit.epochs=2 evaluate.draws=1 --quiet"
"$PLASTFIT" $fit seed=1 out=run >log 2>&1 || fail "fit: $(cat log)"

# held SECONDS FOLDER: somebody writes into it so long; returns when it is locked
cat >held.py <<'END'
import fcntl, os, sys, time
lock = os.open(sys.argv[2], os.O_RDONLY)
fcntl.flock(lock, fcntl.LOCK_EX)
open("locked", "w").close()
time.sleep(float(sys.argv[1]))
END
held() {
  rm -f locked
  python3 held.py "$@" & holder=$!
  while [ ! -e locked ]; do sleep 0.05; done
}

# wait_for_both PID PID: $codes are their exit codes, "0 1 "
wait_for_both() {
  codes=
  for each in "$@"; do
    code=0
    wait "$each" || code=$?
    codes="$codes$code "
  done
}

# ---- two that score the same: both wait for the lock, one writes, the other is told ----
held 1.5 run
"$PLASTFIT" evaluate run --quiet >first 2>&1 & a=$!
"$PLASTFIT" evaluate run --quiet >second 2>&1 & b=$!
wait_for_both $a $b
wait $holder
[ "$codes" = "0 1 " ] || [ "$codes" = "1 0 " ] || fail "two evaluations end with $codes: $(cat first second)"
grep -q "is there already; --force" first second || fail "no evaluation was told: $(cat first second)"
python3 -m json.tool run/evaluation-fitted-data.json >log || fail "two evaluations: $(tail -1 log)"
"$PLASTFIT" evaluate run --quiet --force || fail "evaluate --force"
[ ! -e run/evaluation-fitted-data.json.part ] || fail "evaluate left its part"

# ---- a new run takes the place of the one that is scored: nothing of the old one comes into it ----
held 2 run
"$PLASTFIT" evaluate run --data own-data.csv --quiet >first 2>&1 & a=$!
sleep 1
cp -R run other
mv run before
mv other run
code=0
wait $a || code=$?
wait $holder
[ "$code" -eq 1 ] && grep -q "'run' was replaced by another run" first || fail "scores of a run that was replaced: exit $code: $(cat first)"
[ ! -e run/evaluation-own-data.json ] || fail "scores of a run that was replaced are in the new one"
rm -rf before

# ---- a fit that replaces the run waits until who writes into it is done ----
held 3 run
"$PLASTFIT" $fit seed=2 out=run --force >first 2>&1 & a=$!
sleep 1.5
grep -q "^seed = 1" run/config.cfg || fail "a run was replaced while somebody wrote into it"
wait $a || fail "a fit that waits for a lock: $(cat first)"
wait $holder
grep -q "^seed = 2" run/config.cfg || fail "a fit that waited did not replace the run"

# ---- figures of a report take their place as a folder: those of a run before that are drawn no more are gone ----
if gnuplot --version >/dev/null 2>&1; then
  unset PLASTFIT_GNUPLOT
  mkdir run/figures run/figures.part
  echo old >run/figures/nothing-draws-this.svg
  echo half >run/figures.part/half.svg
  "$PLASTFIT" report run >log 2>&1 || fail "report: $(cat log)"
  [ -s run/figures/coefficients.svg ] || fail "no figure: $(ls run/figures)"
  for each in run/figures/nothing-draws-this.svg run/figures/half.svg run/figures.part; do
    [ ! -e $each ] || fail "report left $each"
  done
  # files that are no figures stay, and so does a link
  echo mine >run/figures/notes.txt
  "$PLASTFIT" report run >log 2>&1 || fail "report, notes beside figures: $(cat log)"
  grep -q mine run/figures/notes.txt && [ -s run/figures/coefficients.svg ] && [ ! -e run/figures.part ] || fail "notes beside figures: $(ls run/figures*)"
  rm run/figures/notes.txt
  mv run/figures elsewhere
  ln -s ../elsewhere run/figures
  rm elsewhere/coefficients.svg
  "$PLASTFIT" report run >log 2>&1 || fail "report, figures elsewhere: $(cat log)"
  [ -L run/figures ] && [ -s elsewhere/coefficients.svg ] || fail "figures that are a link: $(ls elsewhere)"
fi

# ---- new: the whole or nothing; one of two is told ----
"$PLASTFIT" new rule twice >first 2>&1 & a=$!
"$PLASTFIT" new rule twice >second 2>&1 & b=$!
wait_for_both $a $b
[ "$codes" = "0 2 " ] || [ "$codes" = "2 0 " ] || fail "two new rules end with $codes: $(cat first second)"
[ "$(find twice -type f | wc -l)" -eq 4 ] && [ ! -e twice.part ] || fail "new rule, twice: $(ls -d twice*)"
mkdir begun.part
"$PLASTFIT" new rule begun 2>log && fail "a folder that is being written"
grep -q "begun.part.*remove it" log || fail "a folder that is being written: $(cat log)"
"$PLASTFIT" new config own-data.csv >log 2>&1 && fail "new config replaces own-data.cfg"
grep -q "is there already" log && [ ! -e own-data.cfg.part ] || fail "new config: $(tail -1 log)"
finish
