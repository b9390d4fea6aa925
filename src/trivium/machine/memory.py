"""How much memory a process may still take: of the machine, and of the container or job that it runs in."""

from __future__ import annotations

from pathlib import Path

GROUPS = (("sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory.current"),
          ("sys/fs/cgroup/memory/memory.limit_in_bytes", "sys/fs/cgroup/memory/memory.usage_in_bytes"))


def available(root: Path = Path("/")) -> int:
    """Bytes. root: of the file system; another one in tests."""
    import psutil

    found = int(psutil.virtual_memory().available)
    for limit, used in GROUPS:
        most, taken = _number(root / limit), _number(root / used)
        if most is not None and taken is not None:
            found = min(found, max(0, most - taken))
    return found


def resident() -> int:
    """Bytes that this process has now."""
    import psutil

    return int(psutil.Process().memory_info().rss)


def size(value: float) -> str:
    """Bytes, for people."""
    return f"{value / 1e9:.1f} GB" if value >= 0.95e9 else f"{value / 1e6:.0f} MB"


def _number(path: Path) -> int | None:
    """None where there is none: `max`, or another system."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
