#!/usr/bin/env bash
# What Trivium is made of, of the packages in .venv: an SBOM (CycloneDX 1.6, JSON), the licence of each package, and known
# vulnerabilities of the pinned versions. The tools stand in an environment of their own, which changes nothing in .venv.
set -euo pipefail
cd -P "$(dirname "$0")/.."
out=reports/sbom tools=.cache/sbom
mkdir -p "$out"
if [ ! -f "$tools/.ready" ] || [ security.txt -nt "$tools/.ready" ]; then
  rm -rf "$tools" && .venv/bin/python -m venv "$tools"
  "$tools/bin/pip" install --quiet --no-deps --require-hashes -r security.txt
  touch "$tools/.ready"
fi
"$tools/bin/cyclonedx-py" environment --pyproject pyproject.toml --spec-version 1.6 --output-reproducible \
  --output-file "$out/sbom.json" .venv/bin/python
"$tools/bin/pip-licenses" --python .venv/bin/python --format markdown --from mixed --order license \
  --ignore-packages trivium --output-file "$out/licences.md" > /dev/null
echo "$out/sbom.json: $(grep -c '"bom-ref"' "$out/sbom.json") components; $out/licences.md: $(($(wc -l < "$out/licences.md") - 2)) packages"
[ "${1:-}" != audit ] && exit
# Asks the package index for known vulnerabilities, which has to be reached and has to know them; else it says so.
cat requirements.txt torch.txt cuda.txt weights.txt > "$tools/pinned.txt"
"$tools/bin/pip-audit" --requirement "$tools/pinned.txt" --disable-pip --no-deps --format json --output "$out/audit.json" || true
"$tools/bin/python" - "$out/audit.json" <<'PY'
import json
import sys

found = json.load(open(sys.argv[1], encoding="utf-8"))["dependencies"]
skipped = [one["name"] for one in found if "skip_reason" in one]
bad = [f"{one['name']} {one['version']}: {fault['id']}, mended in {', '.join(fault['fix_versions']) or 'no version yet'}"
       for one in found for fault in one.get("vulns", ())]
print(f"{len(found) - len(skipped)} of {len(found)} packages were looked up, {len(bad)} vulnerabilities are known.", *bad, sep="\n")
if skipped:
    sys.exit(f"The index tells nothing of {len(skipped)} packages, such as {skipped[0]}: ask one that has this service.")
sys.exit(1 if bad else 0)
PY
