#!/bin/sh
# likelihood = "marginal": inputs and starting weights that nobody recorded are integrated out.
# shellcheck source=tests/e2e/lib.sh
. "$PF_SRCDIR/tests/e2e/lib.sh"

# six animals whose inputs are not given; few particles, so that it takes seconds (and may use up its iterations)
few() {
  out=$1
  shift
  run_brief_fit "$out" "$PF_SRCDIR/configs/coverage-choices.cfg" source.animals=6 source.give.inputs=false \
    source.give.initial_weights=false source.input.draws=8 'intervals.methods=["fisher"]' fit.starts=1 \
    marginal.particles=80 marginal.draws=8 evaluate.draws=1 "$@"
}
few mean
few marginal likelihood=marginal threads=1
few two likelihood=marginal threads=2
cmp -s "$work/marginal/theta.csv" "$work/two/theta.csv" || fail "two threads: other bits than one"
cmp -s "$work/marginal/fit.csv" "$work/two/fit.csv" || fail "two threads: another course than one"
holds mean 's["units"][0]["marginal"] is None'
holds marginal '0 < s["units"][0]["marginal"]["monte_carlo_error"] < 3'
holds marginal 's["units"][0]["marginal"]["log_likelihood"] == s["inference"]["units"][0]["log_likelihood"]'

# The truth is x r = 1. Measured with these numbers: mean .89 (se .039), marginal .98 (se .051).
python3 - "$work" <<'END' || fail "estimates"
import csv, math, sys
def row(run, name='X1Y0W0R1'):
    return next(r for r in csv.DictReader(open(f'{sys.argv[1]}/{run}/theta.csv')) if r['name'] == name)
marginal, mean = row('marginal'), row('mean')
print({k: marginal[k] for k in ('estimate', 'se')}, {k: mean[k] for k in ('estimate', 'se')})
assert abs(float(marginal['estimate']) - 1) < 3 * float(marginal['se'])
assert float(marginal['estimate']) > float(mean['estimate']) + 0.03, 'the bias of the mean is the same as before'
assert float(marginal['se']) > float(mean['se']), 'what is not known does not count'
END
# says LOG TEXT: does it, wherever lines break?
says() {
  tr -s ' \n' ' ' <"$work/$1.log" | grep -q "$2" || fail "$1: does not say '$2'"
}
says marginal 'likelihood marginal: inputs and starting weights'
says marginal 'Monte Carlo error'
says mean 'biases coefficients'
says mean 'likelihood = "marginal" integrates'

# Nothing unknown: both are the same.
few known likelihood=marginal source.give.inputs=true source.give.initial_weights=true
few plain source.give.inputs=true source.give.initial_weights=true
cmp -s "$work/known/theta.csv" "$work/plain/theta.csv" || fail "nothing unknown, and yet another estimate"
says known 'which is the plain one'

# What cannot be had is refused in one line.
refused() {
  text=$1
  shift
  "$PLASTFIT" fit "$PF_SRCDIR/configs/coverage-choices.cfg" source.animals=2 likelihood=marginal "$@" out="$work/none" \
    >"$work/none.log" 2>&1 && fail "not refused: $*"
  grep -q "$text" "$work/none.log" || {
    fail "$*: expected '$text'"
    cat "$work/none.log"
  }
  [ "$(wc -l <"$work/none.log")" -eq 1 ] || fail "$*: more than one line"
  [ ! -e "$work/none" ] || fail "$*: left a folder"
}
refused 'normalise = "padded"' normalise=padded
refused 'needs likelihood = "marginal"' likelihood=mean source.input.learn_sd=true
refused 'adam stops when its passes are used up' fit.optimiser=adam
refused 'expected "mean" or "marginal"' likelihood=margnal
# Profiles are of the same draws at every value; few draws are warned of.
few profile likelihood=marginal 'intervals.methods=["profile","fisher"]' marginal.replicates=8
few noisy likelihood=marginal 'intervals.methods=["profile"]' marginal.replicates=2 marginal.draws=6
says noisy 'profiles: at the ends of intervals the marginal likelihood has a Monte Carlo error'
python3 - "$work" <<'END' || fail "profiles"
import csv, sys
curve = list(csv.DictReader(open(f'{sys.argv[1]}/profile/profiles.csv')))
of = {(r['method'], r['name']): r for r in csv.DictReader(open(f'{sys.argv[1]}/profile/intervals.csv'))}
for name in {name for _, name in of}:
    row, fisher = of['profile', name], of['fisher', name]
    width = float(fisher['upper']) - float(fisher['lower'])
    for end in ('lower', 'upper'):
        at = float(row[end])
        print(name, end, (at - float(fisher[end])) / width)
        # measured: .08 at most
        assert abs(at - float(fisher[end])) < 0.2 * width, row
        assert any(c['name'] == row['name'] and abs(float(c['value']) - at) < 1e-9 * abs(at) and
                   abs(float(c['twice_log_likelihood_ratio']) - 3.84) < 0.05 for c in curve), row
END
# How noisy inputs are can be fitted. The truth is .1225; measured .099 with a standard error of .012.
run_brief_fit "sd" "$PF_SRCDIR/configs/coverage-choices.cfg" source.give.inputs=false \
  source.give.initial_weights=false likelihood=marginal source.input.learn_sd=true fit.starts=1 \
  'intervals.methods=["fisher"]' marginal.particles=80 marginal.draws=8 evaluate.draws=1
python3 - "$work" <<'END' || fail "sd of inputs"
import csv, sys
row = next(r for r in csv.DictReader(open(f'{sys.argv[1]}/sd/theta.csv')) if r['name'] == 'input_sd')
print(row)
assert row['owner'] == 'source' and row['verdict'] == 'identified' and float(row['truth']) == 0.1225
assert 0.005 < float(row['se']) < 0.03 and abs(float(row['estimate']) - 0.1225) < 3 * float(row['se'])
END
# Too few iterations: not called converged, and the exit code says so.
few short likelihood=marginal marginal.iterations=1
says short 'not converged'

# Candidates of a comparison have one likelihood.
cat >"$work/two.cfg" <<END
@include "$(basename "$work").cfg"
compare: { validation = ["in-sample"];
  candidates = ( { name = "a"; set: { likelihood = "marginal"; }; }, { name = "b"; } ); };
END
sed 's/give: {.*};/give: { inputs = false; initial_weights = false; };/' "$PF_SRCDIR/configs/coverage-choices.cfg" \
  >"$work/$(basename "$work").cfg"
"$PLASTFIT" compare "$work/two.cfg" out="$work/two-likelihoods" >"$work/two-likelihoods.log" 2>&1 && fail "two likelihoods compared"
says two-likelihoods 'their scores cannot be compared'

# Is the Monte Carlo error too large to tell which AIC is lower? The first two differ by terms whose truth is 0;
# the third lacks x r.
near_and_far() {
  cat >"$work/$1.cfg" <<END
@include "$(basename "$work").cfg"
compare: { validation = ["in-sample"]; candidates = ( { name = "a"; set: { rules: { learn: { terms = "w + x r"; }; }; }; },
  { name = "b"; set: { rules: { learn: { terms = "$2"; }; }; }; } ); };
END
  "$PLASTFIT" compare "$work/$1.cfg" source.animals=3 likelihood=marginal marginal.particles=40 marginal.draws=6 \
    marginal.replicates=2 fit.starts=1 out="$work/$1" >"$work/$1.log" 2>&1
}
near_and_far near "w + x r + r"
says near 'warning: some AICs differ by less than twice their Monte Carlo error'
near_and_far far "w + r"
grep -q "AIC, BIC: of the fits" "$work/far.log" || fail "far: no AIC"
grep -q 'Monte Carlo error' "$work/far.log" && fail "far: AICs that are far apart are called not told apart"

"$PLASTFIT" check "$PF_SRCDIR/configs/coverage-choices.cfg" source.give.inputs=false >"$work/check.log"
grep -q 'likelihood mean' "$work/check.log" || fail "check does not say which likelihood"
finish
