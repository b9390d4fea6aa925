"""What params.yaml says of streams by hand, which a look at the data knows nothing of: `anonymise` is never lost, and
streams with tables of their own stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def anonymised(streams: Mapping[str, dict[str, Any]], before: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """`streams` that are to be written, with what those of the same name had. Says it where such a stream is gone."""
    had = {s: one["anonymise"] for s, one in before.items() if isinstance(one, Mapping) and one.get("anonymise")}
    for s in had:
        if s not in streams:
            print(f"note: `data.streams.{s}` was anonymised, and there is no such stream any more. Set `anonymise` for "
                  "the others, if they need it.")
    return {s: one | ({"anonymise": had[s]} if s in had else {}) for s, one in streams.items()}


def clocked(path: Path, root: Path, data: Mapping[str, Any]) -> bool:
    """Whether params.yaml says of this manifest that streams have tables of their own, which nobody but its author can
    know: then all stays as it says.
    """
    own = [s for s, one in (data.get("streams") or {}).items() if isinstance(one, Mapping) and one.get("table")]
    before = data["manifest"]["path"]
    if not own or not before or (root / before).resolve() != path.resolve():
        return False
    have = "has a table of its own" if len(own) == 1 else "have tables of their own"
    print(f"note: {', '.join(own)} {have} in params.yaml, so that streams, columns and processors stay as it says "
          "(docs/clock.md).")
    return True
