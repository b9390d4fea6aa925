"""What describes a series: what the processor `traits` makes is the vector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trivium.encoders.base import Plain
from trivium.settings.base import Section

if TYPE_CHECKING:
    from trivium.modalities.spec import Spec

PROCESSOR = {"series": "traits"}
GIVES = Plain.gives


class Settings(Section):
    pass


def build(spec: Spec, settings: Settings) -> Plain:
    return Plain(spec)
