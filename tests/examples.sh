#!/bin/sh
# The examples, built as their README says, with nothing but plastfit's pkg-config file; then each plugin passes its check,
# each config is fitted, and doc/writing-a-rule.md shows the code that was compiled.
# tests/installed.sh runs the first part with PF_EXAMPLES and PF_PKGCONFIG_PATH, against an installation.
set -eu
srcdir=${PF_SRCDIR:-$(cd "$(dirname "$0")/.." && pwd)}
builddir=${PF_BUILDDIR:-$srcdir/build}
plastfit=${PLASTFIT:-$builddir/plastfit}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
of_makefile() { sed -n "s/^$1 = *//p" "$builddir/Makefile"; }
precision=$(of_makefile PF_PRECISION)
sanitize=$(of_makefile PF_SANITIZE)
PKG_CONFIG_PATH=${PF_PKGCONFIG_PATH:-$builddir}
export PKG_CONFIG_PATH
fail() { echo "FAIL $*" >&2; exit 1; }

plugins=0
fits=0
for name in ${PF_EXAMPLES:-$(ls "$srcdir/examples")}; do
  cp -R "$srcdir/examples/$name" "$work/$name"
  chmod -R u+w "$work/$name"
  make -s -C "$work/$name" PLASTFIT="plastfit-$precision" ${CC:+CC="$CC"} \
    CFLAGS="-O2 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror $sanitize" >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; fail "$name does not build"; }
  for module in "$work/$name"/*.so; do
    "$plastfit" check "$module" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "$module fails its check"; }
    plugins=$((plugins + 1))
  done
  for config in "$work/$name"/*.cfg; do
    [ -f "$config" ] || continue
    "$plastfit" fit --trust "$config" out="$work/$name/run" >"$work/log" 2>&1 &&
      grep -q 'All [0-9]* coefficients came out right' "$work/log" ||
      { cat "$work/log" >&2; fail "$config: the rule is not found again"; }
    fits=$((fits + 1))
  done
done
[ "$plugins" -ge 4 ] && [ "$fits" -ge 1 ] || fail "$plugins plugins were checked and $fits configs fitted, expected 4 and 1 or more"
[ -z "${PF_EXAMPLES:-}" ] || exit 0

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
