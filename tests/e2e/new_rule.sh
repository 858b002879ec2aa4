#!/bin/sh
# `plastfit new rule`: what it makes builds, passes its check and is found again; and as soon as one derivative is edited
# wrong, the check fails, and says which.
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"
sanitize=$(sed -n 's/^PF_SANITIZE = *//p' "$PF_BUILDDIR/Makefile")

"$PLASTFIT" new rule mine >stdout 2>stderr || fail "new rule mine: $(cat stderr)"
build() { make -s -C mine CFLAGS="-O1 -Wall -Wextra -Werror $sanitize" ${CC:+CC="$CC"} >log 2>&1 || { fail "mine does not build: $(cat log)"; finish; }; }
build
"$PLASTFIT" check mine/mine.so >stdout 2>&1 || fail "the template fails its check: $(cat stdout)"
"$PLASTFIT" fit --trust mine/mine.cfg out=run >stdout 2>stderr || fail "fit mine.cfg: $(cat stderr)"
grep -q "All 2 coefficients came out right" stdout || fail "the template's rule is not found again: $(cat stdout)"

# wrong FIELD ARGUMENT EDIT: that derivative, edited: the check must fail with it among what is wrong, and no other
cp mine/mine.c right.c
count=0
wrong() {
  sed "s/^\( *\)\.$1 = .*/\1.$1 = $3,/" right.c >mine/mine.c
  cmp -s right.c mine/mine.c && fail "the template has no derivative .$1"
  build
  status=0
  "$PLASTFIT" check mine/mine.so >stdout 2>&1 || status=$?
  [ "$status" -eq 1 ] && grep -q "FAILED  vjp: .* Wrong: $2; right: " stdout ||
    fail ".$1 = $3 goes unnoticed, or is not named (exit $status): $(cat stdout)"
  count=$((count + 1))
}
# differences of floats see less (doc/conformance.md)
grep -q '^PF_PRECISION = single' "$PF_BUILDDIR/Makefile" && slip=0.1 || slip=1e-6
wrong x pre "p.rate * s.r + (pf_real)$slip"
wrong w w "-p.decay - (pf_real)$slip"
wrong rate rate "s.r * s.x + (pf_real)$slip"
wrong decay decay '-s.w * s.w'
# dw itself edited, derivatives not: nothing is right any more
sed 's/return p.rate \* s.r \* s.x - p.decay \* s.w;/return p.rate * s.r * s.x * s.x - p.decay * s.w * s.w;/' right.c >mine/mine.c
build
"$PLASTFIT" check mine/mine.so >stdout 2>&1 && fail "another dw goes unnoticed"
grep -q "none is right: is forward what you meant?" stdout || fail "another dw is not told: $(cat stdout)"

# a function that C does not have is an error of the compiler, not a warning
sed 's/return p.rate/return max(s.x, 0) * p.rate/' right.c >mine/mine.c
make -s -C mine ${CC:+CC="$CC"} >log 2>&1 && fail "max() compiles"
grep -q "max" log || fail "max() is not named: $(cat log)"
# the truth's parameters in the config are not the rule's: the line says which there are
sed -i 's/rate = 1.0; decay = 0.05;/up = 1.0;/' mine/mine.cfg
cp right.c mine/mine.c && build
"$PLASTFIT" fit --trust mine/mine.cfg out=run2 >stdout 2>stderr && fail "a parameter that the rule has not is taken"
grep -q "has no parameter 'up'; it has rate, decay" stderr || fail "the rule's parameters are not named: $(cat stderr)"

echo "$count wrong derivatives"
finish
