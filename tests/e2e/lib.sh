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

# fit_ends CODES OUT CONFIG OVERRIDE...: fits quietly into $work/OUT; another exit code than one of CODES, or 1 without a verdict
# that says why, is a failure, and what it printed is shown
fit_ends() {
  codes=$1 out=$2 code=0
  shift 2
  "$PLASTFIT" fit "$@" out="$work/$out" >"$work/$out.log" 2>&1 || code=$?
  case " $codes " in
  *" $code "*)
    [ "$code" -ne 1 ] || grep -q "no result rests on this fit\|: separation: \|worse than no plasticity: " "$work/$out.log" && return 0
    ;;
  esac
  fail "plastfit fit $* (exit $code, expected $codes)"
  cat "$work/$out.log"
  return 1
}

# run_fit OUT CONFIG OVERRIDE...: one that arrives: exit code 0
run_fit() {
  fit_ends 0 "$@"
}

# run_unsure_fit: one on which nothing rests: exit code 1, with the verdict
run_unsure_fit() {
  fit_ends 1 "$@"
}

# run_brief_fit: one that is too short to say which
run_brief_fit() {
  fit_ends "0 1" "$@"
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
