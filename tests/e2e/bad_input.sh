#!/bin/sh
# What can be wrong with configs, data, folders and disks: one line that says where, what was found and what to do; exit
# code 1 or 2; nothing half written. `plastfit check` says the same as `fit`. (The command line: cli.sh.)
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"
checks=0

# one_line CODE STATUS TEXT WHAT: what both have in common
one_line() {
  [ "$2" -eq "$1" ] || fail "$4: exit code $2 instead of $1: $(cat stderr)"
  grep -qF -- "$3" stderr || fail "$4: expected '$3', found '$(cat stderr)'"
  [ "$(wc -l <stderr)" -eq 1 ] || fail "$4: more or less than one line: '$(cat stderr)'"
  [ ! -e out ] && [ ! -e out.part ] || fail "$4: something was written"
}

# refused TEXT CONFIG OVERRIDE...: fit and check refuse it
refused() {
  text=$1
  shift
  for command in fit check; do
    checks=$((checks + 1))
    status=0
    "$PLASTFIT" $command "$@" out=out >stdout 2>stderr || status=$?
    one_line 2 "$status" "$text" "$command $*"
    [ ! -s stdout ] || fail "$command $*: an error belongs on stderr"
  done
}

cat >small.cfg <<END
name = "small";
source: { plugin = "teacher"; animals = 2;
  task: { kind = "two_odours"; blocks = ( { trials = 20; reward = [0.2, 0.8]; } ); };
  rule: { plugin = "taylor"; terms = "x r - 0.05 w"; }; };
network: { plugin = "feedforward"; layers = [2, 10, 1]; projections = ( { layer = 1; rule = "learn"; } ); };
rules: { learn: { plugin = "taylor"; terms = "1 + w + x r"; }; };
losses = ( { plugin = "choice"; } );
fit: { optimiser = "adam"; epochs = 2; }; evaluate: { draws = 1; };
END

# ---- configs ----
refused "there is no rule 'tailor'; did you mean 'taylor'? There are" small.cfg rules.learn.plugin=tailor
refused "there is no source 'tabel'; did you mean 'table'? There are" small.cfg source.plugin=tabel
refused "has no option 'trems'; did you mean 'terms'?" small.cfg rules.learn.trems=x
refused 'fit.learning_rate: found "fast", expected a number' small.cfg fit.learning_rate=fast
refused "network.layers[1]: found -10, expected 1" small.cfg 'network.layers=[2, -10, 1]'
refused "there is no channel 'rewrad'; did you mean 'reward'" small.cfg rules.learn.modulator=rewrad
refused "command line: rules.learn.modulator=" small.cfg rules.learn.modulator=rewrad
refused 'x has power 3 at column 1 of "x^3 r"; powers 0..2' small.cfg rules.learn.terms='x^3 r'
refused "x has power 3" small.cfg rules.learn.terms=X3Y0W0R1
refused "blocks.[0].trials: found 0, expected 1" small.cfg 'source.task.blocks=( { trials = 0; reward = [0.2, 0.8]; } )'
refused "two_odours needs at least one block" small.cfg 'source.task.blocks=()'
head -c 300 small.cfg >cut.cfg
refused "cut.cfg:5:" cut.cfg
head -c 260 small.cfg | tr -d '"' >cut.cfg
refused "cut.cfg:" cut.cfg
head -c 4096 /dev/urandom >random.cfg
refused "random.cfg:" random.cfg
# every cut of a sound config is refused with one line, or (a cut in the last values) is a config
bytes=$(wc -c <small.cfg)
cut=1
while [ "$cut" -lt "$bytes" ]; do
  head -c "$cut" small.cfg >cut.cfg
  status=0
  "$PLASTFIT" check cut.cfg out=out >stdout 2>stderr || status=$?
  case $status in
    0) ;;
    2) one_line 2 "$status" "plastfit: " "a config cut after $cut bytes" ;;
    *) fail "a config cut after $cut bytes: exit code $status" ;;
  esac
  cut=$((cut + 7))
  checks=$((checks + 1))
done

# ---- tables ----
cat >own.cfg <<END
name = "own";
source: { plugin = "table"; path = "own.csv"; };
network: { plugin = "feedforward"; layers = [2, 10, 1]; projections = ( { layer = 1; rule = "learn"; } ); };
rules: { learn: { plugin = "taylor"; terms = "1 + w + x"; }; };
losses = ( { plugin = "choice"; } );
fit: { optimiser = "adam"; epochs = 2; }; evaluate: { draws = 1; };
END
cat >own.csv <<END
animal,trial,x1,x2,choice,reward
a,0,1,0,0,
a,0,0,1,1,1
a,1,1,0,1,0
a,2,0,1,1,1
END
sed '4s/,0$//' own.csv >ragged.csv
sed '4s/,0$/,none/' own.csv >text.csv
head -n 1 own.csv >head.csv
printf 'animal,step,x1,x2,choice\na,0,1,0,0\na,1,0,1,1\na,1,0,1,1\n' >twice.csv
: >empty.csv
head -c 4096 /dev/urandom >random.csv
refused "ragged.csv:4: found 5 cells, expected 6" own.cfg source.path=ragged.csv
refused "text.csv:4: column 'reward': found 'none', expected a number" own.cfg source.path=text.csv
refused "own.csv:1: there is no column 'rewrad'; did you mean 'reward'?" own.cfg source.columns.reward=rewrad
refused "head.csv: has a header and no rows: there is no trial in it" own.cfg source.path=head.csv
refused "twice.csv:4: step 1 stands twice in one experiment, on line 3 too" own.cfg source.path=twice.csv
refused "empty.csv" own.cfg source.path=empty.csv
refused "random.csv" own.cfg source.path=random.csv
refused "gone.csv: cannot be read: No such file" own.cfg source.path=gone.csv
refused "there is no channel 'novelty'; the data have: reward, expected_reward" own.cfg rules.learn.modulator=novelty

# ---- .mat files ----
if "$PLASTFIT" describe fly_mat >stdout 2>&1; then
  python3 "$PF_SRCDIR/tests/e2e/mat.py" "$work"
  sed 's/"table"; path = "own.csv"/"fly_mat"; path = "fly.mat"/' own.cfg >fly.cfg
  "$PLASTFIT" check fly.cfg >stdout 2>stderr || fail "a sound .mat file: $(cat stderr)"
  refused "no-y.mat has no variable Y; it has X, R" fly.cfg source.path=no-y.mat
  refused "Y has 20 accepts but R has 19 rewards; expected one an accept" fly.cfg source.path=short.mat
  refused "cut.mat is truncated: it ends at byte 300" fly.cfg source.path=cut.mat
  refused "noise.mat is not a .mat file" fly.cfg source.path=noise.mat
  refused 'no file matches "Fly*.mat"' fly.cfg source.path='Fly*.mat'
  refused "own.csv is not a .mat file" fly.cfg source.path=own.csv
  refused "fly.mat: is a MATLAB file; export the table as CSV" own.cfg source.path=fly.mat
else
  echo "SKIPPED: .mat files (plastfit was configured without fly_mat)"
fi

# ---- networks, traces, choices among several: what cannot be is one line, what can be is the right answer ----
cat >arms.cfg <<END
name = "arms";
source: { plugin = "teacher"; animals = 2;
  task: { kind = "bandit"; blocks = ( { trials = 30; reward = [0.2, 0.8, 0.5]; } ); };
  rule: { plugin = "taylor"; terms = "x y r - 0.05 w"; };
  give: { inputs = true; initial_weights = true; }; };
network: { plugin = "recurrent"; inputs = 2; units = 4; outputs = 3; output = "softmax";
  projections = ( { name = "recurrent"; rule = "learn"; } ); };
rules: { learn: { plugin = "trace"; }; };
losses = ( { plugin = "categorical"; categories = 3; } );
fit: { epochs = 3; per = "shared"; batch = "full"; }; evaluate: { draws = 1; };
END
if "$PLASTFIT" check arms.cfg out=out >stdout 2>stderr; then
  refused "network.layers[1]: found 0, expected 1" small.cfg 'network.layers=[2, 0, 1]'
  refused "softmax over 1 unit is always 1" small.cfg network.output=softmax
  refused "0 recurrent units; expected at least 1" arms.cfg network.units=0
  refused "a time constant of 0 ms; expected 0.01 to 1e+07" arms.cfg network.tau=0
  refused "a time constant of -5 ms; expected 0.01 to 1e+07" arms.cfg network.tau=-5
  refused "a step of 0 ms; it must be above 0" arms.cfg network.dt=0
  refused "tau: is fixed at 0, expected a value within its bounds, 0.01 to 1e+07" arms.cfg \
    'rules.learn.parameters={ tau: { initial = 0.0; fixed = true; }; }'
  refused "softmax over 1 output is always 1" arms.cfg network.outputs=1
  refused "needs the observable 'logit'; network (recurrent) has: units, potential" arms.cfg network.outputs=0
  refused '`categories` is 4, but the network' arms.cfg 'losses=( { plugin = "categorical"; categories = 4; } )'
  refused "the network's last layer must have 1 unit" arms.cfg 'losses=( { plugin = "choice"; } )'
  # units, bounds and signs that the projection has not
  entry() { echo "network.projections=( { name = \"recurrent\"; rule = \"learn\"; $1 } )"; }
  refused "has postsynaptic units 0 to 3, found units 2 to 5" arms.cfg "$(entry 'units = "2-5";')"
  refused "has postsynaptic units 0 to 3, found units 1000000000 to" arms.cfg "$(entry 'units = "99999999999999999999";')"
  refused "has postsynaptic units 0 to 3, found units 1 to" arms.cfg "$(entry 'units = "1-99999999999999999999";')"
  refused 'units: found "3-1", expected postsynaptic units' arms.cfg "$(entry 'units = "3-1";')"
  refused "bounds: found 1 numbers, expected [lower, upper]" arms.cfg "$(entry 'bounds = [1.0];')"
  refused "found [1, -1]" arms.cfg "$(entry 'bounds = [1.0, -1.0];')"
  refused 'dale: "3+ 2-" names 5 units, but' arms.cfg "$(entry 'dale = "3+ 2-";')"
  refused 'dale: found "++x", expected' arms.cfg "$(entry 'dale = "++x";')"
  refused "are to be inhibitory (<= 0) and within [0.5, 0.6], which leaves none" arms.cfg "$(entry 'bounds = [0.5, 0.6]; dale = "-";')"
  # masks that cut a rule off
  for mask in 'connected: { density = 0.0; };' 'plastic: { density = 0.0; };'; do
    refused "no synapse of 'recurrent' changes by rule learn (trace)" arms.cfg \
      "network.projections=( { name = \"recurrent\"; rule = \"learn\"; $mask } )"
  done
  refused "no loss can see what rule learn (trace) changes in 'recurrent'" arms.cfg \
    'network.projections=( { name = "recurrent"; rule = "learn"; }, { name = "output"; connected: { density = 0.0; }; } )'
  refused "from there no synapse leads on to what they look at (logit)" small.cfg \
    'network.layers=[2, 2, 1]' \
    'network.projections=( { layer=1; rule="learn"; connected: { matrix=( [1, 1], [0, 0] ); }; }, { layer=2; connected: { matrix=( [0, 1] ); }; } )'
  # a step far longer than the time constant: a unit that has forgotten all is one without memory, to the last bit
  "$PLASTFIT" fit arms.cfg network.dt=1000.0 network.tau=0.5 out=forgets --quiet >stdout 2>stderr || grep -q "no result rests on this fit" stderr || fail "dt > tau: $(cat stderr)"
  "$PLASTFIT" fit arms.cfg network.dynamics=discrete out=discrete --quiet >stdout 2>stderr || grep -q "no result rests on this fit" stderr || fail "discrete: $(cat stderr)"
  cmp forgets/theta.csv discrete/theta.csv || fail "dt far above tau is not a unit without memory"
  # a category that never occurs; a session without any choice in it; choices that are no choices
  {
    echo "animal,session,x1,x2,choice,reward"
    for session in 1 2 3; do
      for step in 1 2 3 4 5 6 7 8 9 10; do
        choice=$(((step * session) % 3))
        [ "$session" -eq 3 ] && choice=
        echo "a,$session,0.$step,0.5,$choice,$((step % 2))"
      done
    done
  } >three.csv
  cat >three.cfg <<END
source: { plugin = "table"; path = "three.csv"; plastic = "always"; };
network: { plugin = "feedforward"; layers = [2, 5, 4]; output = "softmax"; };
rules: { learn: { plugin = "taylor"; terms = "x r + w"; }; };
losses = ( { plugin = "categorical"; categories = 4; } );
fit: { epochs = 3; }; evaluate: { draws = 1; };
END
  for persist in false true; do
    "$PLASTFIT" fit three.cfg source.sessions.persist=$persist out=three-$persist --quiet >stdout 2>stderr ||
      fail "a category that never occurs: $(cat stderr)"
    expected=$([ $persist = true ] || echo "plastfit: warning: three.csv: a/3 is left out: no loss observes anything in its fitted steps")
    [ "$(cat stderr)" = "$expected" ] || fail "a session without choices, persist = $persist: $(cat stderr)"
  done
  refused "choice 2; expected a whole number from 0 to 1" three.cfg 'losses=( { plugin = "categorical"; categories = 2; } )' \
    'network.layers=[2, 5, 2]'
  refused "for a choice between arms give kind = \"choice\"" three.cfg source.plastic=accepts
  sed '5s/,[0-9],\([01]\)$/,1.5,\1/' three.csv >half.csv
  refused "half.csv:5: column 'choice': found '1.5', expected a choice: a whole number from 0" three.cfg source.path=half.csv
  sed 's/session/n/; s/^a,[0-9]*,/a,-0.5,/' three.csv >counts.csv
  refused "a count of -0.5 in target" three.cfg 'source.targets=( { name = "counts"; columns = ["n"]; } )' source.path=counts.csv \
    'network.layers=[2, 1]' network.output=linear 'losses=( { plugin = "poisson"; } )'
else
  echo "SKIPPED: networks beyond one layer (plastfit was configured without some): $(cat stderr)"
fi

# ---- weights that overflow during the fit: the step is taken back, and the summary counts it ----
"$PLASTFIT" fit small.cfg source.animals=1 rules.learn.terms='w^2 + w + x w^2' fit.learning_rate=1e6 fit.epochs=50 \
  fit.optimiser=adam out=overflow --quiet >stdout 2>stderr || fail "weights that overflow: $(cat stderr)"
grep -q '"steps_back": [1-9]' overflow/summary.json || fail "weights that overflow: no step was taken back"
status=0
"$PLASTFIT" fit small.cfg source.rule.terms='x r + 1e300 w^2' out=out >stdout 2>stderr || status=$?
one_line 2 "$status" "experiment animal1, step " "a teacher whose weights overflow"
status=0 # sigmoid units at 1 and 0 look well whatever their weights are
"$PLASTFIT" fit small.cfg source.task='{ kind="activity"; steps=200; }' source.rule.terms='x + 3000 w' out=out \
  losses='({plugin="activity";})' >stdout 2>stderr || status=$?
one_line 2 "$status" "the weights of 'layer1' overflowed" "a teacher whose weights overflow behind saturated units"
refused "fit.epochs: found 9223372036854775807, expected 0 to 1000000000" small.cfg fit.epochs=9223372036854775807

# ---- where the results go ----
for out in small.cfg small.cfg/run; do
  status=0
  "$PLASTFIT" fit small.cfg out=$out >stdout 2>stderr || status=$?
  one_line 2 "$status" "not a folder" "out=$out"
done
mkdir mine && echo precious >mine/notes.txt
status=0
"$PLASTFIT" fit small.cfg out=mine --force >stdout 2>stderr || status=$?
one_line 2 "$status" "holds 'notes.txt', which plastfit did not write" "somebody's folder"
[ -s mine/notes.txt ] || fail "somebody's folder was emptied"
# a disk that is full half way: no file may become larger than a few KiB; the run that was there stays as it was
"$PLASTFIT" fit small.cfg out=kept --quiet >stdout 2>stderr || fail "fit: $(cat stderr)"
cp -r kept before
status=0
(ulimit -f 8 && "$PLASTFIT" fit small.cfg out=out >stdout 2>stderr) || status=$?
one_line 1 "$status" "cannot write 'out.part/trajectories.h5': File too large" "a full disk"
status=0
(ulimit -f 8 && "$PLASTFIT" fit small.cfg out=kept --force fit.epochs=1 >stdout 2>stderr) || status=$?
one_line 1 "$status" "File too large" "a full disk, with --force"
diff -r kept before >/dev/null || fail "a write that failed damaged the earlier run"
[ ! -e kept.part ] && [ ! -e kept.old ] || fail "a write that failed left something"

# ---- run folders of others ----
sed -i 's/"format": [0-9]*/"format": 99/; s/"plastfit": "[^"]*"/"plastfit": "9.9"/' kept/summary.json
status=0
"$PLASTFIT" evaluate kept >stdout 2>stderr || status=$?
one_line 2 "$status" "was written by plastfit 9.9, format 99; this is plastfit" "the run of another version"
sed '2s/,[^,]*,/,/' before/theta.csv >theta.csv && cp theta.csv before/theta.csv
status=0
"$PLASTFIT" evaluate before >stdout 2>stderr || status=$?
one_line 2 "$status" "before/theta.csv:2: found" "a damaged theta.csv"
rm before/theta.csv
status=0
"$PLASTFIT" evaluate before >stdout 2>stderr || status=$?
one_line 2 "$status" "is no whole run folder: theta.csv" "half a run folder"

# ---- an animal that always chooses the same: a warning, and no figure where there is none ----
cat >same.csv <<END
animal,trial,x1,x2,choice,reward
a,0,1,0,1,0
a,1,0,1,1,1
a,2,1,0,1,0
b,0,1,0,0,
b,0,0,1,1,1
b,1,0,1,0,
b,1,1,0,1,0
END
for command in "fit own.cfg --quiet" "fit own.cfg --force" "check own.cfg"; do
  "$PLASTFIT" $command source.path=same.csv out=same >stdout 2>stderr || fail "$command: $(cat stderr)"
  case $command in
    *--quiet) [ ! -s stderr ] || fail "--quiet: $(cat stderr)" ;;
    *) grep -q "a always made the same choice (1 of 2 animals)" stdout stderr || fail "$command: no warning: $(cat stderr)" ;;
  esac
done
holds same "s['status'] == 'ok' and [a['name'] for a in s['animals']] == ['a', 'b']"
holds same "s['animals'][0]['deviance_explained']['mean_rate'] is None"
holds same "s['animals'][1]['deviance_explained']['mean_rate'] is not None"

echo "$checks refusals"
finish
