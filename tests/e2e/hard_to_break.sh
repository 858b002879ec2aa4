#!/bin/sh
# Two at once, --force on a folder of somebody else, a signal after --force, a kill between the renames, little address
# space, signals to a program that was told to ignore them.
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"
cp "$PF_SRCDIR/configs/own-data.cfg" "$PF_SRCDIR/configs/own-data.csv" .
fit="fit own-data.cfg report=false --quiet"

# ---- two fits with one out: one wins, whole, and the other is told ----
"$PLASTFIT" $fit fit.epochs=400 seed=1 out=run 2>first & a=$!
"$PLASTFIT" $fit fit.epochs=400 seed=2 out=run 2>second & b=$!
code_a=0
code_b=0
wait $a || code_a=$?
wait $b || code_b=$?
[ "$code_a" -eq 0 ] || [ "$code_b" -eq 0 ] || fail "two fits: neither is done: $(cat first second)"
if [ "$code_a" -eq 0 ] && [ "$code_b" -eq 0 ]; then fail "two fits with one out: both say that they are done"; fi
[ -s first ] || [ -s second ] || fail "two fits: nobody is told"
seed=1
[ "$code_a" -eq 0 ] || seed=2
grep -q "^seed = $seed" run/config.cfg || fail "two fits: the folder is of the other"
holds run "s['seed'] == $seed and s['status'] == 'ok'"

# ---- a second comparison is told that the first is running ----
printf '\ncompare: { base = "a"; validation = ["in-sample"]; candidates = ( { name = "a"; }, { name = "b"; set = ["fit.epochs=100000000"]; } ); };\n' >>own-data.cfg
"$PLASTFIT" compare own-data.cfg out=both --quiet 2>first & a=$!
tries=0
while [ ! -e both.part/jobs/000000.job ] && [ "$tries" -lt 300 ]; do sleep 0.1; tries=$((tries + 1)); done
for how in "" --resume --force; do
  "$PLASTFIT" compare own-data.cfg out=both --quiet $how 2>second && fail "a second comparison $how is done"
  grep -qi "running\|other process\|another" second || fail "a second comparison $how is told: $(cat second)"
  kill -0 $a || fail "the first comparison ended"
done
[ -e both.part/jobs/000000.job ] || fail "the second comparison took the jobs of the first"
kill -TERM $a
wait $a || true

# ---- so is a second recovery, before it has worked ----
recover="recover $PF_SRCDIR/configs/coverage-choices.cfg recover.data_sets=100000 source.animals=2 fit.starts=1 out=recovery --quiet"
"$PLASTFIT" $recover 2>first & a=$!
tries=0
while [ ! -e recovery.part ] && kill -0 $a 2>/dev/null && [ "$tries" -lt 300 ]; do sleep 0.1; tries=$((tries + 1)); done
timeout 20 "$PLASTFIT" $recover 2>second && fail "a second recovery is done"
grep -q "is being written by process $a" second || fail "a second recovery is told: $(cat second)"
kill -TERM $a
wait $a || true
[ ! -e recovery.part ] || fail "an interrupted recovery left its part"

# ---- a folder that plastfit never wrote, with the recording in it ----
mkdir lab
cp own-data.csv lab/own-data.csv
cp "$PF_SRCDIR/configs/own-data.cfg" lab/config.cfg
cp own-data.csv lab/table.csv
for path in own-data.csv table.csv; do
  "$PLASTFIT" fit lab/config.cfg source.path=lab/$path fit.epochs=2 report=false out=lab --quiet --force >log 2>&1 && fail "--force replaces recordings"
done
[ -s lab/own-data.csv ] && [ -s lab/table.csv ] && [ -s lab/config.cfg ] || fail "--force deleted a recording: $(ls lab)"

# ---- a signal after --force: the run that is complete stays ----
"$PLASTFIT" $fit fit.epochs=3 out=kept || fail "fit"
cp kept/theta.csv theta-before.csv
"$PLASTFIT" $fit fit.epochs=100000000 out=kept --force 2>log & a=$!
sleep 1.5
kill -TERM $a
wait $a || true
cmp -s kept/theta.csv theta-before.csv || fail "an interrupted --force took the finished run: $(cat log)"
holds kept "s['status'] == 'ok'"

# ---- little address space: OpenBLAS's threads ----
for pages in 150000 200000 250000; do
  (
    ulimit -v $pages
    exec timeout -s KILL 20 "$PLASTFIT" list >/dev/null 2>log
  ) || {
    code=$?
    [ "$code" -ne 137 ] || fail "ulimit -v $pages: never ends"
  }
done

# ---- told to ignore Ctrl-C: one does nothing, the second ends it; one of each too ----
for signals in "INT INT" "TERM INT" "TERM TERM"; do
  (
    trap '' INT
    exec "$PLASTFIT" $fit fit.epochs=100000000 network.layers='[2, 400, 1]' out=ignored >/dev/null 2>&1
  ) & a=$!
  sleep 1
  for signal in $signals; do
    kill -"$signal" $a 2>/dev/null || true
    sleep 0.2
  done
  tries=0
  while kill -0 $a 2>/dev/null && [ "$tries" -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
  if kill -0 $a 2>/dev/null; then
    fail "$signals: still running"
    kill -KILL $a
  fi
  wait $a || true
done

# ---- a config whose name is misspelt ----
"$PLASTFIT" check own-dta.cfg >log 2>&1 && fail "a config that is not there"
grep -q "own-dta.cfg.*did you mean 'own-data.cfg'" log || fail "a misspelt config: $(cat log)"
"$PLASTFIT" check ./nothing-like-it.cfg >log 2>&1 && fail "a config that is not there"
grep -q "did you mean" log && fail "a name that is like none: $(cat log)"

# ---- a million columns that nothing reads, 20,000 animals of one step: pieces of memory and of HDF5 for each of them took
# ---- 7 and 14 s and 3.5 GB; now 1.3 and 1.5 s (-O2) and .8 GB. Limits: six times that, for builds without optimisation
awk -F, 'NR == 1 { printf "%s", $0; for (i = 0; i < 1000000; i++) printf ",u%d", i; print "" }
  NR > 1 && NR < 14 { printf "%s", $0; for (i = 0; i < 1000000; i++) printf ",1"; print "" }' own-data.csv >wide.csv
awk -F, -v OFS=, 'NR == 1 { print } NR > 1 { line[n++] = $0 }
  END { for (i = 0; i < 20000; i++) { $0 = line[i % n]; $1 = "a" i; print } }' own-data.csv >many.csv
sanitized=$(sed -n 's/^PF_SANITIZE *= *//p' "$PF_BUILDDIR/Makefile")
(
  ulimit -t 9
  [ -n "$sanitized" ] || ulimit -v 2500000
  exec "$PLASTFIT" check own-data.cfg source.path=wide.csv >log 2>&1
) || fail "check of wide.csv: exit $?: $(tail -1 log)"
(
  ulimit -t 9
  exec "$PLASTFIT" fit own-data.cfg source.path=many.csv fit.epochs=2 out=many --quiet >log 2>&1
) || fail "fit of many.csv: exit $?: $(tail -1 log)"
holds many "len(s['animals']) == 20000"
[ "$(wc -c <many/trajectories.h5)" -lt 20000000 ] || fail "trajectories.h5 of 20,000 steps has $(wc -c <many/trajectories.h5) bytes"
rm -rf wide.csv many.csv many

# ---- a task that is longer than `memory` is refused while it goes on, not when all animals are done ----
for trials in 300000 900000000; do
  (
    ulimit -t 5
    exec "$PLASTFIT" fit "$PF_SRCDIR/configs/quickstart.cfg" "source.task.blocks=( { trials=$trials; reward=[0.2,0.8]; } )" \
      'memory="64 MiB"' out=long --quiet >log 2>&1
  ) && fail "$trials trials in 64 MiB"
  [ "$(wc -l <log)" -eq 1 ] && grep -q "memory: after .* steps of animal1 .*raise .memory." log || fail "$trials trials: $(cat log)"
done

# ---- where results go is looked at before the fit ----
long=$(head -c 70000 /dev/zero | tr '\0' n)
for out in . .. / kept/.. ./ "$long" "$long/run" own-data.csv own-data.csv/run; do
  code=0
  timeout 20 "$PLASTFIT" $fit fit.epochs=100000000 out="$out" >log 2>&1 || code=$?
  [ "$code" -eq 1 ] || [ "$code" -eq 2 ] || fail "out of $(echo "$out" | cut -c1-20): exit $code"
  [ "$(wc -l <log)" -eq 1 ] && [ "$(wc -c <log)" -lt 500 ] || fail "out of $(echo "$out" | cut -c1-20): $(cut -c1-300 log)"
done
[ -s own-data.csv ] || fail "own-data.csv is gone"

# ---- a run folder that somebody writes into ----
cat >held.py <<'END'
import fcntl, os, subprocess, sys
folder, expected = sys.argv[1:3]
lock = os.open(folder, os.O_RDONLY)
fcntl.flock(lock, fcntl.LOCK_EX)
busy = subprocess.run(sys.argv[3:], capture_output=True, text=True)
assert busy.returncode in (1, 2) and expected in busy.stderr, busy
END
python3 held.py kept "another process is writing into 'kept'" "$PLASTFIT" report kept || fail "a report of a locked folder"
"$PLASTFIT" report kept >log 2>&1 || fail "a report after the lock is gone: $(cat log)"
mkdir held.part
cp kept/.plastfit held.part/
for command in "simulate $PF_SRCDIR/configs/quickstart.cfg source.animals=2" "fit own-data.cfg" \
  "recover $PF_SRCDIR/configs/coverage-choices.cfg recover.data_sets=2 source.animals=2 fit.starts=1"; do
  python3 held.py held.part "'held.part' is being written by" "$PLASTFIT" $command out=held --quiet || fail "$command: a part that another process holds"
done
rm -rf held.part

# ---- a lock goes with its process: what it left is taken over, and that is said ----
"$PLASTFIT" $fit fit.epochs=100000000 out=stale 2>log & a=$!
tries=0
while [ ! -e stale.part/.plastfit ] && [ "$tries" -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
kill -KILL $a
wait $a 2>/dev/null || true
[ -e stale.part ] || fail "a killed fit leaves no part"
"$PLASTFIT" $fit fit.epochs=2 out=stale >log 2>&1 || fail "the part of a process that died: $(cat log)"
grep -q "stale.part" log || fail "a part was taken over without a word"

# ---- more than `memory` allows is refused while it is read ----
python3 - <<'END'
import zipfile
def header(shape):
    text = "{'descr': '<f8', 'fortran_order': False, 'shape': %s, }" % shape
    text += " " * (64 - (len(text) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()
with zipfile.ZipFile("bomb.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
    for name, columns in (("x", 2), ("choice", 1)):
        with archive.open(name + ".npy", "w") as file:
            file.write(header("(30000000, 2)" if columns == 2 else "(30000000,)"))
            for _ in range(columns * 30):
                file.write(bytes(8000000))
END
sed 's/own-data.csv/bomb.npz/; s/plugin = "table"/plugin = "npz"/; /columns:/d; /plastic =/d' "$PF_SRCDIR/configs/own-data.cfg" >bomb.cfg
(
  ulimit -v 3000000
  exec "$PLASTFIT" check bomb.cfg 'memory="32 MiB"' >log 2>&1
) && fail "a file of 720 MB is read into 32 MiB"
[ "$(wc -l <log)" -eq 1 ] && grep -q "bomb.npz" log || fail "a packed file: $(cat log)"
finish
