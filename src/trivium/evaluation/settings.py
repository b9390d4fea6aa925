"""The settings of evaluate."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from trivium.settings.base import Count, Positive, Section


class Settings(Section):
    batch: Count  # samples
    calibration_bins: Count  # of the expected calibration error
    analysis_rows: Annotated[int, Field(ge=32)] = 1000  # test samples per seed for the analyses, at most
    analysis_flops: Positive = 2e12  # per strategy over all seeds: noise, attacks, probes, attributions
