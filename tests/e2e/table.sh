#!/bin/sh
# Own data: a table with the usual columns is a whole source; what is wrong with one is told in one line, exit code 2, and
# nothing is written. (Each kind of broken table: tests/unit/sources/test_table.c.)
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"

cat >own.cfg <<'END'
name = "own";
source: { plugin = "table"; path = "own.csv"; };
network: { plugin = "feedforward"; layers = [2, 3, 1]; };
rules: { learn: { plugin = "taylor"; terms = "x r + w"; modulator = "reward - expected_reward + 0 * before"; }; };
losses = ( { plugin = "choice"; } );
fit: { optimiser = "adam"; epochs = 2; }; evaluate: { draws = 1; };
END
cat >own.csv <<'END'
animal,session,trial,x1,x2,choice,reward,novelty
fly1,mon,0,1,0,0,,1
fly1,mon,0,0,1,1,1,0.5
fly1,mon,1,0.5,1,1,0,0.25
fly1,tue,0,1,0,0,,1
fly1,tue,0,1,0,1,1,0
fly2,mon,0,0,1,0,,1
fly2,mon,0,1,0,1,0,0
END

# fits CONFIG OVERRIDE...: into a new folder `out`
fits() {
  rm -rf out
  "$PLASTFIT" fit "$@" out=out --quiet >stdout 2>stderr || fail "fit $*: $(cat stderr)"
}
# says TEXT OVERRIDE...
says() {
  text=$1
  shift
  rm -rf out
  status=0
  "$PLASTFIT" fit own.cfg "$@" out=out >stdout 2>stderr || status=$?
  [ "$status" -eq 2 ] || fail "$*: exit code $status instead of 2"
  grep -qF -- "$text" stderr || fail "$*: expected '$text', found '$(cat stderr)'"
  [ "$(wc -l <stderr)" -eq 1 ] || fail "$*: more or less than one line: '$(cat stderr)'"
  [ ! -e out ] && [ ! -e out.part ] && [ ! -s stdout ] || fail "$*: something was written"
}

derive='source.derive=( { name="before"; of="novelty"; lag=1; } )'
fits own.cfg "$derive"
cut -d, -f1 out/theta.csv | sort -u | tr '\n' ' ' | grep -q '^fly1 fly2 unit $' || fail "other animals than fly1 and fly2"
# a derived channel changes what is learned from it, and nothing else
cp out/theta.csv zero.csv
fits own.cfg "$derive" rules.learn.modulator="reward - expected_reward"
cmp zero.csv out/theta.csv || fail "0 * before is not 0"
fits own.cfg "$derive" rules.learn.modulator="reward + before"
! cmp -s zero.csv out/theta.csv || fail "the derived channel has no effect"
# a column of the same numbers does as well as the derived channel
awk -F, 'NR == 1 { print $0 ",before" } NR > 1 { k = $1 $2; print $0 "," (k == last ? value : 0); last = k; value = $8 }' own.csv >with.csv
cp out/theta.csv derived.csv
fits own.cfg source.path=with.csv rules.learn.modulator="reward + before"
cmp derived.csv out/theta.csv || fail "before as a column and as a lag of novelty differ"

says "there is no channel 'before'"
says "there is no channel 'novlty' to derive 'before' from; did you mean 'novelty'" "$(echo "$derive" | sed s/novelty/novlty/)"
says "own.csv:1: there is no column 'sugar'; the header has: animal," "$derive" source.columns.reward=sugar
says "source table has no option 'column'; did you mean" "$derive" source.column.reward=x
says "expected \"always\"" "$derive" source.plastic=sometimes
says "gone.csv: cannot be read" "$derive" source.path=gone.csv
says "is a folder, expected a CSV file" "$derive" source.path=.
says "has 2 inputs a step, but" "$derive" 'network.layers=[3, 3, 1]'
sed 's/^fly1,mon,1,0.5,1,1,0/fly1,mon,1,0.5,1,1,no/' own.csv >bad.csv
says "bad.csv:4: column 'reward': found 'no', expected a number" "$derive" source.path=bad.csv
sed '4s/,[^,]*$//' own.csv >bad.csv
says "bad.csv:4: found 7 cells, expected 8 as in the header" "$derive" source.path=bad.csv
head -1 own.csv >bad.csv
says "has a header and no rows" "$derive" source.path=bad.csv
head -c 100000 "$PLASTFIT" >bad.csv
says "bad.csv" "$derive" source.path=bad.csv

# initial weights from a file: the fit starts from them; a file that lacks one is refused
echo 'projection,post,pre,value' >w.csv
for i in 0 1 2; do for j in 0 1; do echo "layer1,$i,$j,0.$i$j" >>w.csv; done; done
fits own.cfg "$derive"
cp out/theta.csv drawn.csv
fits own.cfg "$derive" network.initial_weights.file=w.csv
! cmp -s drawn.csv out/theta.csv || fail "initial weights from a file have no effect"
head -4 w.csv >half.csv
says "layer1 has no weight for post 1, pre 1; expected all of 3 x 2" "$derive" network.initial_weights.file=half.csv
says "gone.csv: cannot be read" "$derive" network.initial_weights.file=gone.csv
finish
