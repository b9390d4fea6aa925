"""What encryption at rest costs: `python -m benchmarks.encryption [PROJECT]`.

Speed and memory on one large file; and for each stage of PROJECT, which has run with a key (TRIVIUM_KEY_FILE), what it
pays besides its work: to decrypt what it reads, and to encrypt what it writes. Processor seconds, which other work on
the machine moves little. Nothing in PROJECT changes: its outs are copied.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from trivium.data.tables import read_yaml
from trivium.machine.measured import Measured
from trivium.machine.vault import folder, keys, places, sealed, settings

OUT = Path(__file__).resolve().parent / "results/encryption.json"
LARGE = 1 << 30  # bytes


def main() -> None:
    found: dict[str, Any] = {"file": speed(LARGE)}
    print("one file of {bytes:,} bytes: encrypted at {encrypt:.0f} MB/s, decrypted at {decrypt:.0f} MB/s, with "
          "{memory_mb:.0f} MB of memory more than before".format(**found["file"]))
    if len(sys.argv) > 1:
        found["stages"] = stages(Path(sys.argv[1]).absolute())
        for name, one in found["stages"].items():
            print(f"{name:28} reads {one['read_mb']:7.2f} MB in {one['decrypt']:6.3f} s, writes "
                  f"{one['written_mb']:7.2f} MB in {one['encrypt']:6.3f} s; all of it took {one['stage'] or 0:.1f} s")
    OUT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def speed(size: int) -> dict[str, float]:
    """MB (10**6 bytes) per processor second. memory_mb: by which the most that this process held grew."""
    key = keys.made()
    with tempfile.TemporaryDirectory(dir=folder.MEMORY if folder.MEMORY.is_dir() else None) as scratch:
        clear, closed = Path(scratch) / "clear", Path(scratch) / "sealed"
        with clear.open("wb") as file:
            for _ in range(size >> 20):
                file.write(os.urandom(1 << 20))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        times = [time.process_time()]
        sealed.seal(clear, closed, key, "data/raw/x")
        times.append(time.process_time())
        clear.unlink()
        sealed.unseal(closed, clear, key, "data/raw/x")
        times.append(time.process_time())
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"bytes": size, "encrypt": size / 1e6 / (times[1] - times[0]), "decrypt": size / 1e6 / (times[2] - times[1]),
            "memory_mb": (after - before) * 1024 / 1e6}


def stages(project: Path) -> dict[str, dict[str, float | None]]:
    """By stage: MB and processor seconds of what it reads and writes.  stage: seconds that it took when it ran."""
    key = keys.given(settings.read(project), project)
    if key is None:
        raise SystemExit("TRIVIUM_KEY_FILE names no key")
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "project"
        copy.mkdir()
        for room in places.ROOMS:
            if (project / room).exists():
                shutil.copytree(project / room, copy / room)
        os.chdir(copy)
        for name in read_yaml(project / "dvc.lock")["stages"]:
            found[name] = stage(copy, key, places.of_stage(name)) | {"stage": Measured.of(name, project).seconds}
    return found


def stage(project: Path, key: keys.Key, part: places.Part) -> dict[str, float]:
    private = folder.Folder(project, key, folder.parent(""))
    try:
        times = [time.process_time()]
        private.fetch(part.reads)
        times.append(time.process_time())
        read = _size(private.inner)
        private.fetch(f"{name}/**" for name in part.writes)
        times.append(time.process_time())
        private.put_back(part.writes)
        times.append(time.process_time())
        written = sum(_size(private.inner / name) for name in part.writes)
    finally:
        private.remove()
    return {"read_mb": read / 1e6, "decrypt": times[1] - times[0], "written_mb": written / 1e6,
            "encrypt": times[3] - times[2]}


def _size(folder: Path) -> int:
    """Bytes of the files below it, but for links."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


if __name__ == "__main__":
    main()
