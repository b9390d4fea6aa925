"""Networks, and how they are kept: `load(folder)` gives the model that a strategy ended with."""

from trivium.models.build import drawn, encoder, multimodal
from trivium.models.files import load, save

__all__ = ["drawn", "encoder", "load", "multimodal", "save"]
