#!/bin/sh
# Animals with hostile names: quotes, backslashes, commands, markup, control characters, paths. They come back whole from
# CSV and HDF5; figures, page and terminal show them and obey none.
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"
python3 - "$PF_SRCDIR/configs/own-data.csv" <<'END'
import csv, json, sys

names = ["'x", "a''b", '"hi" said', "\\back\\slash\\047n", "`touch pwned`", "$(touch pwned)", "<script>alert(1)</script>",
         "a & b", "\x1b[31mred\x1b[0m", "\u009b31mred", "a, b", "two\nlines", "a/b", "a_b", ".", "..", "@x $d0 id=\"i\"",
         "Zo\u00eb \U0001f600 \ufffe", "=1+1", "%s%n", "</svg><!--", "n" * 5000,
         # gnuplot's own escapes, the end of CDATA, a tab, text from right to left, an option, blanks, a lone surrogate's look
         "{/Symbol a}^2_3", "a~b{.8-}", "&{x} \\{y\\} @{z}", "]]>", "tab\there", "\u05d0\u202e\u05d1", "-o", "--help", "%1$s", "!ls", "#1"]
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
# the same names as columns: those of the header, and what the config calls them
plain = {row_name: names[k] for k, row_name in enumerate(("tone", "light", "licked", "water"), 2)}
others = [n for n in names if n not in plain.values()][:24]
with open("columns.csv", "w", newline="", encoding="utf-8") as out:
    writer = csv.writer(out)
    writer.writerow([column, "trial"] + list(plain.values()) + others)
    for row in csv.DictReader(open(sys.argv[1])):
        writer.writerow([row[column], row["trial"]] + [row[key] for key in plain] + [k for k in range(len(others))])


def quoted(text):
    return '"' + "".join("\\x%02x" % ord(c) if c < " " or c in '"\\' else c for c in text) + '"'


text = open(sys.argv[1].replace(".csv", ".cfg"), encoding="utf-8").read()
text = text.replace("own-data.csv", "columns.csv")
for key, name in plain.items():
    text = text.replace('"%s"' % key, quoted(name))
text = text.replace("columns: {", "columns: { channels = [%s]; " % ", ".join(quoted(n) for n in others[:6]))
open("columns.cfg", "w", encoding="utf-8").write(text)
# a name that is no UTF-8
data = open("data.csv", "rb").read()
open("latin1.csv", "wb").write(data.replace(b"a_b", b"a\xe4b"))
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
"$PLASTFIT" check columns.cfg >>shown 2>&1 || fail "check of columns: $(tail -3 shown)"
"$PLASTFIT" fit columns.cfg fit.epochs=2 out=columns >>shown 2>&1 || fail "fit of columns: $(tail -3 shown)"
"$PLASTFIT" fit "$PF_SRCDIR/configs/own-data.cfg" source.path="$work/latin1.csv" fit.epochs=2 out=latin1 >log 2>&1 && fail "a name that is no UTF-8"
[ "$(wc -l <log)" -eq 1 ] && grep -q "UTF-8" log || fail "a name that is no UTF-8: $(cat log)"
cat log >>shown
# names of parameters are the formula's words: anything but letters, digits and _ is refused in a line
for name in "a-b" "a b" '<b>' "a{b" '' "$(printf 'a\033b')" "2a"; do
  "$PLASTFIT" check "$PF_SRCDIR/configs/own-data.cfg" rules.learn.plugin=expr rules.learn.terms= \
    "rules.learn={ plugin=\"expr\"; dw=\"a * x\"; parameters=({ name=\"$name\"; start=0.1; }); modulator=\"reward - expected_reward\"; }" >log 2>&1 && fail "a parameter named '$name'"
  cat log >>shown
done
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
from html.parser import HTMLParser


class Page(HTMLParser):
    """Every element that is opened is closed; scripts are those that the page itself has."""

    void = {"meta", "br", "img", "link", "hr", "input", "col"}
    may_stay_open = {"tr", "td", "th", "p", "li", "thead", "tbody", "dd", "dt"}

    def __init__(self):
        super().__init__()
        self.open, self.bad, self.texts, self.scripts = [], [], [], 0

    def handle_starttag(self, tag, attributes):
        self.scripts += tag == "script"
        self.bad += ["%s of <%s>" % (a, tag) for a, _ in attributes if a.startswith("on")]
        if tag not in self.void | self.may_stay_open:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.may_stay_open and (not self.open or self.open.pop() != tag):
            self.bad.append("</%s>" % tag)

    def handle_data(self, data):
        self.texts.append(data)


for page in ("animal/report.html", "compared/report.html", "columns/report.html"):
    text = open(page, encoding="utf-8").read()
    parser = Page()
    parser.feed(text)
    if parser.bad or parser.open or parser.scripts:
        wrong.append("%s: %r, left open %r, %d scripts" % (page, parser.bad[:5], parser.open[:5], parser.scripts))
    if page == "animal/report.html":
        seen = " ".join(" ".join(parser.texts).split())
        for name in names:
            if name.isprintable() and len(name) < 100 and " ".join(name.split()) not in seen:
                wrong.append("%s does not show %r" % (page, name))
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
    # each of the first 24 animals has a figure of its own, whose title is its name
    shown = [n for n in names if any(" ".join(n.split()) in " ".join(t.split()) for t in texts if len(n) > 1)]
    if len(shown) < 16 or not {"'x", '"hi" said', "a & b", "]]>"} <= set(shown) or "<b>" not in " ".join(texts):
        wrong.append("figures show only %d names: %r" % (len(shown), shown))
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
