#!/bin/sh
# Intervals that mean what they say: ends of profiles, separation, clusters, scores of counts, on the cases of ../shared/cases
# (their README has the right values), and small problems of choices that intervals.py makes.
. "$PF_SRCDIR/tests/e2e/lib.sh"

python3 "$PF_SRCDIR/tests/e2e/intervals.py" "$PLASTFIT" "$work/small" 20 || fail "small problems"
# the same by another route: the model simulated and fitted anew
code=0
"${PF_PYTHON:-python3}" "$PF_SRCDIR/tests/e2e/profile_ends.py" "$PLASTFIT" "$work/ends" 20 || code=$?
[ "$code" -eq 0 ] || [ "$code" -eq 77 ] || fail "ends of profiles"

cases=${PF_SHARED:-$PF_SRCDIR/../shared}/cases
if [ ! -d "$cases" ]; then
  echo "SKIPPED: the cases are not at $cases (set PF_SHARED)"
  finish
fi

# value RUN FILE EXPRESSION: of the rows `rows` of a CSV file of a run, is it true?
value() {
  python3 - "$work/$1/$2" "$3" <<'PY' || fail "$1: expected $3"
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1])))
def of(name, column, **where):
    found = [r for r in rows if name in (r["name"], r.get("label")) and all(r[k] == v for k, v in where.items())]
    text = found[0][column]
    try:
        return float(text)
    except ValueError:
        return text
ok = eval(sys.argv[2])
if not ok:
    print(*(",".join(r.values()) for r in rows), sep="\n")
sys.exit(0 if ok else 1)
PY
}

# choices that are predicted perfectly: no end where the likelihood has not fallen
"$PLASTFIT" fit "$cases/separation/sep12.cfg" out="$work/separation" >"$work/separation.log" 2>&1 || true
value separation theta.csv "of('x r', 'ci_upper') == float('inf') and of('w', 'ci_upper') == float('inf')"
value separation theta.csv "not -3.8 < of('w', 'ci_lower') < 4 and not 0.02 < of('x r', 'ci_lower') < 1e9"
value separation theta.csv "all(r['verdict'] == 'practically not identified' and 'separation' in r['note'] for r in rows)"

# 2dL of tau_plus is far below 3.84 at 10 and 20
run_fit collapse "$cases/profile-collapse/profile_collapse.cfg" 'intervals.methods=["profile"]' report=false fit.starts=3 &&
  value collapse theta.csv "of('tau_plus', 'ci_upper') > 60 and of('tau_plus', 'ci_lower') < 5"

# a set in pieces: another optimum of a5 is within 1.92 nats, so its interval reaches over both, nothing of it is called
# identified, and it is in no mean; on the terminal, in the files and on the page
"$PLASTFIT" fit "$cases/others-matter/eight.cfg" report=true out="$work/pieces" >"$work/pieces.log" 2>&1 || fail "pieces: $(cat "$work/pieces.log")"
tr -s ' \n' ' ' <"$work/pieces.log" >"$work/pieces.line"
for text in "x r: the data allow from 0.46 to 2.993; and, around another optimum that fits about as well, from -0.04511 to -0.01591" \
  "left out of means, not identified: a5 (w, x r)"; do
  grep -qF -- "$text" "$work/pieces.line" || fail "pieces: expected '$text', found $(cat "$work/pieces.log")"
done
value pieces theta.csv "all(r['verdict'] == 'practically not identified' and 'around another optimum' in r['note'] for r in rows if r['unit'] == 'a5')"
value pieces theta.csv "[-0.06 < float(r['ci_lower']) < -0.03 and float(r['ci_upper']) > 2.9 for r in rows if r['unit'] == 'a5' and r['label'] == 'x r'] == [True]"
value pieces theta.csv "all(r['verdict'] == 'identified' and r['note'] == '' for r in rows if r['unit'] != 'a5')"
holds pieces "[u['verdicts']['practically not identified'] for u in s['inference']['units'] if u['name'] == 'a5'] == [2]"
holds pieces "'left out of means, not identified: a5 (w, x r)' in s['equations'][0]['notes']"
sed 's/<[^>]*>/ /g' "$work/pieces/report.html" | tr -s ' \n' ' ' | grep -q "a5 0 2 0" || fail "pieces: the page does not count a5's verdicts"

# a parameter of one animal is not resampled by animals
run_fit ten "$cases/bootstrap-per-animal/ten.cfg" 'intervals.methods=["bootstrap"]' &&
  value ten intervals.csv "of('bias', 'lower', animal='a1') < 0 and of('bias', 'upper', animal='a1') > 0.7"
holds ten "s['inference']['units'][0]['animals_agree']['degrees_of_freedom'] == 18"
run_fit drawn "$cases/bootstrap-per-animal/ten.cfg" 'intervals.methods=["bootstrap"]' intervals.bootstrap.of=animals &&
  value drawn intervals.csv "all(r['lower'] == '' and 'parameter of one animal' in r['why'] for r in rows)"

# one animal under nine names: a sandwich of no rank
run_fit copies "$cases/identical-clusters/nine-copies.cfg" &&
  value copies intervals.csv "all('no rank' in r['why'] or 'copies of one animal' in r['why'] for r in rows if r['method'] == 'sandwich')"
value copies intervals.csv "any(abs(float(r['se']) - 0.159) < 2e-3 for r in rows if r['method'] == 'fisher')"

# the same where "auto" chooses: what it wanted and did not get is said
python3 - "$cases/identical-clusters/nine-copies.csv" "$work/copies.csv" <<'PY'
import sys
head, *rows = open(sys.argv[1]).read().splitlines()
first = rows[0].split(",")[0]
one = [r.split(",", 1)[1] for r in rows if r.split(",")[0] == first]
with open(sys.argv[2], "w") as file:
    print(head, *(f"m{k},{r}" for k in range(24) for r in one), sep="\n", file=file)
PY
"$PLASTFIT" fit "$cases/identical-clusters/nine-copies.cfg" 'intervals.methods=["auto"]' source.path="$work/copies.csv" out="$work/alike" --force \
  >"$work/alike.log" 2>&1 || true
tr -s ' \n' ' ' <"$work/alike.log" | grep -q "no sandwich intervals: .*copies of one animal.*those shown are by" ||
  fail "copies of one animal under auto: $(cat "$work/alike.log")"

# counts are compared with the expected count
run_fit counts "$cases/poisson-r2/poisson_r2.cfg" report=false && holds counts "abs(s['mean']['r2_activity'] - 0.348) < 2e-3"

# an animal that never accepted tells nothing, and is named
"$PLASTFIT" fit "$cases/never-accepted/never.cfg" out="$work/never" >"$work/never.log" 2>&1 || true
grep -q "never" "$work/never.log" || fail "never-accepted: $(cat "$work/never.log")"
value never theta.csv "all(r['verdict'] != 'identified' for r in rows if r['unit'] == 'never')"
finish
