"""Of a text: its length, and how much of it the model's tokenizer does not know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trivium.modalities.spec import Spec

PAD, UNKNOWN = 0, 1  # token ids as models see them, see `trivium.modalities.text.SPECIAL`


def measured(texts: Sequence[str], fitted: Any, spec: Spec) -> list[dict[str, float | str] | None]:
    """characters, words; unknown: share of its tokens, 0-1, where the model reads tokens."""
    found: list[dict[str, float | str] | None] = [
        {"characters": float(len(said)), "words": float(len(said.split()))} for said in texts]
    if spec.kind == "tokens":
        from trivium.modalities.text import encode

        for own, ids in zip(found, encode(list(texts), fitted, spec), strict=True):
            if own is not None and (count := (ids != PAD).sum()):
                own["unknown"] = float((ids == UNKNOWN).sum() / count)
    return found
