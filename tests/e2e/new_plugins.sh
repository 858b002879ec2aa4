#!/bin/sh
# `plastfit new loss | network | source | rule --callbacks`: what it makes builds, passes its check and fits; a derivative
# that is edited wrong fails the check.
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"
sanitize=$(sed -n 's/^PF_SANITIZE = *//p' "$PF_BUILDDIR/Makefile")
build() { make -s -C "$1" CFLAGS="-O1 -Wall -Wextra -Werror $sanitize" ${CC:+CC="$CC"} >log 2>&1 || { fail "$1 does not build: $(cat log)"; finish; }; }

# made NAME ARGUMENT...: `new` with these arguments, build, check, fit
made() {
  name=$1
  shift
  "$PLASTFIT" new "$@" >stdout 2>stderr || { fail "new $*: $(cat stderr)"; return 0; }
  build "$name"
  "$PLASTFIT" check "$name/$name.so" >stdout 2>&1 || fail "new $*: the check fails: $(cat stdout)"
  "$PLASTFIT" fit --trust "$name/$name.cfg" out="run-$name" report=false >stdout 2>stderr || fail "new $*: the fit: $(cat stderr)"
  grep -q "All 3 coefficients came out right" stdout || fail "new $*: the rule is not found: $(cat stdout)"
}
# wrong NAME FROM TO: an edit that the check must find
wrong() {
  cp "$1/$1.c" right.c
  sed "s|$2|$3|" right.c >"$1/$1.c"
  cmp -s right.c "$1/$1.c" && fail "$1.c has no '$2'"
  build "$1"
  "$PLASTFIT" check "$1/$1.so" >stdout 2>&1 && fail "$1: '$3' goes unnoticed"
  cp right.c "$1/$1.c"
}
made blocks rule --callbacks blocks
wrong blocks 'rate \* (2 \* y - t)' 'rate * (y - t)'
made heavy loss heavy
wrong heavy 'c\[t\] \* 2 \* u' 'c[t] * u'
made power network power
wrong power '2 \* drive)' 'drive)'
made shown source shown
wrong shown 'out->trial = in->step;' 'static double calls; out->trial = in->step; out->cue[0] += calls++;'

"$PLASTFIT" new loss choice >stdout 2>stderr && fail "a name that is taken"
grep -q "there is a plugin 'choice' already" stderr || fail "a taken name: $(cat stderr)"
"$PLASTFIT" new layer mine >stdout 2>stderr && fail "'new layer' is taken"
grep -q "found 'new layer', expected: plastfit new rule|loss|network|source NAME" stderr || fail "new layer: $(cat stderr)"
"$PLASTFIT" new loss 2fast >stdout 2>stderr && fail "a name with a digit first is taken"
grep -q "'2fast' is no name for a loss" stderr || fail "2fast: $(cat stderr)"
finish
