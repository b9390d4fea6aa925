"""Small pixels, a colour histogram and histograms of gradients: what the processor `hog` makes is the vector.
Of a video, its mean and deviation over the frames, and what moves (`motion`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trivium.encoders.base import Plain
from trivium.settings.base import Section

if TYPE_CHECKING:
    from trivium.modalities.spec import Spec

PROCESSOR = {"image": "hog", "video": "motion"}
GIVES = Plain.gives


class Settings(Section):
    pass


def build(spec: Spec, settings: Settings) -> Plain:
    return Plain(spec)
