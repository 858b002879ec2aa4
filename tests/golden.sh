#!/bin/sh
# tests/golden on the folder that PF_GOLDEN names, by default golden/ of PF_SHARED, by default ../shared.
folder=${PF_GOLDEN:-${PF_SHARED:-$PF_SRCDIR/../shared}/golden}
if [ ! -d "$folder" ]; then
  echo "SKIPPED: no golden values at $folder (set PF_SHARED, or PF_GOLDEN)"
  exit 77
fi
exec "$PF_BUILDDIR/tests/golden" "$folder"
