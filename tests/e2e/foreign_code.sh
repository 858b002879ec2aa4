#!/bin/sh
# Code beside a config, or in the folder of a run, is loaded only by those who say so; and a plugin that exits, crashes,
# never returns or was cut short does not take the program with it in silence. doc/trust.md.
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"
unset PLASTFIT_TRUST PLASTFIT_PLUGIN_PATH
"$PLASTFIT" new rule evil >/dev/null
# EVIL=... says what it does
python3 - <<'END'
text = open("evil/evil.c").read()
helper = """
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static int is(const char *what)
{
  const char *evil = getenv("EVIL");
  return evil != NULL && strcmp(evil, what) == 0;
}
static void close_all(void)
{
  for (int k = 0; k < 10; k++) close(k);
}
static void touch(void)
{
  FILE *file = fopen("evil-was-here", "w");
  if (file != NULL) {
    (void)fclose(file);
  }
}
__attribute__((constructor)) static void begin(void)
{
  touch();
  if (is("load-exit")) exit(0);
  if (is("load-crash")) raise(SIGSEGV);
  if (is("load-abort")) abort();
  if (is("load-kill")) raise(SIGKILL);
  if (is("load-loop")) for (;;) { }
  if (is("load-close")) close_all();
}
__attribute__((destructor)) static void end(void)
{
  if (is("unload-exit")) _exit(0);
  if (is("unload-crash")) raise(SIGSEGV);
}
static void act(void)
{
  if (is("exit")) exit(0);
  if (is("_exit")) _exit(0);
  if (is("crash")) raise(SIGSEGV);
  if (is("abort")) abort();
  if (is("kill")) raise(SIGKILL);
  if (is("close")) close_all();
  while (is("loop")) { }
}
"""
at = text.index("PF_DW(s, p)")
at = text.rindex("/*", 0, at)
text = text[:at] + helper + text[at:]
brace = text.index("{", text.index("PF_DW(s, p)")) + 1
open("evil/evil.c", "w").write(text[:brace] + "\n  act();" + text[brace:])
END
PKG_CONFIG_PATH=$PF_BUILDDIR
export PKG_CONFIG_PATH
precision=$(sed -n 's/^PF_PRECISION *= *//p' "$PF_BUILDDIR/Makefile")
sanitize=$(sed -n 's/^PF_SANITIZE *= *//p' "$PF_BUILDDIR/Makefile")
make -s -C evil PLASTFIT="plastfit-$precision" ${CC:+CC="$CC"} CFLAGS="-O1 -w $sanitize" >log 2>&1 || {
  cat log
  fail "the plugin does not build"
  finish
}
few="source.animals=2 evaluate.animals=1 fit.optimiser=adam fit.epochs=2"

# refused COMMAND...: exit 2 or 1, one line that says how to trust, and nothing was loaded
refused() {
  rm -f evil-was-here
  "$PLASTFIT" "$@" >stdout 2>stderr && fail "$*: exit 0"
  grep -q -- "--trust (or PLASTFIT_TRUST=1), or name the folder in PLASTFIT_PLUGIN_PATH" stderr || fail "$*: $(cat stderr)"
  [ "$(wc -l <stderr)" -eq 1 ] || fail "$*: more than a line: $(cat stderr)"
  [ ! -e evil-was-here ] || fail "$*: the code was run"
}
refused check evil/evil.cfg
refused fit evil/evil.cfg $few out=no
refused simulate evil/evil.cfg
refused recover evil/evil.cfg
refused compare evil/evil.cfg compare.base=a 'compare.candidates=({name="a";},{name="b";})'
# a candidate's own settings are the file's words too
cp "$PF_SRCDIR/configs/own-data.cfg" "$PF_SRCDIR/configs/own-data.csv" .
printf '\ncompare: { base = "a"; candidates = ( { name = "a"; }, { name = "b"; set = ["plugin_path=evil", "rules.learn.plugin=evil"]; } ); };\n' >>own-data.cfg
refused compare own-data.cfg
# trusted: three ways to say so
"$PLASTFIT" fit --trust evil/evil.cfg $few out=run --quiet >stdout 2>&1 || fail "--trust: $(cat stdout)"
PLASTFIT_TRUST=1 "$PLASTFIT" fit evil/evil.cfg $few out=run2 --quiet >stdout 2>&1 || fail "PLASTFIT_TRUST=1: $(cat stdout)"
PLASTFIT_PLUGIN_PATH=evil "$PLASTFIT" fit evil/evil.cfg $few out=run3 --quiet >stdout 2>&1 || fail "PLASTFIT_PLUGIN_PATH: $(cat stdout)"
"$PLASTFIT" fit evil/evil.cfg plugin_path=evil $few out=run4 --quiet >stdout 2>&1 || fail "on the command line: $(cat stdout)"
# the folder of a run is no more trusted than a config
refused evaluate run
refused simulate --from run --out again
"$PLASTFIT" evaluate run --trust --quiet >stdout 2>&1 || fail "evaluate --trust: $(cat stdout)"

# ends EVIL EXPECTED COMMAND...: exit 1 and a line that says so
ends() {
  evil=$1
  expected=$2
  shift 2
  code=0
  EVIL=$evil "$PLASTFIT" "$@" >stdout 2>stderr || code=$?
  [ "$code" -eq 1 ] || fail "$evil, $*: exit $code"
  grep -q "$expected" stderr stdout || fail "$evil, $*: $(cat stderr)"
}
ends exit 'a plugin called exit' fit --trust evil/evil.cfg $few out=no --quiet
[ ! -e no ] || fail "a run folder after exit() in a plugin"
ends _exit 'a plugin called _exit' fit --trust evil/evil.cfg $few out=no --quiet
ends exit 'a plugin called exit(0) while it was checked' check --trust evil/evil.cfg
ends load-exit 'a plugin called exit() when it was loaded' check evil/evil.so
ends load-crash 'ended by signal 11' check evil/evil.so
ends crash 'ended by signal 11' check --trust evil/evil.cfg
ends loop 'not done after 2 s' check --trust --limit 2s evil/evil.cfg
ends load-abort 'ended by signal 6' check evil/evil.so
ends load-kill 'ended by signal 9' check evil/evil.so
ends load-loop 'not done after 2 s' check --limit 2s evil/evil.so
ends abort 'ended by signal 6' check --trust evil/evil.cfg
ends kill 'ended by signal 9' check --trust evil/evil.cfg
# in a fit a plugin that crashes takes the program with it, but never with exit code 0, and without a run folder
for evil in load-crash load-abort load-kill crash abort kill; do
  code=0
  EVIL=$evil "$PLASTFIT" fit --trust evil/evil.cfg $few out=no --quiet >stdout 2>stderr || code=$?
  [ "$code" -gt 0 ] || fail "$evil in a fit: exit $code: $(cat stderr)"
  [ ! -e no ] || fail "$evil in a fit: a run folder"
  rm -rf no.part
done
# when it is loaded for the first time that happens to a child process, whatever the command: one line that names the file, and
# `list` shows the others
refused_when_loaded() {
  evil=$1
  expected=$2
  shift 2
  code=0
  EVIL=$evil PLASTFIT_TRUST=1 timeout 100 "$PLASTFIT" "$@" >stdout 2>stderr || code=$?
  [ "$code" -eq 1 ] || [ "$code" -eq 2 ] || fail "$evil, $*: exit $code"
  [ "$(grep -c "evil.so: .*$expected" stderr)" -eq 1 ] || fail "$evil, $*: $(cat stderr)"
}
for evil in load-exit load-crash load-kill; do
  expected="ended by signal .* when it was loaded"
  [ $evil != load-exit ] || expected="a plugin called exit() when it was loaded"
  refused_when_loaded $evil "$expected" fit evil/evil.cfg $few out=no --quiet
  refused_when_loaded $evil "$expected" check evil/evil.cfg
  refused_when_loaded $evil "$expected" simulate evil/evil.cfg out=no
  refused_when_loaded $evil "$expected" evaluate run --force
  refused_when_loaded $evil "$expected" simulate --from run --out no
  refused_when_loaded $evil "$expected" recover evil/evil.cfg out=no
  refused_when_loaded $evil "$expected" compare evil/evil.cfg compare.base=a 'compare.candidates=({name="a";},{name="b";})' out=no
  EVIL=$evil PLASTFIT_PLUGIN_PATH=evil "$PLASTFIT" list >stdout 2>&1 || fail "list, $evil: $(cat stdout)"
  grep -q "evil.so.*$expected" stdout && grep -q taylor stdout || fail "list, $evil: $(cat stdout)"
done
EVIL=load-loop PLASTFIT_PLUGIN_PATH=evil timeout 100 "$PLASTFIT" list >stdout 2>&1 || fail "list, load-loop: $(cat stdout)"
grep -q "evil.so.*did not come back within 10 s" stdout && grep -q taylor stdout || fail "list, load-loop: $(cat stdout)"
[ ! -e no ] || fail "a run folder of a plugin that was refused"

# ---- built for another plastfit: said by every command, whatever else its table holds ----
abi() { # abi FIELD VALUE EXPECTED
  mkdir -p other
  cat >other/other.c <<END
#include <plastfit/abi/plugin.h>
static pf_plugin table;
PF_PLUGIN_ENTRY(other)
{
  table = (pf_plugin){.abi_major = PF_ABI_MAJOR, .abi_minor = PF_ABI_MINOR, .real_bytes = sizeof(pf_real), .kind = PF_KIND_RULE,
                      .size = sizeof(pf_plugin), .name = "other"};
  table.$1 = $2;
  return &table;
}
END
  # shellcheck disable=SC2046 # flags, a word each
  ${CC:-cc} -shared -fPIC -w $(pkg-config --cflags "plastfit-$precision") -o other/other.so other/other.c || fail "other.so does not build"
  for command in "check other/other.so" "fit evil/evil.cfg rules.learn.plugin=other plugin_path=other out=no" \
    "check own-data.cfg rules.learn.plugin=other plugin_path=other" "list"; do
    code=0
    PLASTFIT_PLUGIN_PATH=other "$PLASTFIT" $command >stdout 2>&1 || code=$?
    [ "$code" -lt 3 ] || fail "$1 = $2, $command: exit $code"
    grep -q "other.so.*$3" stdout || fail "$1 = $2, $command: $(cat stdout)"
  done
}
abi abi_major 99 "built for plugin ABI 99"
abi abi_minor 9999 "newer than this plastfit"
abi real_bytes 3 "precision"
abi kind 77 "of kind 77"
abi size 8 "too short"
abi size 100000 "other"

# one that closes all files, or ends the program when it is unloaded: exit code 0 means that all is there
for evil in load-close close unload-exit unload-crash; do
  rm -rf no no.part
  code=0
  EVIL=$evil "$PLASTFIT" fit --trust evil/evil.cfg $few out=no --quiet >stdout 2>stderr || code=$?
  if [ "$code" -eq 0 ]; then
    for file in summary.json theta.csv config.cfg trajectories.h5; do
      [ -s no/$file ] || fail "$evil: exit 0 without $file"
    done
  fi
done
rm -rf no no.part
# no plugin at all, or one that needs a symbol that nobody has: told, and `list` goes on
mkdir odd
for how in "int nothing_here;" "extern int nobody_has_this(void); int use(void) { return nobody_has_this(); }"; do
  echo "$how" >odd/odd.c
  ${CC:-cc} -shared -fPIC -o odd/odd.so odd/odd.c
  PLASTFIT_PLUGIN_PATH=odd "$PLASTFIT" list >stdout 2>&1 || fail "list, with $how: $(cat stdout)"
  grep -q "odd" stdout || fail "$how is not told: $(cat stdout)"
  "$PLASTFIT" check odd/odd.so >stdout 2>&1 && fail "check of $how: exit 0: $(cat stdout)"
done
"$PLASTFIT" check --limit never evil/evil.cfg >stdout 2>stderr && fail "--limit never"
grep -q "takes seconds" stderr || fail "--limit never: $(cat stderr)"

# cut short: SIGBUS in the system's loader, if nobody looks
mkdir cut
size=$(wc -c <evil/evil.so)
for part in 1 60 500 $((size / 3)) $((size / 2)) $((size - 1)); do
  head -c "$part" evil/evil.so >cut/evil.so
  PLASTFIT_PLUGIN_PATH="cut" "$PLASTFIT" list >stdout 2>&1 || fail "list, with $part of $size bytes: $(cat stdout)"
  grep -q "is no whole shared object" stdout || fail "$part of $size bytes: $(cat stdout)"
done
finish
