"""`trivium serve` beside `mlflow models serve`, and ten thousand connections that say nothing.

    make service                                20 clients for 60 s against each; about five minutes
    python -m benchmarks.service 10             for 10 s

Needs the outs of `make repro`. Both serve the best strategy that can be exported, with one thread for numbers, and get
the same rows of the test set. Writes benchmarks/results/service.json, with the machine's description.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.service import hostile, load, sides
from trivium.comparison.out import PATH, Comparison
from trivium.machine import files
from trivium.runtime.runner import Runner
from trivium.settings.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks/results/service.json"
CLIENTS, SECONDS, WORKERS = 20, 60.0, (1, 2, 4)
PICK = 5.0  # seconds of each number of workers, of which the best one is taken


def main(words: list[str]) -> None:
    seconds = float(words[0]) if words else SECONDS
    with tempfile.TemporaryDirectory(prefix="trivium-service-") as scratch:
        home = Path(scratch)
        folder, exported = _exported(home)
        rows = sides.rows(ROOT, Runner(folder).streams)
        found: dict[str, Any] = {"export": exported, "clients": CLIENTS, "rows": len(rows)}
        with sides.ours(folder, home) as (process, port):
            before = sides.memory(process)
            requests = [load.request("/predict", json.dumps([row]).encode()) for row in rows]
            load.run(port, requests, CLIENTS, 3.0, sides.good)  # until it is warm
            warm = sides.memory(process)
            done = load.run(port, requests, CLIENTS, seconds, sides.good)
            found["ours"] = done.figures() | {"memory_at_start": before, "memory_warm": warm,
                                              "memory_at_end": sides.memory(process),
                                              "workers": sides.workers(process)}
            print(json.dumps({"ours": found["ours"]}), flush=True)
            found["hostile"] = hostile.measure(process, port, requests)
            print(json.dumps({"hostile": found["hostile"]}), flush=True)
        best, tried = 0, {}
        for count in WORKERS:
            with sides.mlflow(ROOT, exported["strategy"], home, count) as (_, port):
                tried[count] = load.run(port, sides.invocations(rows), CLIENTS, PICK, sides.answered).figures()
        best = max(tried, key=lambda count: tried[count]["requests_per_s"])
        with sides.mlflow(ROOT, exported["strategy"], home, best) as (process, port):
            load.run(port, sides.invocations(rows), CLIENTS, 3.0, sides.answered)
            done = load.run(port, sides.invocations(rows), CLIENTS, seconds, sides.answered)
            found["mlflow"] = done.figures() | {"workers": best, "memory_at_end": sides.memory(process)}
        found["times_mlflow"] = round(found["ours"]["requests_per_s"] / found["mlflow"]["requests_per_s"], 2)
    latency = files.read_json_or(ROOT / "reports/measured/latency.json", None)
    found |= {"latency": latency} if latency else {}
    files.write(RESULTS, json.dumps(found | {"machine": machine()}, indent=1, sort_keys=True) + "\n")
    print(json.dumps({key: found[key] for key in ("mlflow", "times_mlflow")}, indent=1))


def _exported(home: Path) -> tuple[Path, dict[str, Any]]:
    """The folder of the best strategy that can be exported, and what its smoke test found."""
    from trivium.serving.export import write

    compared = Comparison.found(ROOT / PATH)
    if compared is None or not (ROOT / "models").is_dir():
        sys.exit("There are no outs here yet: `make repro` makes them.")
    for name in compared.order:
        folder = home / name
        folder.mkdir()
        try:
            made = write.write(ROOT, name, folder, small=False)
        except UserError:
            shutil.rmtree(folder)
            continue
        if made.smoke is not None:
            return folder, {"strategy": name, "max_difference": made.smoke.difference, "rows": made.smoke.rows}
    sys.exit("None of the strategies can be exported.")


if __name__ == "__main__":
    main(sys.argv[1:])
