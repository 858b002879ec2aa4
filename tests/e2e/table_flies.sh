#!/bin/sh
# Flies exported to one CSV table by hand: the fit gives what the .mat files give, byte for byte.
. "$PF_SRCDIR/tests/e2e/lib.sh"
folder=$(flies) || { echo "$folder"; exit 77; }

python3 "$PF_SRCDIR/tests/e2e/fly_to_csv.py" "$work/flies.csv" "$folder/Fly1.mat" "$folder/Fly2.mat" "$folder/Fly10.mat"
mkdir "$work/flies"
cp "$folder/Fly1.mat" "$folder/Fly2.mat" "$folder/Fly10.mat" "$work/flies/"
set -- source.input.draws=3 fit.epochs=20 evaluate.draws=2
run_fit mat "$PF_SRCDIR/configs/fly.cfg" source.path="$work/flies/Fly*.mat" "$@" || finish
run_fit csv "$PF_SRCDIR/configs/fly.cfg" source.plugin=table source.path="$work/flies.csv" source.columns.animal=fly \
  'source.columns.inputs=["odour A", "odour B"]' source.columns.choice=accepted source.columns.reward=sugar "$@" || finish
cmp "$work/mat/theta.csv" "$work/csv/theta.csv" || fail "the table of the flies gives another theta"
# and the same scores, but for what a fit took
for key in animals mean median units; do
  [ "$(figure mat "s['$key']")" = "$(figure csv "s['$key']")" ] || fail "the table of the flies gives other $key"
done
holds mat "len(s['animals']) == 3"
finish
