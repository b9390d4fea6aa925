"""What would stop a run later, seen before it begins: a disk that is too small or cannot be written to, links that are
copies, a clock that is wrong, a locale that cannot say all names.
"""

from __future__ import annotations

import configparser
import locale
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from trivium.machine.memory import size
from trivium.settings.failures import of_machine

Grade = Literal["ok", "advice", "wrong"]
Finding = tuple[Grade, str]

NEEDED, ADVISED = 2e9, 10e9  # bytes: what the default data takes with room to spare; what is comfortable
WRITTEN = (".", "data", "models", "reports", "export", ".dvc", ".dvc/cache", ".dvc/tmp", ".cache", "mlruns")
SKEW = 60.0  # seconds by which a clock may differ
SIZE = re.compile(r"^    - path: (.+)\n(?:      (?!size:).*\n)*      size: (\d+)$", re.MULTILINE)
OUTS = re.compile(r"^    outs:\n((?:    -.*\n|      .*\n)+)", re.MULTILINE)
FREE = "`dvc gc --workspace` drops old versions from the cache."


def disk(root: Path) -> Iterator[Finding]:
    """Free space against what a run writes: its outs as dvc.lock has their sizes, and once more where DVC copies."""
    free, outs, copies = shutil.disk_usage(root).free, written(root), link(root) == "copy"
    need = max(NEEDED, 1.5 * outs * (2 if copies else 1))  # half as much again: what units leave, and growth
    words = f"{size(free)} free on the disk"
    twice = ", twice since DVC copies them" if copies else ""
    last = f" (the outs of the last one: {size(outs)}{twice})" if outs else ""
    if free < need:
        yield "wrong", f"{words}: a run needs about {size(need)}{last}. {FREE}"
    elif free < max(ADVISED, 2 * need):
        yield "advice", f"{words}, and a run needs about {size(need)}{last}; {FREE}"
    else:
        yield "ok", f"{words}, and a run needs about {size(need)}"


def written(root: Path) -> int:
    """Bytes of all outs, as dvc.lock has them; 0 where nothing is known."""
    path = root / "dvc.lock"
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    return sum(int(each) for outs in OUTS.findall(text) for _, each in SIZE.findall(outs))


def permission(root: Path) -> Iterator[Finding]:
    """A file is written in each folder that a run writes to."""
    closed = []
    for name in WRITTEN:
        folder = root / name
        if not folder.is_dir():
            continue
        try:
            with tempfile.NamedTemporaryFile(dir=folder, prefix=".trivium-"):
                pass
        except OSError as error:
            closed.append(name)
            said = of_machine(error)
            reason = str(said).replace("What was finished is kept: run it again, and it goes on.", "").strip() if said \
                else str(error)
    if closed:
        yield "wrong", f"nothing can be written to {', '.join(closed)}. {reason}"
    else:
        yield "ok", "all folders can be written to"


def links(root: Path) -> Iterator[Finding]:
    """How DVC's cache and the workspace share one file, tried out."""
    kind = link(root)
    if kind == "copy":
        outs = written(root)
        yield "advice", (f"DVC copies between its cache and the workspace: every out lies on the disk twice"
                         f"{f' ({size(outs)} more)' if outs else ''}. With the cache on the same disk, `dvc config "
                         "cache.type reflink,hardlink,symlink,copy` mends that.")
    elif kind:
        yield "ok", f"outs are shared with DVC's cache by {kind}"


def link(root: Path) -> str:
    """The first kind of `cache.type` that works from the cache to the workspace; "" where there is no DVC."""
    if not (root / ".dvc").is_dir():
        return ""
    from dvc_objects.fs import system

    makes: dict[str, Callable[[str, str], None]] = {
        "reflink": system.reflink, "hardlink": system.hardlink, "symlink": system.symlink}
    cache = root / ".dvc/cache"
    try:
        with tempfile.TemporaryDirectory(dir=cache if cache.is_dir() else root / ".dvc") as there, \
                tempfile.TemporaryDirectory(dir=root, prefix=".trivium-") as here:
            (Path(there) / "file").write_bytes(b"x")
            for kind in _cache_types(root) or ["reflink", "copy"]:
                try:
                    if kind in makes:
                        makes[kind](str(Path(there) / "file"), str(Path(here) / kind))
                    return kind
                except OSError:
                    continue
    except OSError:  # which `permission` tells
        return ""
    return "copy"


def _cache_types(root: Path) -> list[str]:
    """`cache.type` of .dvc/config; .dvc/config.local has the last word."""
    parsed = configparser.ConfigParser(interpolation=None)
    parsed.read([root / ".dvc/config", root / ".dvc/config.local"])
    value = parsed.get("cache", "type", fallback="").strip("\"' ")
    return [kind.strip() for kind in value.split(",") if kind.strip()]


def clock(root: Path) -> Iterator[Finding]:
    """Against the last commit, the files here, and the disk's own clock. DVC and resumed work go by times of files."""
    now = time.time()
    told = time.strftime("%Y-%m-%d %H:%M", time.localtime(now))
    mend = "Set the clock (`timedatectl set-ntp true` keeps it right)."
    try:
        done = subprocess.run(["git", "-C", str(root), "log", "-1", "--format=%ct"], capture_output=True, text=True)
        committed = float(done.stdout) if done.returncode == 0 and done.stdout.strip() else 0.0
    except (OSError, ValueError):
        committed = 0.0
    names = [root / name for name in ("dvc.lock", "params.yaml", "dvc.yaml", "data/raw", "models", "reports")]
    ahead = [path for path in names if path.exists() and path.stat().st_mtime > now + SKEW]
    skew = _skew(root)
    if committed > now + SKEW:
        yield "wrong", f"the clock says {told}, which is before the last commit. {mend}"
    elif ahead:
        yield "wrong", f"the clock says {told}, and {ahead[0].relative_to(root)} was written later than that. {mend}"
    elif abs(skew) > SKEW:
        yield "advice", (f"the disk's clock (a server's, perhaps) is {abs(skew):,.0f} s "
                         f"{'ahead' if skew > 0 else 'late'}: times of files do not fit those of this machine. Have "
                         "both clocks set.")
    else:
        yield "ok", "the clock agrees with git and the files here"


def _skew(root: Path) -> float:
    """Seconds by which a new file is ahead of this machine's clock; 0 where none can be written."""
    try:
        with tempfile.NamedTemporaryFile(dir=root, prefix=".trivium-") as file:
            return os.stat(file.name).st_mtime - time.time()
    except OSError:
        return 0.0


def words(_: Path) -> Iterator[Finding]:
    """The encoding of names and of what is printed."""
    found = {sys.getfilesystemencoding(), locale.getpreferredencoding(False)}
    other = sorted(one for one in found if one.lower().replace("-", "") != "utf8")
    if other:
        yield "advice", (f"the locale's encoding is {other[0]}, in which not every name and text can be said. "
                         "`export LANG=C.UTF-8` mends that.")
    else:
        yield "ok", "the locale speaks UTF-8"
