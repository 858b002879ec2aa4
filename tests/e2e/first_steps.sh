#!/bin/sh
# The program as a newcomer meets it: completion of shells, --json of every command, --quiet and --verbose, colours,
# lists that are folded, a rule that keeps something from call to call, and a build tree that was copied.
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"
cp "$PF_SRCDIR/configs/quickstart.cfg" small.cfg
few="source.animals=3 fit.iterations=3 evaluate.animals=1"
many="source.animals=30"

# json EXPRESSION ARGUMENT...: stdout is one JSON document d of which the expression is true
json() {
  expression=$1
  shift
  "$PLASTFIT" "$@" --json >out.json 2>stderr || true
  python3 -c 'import json, sys
d = json.load(open("out.json"))
sys.exit(0 if eval(sys.argv[1]) else "%s is false of %s" % (sys.argv[1], str(d)[:300]))' "$expression" 2>why ||
    fail "plastfit $* --json: $(tail -1 why) $(cat stderr)"
}

# ---- completion ----
"$PLASTFIT" --help | sed -n 's/^  plastfit \([a-z]*\) .*/\1/p' >commands
[ "$(wc -l <commands)" -ge 11 ] || fail "fewer commands than there are: $(cat commands)"
"$PLASTFIT" completion bash >bash.sh
for shell in zsh fish; do
  "$PLASTFIT" completion $shell >script
  while read -r command; do
    grep -q "$command" script || fail "completion $shell has no $command"
    "$PLASTFIT" "$command" --help | sed -n 's/^  --\([a-z]*\).*/\1/p' | while read -r option; do
      grep -q -- "$option" script || echo "$command --$option"
    done >missing
    [ ! -s missing ] || fail "completion $shell has no $(cat missing)"
  done <commands
  if command -v $shell >/dev/null; then
    $shell -n script || fail "completion $shell is no script of $shell"
  fi
done
# completes EXPECTED WORD...: the last word is completed by bash to something that holds EXPECTED
completes() {
  expected=$1
  shift
  bash -c '. ./bash.sh; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _plastfit; printf "%s\n" "${COMPREPLY[@]}"' \
    bash "$PLASTFIT" "$@" >replies 2>&1
  grep -qx -- "$expected" replies || fail "bash completes '$*' to '$(cat replies)', expected $expected"
}
completes compare com
completes --resume compare --re
completes small.cfg fit sm
completes taylor describe tay
completes zsh completion z
mkdir results
completes results report re
completes small.cfg simulate --task sm
while read -r command; do
  "$PLASTFIT" "$command" --help | sed -n 's/^  \(--[a-z]*\).*/\1/p' >options
  completes "--help" "$command" "--"
  while read -r option; do
    grep -qx -- "$option" replies || fail "bash completes no $command $option"
  done <options
done <commands

# ---- --json ----
json 'd["name"] == "quickstart" and len(d["parameters"]) == 18 and d["data"]["all"]["trials"] == 720 and d["warnings"] == []' \
  check small.cfg $few
json 'd["broken_promises"] == 0 and d["compared"] > 100 and all(c["finding"] is None for c in d["checks"])' check oja
json '{"taylor", "table", "choice", "feedforward"} <= {p.get("name") for p in d}' list
json 'any(o["name"] == "terms" for o in d["options"])' describe taylor
json 'any(o["name"] == "fit.epochs" for o in d)' describe config
json 'd["name"] == "quickstart"' fit small.cfg $few out=run
json 'd == json.load(open("run/summary.json"))' fit small.cfg $few out=run --force
json 'd["report"] == "run/report.html"' report run
json '"animals" in d or "mean" in d' evaluate run
json 'd["animals"] == 2 and d["table"] == "data/table.csv"' simulate small.cfg source.animals=2 out=data
json 'd["config"] == "table.cfg" and d["columns"]["choice"] == "choice"' new config data/table.csv
json 'd["folder"] == "mine" and "mine/mine.c" in d["files"]' new rule mine
json 'd == json.load(open("recovered/summary.json"))' recover small.cfg $few recover.data_sets=2 out=recovered
"$PLASTFIT" fit gone.cfg --json >stdout 2>stderr && fail "a config that is not there is fitted"
[ ! -s stdout ] || fail "--json with an error says something on stdout: $(cat stdout)"

# ---- --verbose, --quiet, long lists ----
"$PLASTFIT" check small.cfg $many >short
"$PLASTFIT" check small.cfg $many --verbose >long
grep -q "and 10 more (--verbose)" short || fail "30 animals are not folded"
grep -q "animal30 " long && ! grep -q "animal30 " short || fail "--verbose does not show all animals"
grep -q "gradients by" long && ! grep -q "gradients by" short || fail "how gradients are taken belongs to --verbose"
"$PLASTFIT" fit small.cfg $few out=run --force --verbose 2>&1 >/dev/null | grep -q "gradients by" || fail "fit --verbose shows no plan"
"$PLASTFIT" list | grep -q "version" && fail "list shows versions without --verbose"
"$PLASTFIT" list --verbose | grep -q "version" || fail "list --verbose shows no versions"
awk 'length > 130 { print; bad = 1 } END { exit bad }' short || fail "check prints lines that no terminal holds"

# ---- colours: on a terminal alone, and not where NO_COLOR is set ----
escape=$(printf '\033')
on_terminal() { script -qec "env TERM=xterm $1 '$PLASTFIT' fit gone.cfg" /dev/null </dev/null; }
if command -v script >/dev/null && on_terminal "" >typed 2>&1 || [ -s typed ]; then
  grep -q "$escape\[1;31mplastfit:" typed || fail "an error on a terminal has no colour: $(cat -v typed)"
  on_terminal NO_COLOR=1 >typed || true
  grep -q "$escape" typed && fail "NO_COLOR is not heeded"
fi
"$PLASTFIT" fit gone.cfg 2>stderr || true
grep -q "$escape" stderr && fail "an error in a file has colours"

# ---- a rule that keeps something from call to call: that is what the check says, before all else ----
"$PLASTFIT" new rule impure >/dev/null
python3 - impure/impure.c <<'END'
import re, sys
text = open(sys.argv[1]).read()
name = re.search(r"return ([^;]*);", text)
text = text[:name.start()] + "static double kept; kept += 1e-3; return kept + (" + name.group(1) + ");" + text[name.end():]
open(sys.argv[1], "w").write(text)
END
if make -s -C impure PLASTFIT="plastfit-$(sed -n 's/^PF_PRECISION = //p' "$PF_BUILDDIR/Makefile")" ${CC:+CC="$CC"} >log 2>&1; then
  "$PLASTFIT" check impure/impure.so >stdout 2>&1 && fail "an impure rule passes its check"
  grep "FAILED" stdout | head -1 | grep -q "keeps something from call to call\|gave two results" ||
    fail "an impure rule is blamed for something else: $(grep FAILED stdout | head -1)"
else
  fail "the impure rule does not build: $(cat log)"
fi

# ---- a build tree that was copied ----
mkdir tree
cp -R "$PF_BUILDDIR/plastfit" "$PF_BUILDDIR/config.status" "$PF_BUILDDIR/plugins" tree/
tree/plastfit list --verbose >stdout 2>&1 || fail "a copied tree: $(tail -1 stdout)"
grep -q "version.*$(pwd -P)/tree/plugins\|version.*tree/plugins" stdout || fail "a copied tree takes other plugins: $(sed -n 3p stdout)"

finish
