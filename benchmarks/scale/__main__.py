"""A Ray cluster, and one model on several processes: are the bytes the same, and what does it cost or gain? And many
rows: how seconds and memory grow with them.

    make scale                                  all of it
    python -m benchmarks.scale ray              the cluster alone
    python -m benchmarks.scale data_parallel    the processes alone
    python -m benchmarks.scale shard            the processes in shares alone
    python -m benchmarks.scale rows             10,000 to 1,000,000 rows alone
    python -m benchmarks.scale rows most        10,000,000 besides
    ... tiny                                    on settings that take seconds; writes nothing

Writes benchmarks/results/scale.json, with the machine's description; parts that are not measured stay as they are.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.machine import machine
from benchmarks.scale import cluster, parallel, rows
from trivium.machine import files

RESULTS = Path(__file__).resolve().parents[1] / "results/scale.json"


def main(words: list[str]) -> None:
    tiny, most = "tiny" in words, "most" in words
    asked = [word for word in words if word not in ("tiny", "most")] or ["ray", "data_parallel", "shard", "rows"]
    found = files.read_json_or(RESULTS, {})
    for name in asked:
        if name == "ray":
            found[name] = cluster.measure(cluster.TINY if tiny else cluster.SETTINGS)
        elif name == "data_parallel":
            found[name] = parallel.measure(parallel.TINY if tiny else parallel.LARGE)
        elif name == "shard":
            found[name] = parallel.shared_out(parallel.TINY if tiny else parallel.LARGER)
        elif name == "rows":
            found[name] = rows.measure(rows.TINY if tiny else (*rows.COUNTS, rows.MOST) if most else rows.COUNTS)
            if len(found[name]) > 2:
                print(f"seconds grow with the power {rows.exponent(found[name])} of rows, those of computing with "
                      f"{rows.exponent(found[name], 'cpu_seconds')}", flush=True)
        else:
            sys.exit(f"There is no part `{name}`: ray, data_parallel, shard, rows")
        print(json.dumps({name: found[name]}, indent=1), flush=True)
    if not tiny:
        files.write(RESULTS, json.dumps(found | {"machine": machine()}, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
