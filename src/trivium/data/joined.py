"""What near-duplicates join: groups that would be apart without them, and what to set where they join too many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from trivium.data.linked_rows import components
from trivium.data.settings import Near
from trivium.settings.errors import UserError

PLURAL = {"image": "pictures", "audio": "sounds", "text": "texts", "series": "series", "video": "clips"}


@dataclass(frozen=True)
class Joined:
    """before, after: how many groups there are without and with near-duplicates.  modality: which joins the most.
    least: how alike these are.
    """

    before: int
    after: int
    modality: str
    least: float

    @property
    def said(self) -> str:
        return f"near-duplicates joined {self.before:,} groups into {self.after:,}"

    @property
    def advice(self) -> str:
        return (f"{self.said}: `split.near_duplicates: {{{self.modality}: null}}` compares no {PLURAL[self.modality]}, "
                f"and a higher figure than {self.least:g} takes fewer for twins.")


def found(groups: np.ndarray, apart: Sequence[np.ndarray], tied: Mapping[str, np.ndarray], near: Near | None,
          ) -> Joined | None:
    """None where they join nothing. groups: of each row, with all that ties them;  apart: what ties rows anyway, as
    codes for `components`;  tied: modality -> codes of near-duplicates.
    """
    def count(columns: Sequence[np.ndarray]) -> int:
        return int(components(len(groups), columns).max(initial=-1)) + 1

    after = int(groups.max(initial=-1)) + 1
    if near is None or not tied or (before := count(apart)) == after:
        return None
    most = min(tied, key=lambda modality: count([*apart, tied[modality]])) if len(tied) > 1 else next(iter(tied))
    return Joined(before, after, most, getattr(near, most))


@contextmanager
def named(joined: Joined | None) -> Iterator[None]:
    """What cannot be split for want of groups says, too, what joined them."""
    try:
        yield
    except UserError as error:
        if joined is None:
            raise
        raise UserError(f"{error} {joined.advice[0].upper()}{joined.advice[1:]}") from None
