"""What a served model was asked and answered, as summary statistics: a line of JSON per row, and no raw value.

`trivium drift` compares such a log with what the model learned from.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trivium.modalities import media
from trivium.runtime import values
from trivium.runtime.folder import GRAPH, PROCESSORS
from trivium.runtime.inputs import Row
from trivium.tasks import Task

Statistics = dict[str, float | str]
LIMIT = 64 * 2**20  # bytes of a log; then it is moved to LOG.1, and what was there is dropped
FRAME = 0.02  # seconds
SILENT = -50.0  # dBFS; a frame below is silence
FLOOR = -120.0  # dBFS of nothing at all


class Watch:
    """Called by a server after each batch. log: appended to;  raw: whether raw values are logged too (they may be
    personal data);  limit: bytes.
    """

    def __init__(self, log: Path, folder: Path, task: Task, streams: Mapping[str, str], raw: bool = False,
                 limit: int = LIMIT) -> None:
        self.log, self.task, self.streams, self.raw, self.limit = log, task, streams, raw, limit
        self.model = fingerprint(folder)

    def __call__(self, rows: Sequence[Row], stored: np.ndarray) -> None:
        """stored: float64 [B, A], the answers of `rows` (see `Task.stored`)."""
        lines = []
        for row, answer in zip(rows, answers(self.task, stored), strict=True):
            said: dict[str, Any] = {"model": self.model, "streams": described(row, self.streams), "answer": answer}
            if self.raw:
                said["raw"] = {s: _plain(row.get(s)) for s in self.streams if not values.missing(row.get(s))}
            lines.append(json.dumps(said) + "\n")
        if self.log.exists() and self.log.stat().st_size >= self.limit:
            os.replace(self.log, f"{self.log}.1")
        file = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            for line in lines:
                os.write(file, line.encode())  # one call, so that lines of two writers do not mix
        finally:
            os.close(file)


def fingerprint(folder: Path) -> str:
    """Of an exported model: its graph, and what stands before it."""
    digest = hashlib.sha256()
    for name in (GRAPH, PROCESSORS):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:16]


def described(row: Row, streams: Mapping[str, str], root: Path = Path(".")) -> dict[str, Statistics]:
    """Per stream its `state` (given, missing, unreadable) and, where given, the statistics of its modality."""
    found: dict[str, Statistics] = {}
    for s, modality in streams.items():
        if values.missing(row.get(s)):
            found[s] = {"state": "missing"}
            continue
        try:
            found[s] = {"state": "given", **OF.get(modality, _nothing)(row, row[s], root)}
        except Exception:  # whatever a decoder makes of a damaged file
            found[s] = {"state": "unreadable"}
    return found


def answers(task: Task, stored: np.ndarray) -> list[Statistics]:
    """Per row its answer: a class, tags or a number, and the largest of the probabilities. stored: float64 [B, A]"""
    found: list[Statistics] = [{} for _ in stored]
    for name, column in task.answered(stored).items():
        for one, value in zip(found, column, strict=True):
            if name.startswith("probability_"):
                one["confidence"] = max(float(one.get("confidence", 0.0)), float(value))
            elif not name.endswith(("_low", "_high")):
                one[name] = float(value) if isinstance(value, (int, float, np.number)) else str(value)
    return found


def _nothing(row: Row, value: Any, root: Path) -> Statistics:
    return {}


def _text(row: Row, value: Any, root: Path) -> Statistics:
    said = values.text(value)
    return {"characters": float(len(said)), "words": float(len(said.split()))}


def _image(row: Row, value: Any, root: Path) -> Statistics:
    """width, height in pixels; brightness and contrast (mean and deviation of grey), 0-1."""
    from PIL import Image

    with Image.open(_file(value, root)) as picture:
        grey = np.asarray(picture.convert("L"), np.float64) / 255
    return {"width": float(grey.shape[1]), "height": float(grey.shape[0]), "brightness": float(grey.mean()),
            "contrast": float(grey.std())}


def _audio(row: Row, value: Any, root: Path) -> Statistics:
    """seconds; loudness (root mean square) in dBFS; silence: share of frames below `SILENT`."""
    import soundfile

    start, end = values.span(row)
    with soundfile.SoundFile(_file(value, root)) as file:
        rate = file.samplerate
        file.seek(int((start or 0) * rate))
        wave = file.read(-1 if end is None else int((end - (start or 0)) * rate), "float64", always_2d=True).mean(1)
    size = max(1, int(FRAME * rate))
    frames = [_level(wave[k:k + size]) for k in range(0, len(wave), size)]
    return {"seconds": len(wave) / rate, "loudness": _level(wave), "silence": float(np.mean(np.array(frames) < SILENT))}


def _level(wave: np.ndarray) -> float:
    return float(max(FLOOR, 20 * np.log10(max(1e-12, np.sqrt(np.mean(wave**2))))))


OF = {"text": _text, "image": _image, "audio": _audio}  # of other modalities, `state` alone


def _file(value: Any, root: Path) -> Any:
    if isinstance(value, str) and value.startswith("data:"):
        value = base64.b64decode(value.partition(",")[2], validate=True)
    return io.BytesIO(value) if isinstance(value, bytes) else media.opened(value, root)


def _plain(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)
