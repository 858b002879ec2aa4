#!/bin/sh
# doc/tasks.md: each task's table is read by its config as the task that the section names, and a fit runs.
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"
python3 - "$PF_SRCDIR/doc/tasks.md" <<'END' >tasks || fail "doc/tasks.md"
import re, sys
page = open(sys.argv[1]).read()
for section in re.split(r"\n## ", page)[1:]:
    table = re.search(r"```csv\n(.*?)```", section, re.S)[1]
    config = re.search(r"```cfg\n(.*?)```", section, re.S)[1]
    name = re.search(r'path = "(.*?)\.csv"', config)[1]
    open(name + ".csv", "w").write(table)
    open(name + ".cfg", "w").write(config)
    print(name, table.count("\n") - 1)
END
taken() {
  case $1 in
    go-no-go) echo "go/no-go" ;;
    two-arms) echo "a choice between 2 options" ;;
    k-arms) echo "a choice between 4 options" ;;
    conditioning) echo "conditioning" ;;
    spikes) echo "spikes" ;;
    imaging | pairing) echo "recorded activity" ;;
  esac
}
while read -r name rows; do
  "$PLASTFIT" check "$name.cfg" >stdout 2>stderr || { fail "$name: $(cat stderr)"; continue; }
  grep -q "taken for $(taken "$name")" stdout || fail "$name: $(grep 'taken for' stdout)"
  grep -q " $rows steps" stdout || fail "$name: $rows rows in the table, and $(grep ' steps' stdout)"
  # five rows determine no rule: what the fit says of it may be anything but an error
  code=0
  "$PLASTFIT" fit "$name.cfg" out="fit-$name" fit.starts=1 'intervals.methods=["fisher"]' report=false >stdout 2>stderr || code=$?
  if [ "$code" -gt 1 ] || [ ! -s "fit-$name/theta.csv" ]; then
    fail "$name: the fit ended with $code: $(tail -n 1 stderr)"
  fi
done <tasks
[ "$(wc -l <tasks)" -eq 7 ] || fail "$(wc -l <tasks) tasks were found, and there are seven"
sed -n 's/^!\[.*\](\(.*\.svg\))$/\1/p' "$PF_SRCDIR/doc/tasks.md" >pictures
while read -r picture; do
  python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' "$PF_SRCDIR/doc/$picture" || fail "$picture is no SVG"
done <pictures
[ "$(wc -l <pictures)" -eq 7 ] || fail "$(wc -l <pictures) pictures were found, and there are seven"
finish
