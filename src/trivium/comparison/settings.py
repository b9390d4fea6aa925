"""The settings of compare."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from trivium.data.settings import Labels
from trivium.settings.base import Positive, Section
from trivium.settings.errors import UserError


class Settings(Section):
    bootstrap: Annotated[int, Field(ge=100)]  # resamples
    confidence: Annotated[float, Field(gt=0.5, lt=1)]  # of every interval
    threshold: Annotated[float, Field(ge=0.5, lt=1)]  # probability of outperforming that a winner needs
    metric: str = "auto"  # the key of one that ranks; auto: the task's own
    reference: str = ""  # the entry of `train` that everybody should beat; "": none
    together: bool = True  # whether to weigh the answers of all strategies on validation, and to test their mean
    latency: bool = True  # whether every strategy is exported, and its answers timed
    latency_ms: Positive | None = None  # of one row on one thread, 95th percentile: recommend nothing that is slower

    @model_validator(mode="after")
    def _timed(self) -> Settings:
        """Raises: UserError (a limit on what is not timed)."""
        if self.latency_ms is not None and not self.latency:
            raise UserError(f"params.yaml: `compare.latency_ms: {self.latency_ms:g}` needs the times of exported "
                            "models, and `compare.latency: false` says that there are none: set it to true.")
        return self


class Budgets(Section):
    """What `trivium curves` compares besides, at the same compute where labels are fewer."""

    compute: tuple[Positive, ...] = (0.5, 2.0)  # times the present one
    labels: tuple[Labels, ...] = (0.25, 0.5)  # of the train rows that have one: a share, or above 1 so many
