#!/bin/sh
# report.html: one whole file, the same again without refitting, with and without gnuplot, of a fit and of a comparison.
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"

# page FOLDER: is it one self-contained page of well-formed HTML, whose figures have ids of their own?
page() {
  python3 - "$1/report.html" <<'PY' || fail "$1/report.html"
import html.parser, re, sys
text = open(sys.argv[1], encoding="utf-8").read()
void = {"meta", "br", "link", "img", "hr"}
class Check(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.ids, self.bad = [], set(), []
    def handle_startendtag(self, tag, attributes):
        self.look(tag, attributes)
    def handle_starttag(self, tag, attributes):
        self.look(tag, attributes)
        if tag not in void and tag != "tr":
            self.open.append(tag)
    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.bad.append("</" + tag + ">")
    def look(self, tag, attributes):
        for name, value in attributes:
            if name == "id":
                self.bad += [value] if value in self.ids else []
                self.ids.add(value)
            own = value.startswith("#") or tag == "a" and value.startswith("figures/")
            if name in ("src", "href") and not own or tag in ("script", "link", "iframe"):
                self.bad.append(tag + " " + name)
            if name == "xlink:href" and not (value.startswith("#") and value[1:] in self.ids):
                self.bad.append(value)
check = Check()
check.feed(text)
problems = check.bad + check.open
if problems or "nan" in re.sub(r"<[^>]*>", " ", text).lower().split():
    sys.exit("problems: %s" % problems[:5])
PY
}

quick="$PF_SRCDIR/configs/quickstart.cfg source.animals=4 evaluate.animals=3 fit.optimiser=adam fit.batch=full fit.learning_rate=2e-2 fit.epochs=20 fit.log_every=5"
# shellcheck disable=SC2086
run_fit plain $quick
page plain
[ ! -e plain/figures ] || fail "PLASTFIT_GNUPLOT= still drew"
grep -q "x r" plain/report.html || fail "no coefficients"
grep -q "the truth: dw = 0.5 (.*x r.*)" plain/report.html || fail "no equation"

# shellcheck disable=SC2086
run_fit none $quick report=false
[ ! -e none/report.html ] || fail "report=false wrote a page"

# a gnuplot that is not there: one line, and everything else as it was
PLASTFIT_GNUPLOT=no-such-gnuplot "$PLASTFIT" report plain >out 2>err || fail "report without gnuplot (exit $?)"
[ "$(wc -l <err)" -eq 1 ] && grep -q "warning: no figures: 'no-such-gnuplot'" err || fail "without gnuplot: $(cat err)"
[ "$(cat out)" = plain/report.html ] || fail "it does not say what it wrote: $(cat out)"
page plain

# errors: one line each
for bad in nothing.here "$PF_SRCDIR/configs"; do
  if "$PLASTFIT" report "$bad" >out 2>err; then fail "report $bad"; fi
  [ "$(wc -l <err)" -eq 1 ] || fail "report $bad: $(cat err)"
done
cp -r plain broken
echo '{' >broken/summary.json
if "$PLASTFIT" report plainx 2>err; then fail "a folder that is not there was reported"; fi
grep -q "there is no folder 'plainx': .*; did you mean 'plain'?" err || fail "a misspelt folder: $(cat err)"
if "$PLASTFIT" report broken 2>err; then fail "a broken summary.json was taken"; fi
grep -q "summary.json:[0-9]*: is no JSON" err || fail "broken summary: $(cat err)"
echo 'no hdf5' >plain/trajectories.h5
if "$PLASTFIT" report plain 2>err; then fail "a broken trajectories.h5 was taken"; fi
grep -q "no HDF5 file" err || fail "broken trajectories: $(cat err)"

unset PLASTFIT_GNUPLOT
if ! gnuplot --version >/dev/null 2>&1; then
  echo "not tested for want of gnuplot: figures"
  finish
fi
# shellcheck disable=SC2086
run_fit drawn $quick name='"a <b> & \"c\""'
page drawn
for figure in coefficients learning choices-1 calibration behaviour weights-1 r2-1; do
  [ -s "drawn/figures/$figure.svg" ] || fail "no figure $figure"
done
grep -q "a &lt;b&gt; &amp; &quot;c&quot;" drawn/report.html || fail "the name is not taken as it is"
# the spectrum is folded where no direction is free, and open where one is
python3 - drawn <<'PY' || fail "the spectrum"
import json, pathlib, shutil, subprocess, sys, os
said = "No direction is free"
shutil.copytree("drawn", "doubted")
path = pathlib.Path("doubted/summary.json")
with open("doubted/spectrum.csv", "a", encoding="utf-8") as file:
    file.write("Fly1,rules.learn,X1Y0W0R1,,,x r,1,1,0,1,1\n")
for condition, folded in ((50, True), (1e6, False), (None, False)):
    summary = json.loads(path.read_text())
    for unit in summary["inference"]["units"]:
        unit.update(condition=condition, free=[], warnings=[])
        unit["verdicts"] = {"identified": 1, "practically not identified": 0, "not identified by this design": 0}
    path.write_text(json.dumps(summary))
    subprocess.run([os.environ["PLASTFIT"], "report", "doubted", "--quiet"], check=True)
    page = pathlib.Path("doubted/report.html").read_text()
    if (said in page) != folded or page.count('figures/spectrum.svg"') != 1:
        sys.exit("condition %s" % condition)
PY
mkdir again && cp drawn/report.html again && cp -r drawn/figures again
rm -r drawn/figures drawn/report.html
"$PLASTFIT" report drawn --quiet >out 2>&1 || fail "report drawn: $(cat out)"
[ ! -s out ] || fail "--quiet: $(cat out)"
diff -r drawn/figures again/figures && cmp drawn/report.html again/report.html || fail "not the same bytes again"
# a run with figures is still one that --force may replace, and one with a stranger in it is not
# shellcheck disable=SC2086
run_fit drawn $quick --force
touch drawn/figures/mine.txt
# shellcheck disable=SC2086
if "$PLASTFIT" fit $quick out=drawn --force >out 2>&1; then fail "a stranger's file was deleted"; fi
[ -e drawn/figures/mine.txt ] || fail "a stranger's file is gone"

# recorded activity; choices in a table without options
run_fit oja "$PF_SRCDIR/configs/oja.cfg" source.animals=2 source.task.steps=30 fit.optimiser=adam fit.batch=full fit.learning_rate=2e-2 fit.epochs=3
page oja
run_fit own "$PF_SRCDIR/configs/own-data.cfg" fit.epochs=3
page own

"$PLASTFIT" compare "$PF_SRCDIR/configs/compare-quickstart.cfg" source.animals=3 fit.epochs=5 out=compared --quiet \
  >out 2>&1 || fail "compare: $(cat out)"
page compared
[ -s compared/figures/scores-forecast.svg ] || fail "no figure of scores"
grep -q "held out" compared/report.html || fail "what is held out is not said"
finish
