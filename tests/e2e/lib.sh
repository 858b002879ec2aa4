# What the end-to-end tests share. Sourced; each test runs in a folder of its own that is removed at the end.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
# Figures take longer than the fits of most tests: report.html is written without them, but where a test asks
PLASTFIT_GNUPLOT=
export PLASTFIT_GNUPLOT

# fail TEXT: note a failure and go on
fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# finish: the exit status of the whole test
finish() {
  [ "$failures" -eq 0 ] || exit 1
  exit 0
}

# run_fit OUT CONFIG OVERRIDE...: fits quietly into $work/OUT; what it prints is shown only when it fails
run_fit() {
  out=$1
  shift
  # exit 1 with a whole run folder: a fit on which nothing rests; whoever cares asks for its status
  "$PLASTFIT" fit "$@" out="$work/$out" >"$work/$out.log" 2>&1 ||
    grep -q "no result rests on this fit\|: separation: \|worse than no plasticity: " "$work/$out.log" || {
    fail "plastfit fit $* (exit $?)"
    cat "$work/$out.log"
    return 1
  }
}

# figure OUT EXPRESSION: a value of summary.json, by a Python expression on `s`
figure() {
  python3 -c 'import json, sys; s = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$work/$1/summary.json" "$2"
}

# holds OUT EXPRESSION: is it true of summary.json?
holds() {
  [ "$(figure "$1" "bool($2)")" = True ] || fail "$1: expected $2; found $(figure "$1" "s.get('mean')")"
}

# flies: the folder of the real flies, or skip
flies() {
  shared=${PF_SHARED:-$PF_SRCDIR/../shared}
  if [ ! -d "$shared/data/drosophila" ]; then
    echo "SKIPPED: the real flies are not at $shared/data/drosophila (set PF_SHARED)"
    exit 77
  fi
  echo "$shared/data/drosophila"
}
