#!/usr/bin/env bash
# Makes requirements.txt and development.txt from their .in files, for every platform and Python >= 3.11, keeping the
# versions they have. Which build of torch fits depends on the machine (see setup.sh): it stands in torch.txt, with the
# hashes of all its builds, and what its CUDA build needs in cuda.txt.
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

# Of torch the hashes of the usual index, and those in torch.txt of the same version that other indexes have.
gpu='^(triton|nvidia|cuda)[-=]'
"$tools/bin/uv" pip compile requirements.in --universal --python-version 3.11 --generate-hashes --no-header \
  --no-annotate --quiet --constraint <(grep '^[a-z]' requirements.txt | sed 's/ *\\$//') --output-file "$tools/all"
version=$(grep '^torch==' "$tools/all" | cut -d' ' -f1)
{ grep '^#' torch.txt || true
  echo "$version \\"
  { awk '/^[a-z]/ { keep = /^torch==/ } keep && /--hash/ { print $1 }' "$tools/all"
    ! grep -q "^$version " torch.txt || grep -o -- '--hash=[^ ]*' torch.txt; } \
    | awk '!seen[$0]++' | sed 's/.*/    & \\/; $s/ \\$//'
} > "$tools/torch"
mv "$tools/torch" torch.txt
{ grep '^#' cuda.txt || true
  awk -v gpu="$gpu" '/^[a-z]/ { keep = $0 ~ gpu && $0 !~ /^nvidia-ml-py=/ } keep' "$tools/all"; } > "$tools/cuda"
mv "$tools/cuda" cuda.txt
"$tools/bin/uv" pip compile security.in --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
  --quiet --output-file security.txt
for file in requirements.txt development.txt security.txt torch.txt cuda.txt; do echo "$file: $(grep -c '^[a-z]' "$file") packages"; done
