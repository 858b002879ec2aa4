#!/bin/sh
# Animals with hostile names: quotes, backslashes, commands, markup, control characters, paths. They come back whole from
# CSV and HDF5; figures, page and terminal show them and obey none.
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"
python3 - "$PF_SRCDIR/configs/own-data.csv" <<'END'
import csv, json, sys

names = ["'x", "a''b", 'say "hi"', "back\\slash\\047n", "`touch pwned`", "$(touch pwned)", "<script>alert(1)</script>",
         "a & b", "\x1b[31mred\x1b[0m", "\u009b31mred", "a, b", "two\nlines", "a/b", "a_b", ".", "..", "@x $d0 id=\"i\"",
         "Zo\u00eb \U0001f600 \ufffe", "=1+1", "%s%n", "</svg><!--", "n" * 5000]
rows = list(csv.DictReader(open(sys.argv[1])))
fields = list(rows[0])
column = "mouse"
rows = [row for row in rows if row[column] == "made-up-1"]
with open("data.csv", "w", newline="", encoding="utf-8") as out:
    writer = csv.DictWriter(out, fields)
    writer.writeheader()
    for name in names:
        for row in rows:
            writer.writerow(dict(row, **{column: name}))
json.dump(names, open("names.json", "w"))
END
unset PLASTFIT_GNUPLOT
for per in shared animal; do
  "$PLASTFIT" fit "$PF_SRCDIR/configs/own-data.cfg" source.path="$work/data.csv" fit.epochs=2 fit.per=$per out=$per >terminal 2>&1 ||
    fail "fit.per=$per: $(cat terminal)"
  [ ! -s terminal ] || cat terminal >>shown
done
"$PLASTFIT" check "$PF_SRCDIR/configs/own-data.cfg" source.path="$work/data.csv" >>shown 2>&1 || fail "check: $(tail -3 shown)"
"$PLASTFIT" report animal >>shown 2>&1 || fail "report: $(tail -3 shown)"
"$PLASTFIT" compare "$PF_SRCDIR/configs/own-data.cfg" source.path="$work/data.csv" compare.base=a 'compare.validation=["in-sample"]' \
  'compare.candidates=({name="a";},{name="it'\''s <b>"; set=["rules.learn.terms=w + x r"];})' fit.epochs=2 out=compared >>shown 2>&1 ||
  fail "compare: $(tail -3 shown)"
"$PLASTFIT" evaluate animal >>shown 2>&1 || fail "evaluate: $(tail -3 shown)"
[ ! -e pwned ] || fail "a name was run as a command"
gnuplot=no
command -v gnuplot >/dev/null && gnuplot=yes
python3 - $gnuplot <<'END' || fail "names are not what they were"
import csv, glob, html, json, sys, unicodedata
from xml.etree import ElementTree

names = json.load(open("names.json"))
wrong = []
shown = open("shown", "rb").read()
for c in set(shown) - {9, 10}:
    if c < 32 or c == 127:
        wrong.append("the terminal gets the byte %#x" % c)
if any("\x80" <= c < "\xa0" for c in shown.decode("utf-8", "replace")):
    wrong.append("the terminal gets a control character of two bytes")
if b"\\x1b[31mred" not in shown:
    wrong.append("the terminal does not show \\x1b")
for path, column in (("animal/theta.csv", "unit"), ("compared/compare.csv", "animal")):
    found = {row[column] for row in csv.DictReader(open(path, newline="", encoding="utf-8"))}
    if not set(names) <= found:
        wrong.append("%s lacks %r" % (path, [n[:40] for n in set(names) - found]))
summary = json.load(open("animal/summary.json", encoding="utf-8"))
if {a["name"] for a in summary["animals"]} != set(names):
    wrong.append("summary.json has other animals")
for page in ("animal/report.html", "compared/report.html"):
    text = open(page, encoding="utf-8").read()
    for bad in ("<script>alert", "\x1b", "it's <b>"):
        if bad in text:
            wrong.append("%s holds %r" % (page, bad))
figures = glob.glob("*/figures/*.svg")
if sys.argv[1] == "yes" and len(figures) < 10:
    wrong.append("figures are missing: %r" % figures)
texts = set()
for path in figures:
    try:
        for element in ElementTree.parse(path).iter():
            if element.text:
                texts.add(element.text.strip())
    except ElementTree.ParseError as error:
        wrong.append("%s: %s" % (path, error))
if figures:
    for name in ("'x", "a''b", 'say "hi"', "back\\slash\\047n", "`touch pwned`", "a & b", "<b>"):
        if not any(name in text for text in texts):
            wrong.append("no figure shows %r" % name)
try:
    import h5py
    for path in ("shared/trajectories.h5", "animal/trajectories.h5"):
        with h5py.File(path) as f:
            found = [f[group].attrs["name"] for group in f]
        found = [n if isinstance(n, str) else n.decode() for n in found]
        if sorted(found) != sorted(names):
            wrong.append("%s has other animals: %r" % (path, [n[:40] for n in found]))
except ImportError:
    print("names in HDF5 are not looked at: no h5py")
print("\n".join(wrong))
sys.exit(1 if wrong else 0)
END
finish
