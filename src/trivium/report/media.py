"""Images, sounds and plots of series as data URIs, small enough that the page stays under its size."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trivium.modalities import media
from trivium.settings.errors import UserError

IMAGE_SIDE = 192  # pixels, longer side
FILM, FILM_SIDE, GAP = 9, 96, 3  # moments of a video; pixels of the longer side of each, and between two
TIME = 13  # pixels: how high the letters of a time are
AUDIO_RATE = 16_000  # Hz
AUDIO_SECONDS = 4.0
SERIES_POINTS = 1000
File = Path | io.BytesIO


class Media:
    """Hands out data URIs until `budget` characters are used; then None, as for a file that cannot be read."""

    def __init__(self, root: Path, budget: int) -> None:
        self.root, self.left = root, budget
        self._made: dict[tuple[str, str], str | None] = {}

    def image(self, path: str, side: int = IMAGE_SIDE) -> str | None:
        """At most `side` pixels; PNG where it is smaller (drawings), else JPEG; transparent parts on white."""
        return self._once("image", path, side)

    def drawing(self, path: str) -> str | None:
        """An SVG file as it is."""
        return self._once("drawing", path)

    def audio(self, path: str, start: float | None = None, end: float | None = None) -> str | None:
        """FLAC, one channel, at most 16 kHz and 4 s from `start` (seconds)."""
        return self._once("audio", path, start, end)

    def series(self, path: str, start: float | None = None, end: float | None = None) -> str | None:
        """A small line plot with an axis of time, SVG."""
        return self._once("series", path, path, str(self.root), start, end)

    def film(self, path: str, start: float | None = None, end: float | None = None) -> str | None:
        """`FILM` moments of a video, spread evenly from `start` to `end` (seconds), as one picture; as `image`."""
        return self._once("film", path, start, end)

    def _once(self, kind: str, path: str, *where: Any) -> str | None:
        key = (kind, f"{path}{where}")
        if key not in self._made:
            try:
                made = MAKERS[kind](media.opened(path, self.root), *where)
            except (OSError, ValueError, RuntimeError, SyntaxError, UserError):  # the page does without
                made = None
            if made is not None and len(made) > self.left:
                made = None
            self.left -= len(made or "")
            self._made[key] = made
        return self._made[key]


def _image(file: File, side: int) -> str:
    from PIL import Image, ImageOps

    with Image.open(file) as opened:
        picture = ImageOps.exif_transpose(opened).convert("RGBA")
    picture.thumbnail((side, side))
    flat = Image.new("RGB", picture.size, "white")
    flat.paste(picture, mask=picture.getchannel("A"))
    return _picture(flat)


def _picture(flat: Any) -> str:
    written = {}
    for kind, options in (("png", {}), ("jpeg", {"quality": 82})):
        buffer = io.BytesIO()
        flat.save(buffer, kind, **options)
        written[kind] = buffer.getvalue()
    kind = "png" if len(written["png"]) <= max(6000, len(written["jpeg"])) else "jpeg"
    return _uri(f"image/{kind}", written[kind])


def _film(file: File, start: float | None = None, end: float | None = None) -> str:
    import numpy as np
    from PIL import Image

    from trivium.drawing.montage import montage
    from trivium.modalities.videos import reader

    with reader.Film(file) as film:
        first, whole = start or 0.0, film.scanned()
        last = whole if end is None or not end < whole else end
        times = first + (np.arange(FILM) + 0.5) * (last - first) / FILM
        shown = [(time, frame) for time, frame in zip(times.tolist(), film.shown(times), strict=True) if frame]
        if not shown:
            raise ValueError("it has no frames")
        across, down = reader.size(shown[0][1], film.stream.sample_aspect_ratio)
        scale = FILM_SIDE / max(across, down)
        width, height = (max(1, round(scale * side)) for side in (across, down))
        places = sum((last - first) / FILM < step for step in (1.0, 0.1))  # decimals that tell two moments apart
        each = [np.pad(_timed(reader.picture(one, width, height, "rgb24"), f"{time:.{places}f} s"),
                       ((0, GAP), (0, GAP), (0, 0)), constant_values=255) for time, one in shown]
        return _picture(Image.fromarray(montage(np.stack(each))))


def _timed(pixels: Any, said: str) -> Any:
    """With a time in the lower left corner, white with a black edge: to be read on whatever is shown."""
    import numpy as np
    from PIL import Image, ImageDraw, ImageFont

    drawn = Image.fromarray(pixels)
    ImageDraw.Draw(drawn).text((3, drawn.height - 4), said, "white", ImageFont.load_default(TIME), anchor="ls",
                               stroke_width=1, stroke_fill="black")
    return np.asarray(drawn)


def _drawing(file: File) -> str:
    return _uri("image/svg+xml", file.read_bytes() if isinstance(file, Path) else file.getvalue())


def _audio(place: File, start: float | None = None, end: float | None = None) -> str:
    import numpy as np
    import soundfile

    from trivium.modalities.videos.sound import opened

    with opened(place) as file:
        rate = file.samplerate
        first = int((start or 0.0) * rate)
        seconds = min(AUDIO_SECONDS, end - (start or 0.0)) if end is not None else AUDIO_SECONDS
        file.seek(min(first, file.frames))
        wave = file.read(int(max(seconds, 0) * rate), dtype="float32", always_2d=True).mean(axis=1)
    if not len(wave):
        raise ValueError("it holds no sound")
    if rate > AUDIO_RATE:
        wave, rate = _slower(wave, rate), AUDIO_RATE
    buffer = io.BytesIO()
    soundfile.write(buffer, np.clip(wave, -1, 1), rate, format="FLAC", subtype="PCM_16")
    return _uri("audio/flac", buffer.getvalue())


def _series(file: File, value: str, root: str, start: float | None = None, end: float | None = None) -> str:
    """`value` and `root` in place of the file: what it holds may lie in two."""
    import numpy as np

    from trivium.drawing.lanes import plot
    from trivium.modalities import recordings
    from trivium.modalities.recordings.regular import regular

    found = recordings.read(value, root)
    first, last = recordings.cut(found, start, end)
    count = int(np.clip(round((last - first) / found.step), 2, SERIES_POINTS))
    values, there = regular(found, count / (last - first), first, last, count)
    return _uri("image/svg+xml", plot(values, there, found.channels, first, last - first).encode())


def _slower(wave, rate: int):  # type: ignore[no-untyped-def]  # numpy array [N] -> [N']
    """Resampled to AUDIO_RATE in the frequency domain: what is above the new limit is cut off."""
    import numpy as np

    count = round(len(wave) * AUDIO_RATE / rate)
    spectrum = np.fft.rfft(wave)[: count // 2 + 1]
    return (np.fft.irfft(spectrum, count) * (count / len(wave))).astype(np.float32)


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


MAKERS: dict[str, Callable[..., str]] = {"image": _image, "drawing": _drawing, "audio": _audio, "series": _series,
                                         "film": _film}
