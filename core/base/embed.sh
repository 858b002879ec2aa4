#!/bin/sh
# embed.sh SYMBOL FILE... : a C source on standard output with the files' bytes, for programs that
# need their files wherever they are installed. It defines
#     const pf_embedded SYMBOL[] = {{"name", "text"}, ..., {NULL, NULL}};
# in the order given, each file under its name without folders.
set -eu
symbol=$1
shift
echo "/* Made by core/base/embed.sh from the files named below. */"
echo '#include "core/base/embed.h"'
echo
echo '#include <stddef.h>'
count=0
for file in "$@"; do
  printf '\n/* %s */\nstatic const unsigned char file_%d[] = {\n' "$(basename "$file")" "$count"
  od -An -v -tx1 "$file" | sed 's/ *\([0-9a-f][0-9a-f]\)/0x\1,/g'
  echo '0};'
  count=$((count + 1))
done
printf '\nextern const pf_embedded %s[];\nconst pf_embedded %s[] = {\n' "$symbol" "$symbol"
count=0
for file in "$@"; do
  printf '    {"%s", (const char *)file_%d},\n' "$(basename "$file")" "$count"
  count=$((count + 1))
done
echo '    {NULL, NULL}};'
