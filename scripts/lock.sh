#!/usr/bin/env bash
# Makes requirements.txt and development.txt from their .in files, for every platform and Python >= 3.11, keeping the
# versions they have. Torch and its CUDA packages are left out: which build fits depends on the machine (see setup.sh).
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
"${PYTHON:-python3}" -m venv "$tools"
"$tools/bin/pip" install --quiet uv==0.9.30

lock() {  # lock OUT IN...: what OUT and requirements.txt have stays; what requirements.txt lists is not listed again
  local out=$1 all="$tools/$1"
  shift
  cat requirements.txt "$out" 2>/dev/null | awk '/^[a-z]/ { keep = !seen[$1]++ } keep' > "$all" || true
  "$tools/bin/uv" pip compile "$@" --universal --python-version 3.11 --generate-hashes \
    --no-header --no-annotate --quiet --output-file "$all"
  awk '/^[a-z]/ { keep = $0 !~ /^(torch|triton|nvidia|cuda)[-=]/ || /^nvidia-ml-py=/ } keep' "$all"
}

lock requirements.txt requirements.in > "$tools/runtime"
mv "$tools/runtime" requirements.txt
lock development.txt requirements.in development.in > "$tools/both"
awk 'NR == FNR { listed[$1]; next } /^[a-z]/ { keep = !($1 in listed) } keep' requirements.txt "$tools/both" > development.txt
for file in requirements.txt development.txt; do echo "$file: $(grep -c '^[a-z]' "$file") packages"; done
