#!/usr/bin/env bash
# What a change does to the comparison, as Markdown on the terminal: for the comment on a pull request.
#   bash scripts/pull-request.sh BASE     BASE: the branch or commit that is compared with (default: origin/main)
# Needs git and DVC alone. What the remote has is fetched; only what the change touches runs.
set -euo pipefail
cd "$(dirname "$0")/.."
base=${1:-origin/main}
export PATH="$PWD/.venv/bin:$PATH" DVC_NO_ANALYTICS=1

say() { echo "$*" >&2; }

git rev-parse --verify --quiet "$base^{commit}" >/dev/null || { say "git knows no \`$base\`: fetch it, or name another base."; exit 1; }
trivium pull >&2 || say "Not all outputs are at the remote: what is missing runs here."
trivium repair >&2
dvc repro >&2

trivium show --against "$base"
