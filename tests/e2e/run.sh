#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# usage: run.sh FOLDER FILE: installs the npm packages when the lock file changed, runs one test file; 77 is a skip.
set -eu
cd "$1"
installed=node_modules/.installed-lock
# One at a time: tests may start beside one another.
(
  flock 9
  cmp -s package-lock.json "$installed" || {
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
    cp package-lock.json "$installed"
  }
) 9< package.json
# A registry of its own: other runs may have other plugins.
registry=$(mktemp -d)
trap 'rm -rf "$registry"' EXIT
export GST_REGISTRY="$registry/registry.bin"
status=0
log=$registry/log
node --test --test-reporter=spec "$2" > "$log" 2>&1 || status=$?
cat "$log"
# node's runner reports a file that exited with 77 as a failure of its own.
if grep -q '^SKIP: ' "$log"; then exit 77; fi
exit $status
