#!/bin/sh
# doc/your-data.md: every command in it ("    $ ...") works, and says what the page says it does (the lines below it, spaces
# counted as one).
. "$PF_SRCDIR/tests/e2e/lib.sh"
cd "$work"
ln -s "$PF_SRCDIR/configs" configs
python3 "$PF_SRCDIR/tests/docs/commands.py" "$PF_SRCDIR/doc/your-data.md" 10 || fail "doc/your-data.md"
finish
