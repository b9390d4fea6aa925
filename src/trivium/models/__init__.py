"""Networks, and how they are kept: `load(folder)` gives the model that a strategy ended with."""

from trivium.models.build import encoder, multimodal
from trivium.models.files import load, save

__all__ = ["encoder", "load", "multimodal", "save"]
