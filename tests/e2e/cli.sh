#!/bin/sh
# What a newcomer gets wrong: each mistake is answered with one line on stderr that says what to do, and an exit code.
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"
checks=0

# says CODE TEXT ARGUMENT...: the program ends with CODE and one line on stderr that contains TEXT; nothing on stdout
says() {
  code=$1 text=$2
  shift 2
  checks=$((checks + 1))
  status=0
  "$PLASTFIT" "$@" >stdout 2>stderr || status=$?
  [ "$status" -eq "$code" ] || fail "plastfit $*: exit code $status instead of $code"
  grep -qF -- "$text" stderr || fail "plastfit $*: expected '$text', found '$(cat stderr)'"
  [ "$(wc -l <stderr)" -eq 1 ] || fail "plastfit $*: more or less than one line: '$(cat stderr)'"
  [ ! -s stdout ] || fail "plastfit $*: an error belongs on stderr, found on stdout '$(head -1 stdout)'"
}

# works TEXT ARGUMENT...: exit code 0 and TEXT on stdout
works() {
  text=$1
  shift
  checks=$((checks + 1))
  "$PLASTFIT" "$@" >stdout 2>stderr || fail "plastfit $*: $(cat stderr)"
  grep -qF -- "$text" stdout || fail "plastfit $*: expected '$text' on stdout"
}

# config TEXT: a small config with TEXT at its end
config() {
  cat >small.cfg <<END
name = "small";
source: { plugin = "teacher"; animals = 1;
  task: { kind = "two_odours"; blocks = ( { trials = 5; reward = [0.2, 0.8]; } ); };
  rule: { plugin = "taylor"; terms = "x r - 0.05 w"; }; };
network: { plugin = "feedforward"; layers = [2, 10, 1]; projections = ( { layer = 1; rule = "learn"; } ); };
rules: { learn: { plugin = "taylor"; terms = "1 + w + x r"; }; };
losses = ( { plugin = "choice"; } );
fit: { optimiser = "adam"; epochs = 1; }; evaluate: { draws = 1; };
$1
END
}

# ---- help and commands ----
works "Usage: plastfit" --help
works "plastfit 0." --version
works "key=value" fit --help
works "taylor" list
works "also called: volterra" describe taylor
works "terms" describe volterra
works "expected_reward.n" describe teacher
works "fit.epochs" describe config
works "forecast.fit" describe config
status=0
"$PLASTFIT" >stdout 2>stderr || status=$?
[ "$status" -eq 2 ] && grep -q "Usage: plastfit" stderr || fail "no arguments: exit code $status"
says 2 "'fti' is no command; did you mean 'fit'?" fti
says 2 "did you mean 'plastfit fit x.cfg'?" x.cfg
says 2 "list takes nothing behind it" list rules
says 2 "describe wants one NAME" describe
says 2 "did you mean 'taylor'?" describe tailor
says 2 "named, never pathed" describe ./taylor

# ---- arguments of fit ----
config ''
printf "choice,reward\n0,1\n" >own.csv
says 2 "fit wants a CONFIG" fit
says 2 "fit has no option '--froce'; did you mean '--force'?" fit small.cfg --froce
says 2 "fit takes one config" fit small.cfg other.cfg
says 2 "No such file" fit gone.cfg
says 2 "did you mean 'small.cfg'?" fit smallx.cfg
says 2 "did you mean 'own.csv'?" new config owm.csv
says 2 "did you mean 'new rule'?" new rle mine
says 2 "give one of them" fit small.cfg --quiet --verbose
says 2 "--out wants a value behind it: --out FOLDER" evaluate run --out
says 2 "is a folder" fit .
says 2 "a key is set with key=value" fit small.cfg fit.epochs
says 2 "is no name of a setting" fit small.cfg fit..epochs=1
says 2 "the value is missing" fit small.cfg fit.epochs=

# ---- files that are no config ----
: >empty.cfg
says 2 "empty.cfg: is empty" fit empty.cfg
cp "$(command -v sh)" binary.cfg
says 2 "a config is a text file" fit binary.cfg
head -c 200 small.cfg >cut.cfg
says 2 "cut.cfg:" fit cut.cfg
config 'fit: { optimiser = "adam"; epochs = 2; };'
says 2 "small.cfg:9: this name stands twice" fit small.cfg
config 'penalty: { l1 = 1e-2'
says 2 "syntax error" fit small.cfg

# ---- keys and values ----
config 'fitt: { epochs = 2; };'
says 2 "small.cfg:9: the config has no option 'fitt'; did you mean 'fit'?" fit small.cfg
config ''
says 2 "did you mean 'epochs'?" fit small.cfg fit.epoch=3
says 2 "rule taylor has no option 'trems'; did you mean 'terms'? (plastfit describe taylor lists them)" \
  fit small.cfg rules.learn.trems=x
says 2 "fit.epochs: found -1, expected 0 to 1000000000" fit small.cfg fit.epochs=-1
says 2 "fit.epochs: found \"many\", expected a whole number" fit small.cfg fit.epochs=many
says 2 'expected "animal", "shared" or "population"; did you mean "shared"?' fit small.cfg fit.per=share
says 2 "network.layers[1]: found -2, expected 1" fit small.cfg 'network.layers=[2, -2, 1]'
says 2 "'rules.learn' is a group (small.cfg:6)" fit small.cfg rules.learn=oja
sed 's/learn: { plugin = "taylor"; terms = "1 + w + x r"; }/learn: { plugin = "expr"; dw = "x"; }/' small.cfg >expr.cfg
sed 's/^source: .*/source: { plugin = "table"; path = "own.cvs"; };/; /^  task:/d; /^  rule:/d' small.cfg >table.cfg
says 2 "a power is written with ^: x^2" check expr.cfg rules.learn.dw='"x**2"'
says 2 "step(x - y) is 1 where x > y" check expr.cfg rules.learn.dw='"x*(y>0)"'
says 2 "write 0.5*(1 + tanh(0.5*x))" check expr.cfg rules.learn.dw='"sigmoid(x)"'
says 2 "did you mean 'tanh'" check expr.cfg rules.learn.dw='"tahn(x)"'
says 2 "did you mean 'reward'" check expr.cfg rules.learn.dw='"x*rewrad"'
says 2 "beyond 32 bits" fit small.cfg 'network.layers=[2, 3000000000, 1]'

# ---- plugins ----
says 2 "did you mean 'own.csv'?" check table.cfg
says 2 "there is no rule 'tailor'; did you mean 'taylor'?" fit small.cfg rules.learn.plugin=tailor
says 2 "named, never pathed" fit small.cfg rules.learn.plugin=./taylor
says 2 "is a loss, and a rule was asked for" fit small.cfg rules.learn.plugin=choice
mkdir plugins
echo nonsense >plugins/taylor.so
says 2 "plugins/taylor.so: cannot be loaded" fit small.cfg plugin_path=plugins
PLASTFIT_PLUGIN_PATH=$work/plugins "$PLASTFIT" list >stdout 2>stderr || fail "list with a broken plugin"
grep -q "^Refused" stdout || fail "list does not show a broken plugin"
rm -r plugins

# ---- run folders ----
works "small" fit small.cfg out=run
says 2 "--force" fit small.cfg out=run
works "small" fit small.cfg out=run --force
"$PLASTFIT" fit small.cfg out=quiet --quiet >stdout 2>stderr || fail "--quiet: $(cat stderr)"
[ ! -s stdout ] && [ ! -s stderr ] || fail "--quiet says something: $(cat stdout stderr)"

# ---- another plugin on the command line: the file's keys for the old one go, and a line says so ----
"$PLASTFIT" fit small.cfg rules.learn.plugin=oja out=oja >stdout 2>stderr || fail "oja instead of taylor: $(cat stderr)"
grep -qF "rules.learn is 'oja' instead of 'taylor', which has no: terms (left out)" stderr ||
  fail "dropped keys are not told: $(cat stderr)"
says 2 "rule oja has no option 'terms'" fit small.cfg rules.learn.plugin=oja rules.learn.terms=x out=oja2

# ---- output that goes nowhere ----
"$PLASTFIT" list 2>stderr | head -n 1 >stdout
[ ! -s stderr ] || fail "a reader who stops early is no error: $(cat stderr)"
if [ -w /dev/full ]; then
  status=0
  "$PLASTFIT" list >/dev/full 2>stderr || status=$?
  [ "$status" -eq 1 ] && grep -q "could not be written" stderr || fail "a full disk goes unnoticed"
fi

echo "$checks mistakes and commands"
finish
