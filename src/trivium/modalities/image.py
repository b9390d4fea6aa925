"""Images of any format, mode and size that Pillow reads, as uint8 [C, size, size].

The first frame, turned upright (EXIF), flattened on white, shrunk or enlarged to fit with its proportions kept, and
centred on white: nothing is cut off, whatever the proportions.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from trivium.machine.files import absent
from trivium.modalities import add_noise, media
from trivium.modalities.augmented import image as augmented
from trivium.modalities.media import regions
from trivium.settings.base import Section
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from trivium.modalities.spec import Spec

PIECE = 1 << 18  # pixels that are worked on at a time
MAX_PIXELS = 2**27  # 134 megapixels, 400 MB as RGB: above it a file is taken for a decompression bomb
Augment, augment = augmented.Settings, augmented.augment


class Settings(Section):
    size: Annotated[int, Field(ge=8, le=1024)] = 32  # pixels, of both sides
    channels: Literal[1, 3] = 3
    mean: tuple[float, ...] | None = None  # of each channel, 0-1, that is taken away; null: that of the train images
    deviation: tuple[float, ...] | None = None  # that is divided by; null: as above

    @model_validator(mode="after")
    def _one_for_each_channel(self) -> Settings:
        if (self.mean is None) != (self.deviation is None):
            raise ValueError("`mean` and `deviation` stand together: set both or neither")
        if self.mean is None or self.deviation is None:
            return self
        if not len(self.mean) == len(self.deviation) == self.channels:
            raise ValueError(f"`mean` has {len(self.mean)} numbers and `deviation` {len(self.deviation)}, for "
                             f"{self.channels} channels")
        if min(self.deviation) <= 0:
            raise ValueError("`deviation` is divided by: its numbers are above 0")
        return self

    @property
    def statistics(self) -> dict[str, list[float]] | None:
        """Mean and deviation of the stored values, 0-255, where published weights bring them."""
        if self.mean is None or self.deviation is None:
            return None
        return {"mean": [255 * value for value in self.mean], "deviation": [255 * value for value in self.deviation]}


def spec(settings: Settings) -> Spec:
    from trivium.modalities.spec import Spec

    return Spec("image", "image", (settings.channels, settings.size, settings.size))


def probe(value: str, root: str | Path, start: float | None = None, end: float | None = None) -> dict[str, Any]:
    """{"width", "height"} in pixels as they are shown (EXIF rotation applied), or {"error": why}."""
    try:
        with _open(value, root) as image:
            width, height = regions.cut(_upright(image), regions.split(value)[1]).size
    except UserError:
        raise
    except ValueError as error:
        return {"error": str(error)}
    except Exception as error:  # Pillow's plugins raise nearly anything on a damaged file
        return {"error": _why(error)}
    return {"width": width, "height": height}


def decode(value: str, root: str | Path, start: float | None, end: float | None, settings: Settings) -> np.ndarray:
    """uint8 [C, size, size]. Raises: ValueError (why the file cannot be read)."""
    from PIL import Image

    mode = "L" if settings.channels == 1 else "RGB"
    try:
        with _open(value, root) as image:
            if not (boxes := regions.split(value)[1]):
                image.draft(mode, (2 * settings.size, 2 * settings.size))  # lets JPEG skip detail that is shrunk away
            flat = _flatten(regions.cut(_upright(image), boxes)).convert(mode)
    except (ValueError, UserError):
        raise
    except Exception as error:
        raise ValueError(_why(error)) from None
    scale = settings.size / max(flat.size)
    width, height = (max(1, round(scale * side)) for side in flat.size)
    if (width, height) != flat.size:
        flat = flat.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=3.0)
    canvas = Image.new(mode, (settings.size, settings.size), "white")
    canvas.paste(flat, ((settings.size - width) // 2, (settings.size - height) // 2))
    return np.ascontiguousarray(np.asarray(canvas).reshape(settings.size, settings.size, -1).transpose(2, 0, 1))


def corrupt(x: Tensor, severity: float, generator: Generator, spec: Spec) -> Tensor:
    """Gaussian noise, see `add_noise`; x float [B, C, H, W]."""
    return add_noise(x, severity, generator)


def _open(value: str, root: str | Path) -> Any:
    """The image behind `value`, not yet decoded; the first frame where there are several."""
    from PIL import Image

    if value.lower().endswith((".svg", ".svgz")):
        raise ValueError("SVG is a drawing, not pixels: render it to PNG first")
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    image = Image.open(media.opened(value, root))
    if image.width * image.height > MAX_PIXELS:
        raise Image.DecompressionBombError
    return image


def _upright(image: Any) -> Any:
    from PIL import ImageOps

    image.load()
    if image.mode == "F" and not np.isfinite(image).all():
        raise ValueError("has pixels that are not numbers (NaN or infinite)")
    return ImageOps.exif_transpose(image)


def _flatten(image: Any) -> Any:
    """Without transparency (on white) and with 8 bits per channel."""
    from PIL import Image

    if image.mode.startswith(("I", "F")):  # 16-bit, 32-bit and float greys, which `convert` would clip
        grey = np.asarray(image)
        full = {"F": 1.0 if grey.max() <= 1 else 255.0}.get(image.mode, 65535.0)
        flat = np.empty(grey.shape, np.uint8)
        rows = max(1, PIECE // grey.shape[1])
        for here in (slice(first, first + rows) for first in range(0, len(grey), rows)):  # as float64 it is 8 times it
            flat[here] = np.clip(grey[here].astype(np.float64) * 255 / full + 0.5, 0, 255)
        return Image.fromarray(flat)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB") if image.mode == "LAB" else image  # Pillow knows no way from there to grey


def _why(error: Exception) -> str:
    from PIL import Image, UnidentifiedImageError

    if isinstance(error, FileNotFoundError):
        return absent(error.filename or "")
    if isinstance(error, IsADirectoryError):
        return "this is a folder, not a file"
    if isinstance(error, UnidentifiedImageError):
        return "not an image, or of a format that Pillow cannot read"
    if isinstance(error, Image.DecompressionBombError):
        return f"more than {MAX_PIXELS // 10**6} megapixels: too large to decode safely"
    return f"cannot be decoded: {error}" if str(error) else f"cannot be decoded ({type(error).__name__})"
