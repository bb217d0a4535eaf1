#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# usage: build.sh SOURCE OUT STAMP DEPFILE: installs the npm packages when the lock file changed, builds the page, lists its sources.
set -eu
source=$1 out=$2 stamp=$3 depfile=$4
# The build runs in its folder: turn its relative paths into absolute ones before leaving it.
stamp=$(realpath -m "$stamp")
depfile=$(realpath -m "$depfile")
cd "$source"
installed=node_modules/.installed-lock
if ! cmp -s package-lock.json "$installed"; then
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  cp package-lock.json "$installed"
fi
node scripts/build.mjs "$out"
printf '%s:' "$stamp" > "$depfile"
find src ../po -type f ! -name '*.pot' | while read -r file; do printf ' %s/%s' "$source" "$file"; done >> "$depfile"
echo >> "$depfile"
touch "$stamp"
