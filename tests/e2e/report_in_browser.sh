#!/bin/sh
# Reports as a browser shows them: at three widths nothing is clipped or lies over something else, and each figure, heading and
# table is there for who does not see the page.
. "$PF_SRCDIR/tests/e2e/lib.sh"
unset PLASTFIT_GNUPLOT
cd "$work"

browser=$(command -v chromium || command -v chromium-browser || true)
if [ -z "$browser" ] || ! gnuplot --version >/dev/null 2>&1; then
  echo "not tested for want of chromium and gnuplot (apt-get install chromium gnuplot-nox): reports in a browser"
  exit 77
fi

# look RUN: at three widths
look() {
  for width in 400 900 1600; do
    python3 "$PF_SRCDIR/tests/report/look.py" "$browser" "$1/report.html" "$width" >faults 2>&1 ||
      fail "$1 at $width pixels: $(cat faults)"
  done
}

quick="source.animals=4 evaluate.animals=3 fit.optimiser=adam fit.batch=full fit.learning_rate=2e-2 fit.epochs=5"
sed 's/powers: {.*};/terms = "all";/' "$PF_SRCDIR/configs/quickstart.cfg" >terms.cfg
# shellcheck disable=SC2086
run_brief_fit terms terms.cfg $quick
look terms
run_brief_fit recurrent "$PF_SRCDIR/configs/recurrent.cfg" source.animals=2 fit.iterations=2 fit.starts=1 intervals.methods='[]'
look recurrent
"$PLASTFIT" compare "$PF_SRCDIR/configs/compare-quickstart.cfg" source.animals=3 fit.iterations=5 out=compared --quiet >out 2>&1 ||
  [ -s compared/report.html ] || fail "compare: $(cat out)"
look compared

# the test can fail: a page with a text beside its figure, a table without headers, a heading too deep, and too wide
cat >wrong.html <<'HTML'
<!DOCTYPE html><html lang="en"><head><title>wrong</title></head><body><h1>one</h1><h3>three</h3>
<table><tr><td>1</td></tr></table><div style="width: 5000px">wide</div>
<figure><svg width="100" height="50" viewBox="0 0 100 50"><text x="5" y="20">first</text><text x="8" y="22">second</text>
<text x="90" y="40">cut off here</text></svg></figure></body></html>
HTML
if python3 "$PF_SRCDIR/tests/report/look.py" "$browser" wrong.html 900 >faults; then fail "nothing was found in a bad page"; fi
for fault in "wider than the window" "cut off" "one over the other" "without a text" "heading is skipped" "without headers"; do
  grep -q "$fault" faults || fail "not found: $fault: $(cat faults)"
done
finish
