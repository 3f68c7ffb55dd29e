#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The committed files of the console are what its sources give.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$root/services/api/console" "$work/console"
cd "$work/console"
rm -rf node_modules dist
npm ci --no-progress --no-fund --no-audit --ignore-scripts --loglevel=error >&2
npm run --silent build >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
if ! diff -r dist "$root/services/api/console/dist"; then
  echo "services/api/console/dist is not what its sources give: npm ci && npm run build there, and commit" >&2
  exit 1
fi
echo "console: built again from its sources, the same bytes"
