#!/bin/sh
# doc/gallery.sh PROGRAM FOLDER: makes the figures that doc/gallery.md shows, each by the command under it. `make docs` calls it.
# Without gnuplot it makes nothing and says so.
set -eu
program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
folder=$2
source=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$folder"
if ! command -v "${PLASTFIT_GNUPLOT:-gnuplot}" >/dev/null; then
  echo "gallery: no gnuplot, so no figures" >&2
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "$source/configs" "$work/configs"
# "    $ plastfit ..." makes the pictures that follow it: gallery/RUN-FIGURE.svg is runs/RUN/figures/FIGURE.svg
sed -n 's/^    \$ plastfit //p' "$source/doc/gallery.md" >"$work/commands"
cd "$work"
while read -r line; do
  eval "\"$program\" $line --quiet" </dev/null || { echo "gallery: plastfit $line" >&2; exit 1; }
done <commands
cd - >/dev/null
sed -n 's|.*(gallery/\([^)]*\)\.svg).*|\1|p' "$source/doc/gallery.md" | while read -r picture; do
  cp "$work/runs/${picture%%-*}/figures/${picture#*-}.svg" "$folder/$picture.svg"
done
