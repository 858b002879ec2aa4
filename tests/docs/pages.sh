#!/bin/sh
# The other pages whose commands are run ("    $ ..."), each in a folder of its own; and what all pages hold: links that
# lead somewhere, pictures that are there.
. "$PF_SRCDIR/tests/e2e/lib.sh"
PKG_CONFIG_PATH=$PF_BUILDDIR${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
export PKG_CONFIG_PATH
for page in start:5 coming-from-jax:2 coming-from-pytorch:3 coming-from-hbayesdm:3 coming-from-pypesto:2 writing-plugins:9; do
  name=${page%:*}
  mkdir "$work/$name"
  cd "$work/$name"
  ln -s "$PF_SRCDIR/configs" configs
  python3 "$PF_SRCDIR/tests/docs/commands.py" "$PF_SRCDIR/doc/$name.md" "${page#*:}" || fail "doc/$name.md"
done
python3 "$PF_SRCDIR/tests/docs/links.py" "$PF_SRCDIR" || fail "links"
finish
