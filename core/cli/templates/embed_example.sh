#!/bin/sh
# embed_example.sh SRCDIR KIND EXAMPLE FILE... : the template of `plastfit new KIND`, as core/base/embed.sh writes it:
# the example (of examples/selectivity) with @NAME@ where the plugin is named, and the files (relative to SRCDIR).
set -eu
sources=$1 kind=$2 example=$3
shift 3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$sources"
sed -e "s/$example\.c/@NAME@.c/" -e "s/PF_PLUGIN_ENTRY($example)/PF_PLUGIN_ENTRY(@NAME@)/" \
  -e "/^static const pf_plugin plugin/,\$ s/\"$example\"/\"@NAME@\"/" "examples/selectivity/$example.c" >"$folder/NAME.c"
sh core/base/embed.sh "pf_${kind}_template" "$folder/NAME.c" "$@"
