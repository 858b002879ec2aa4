#!/bin/sh
# The examples, built as their README says, with nothing but this build's pkg-config file; then each passes its check,
# and doc/writing-a-rule.md shows the code that was compiled.
set -eu
srcdir=${PF_SRCDIR:-$(cd "$(dirname "$0")/.." && pwd)}
builddir=${PF_BUILDDIR:-$srcdir/build}
plastfit=${PLASTFIT:-$builddir/plastfit}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
precision=$(sed -n 's/^PF_PRECISION = //p' "$builddir/Makefile")
sanitize=$(sed -n 's/^PF_SANITIZE = *//p' "$builddir/Makefile")
PKG_CONFIG_PATH=$builddir
export PKG_CONFIG_PATH
fail() { echo "FAIL $*" >&2; exit 1; }

count=0
for folder in "$srcdir"/examples/*/; do
  name=$(basename "$folder")
  cp -R "$folder" "$work/$name"
  chmod -R u+w "$work/$name"
  make -s -C "$work/$name" PLASTFIT="plastfit-$precision" ${CC:+CC="$CC"} \
    CFLAGS="-O2 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror $sanitize" >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; fail "$name does not build"; }
  module=$(basename "$work/$name"/*.so)
  "$plastfit" check "$work/$name/$module" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "$name fails its check"; }
  count=$((count + 1))
done
[ "$count" -ge 4 ] || fail "found $count examples, expected 4 or more"

# each block of the page that is headed by its file's name is that file
blocks=$(sed -n 's/^<!-- file: \(.*\) -->$/\1/p' "$srcdir/doc/writing-a-rule.md")
[ -n "$blocks" ] || fail "doc/writing-a-rule.md shows no file"
for file in $blocks; do
  awk -v head="<!-- file: $file -->" '$0 == head { seen = 1; next } seen && /^```c$/ { on = 1; next }
    on && /^```$/ { exit } on { print }' "$srcdir/doc/writing-a-rule.md" >"$work/shown"
  cmp -s "$work/shown" "$srcdir/$file" || fail "doc/writing-a-rule.md shows another $file than the one compiled"
done

# mistakes: what an author is told
# told NAME EXPECTED SED-SCRIPT: compile bcm.c with that mistake
told() {
  sed "$3" "$srcdir/examples/bcm/bcm.c" >"$work/wrong.c"
  # shellcheck disable=SC2046
  ${CC:-cc} -std=c11 -O1 $(pkg-config --cflags "plastfit-$precision") -shared -fPIC -o "$work/wrong.so" "$work/wrong.c" -lm \
    >"$work/log" 2>&1 && fail "$1 compiles"
  grep -q "$2" "$work/log" || { cat "$work/log" >&2; fail "$1: the message does not say $2"; }
}
told 'no name' 'PF_RULE_NAME' '/define PF_RULE_NAME/d'
told 'no PF_DDW' 'PF_DDW_is_written_above' '/^PF_DDW/,/^}/d'
told 'a misspelt field' 'decya' 's/\.decay =/.decya =/'
told 'a missing bound' 'P_needs_name_unit_initial_lower_upper' 's/P(rate,.*)/P(rate, "1", 0.1, 0.0)/'

# a function that nobody has is refused when the plugin is loaded, not found out in the middle of a fit
sed 's/^PF_DW(/pf_real nowhere(pf_real x);\n&/; s/return p\.rate \*/return nowhere(s.x) * p.rate */' "$srcdir/examples/bcm/bcm.c" \
  >"$work/bcm.c"
grep -q 'return nowhere' "$work/bcm.c" || fail "the call of nowhere() was not put in"
# shellcheck disable=SC2046
${CC:-cc} -std=c11 -O1 $sanitize $(pkg-config --cflags "plastfit-$precision") -shared -fPIC -o "$work/bcm.so" "$work/bcm.c" -lm
"$plastfit" check "$work/bcm.so" >"$work/log" 2>&1 && fail "a rule that calls a function which nobody has is loaded"
grep -q 'undefined symbol: nowhere): write that function' "$work/log" ||
  { cat "$work/log" >&2; fail "the function that is missing is not named"; }

# a derivative that was left out is refused when the rule is made
sed 's/^ *\.threshold = .*//' "$srcdir/examples/bcm/bcm.c" >"$work/bcm.c"
# shellcheck disable=SC2046
${CC:-cc} -std=c11 -O1 $sanitize $(pkg-config --cflags "plastfit-$precision") -shared -fPIC -o "$work/bcm.so" "$work/bcm.c" -lm
"$plastfit" check "$work/bcm.so" >"$work/log" 2>&1 && fail "a rule without one of its derivatives passes"
grep -q 'was .threshold = ... left out' "$work/log" || { cat "$work/log" >&2; fail "the derivative left out is not named"; }
