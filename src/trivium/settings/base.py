"""What typed settings are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


@dataclass(frozen=True)
class Range:
    """What tuning tries for a number: `low` to `high`; log: evenly in its logarithm. Stands in the number's type."""

    low: float
    high: float
    log: bool = False


class Section(BaseModel):
    """Settings of one thing: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def ranges(settings: type[BaseModel]) -> dict[str, Range]:
    """The numbers among the settings of a part that tuning may choose."""
    return {name: mark for name, field in settings.model_fields.items() for mark in field.metadata
            if isinstance(mark, Range)}
