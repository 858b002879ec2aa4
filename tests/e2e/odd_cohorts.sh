#!/bin/sh
# Cohorts in which something is odd: one animal that learns the other way round, one of three trials, one that always chooses
# the same, groups that the table of the data names, a fit that goes on from an earlier one, recovery of cohorts, and a
# population whose inputs are integrated out. What is false is not claimed, and what is odd is said.
. "$PF_SRCDIR/tests/e2e/lib.sh"
config="$PF_SRCDIR/configs/population.cfg"
fast="report=false evaluate.draws=0"
alike='source.rule.parameters={ X1Y0W0R1: { value = 1.0; }; X0Y0W1R0: { value = -0.05; }; }'
"$PLASTFIT" simulate "$config" source.animals=6 "$alike" out="$work/animals" >"$work/simulate.log" 2>&1 ||
  { fail "simulate"; cat "$work/simulate.log"; }
python3 - "$work/animals" <<'END'
import csv, sys
folder = sys.argv[1]
rows = list(csv.DictReader(open(folder + "/table.csv")))

def write(name, change):
    out = [row for row in (change(dict(row)) for row in rows) if row]
    with open(f"{folder}/{name}.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(out[0]))
        writer.writeheader()
        writer.writerows(out)

def reverse(row):
    if row["animal"] == "animal2" and row["reward"]:
        row["reward"] = "%d" % (1 - float(row["reward"]))
    return row

def shorten(row):
    is_late = int(row["block"]) > 0 or int(row["trial"]) >= 3
    return None if row["animal"] == "animal2" and is_late else row

def always(row):
    if row["animal"] == "animal3":
        row.update(choice="1", plastic="1", reward=row["reward"] or "0")
    return row

write("reversed", reverse)
write("short", shorten)
write("always", always)
write("strain", lambda row: row | {"strain": "lone" if row["animal"] == "animal1" else "others"})
write("mixed", lambda row: row | {"strain": row["block"]})
END

# odd NAME KEY...: a fit of that table; exit code in $code, what it says in $work/NAME.log
odd() {
  name=$1
  shift
  code=0
  # shellcheck disable=SC2086 # several words
  "$PLASTFIT" fit "$work/animals/fit.cfg" $fast source.path="$work/animals/$name.csv" out="$work/$name" "$@" \
    >"$work/$name.log" 2>&1 || code=$?
}

# says NAME CODE TEXT
says() {
  [ "$code" = "$2" ] || fail "$1: exit code $code, expected $2"
  tr -s '\n ' '  ' <"$work/$1.log" | grep -q "$3" || { fail "$1 does not say: $3"; cat "$work/$1.log"; }
}

odd reversed
says reversed 0 "x r: 'animal2' alone makes"
odd short
says short 0 "What 6 animals share"
grep -q "alone makes" "$work/short.log" && fail "an animal of three trials makes the spread"
odd always
says always 1 "did not converge in .* rounds: nothing rests on these numbers"
grep -c "did not converge" "$work/always.log" | grep -q "^2$" || fail "always: more than one line and one sentence"
holds always "s['population']['converged'] is False and s['status'] != 'ok'"
"$PLASTFIT" report "$work/always" >"$work/report.log" 2>&1 || { fail "report of a fit that did not converge"; cat "$work/report.log"; }
grep -q "Animals differ\|that animals differ" "$work/always/report.html" && fail "always: the page says who differs"
odd strain 'population.group=["strain"]' population.permutations=99
says strain 0 "the means change with strain = others by"
odd mixed 'population.group=["strain"]'
says mixed 1 "'animal1' has '0' and '1' in column 'strain'"

# goes on where an earlier fit ended, without the fit of one theta for all
odd table
odd again init.theta="$work/table/theta.csv" source.path="$work/animals/table.csv"
says again 0 "What 6 animals share"
python3 - "$work" <<'END' || fail "another answer, or no less work, from where an earlier fit ended"
import csv, json, sys
work = sys.argv[1]
read = lambda run: list(csv.DictReader(open(f"{work}/{run}/population.csv")))
spent = lambda run: json.load(open(f"{work}/{run}/summary.json"))["timing"]["gradients"]
off = max(abs(float(a["mean"]) - float(b["mean"])) / float(a["se"]) for a, b in zip(read("table"), read("again")))
sys.exit(not (off < 0.05 and spent("again") < spent("table")))
END

# cohorts: means, sds and differences of groups that are there are found, and others are not
"$PLASTFIT" recover "$config" recover.data_sets=4 source.animals=8 'population.group=["group"]' population.permutations=19 \
  'source.rule.parameters={ X1Y0W0R1: { value = 1.0; sd = 0.2; change = 1.5; }; X0Y0W1R0: { value = -0.05; }; }' \
  out="$work/cohorts" >"$work/cohorts.log" 2>&1 || { fail "recover"; cat "$work/cohorts.log"; }
holds cohorts "[c['name'] for c in s['population']] == ['X0Y0W1R0', 'X1Y0W0R0', 'X1Y0W0R1'] and \
abs(s['population'][2]['truth_sd'] - 0.2) < 1e-12 and abs(s['population'][2]['truth_change'] - 1.5) < 1e-12 and \
abs(s['population'][2]['change'] - 1.5) < 0.4 and s['population'][2]['ratio_rejected'] == 1.0 and \
abs(s['population'][0]['mean'] + 0.05) < 0.01 and s['population'][2]['own_error'] < 0.3"

# inputs that nobody recorded are integrated out; too few rounds are no fit
odd unknown source.path="$work/animals/table.csv" likelihood=marginal source.input.sd=0.1 source.input.draws=5 \
  marginal.particles=40 marginal.iterations=6 marginal.tolerance=1e-9
says unknown 1 "the population's fit did not converge in 6 rounds"
finish
