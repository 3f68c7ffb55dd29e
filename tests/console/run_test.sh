#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# console_test.mjs with what it needs from its lock file, beside the build.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=${SEGUE_WORK:?}/console_test
mkdir -p "$work"
cp "$here"/package.json "$here"/package-lock.json "$work"
npm ci --prefix "$work" --no-progress --no-fund --no-audit --ignore-scripts --loglevel=error >&2
# Node looks for packages beside the script.
mkdir -p "$work/tests/console" "$work/examples"
cp "$here/console_test.mjs" "$work/tests/console"
cp -r "$here/../../examples/definitions" "$work/examples"
exec node "$work/tests/console/console_test.mjs" "$work/screenshots"
