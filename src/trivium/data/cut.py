"""What is said where fewer recordings than a split needs are cut into stretches: when imported, or on a clock."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from trivium.data.out import Part
from trivium.machine import files

FEW = 3  # recordings that a split needs, one for each side
BESIDE = "source.json"  # beside an imported table; `cut` in it


class Cut(Part):
    """Of fewer than three recordings: stretches that they were cut into, and samples that are left out because they
    reach into the next one.
    """

    stretches: int
    across: int

    @classmethod
    def beside(cls, table: Path) -> Self | None:
        """What `trivium import` wrote of its recordings; None of any other table, and where recordings are whole."""
        found = files.read_json_or(table.parent / BESIDE, {}).get("cut")
        return cls.model_validate(found) if found and table.name == "rows.parquet" else None

    @property
    def said(self) -> str:
        """In words."""
        lost = self.across
        left = f" ({lost:,} sample{'s' * (lost > 1)}, which would reach into the next, left out)" * bool(lost)
        return (f"fewer than {FEW} recordings cannot be split, so they are cut into {self.stretches} stretches, each "
                f"on one side{left}. Neighbours may be alike, so results are better than on a new recording. "
                "`split.method: time` tests on the end.")
