#!/usr/bin/env bash
# What the tests of the report in a browser need beside Playwright (whose own browsers are not fetched): Debian's chromium
# and axe-core. Where something is not to be had, this says so, and those tests are skipped.
set -u
cd -P "$(dirname "$0")/.."
skipped() { echo "test set-up: $1: the report is not tried in a browser"; exit 0; }
command -v chromium chromium-browser google-chrome >/dev/null || skipped "no Chromium (Debian: apt-get install chromium)"
[ -f node_modules/axe-core/axe.min.js ] || npm install --silent --no-save axe-core@4.14.1 2>/dev/null >/dev/null \
  || echo "test set-up: npm could not fetch axe-core: the report is tried in a browser, not for accessibility"
