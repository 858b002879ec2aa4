#!/bin/sh
# Ctrl-C: a fit stops at the next step of the optimiser, and leaves a whole run folder marked as interrupted, which can be
# scored and gone on from. The second Ctrl-C ends the program at once, and leaves no run folder.
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"

# interrupted SIGNAL TIMES EXPECTED ARGUMENT...: fit, send the signal after 1.5 s of processor time (and again 0.05 s of it
# later), expect that status. By the clock it would hit the reading of the config on a busy machine.
interrupted() {
  python3 - "$@" <<'END'
import os, signal, subprocess, sys, time
number, times, expected = getattr(signal, sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
# whoever runs the tests in the background may have told everything below to ignore Ctrl-C
child = subprocess.Popen([os.environ["PLASTFIT"], "fit"] + sys.argv[4:], stderr=open("stderr", "w"), stdout=open("stdout", "w"),
                         preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
def wait_until(seconds):
    used = 0.0
    while used < seconds and child.poll() is None:
        time.sleep(0.01)
        ticks = open("/proc/%d/stat" % child.pid).read().rsplit(")", 1)[1].split()[11:13]
        used = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
for i in range(times):
    wait_until(1.5 + 0.05 * i)
    child.send_signal(number)
started = time.time()
status = child.wait(timeout=60)
print("%s x %d: status %d after %.2f s" % (sys.argv[1], times, status, time.time() - started))
sys.exit(0 if status == expected else 1)
END
}

config=$PF_SRCDIR/configs/quickstart.cfg

# ---- one fit for all ----
interrupted SIGINT 1 1 "$config" source.animals=8 fit.optimiser=adam fit.batch=full fit.learning_rate=2e-2 fit.epochs=100000000 out=shared || fail "SIGINT: $(cat stderr)"
# beside lines of progress, which come by the clock
grep -q "interrupted in epoch .* of 100000000; the last theta is in 'shared'" stderr || fail "SIGINT says: $(cat stderr)"
[ "$(grep -vc '^fitting: ' stderr)" -eq 1 ] || fail "SIGINT: more than one line: $(cat stderr)"
for file in config.cfg fit.csv theta.csv trajectories.h5 summary.json; do
  [ -s "shared/$file" ] || fail "$file is missing or empty"
done
[ ! -e shared.part ] || fail "shared.part was left"
holds shared "s['status'] == 'interrupted' and s['units'][0]['status'] == 'interrupted' and s['units'][0]['epochs'] > 0"
holds shared "s['animals'][0]['status'] == 'interrupted' and s['mean']['deviance_explained']['no_plasticity'] is None"
grep -q ',interrupted,' shared/theta.csv || fail "theta.csv does not say that the fit was interrupted"
# what there is can be scored, and gone on from
# (exit code 1, with the reason: nothing rests on a fit that was interrupted)
"$PLASTFIT" evaluate shared --quiet >stdout 2>stderr && fail "evaluate an interrupted run: exit code 0"
grep -q "not converged, says the run: no result rests on this fit" stderr || fail "evaluate an interrupted run: $(cat stderr)"
ls shared/evaluation*.json >/dev/null 2>&1 || fail "an interrupted run was not scored"
run_fit on "$config" source.animals=8 evaluate.animals=1 fit.optimiser=adam fit.batch=full fit.learning_rate=2e-2 fit.epochs=1 init.theta=shared/theta.csv || finish
holds on "s['status'] == 'ok'"
python3 - <<'END' || fail "a fit that goes on does not start where the interrupted one stopped"
import csv
def column(path, name):
    return [float(row[name]) for row in csv.DictReader(open(path))]
import sys
sys.exit(0 if column("on/theta.csv", "start") == column("shared/theta.csv", "estimate") else 1)
END

# ---- a fit per animal: those that were done are whole ----
interrupted SIGTERM 1 1 "$config" source.animals=300 evaluate.animals=1 fit.per=animal fit.optimiser=adam fit.batch=full fit.learning_rate=2e-2 fit.epochs=300 threads=1 out=each ||
  fail "SIGTERM: $(cat stderr)"
grep -q "interrupted with .* of 300 fits done; they, and the last theta of the others, are in 'each'" stderr ||
  fail "SIGTERM says: $(cat stderr)"
figure each "[sum(u['status'] == w for u in s['units']) for w in ('passes done', 'interrupted', 'failed')]"
holds each "s['status'] == 'interrupted' and len(s['units']) == 300"
holds each "sum(u['status'] == 'passes done' for u in s['units']) > 0 and sum(u['status'] == 'interrupted' for u in s['units']) > 0"

# ---- while the animals are scored: the fit is done, and what is scored is kept ----
interrupted SIGINT 1 1 "$config" source.animals=40 fit.starts=1 evaluate.animals=0 evaluate.draws=2000 threads=1 out=scoring ||
  fail "SIGINT while scoring: $(cat stderr)"
grep -q "interrupted with .* of 40 animals scored; the fits are done, in 'scoring' (plastfit evaluate scoring scores them)" stderr ||
  fail "SIGINT while scoring says: $(cat stderr)"
holds scoring "s['status'] == 'interrupted' and s['units'][0]['status'] == 'ok' and s['animals'][-1]['status'] == 'interrupted'"
"$PLASTFIT" evaluate scoring evaluate.draws=1 --quiet >stdout 2>stderr || fail "evaluate what was not scored: $(cat stderr)"

# ---- within the profiles of one fit: its theta is there, and says why it has no intervals ----
# The signal is sent when the first value has been profiled, of 18; what comes after it may not take as much of the
# processor as what came before.
cat >within.py <<'END'
import os, pty, signal, subprocess, sys
def used_by(pid):
    fields = open("/proc/%d/stat" % pid).read().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")
ours, theirs = pty.openpty()  # a meter is shown on a terminal
child = subprocess.Popen([os.environ["PLASTFIT"], "fit"] + sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=theirs, preexec_fn=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL))
os.close(theirs)
said, before = "", None
while True:
    try:
        text = os.read(ours, 4096).decode(errors="replace")
    except OSError:  # it has ended
        break
    said += text
    if before is None and "inferring" in said:
        before = used_by(child.pid)
        child.send_signal(signal.SIGTERM)
_, status, used = os.wait4(child.pid, 0)
after = used.ru_utime + used.ru_stime - (before or 0.0)
print("%s s of the processor before SIGTERM, %.2f after; it says: %s" % (before, after, said.split("\r")[-1]))
sys.exit(0 if before is not None and after < before and os.waitstatus_to_exitcode(status) == 1 else 1)
END
python3 within.py "$config" source.animals=200 evaluate.animals=1 threads=1 'intervals.methods=["profile"]' out=profiles ||
  fail "SIGTERM within profiles"
holds profiles "s['units'][0]['status'] == 'ok' and s['inference']['units'][0]['why'] == 'interrupted'"
grep -q "^all,rules.learn,X1Y0W0R1,.*,ok,,,,.*,interrupted$" profiles/theta.csv || fail "intervals of a fit that was interrupted: $(grep X1Y0W0R1 profiles/theta.csv)"
# the same of refits: a million of them would take minutes
interrupted SIGTERM 1 1 "$config" source.animals=8 fit.starts=1 evaluate.animals=1 threads=1 'intervals.methods=["bootstrap"]' \
  intervals.bootstrap.of=parametric intervals.bootstrap.resamples=100000 out=refits || fail "SIGTERM within a bootstrap: $(cat stderr)"
holds refits "s['units'][0]['status'] == 'ok' and s['inference']['units'][0]['why'] == 'interrupted'"

# ---- twice, within one long step ----
interrupted SIGINT 2 -2 "$PF_SRCDIR/configs/oja.cfg" network.layers='[300, 300]' source.animals=10 source.task.steps=400 \
  source.input.draws=8 source.give.inputs=false evaluate.animals=0 fit.optimiser=adam fit.batch=full threads=1 out=twice || fail "Ctrl-C twice: $(cat stderr)"
[ ! -e twice ] || fail "Ctrl-C twice left a run folder"
finish
