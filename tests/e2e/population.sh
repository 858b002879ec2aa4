#!/bin/sh
# Animals drawn from a population: the means and sds of configs/population.cfg are found, whatever the threads; an animal
# is drawn towards the mean; sharing, covariates and refusals do what doc/population.md says; a population scores animals
# that it has not seen by the mean over thetas.
. "$PF_SRCDIR/tests/e2e/lib.sh"
config="$PF_SRCDIR/configs/population.cfg"
fast="report=false evaluate.draws=0"

# column OUT NAME COVARIATE COLUMN: a number of population.csv
column() {
  python3 -c '
import csv, sys
rows = [r for r in csv.DictReader(open(sys.argv[1])) if r["name"] == sys.argv[2] and r["covariate"] == sys.argv[3]]
print(rows[0][sys.argv[4]])' "$work/$1/population.csv" "$2" "$3" "$4"
}

# within VALUE LOW HIGH TEXT
within() {
  python3 -c 'import sys; sys.exit(not float(sys.argv[2]) <= float(sys.argv[1]) <= float(sys.argv[3]))' "$1" "$2" "$3" ||
    fail "$4: found $1, expected $2 to $3"
}

# shellcheck disable=SC2086 # several words
run_fit one "$config" $fast threads=1
# shellcheck disable=SC2086
run_fit two "$config" $fast threads=2
for file in population.csv animals.csv theta.csv; do
  cmp -s "$work/one/$file" "$work/two/$file" || fail "$file differs with the number of threads"
done
# the truth of 12 animals: means 1 and -0.05, sds 0.3 and 0.02; their 95 % intervals hold it for this seed
within 1.0 "$(column one X1Y0W0R1 mean lower)" "$(column one X1Y0W0R1 mean upper)" "mean of x r"
within 0.3 "$(column one X1Y0W0R1 mean sd_lower)" "$(column one X1Y0W0R1 mean sd_upper)" "sd of x r"
within 0.02 "$(column one X0Y0W1R0 mean sd_lower)" "$(column one X0Y0W1R0 mean sd_upper)" "sd of w"
within "$(column one X1Y0W0R1 mean difference_p)" 0 1e-6 "do animals differ in x r?"
within "$(column one X1Y0W0R0 mean difference_p)" 0.05 1 "do animals differ in x? (they do not)"
grep -q "x: the sd between animals is 0" "$work/one.log" || fail "no word of an sd that is 0"

# each animal's estimate lies nearer to the population's mean than the animal's own
# shellcheck disable=SC2086
run_fit alone "$config" $fast fit.per=animal 'intervals.methods=["fisher"]'
python3 - "$work" <<'END' || fail "estimates are not drawn towards the mean"
import csv, math, sys
rows = lambda path: list(csv.DictReader(open(path)))
work = sys.argv[1]
mean = {r["name"]: float(r["mean"]) for r in rows(work + "/one/population.csv")}
own = {(r["unit"], r["name"]): float(r["estimate"]) for r in rows(work + "/alone/theta.csv")}
drawn = {(r["animal"], r["name"]): float(r["estimate"]) for r in rows(work + "/one/animals.csv")}
truth = {(r["unit"], r["name"]): float(r["truth"]) for r in rows(work + "/one/theta.csv")}
name = "X1Y0W0R1"
spread = lambda of: sum((v - mean[n]) ** 2 for (a, n), v in of.items() if n == name)
errors = lambda of: sum((v - truth[a, n]) ** 2 for (a, n), v in of.items() if n == name)
sys.exit(not (spread(drawn) < spread(own) and errors(drawn) < errors(own)))
END

# sharing and covariates; half of the animals are called another strain, which is not so
python3 - "$work/strains.csv" <<'END'
import sys
with open(sys.argv[1], "w") as f:
    f.write("animal,strain,weight,cage\n")
    for a in range(1, 13):
        f.write(f"animal{a},{'wild' if a % 2 else 'mutant'},{20 + a},7\n")
END
# shellcheck disable=SC2086
run_fit groups "$config" $fast "population.table=$work/strains.csv" 'population.group=["strain"]' 'population.shared=["x"]'
within 0.0 "$(column groups X1Y0W0R1 'strain = mutant' lower)" "$(column groups X1Y0W0R1 'strain = mutant' upper)" \
  "a difference of strains that is not there"
[ "$(column groups X1Y0W0R0 mean sharing)" = shared ] || fail "x is not shared"
# the mean of a group is the reference's and the difference; its interval is that of a mean, not of a difference
python3 - "$work/groups/population.csv" <<'END' || fail "means of groups"
import csv, sys
rows = {r["covariate"]: r for r in csv.DictReader(open(sys.argv[1])) if r["name"] == "X1Y0W0R1"}
number = lambda who, column: float(rows[who][column])
other = "strain = mutant"
wide = lambda who: number(who, "group_upper") - number(who, "group_lower")
sys.exit(not (abs(number(other, "group_mean") - number("mean", "mean") - number(other, "mean")) < 1e-12
              and abs(number("mean", "group_lower") - number("mean", "lower")) < 1e-12
              and 0.5 < wide(other) / wide("mean") < 2 and wide(other) < number(other, "upper") - number(other, "lower")))
END
# the page: a figure of groups where there are some; who differs is said of what differs, and not of what does not
PLASTFIT_GNUPLOT=gnuplot "$PLASTFIT" report "$work/groups" >"$work/report.log" 2>&1 || { fail "report"; cat "$work/report.log"; }
if command -v gnuplot >/dev/null; then
  grep -q mutant "$work/groups/figures/groups.svg" || fail "no figure of the groups"
fi
# box OUT: what the box of a page says of how sure it is
box() {
  tr '\n' ' ' <"$work/$1/report.html" | sed 's/<[^>]*>//g' | grep -o 'How sure\..\{0,300\}' | head -1
}
box groups | grep -q "Animals differ in w, x r (each p below 0.05)" || fail "the box says: $(box groups)"
# shellcheck disable=SC2086
run_fit alike "$config" $fast 'source.rule.parameters={ X1Y0W0R1: { value = 1.0; }; X0Y0W1R0: { value = -0.05; }; }'
"$PLASTFIT" report "$work/alike" >"$work/report.log" 2>&1 || { fail "report of animals that are alike"; cat "$work/report.log"; }
box alike | grep -q "Nothing says that animals differ" || fail "animals that are alike: $(box alike)"

# refuse TEXT OVERRIDE...: exit 2 or 1 with that text
refuse() {
  text=$1
  shift
  # shellcheck disable=SC2086
  if "$PLASTFIT" fit "$config" $fast out="$work/refused" "$@" >"$work/refused.log" 2>&1; then
    fail "accepted: $*"
  fi
  grep -q "$text" "$work/refused.log" || { fail "$* does not say: $text"; cat "$work/refused.log"; }
}
refuse "no free coefficient 'x rr'.*did you mean 'x r'" 'population.shared=["x rr"]'
refuse "needs several animals" source.animals=1
refuse "population.table, the file that has them, is not given" 'population.group=["strain"]'
refuse "there is no column 'strian' of population.group; did you mean 'strain'" "population.table=$work/strains.csv" \
  'population.group=["strian"]'
refuse "'cage' is the same for all animals" "population.table=$work/strains.csv" 'population.group=["cage"]'
grep -v animal7, "$work/strains.csv" >"$work/fewer.csv"
refuse "there is no row of animal 'animal7'" "population.table=$work/fewer.csv" 'population.group=["strain"]'

# animals that differ, simulated and read back: each has its own truth, and R2 of weights is against its own teacher
"$PLASTFIT" simulate "$config" out="$work/table" >"$work/simulate.log" 2>&1 || { fail "simulate"; cat "$work/simulate.log"; }
# shellcheck disable=SC2086
run_fit read "$work/table/fit.cfg" $fast 'source.input={ mean = 1.0; sd = 0.0; draws = 1; }'
python3 - "$work" <<'END' || fail "a table that simulate wrote has not the truths of its animals"
import csv, json, sys
work = sys.argv[1]
truths = lambda run: {(r["unit"], r["name"]): float(r["truth"]) for r in csv.DictReader(open(f"{work}/{run}/theta.csv")) if r["truth"]}
sys.exit(not (truths("read") == truths("one") and len(set(truths("read").values())) > 12))
END

# animals that a population has not seen
"$PLASTFIT" compare "$config" source.animals=6 report=false evaluate.draws=1 out="$work/compared" threads=2 \
  >"$work/compared.log" 2>&1 || { fail "compare"; cat "$work/compared.log"; }
holds compared "[c['per'] for c in s['candidates']] == ['animal', 'shared', 'population']"
holds compared "s['candidates'][2]['validations']['leave-one-animal-out']['log_likelihood_per_observation']['value'] > \
s['candidates'][1]['validations']['leave-one-animal-out']['log_likelihood_per_observation']['value']"
holds compared "s['frequencies'] is None" # one candidate is a population, and nothing is asked
holds compared "s['candidates'][2]['aic'] is None"

# 12 animals that forget and 6 that do not, where the first rule can do what the second does: how many follow which?
python3 "$PF_SRCDIR/bench/mixed-rules" --cohorts 1 --rules nested --program "$PLASTFIT" >"$work/mixed.log" 2>&1 ||
  { fail "bench/mixed-rules"; cat "$work/mixed.log"; }
grep -q "within 0.1 in 1$" "$work/mixed.log" || { fail "the share of followers is off by more than 0.1"; cat "$work/mixed.log"; }
# the same question of candidates that are fitted otherwise; of values that are each animal's own it has no answer
two='candidates = ( { name = "forgets"; }, { name = "keeps"; set: { rules: { learn: { terms = "x r"; }; }; }; } );'
few="source.animals=6 fit.per=animal report=false evaluate.draws=0"
for how in all none separate; do
  more=population.separate=[]
  words=$how
  [ $how = separate ] && more='population.separate=["x r"]' && words=all
  # shellcheck disable=SC2086
  "$PLASTFIT" compare "$config" $few "$more" out="$work/ask-$how" threads=2 "compare={ validation = [\"in-sample\"]; \
    information_criteria = false; frequencies = \"$words\"; $two }" >"$work/ask-$how.log" 2>&1 ||
    { fail "compare.frequencies, $how"; cat "$work/ask-$how.log"; }
done
holds ask-all "abs(sum(c['frequency'] for c in s['frequencies']['candidates']) - 1) < 1e-9"
holds ask-all "all(abs(sum(c['animals'][a]['probability'] for c in s['frequencies']['candidates']) - 1) < 1e-9 for a in s['animals'])"
holds ask-all "s['frequencies']['candidates'][0]['frequency'] > 0.6" # all six forget
holds ask-none "s['frequencies'] is None"
holds ask-separate "\"each animal's own\" in s['frequencies']['missing'] and s['frequencies']['candidates'] == []"
finish
