"""Sizes of processors that suit some data, from a look at a part of it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from trivium.data.sources import not_one
from trivium.data.sources.spelled import located
from trivium.modalities import media
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa

Sizes = dict[str, dict[str, Any]]  # modality -> key -> value

DIGITS: Sizes = {
    "text": {"length": 24, "vocab": 256},
    "image": {"size": 32, "channels": 3},
    "audio": {"sample_rate": 16000, "seconds": 1.2, "features": "logmel", "window_ms": 25, "hop_ms": 12.5},
}
SYMBOLS: Sizes = {
    "text": {"length": 16, "vocab": 256},
    "image": {"size": 12, "channels": 1},
    "audio": {"sample_rate": 8000, "seconds": 0.016, "features": "waveform", "window_ms": 25, "hop_ms": 12.5},
}
WAVES: Sizes = {"text": SYMBOLS["text"], "series": {"channels": ["left", "right"], "rate": 64.0, "seconds": 2.0}}
STAMPS: Sizes = {
    "text": {"length": 24, "vocab": 1024},
    "image": {"size": 64, "channels": 3},
    "audio": {"sample_rate": 16000, "seconds": 3.0, "features": "logmel", "window_ms": 25, "hop_ms": 12.5},
}
LOOK = 200  # values per stream that are looked at, evenly spread
COVER = 95  # per cent of them that are seen whole
FRAMES, RATE = 24, 4  # of a video, at most, and of one second
SEEN = 8  # frames that published weights see at most: each costs a pass of theirs, and their mean hardly gains by more
FEW = 50  # videos that are opened
LONGEST = 10.0  # seconds that are kept at most
POINTS, CHANNELS = 4096, 64  # of a series that are kept at most


def suit(values: Mapping[str, Sequence[pa.ChunkedArray]], folder: Path, spans: Sequence[float] = ()) -> Sizes:
    """Sizes for the data of a manifest in `folder`. Files that cannot be read are passed over.

    values: per modality, of each of its streams, null where a row has none
    spans: seconds of the rows' parts of recordings, if they are parts
    """
    found: Sizes = {}
    if "text" in values:
        found["text"] = _text(_some(values["text"]))
    if "image" in values:
        found["image"] = _image(_some(values["image"]), folder)
    if "audio" in values:
        found["audio"] = _audio(_some(values["audio"]), folder, spans)
    if "series" in values:
        found["series"] = _series(_some(values["series"]), folder, spans)
    if "video" in values:
        found["video"] = _video(_some(values["video"]), folder, spans)
    return found


def published(modality: str, own: Mapping[str, Any]) -> dict[str, Any]:
    """What an encoder with published weights may be told, where small ones read with the sizes `own`: its tokenizer
    cuts common words finer or coarser than ours, small pictures gain nothing from 224 pixels, a voice needs 1.6 s, and
    of a video they see up to `SEEN` frames, spread evenly.
    """
    if modality == "text" and "length" in own:
        return {"length": min(256, max(64, 2 * own["length"]))}
    if modality == "image" and "size" in own:
        return {"size": 96 if own["size"] <= 32 else 224}
    if modality == "video" and "size" in own:
        few = {"frames": SEEN, "frames_per_second": None} if own["frames"] > SEEN else {
            key: own[key] for key in ("frames", "frames_per_second")}
        return {"size": 96 if own["size"] <= 32 else 224} | few
    if modality == "audio" and "seconds" in own:
        return {"seconds": max(1.6, own["seconds"])}
    return {}


def processors(values: dict[str, dict[str, Any]], settings: Any) -> dict[str, Any]:
    """The sizes of `values`, per modality, for the encoders of recipes that read with the modality's own processor."""
    from trivium.encoders import reads_plainly

    found: dict[str, Any] = {}
    recipes = [recipe for recipe in settings["pretrain"].values() if isinstance(recipe, Mapping)]
    used = {str(entry) for recipe in recipes for entry in (recipe.get("encoders") or {}).values()}
    for name, entry in settings["encoder"].items():
        own = values.get(str(entry.get("modality")), {}) if name in used and isinstance(entry, Mapping) else {}
        if not own:
            continue
        if "weights" in entry:
            own = _fitting(entry, published(entry["modality"], own))
        elif not reads_plainly(entry):
            continue
        found |= {f"encoder.{name}.processor.{key}": value for key, value in own.items()}
    return found


def _fitting(entry: Mapping[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """What of `own` may be said of published weights: some models read so many tokens at most, some bring the size of
    their pictures, which their positions are made for, some hear clips of one length only.
    """
    from trivium.encoders import brought
    from trivium.encoders.published import adapter

    weights = str(entry["weights"])
    if not own or adapter(weights):
        return own
    if entry["modality"] == "audio":
        return own if _takes(entry, own) else {}
    try:
        if entry["modality"] == "image":
            return {} if brought.brings_size(weights) else own
        most = brought.most_tokens(weights)
    except UserError:  # nobody here can tell what it reads: it stays as it is
        return {}
    return own | {"length": min(own["length"], most)} if most and "length" in own else own


def _takes(entry: Mapping[str, Any], own: Mapping[str, Any]) -> bool:
    """Whether these settings can be said of published weights: some models hear clips of one length only."""
    from trivium.encoders import describe

    try:
        describe("published", dict(entry) | {"processor": dict(entry.get("processor") or {}) | dict(own)})
    except UserError:
        return False
    return True


def _some(columns: Sequence[pa.ChunkedArray]) -> list[str]:
    found = [column.filter(pc.invert(pc.fill_null(pc.starts_with(column, not_one.MARK), True))) for column in columns]
    return [value for there in found
            for value in there.take(np.unique(np.linspace(0, len(there) - 1, LOOK).astype(np.int64))).to_pylist()]


def _text(values: list[str]) -> dict[str, Any]:
    """As long as what a tokenizer of one half makes of the other; few different words need few entries."""
    from trivium.modalities import text

    most = text.Settings(length=4096, vocab=2048)
    vocab = 2048 if text.fit(values, most)[1].vocab > 256 else 256
    tokenizer, spec = text.fit(values[::2], most.model_copy(update={"vocab": vocab}))
    tokens = (text.encode(values[1::2] or values, tokenizer, spec) != 0).sum(axis=1)
    return {"length": _between(16, 8 * math.ceil(np.percentile(tokens, COVER) / 8), 128), "vocab": vocab}


def _image(values: list[str], folder: Path) -> dict[str, Any]:
    from PIL import Image

    sides, modes = [], set()
    for value in values:
        try:
            with Image.open(media.opened(located(value, folder), folder)) as image:
                sides.append(min(image.size))
                modes.add(image.mode)
        except (OSError, ValueError, Image.DecompressionBombError):
            continue
    if not sides:
        return {}
    size = next((size for size in (16, 32) if np.median(sides) <= 1.5 * size), 64)
    return {"size": size, "channels": 1 if modes <= {"1", "L", "LA", "I", "I;16"} else 3}


def _audio(values: list[str], folder: Path, spans: Sequence[float]) -> dict[str, Any]:
    import soundfile

    seconds, rates = [], []
    for value in values:
        try:
            about = soundfile.info(media.opened(located(value, folder), folder))
        except (OSError, TypeError, ValueError, soundfile.LibsndfileError):  # TypeError: raw samples without a header
            continue
        seconds.append(about.frames / about.samplerate)
        rates.append(about.samplerate)
    if not seconds:
        return {}
    long = _between(0.1, math.ceil(10 * np.percentile(spans or seconds, COVER)) / 10, LONGEST)
    window = 25 if long <= 4 else 50
    return {"sample_rate": _between(100, int(np.median(rates)), 16000), "seconds": long, "features": "logmel",
            "window_ms": window, "hop_ms": window / 2}


def _series(values: list[str], folder: Path, spans: Sequence[float]) -> dict[str, Any]:
    """The channels that half of them have, in the order of the first; as fast as they are, as long as they last, in
    `POINTS` points at most.
    """
    from trivium.modalities import recordings

    steps, lasts, channels, untimed = [], [], Counter[str](), list[str]()
    for value in values:
        try:
            found = recordings.read(located(value, folder), folder)
        except ValueError:
            continue
        steps.append(found.step)
        lasts.append(found.lasts)
        channels.update(found.channels)
        if not found.timed:
            untimed.append(value)
    if not steps:
        return {}
    if untimed:
        print(f"note: {len(untimed):,} of {len(steps):,} series that were looked at have neither times nor a rate, "
              f"such as {untimed[0]}: a point is taken to last a second. If that is wrong, save them as NPZ with "
              "`rate`, the points a second, or with a column `time`; seconds in the settings and the report are wrong "
              "until then.")
    long = float(np.percentile(spans or lasts, COVER))
    rate = min(1 / float(np.median(steps)), POINTS / long)
    often = [name for name, count in channels.items() if 2 * count >= len(steps)][:CHANNELS]
    return {"channels": often, "rate": plain_rate(rate), "seconds": float(f"{long:.6g}")}


def plain_rate(rate: float) -> float:
    """As people would write it: 50 where times since 1970, kept to some tenths of a microsecond, say 49.9999998."""
    short = float(f"{rate:.6g}")
    return short if abs(short - rate) <= 1e-8 * rate else float(f"{rate:.12g}")


def _video(values: list[str], folder: Path, spans: Sequence[float]) -> dict[str, Any]:
    """Up to `FRAMES` frames: four a second, or of longer clips fewer, spread evenly."""
    from trivium.modalities.videos.reader import Film

    seconds, sides = [], []
    for value in values[:: max(1, len(values) // FEW)]:
        try:
            with Film(media.opened(located(value, folder), folder)) as film:
                seconds.append(film.seconds or film.scanned())
                sides.append(min(film.pixels))
        except ValueError:
            continue
    if not seconds:
        return {}
    long = float(np.percentile(spans or seconds, COVER))
    size = 32 if np.median(sides) <= 48 else 64
    if long > FRAMES / RATE:
        return {"size": size, "channels": 3, "frames": FRAMES, "frames_per_second": None}
    return {"size": size, "channels": 3, "frames": _between(2, math.ceil(RATE * long), FRAMES),
            "frames_per_second": RATE}


def _between(least: Any, value: Any, most: Any) -> Any:
    return max(least, min(value, most))
