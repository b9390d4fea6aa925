"""What params.yaml says of streams by hand, which a look at the data knows nothing of: `anonymise` is never lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def anonymised(streams: Mapping[str, dict[str, Any]], before: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """`streams` that are to be written, with what those of the same name had. Says it where such a stream is gone."""
    had = {s: one["anonymise"] for s, one in before.items() if isinstance(one, Mapping) and one.get("anonymise")}
    for s in had:
        if s not in streams:
            print(f"note: `data.streams.{s}` was anonymised, and there is no such stream any more. Set `anonymise` for "
                  "the others, if they need it.")
    return {s: one | ({"anonymise": had[s]} if s in had else {}) for s, one in streams.items()}
