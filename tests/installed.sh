#!/bin/sh
# What `make install DESTDIR=...` puts there is enough to write plugins: a rule, a network, a loss and a source of
# examples/ are built with the installed headers and pkg-config file alone, and checked and fitted by the installed program.
set -eu
srcdir=${PF_SRCDIR:-$(cd "$(dirname "$0")/.." && pwd)}
builddir=${PF_BUILDDIR:-$srcdir/build}
dest=$(mktemp -d)
trap 'rm -rf "$dest"' EXIT
${MAKE:-make} -s -C "$builddir" install DESTDIR="$dest" >"$dest/log" 2>&1 || { cat "$dest/log" >&2; exit 1; }
precision=$(sed -n 's/^PF_PRECISION = //p' "$builddir/Makefile")
PF_PKGCONFIG_PATH=$(dirname "$(find "$dest" -name "plastfit-$precision.pc")")
PKG_CONFIG_SYSROOT_DIR=$dest
PKG_CONFIG_PATH=$PF_PKGCONFIG_PATH
export PF_PKGCONFIG_PATH PKG_CONFIG_SYSROOT_DIR PKG_CONFIG_PATH
includes=$(pkg-config --cflags-only-I "plastfit-$precision")
case $includes in
*"$srcdir"* | *"$builddir"*) echo "FAIL the installed pkg-config file names the source: $includes" >&2; exit 1 ;;
*"-I$dest"*) ;;
*) echo "FAIL the installed headers are not named: $includes" >&2; exit 1 ;;
esac
PLASTFIT=$(find "$dest" -path '*/bin/plastfit*' -type f)
# the folder is compiled in, and lies elsewhere as long as it is under DESTDIR
PLASTFIT_PLUGIN_PATH=$(dirname "$(find "$dest" -name oja.so)")
PF_EXAMPLES="selectivity bcm"
export PLASTFIT PLASTFIT_PLUGIN_PATH PF_EXAMPLES
"$PLASTFIT" list --verbose >"$dest/list" || exit 1
grep -q "version.*$PLASTFIT_PLUGIN_PATH/" "$dest/list" || { cat "$dest/list" >&2; echo "FAIL other plugins" >&2; exit 1; }
if [ "$precision" = double ]; then
  for file in bash-completion/completions/plastfit zsh/site-functions/_plastfit fish/vendor_completions.d/plastfit.fish; do
    [ -n "$(find "$dest" -path "*/share/$file")" ] || { echo "FAIL no completion share/$file" >&2; exit 1; }
  done
fi
# the installed program runs from anywhere
(cd "$dest" && "$PLASTFIT" fit "$srcdir/configs/quickstart.cfg" out=run source.animals=2 evaluate.animals=1 fit.iterations=3 >run.log 2>&1 || [ -f run/summary.json ]) ||
  { cat "$dest/run.log" >&2; echo "FAIL the installed program does not fit" >&2; exit 1; }
sh "$srcdir/tests/examples.sh"
