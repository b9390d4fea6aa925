#!/usr/bin/env bash
# Makes requirements.txt from requirements.in, for every platform and Python >= 3.11, keeping the versions it has.
# Torch and its CUDA packages are left out: which build fits depends on the machine (see setup.sh).
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
"${PYTHON:-python3}" -m venv "$tools"
"$tools/bin/pip" install --quiet uv==0.9.30
[ ! -f requirements.txt ] || cp requirements.txt "$tools/all.txt"
"$tools/bin/uv" pip compile requirements.in --universal --python-version 3.11 --generate-hashes \
  --no-header --no-annotate --quiet --output-file "$tools/all.txt"
awk '/^[a-z]/ { keep = $0 !~ /^(torch|triton|nvidia|cuda)[-=]/ } keep' "$tools/all.txt" > requirements.txt
echo "requirements.txt: $(grep -c '^[a-z]' requirements.txt) packages"
