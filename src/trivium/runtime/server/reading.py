"""From what a client sent to rows that the model may see: texts and bytes, and never a path of this machine."""

from __future__ import annotations

import base64
import binascii
import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trivium.data import moments
from trivium.modalities import audio, image, is_written, series
from trivium.runtime.server.limits import Limits, Refused
from trivium.runtime.values import as_file, missing, times

ID = "id"
Row = dict[str, Any]


def parsed(body: bytes, limits: Limits) -> list[Row]:
    """The rows of a JSON body: a list of objects, `{"rows": [...]}`, or one object. Raises: Refused."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "json", f"The body is not JSON ({error}).") from None
    if isinstance(found, dict) and isinstance(found.get("rows"), list):
        found = found["rows"]
    rows = [found] if isinstance(found, dict) else found
    if not isinstance(rows, list) or not rows:
        raise Refused(422, "shape", 'Send a list of rows, such as [{"text": "..."}]: one at least.')
    if odd := [k for k, row in enumerate(rows, 1) if not isinstance(row, dict)]:
        raise Refused(422, "shape", f'Row {odd[0]} is no object. Send a list such as [{{"text": "..."}}].')
    if len(rows) > limits.rows:
        raise Refused(413, "rows", f"{len(rows):,} rows are more than the {limits.rows:,} that one request may have.")
    return rows


class Reader:
    """streams: that the model knows, name -> modality;  cells: the columns of those of tables."""

    def __init__(self, streams: Mapping[str, str], cells: Mapping[str, list[str]], limits: Limits) -> None:
        self.streams, self.cells, self.limits = dict(streams), dict(cells), limits

    def row(self, given: Row) -> tuple[Row, str | None]:
        """The values of a row, texts or bytes; and what was not used, in words. Raises: ValueError (why there can be
        no answer).
        """
        spans = times(self.streams)
        known = {*self.streams, *spans, ID}
        unknown = [key for key in given if key not in known]
        if not any(not missing(given.get(s)) for s in self.streams):
            told = f"; it has {', '.join(map(str, unknown[:5]))}" if unknown else ""
            raise ValueError(f"the row has none of {', '.join(self.streams)}{told}")
        found: Row = {key: self._time(key, given[key]) for key in spans if not missing(given.get(key))}
        for s, modality in self.streams.items():
            if not missing(given.get(s)):
                found[s] = self._value(s, modality, given[s])
        return found, f"{', '.join(map(str, unknown[:5]))}: not known here" if unknown else None

    def _value(self, s: str, modality: str, value: Any) -> str | bytes:
        if is_written(modality):
            if isinstance(value, bytes):
                value = value.decode("utf-8", "replace")
            if modality == "table":
                value = self._table(s, value)
            elif isinstance(value, bool) or not isinstance(value, str | int | float):
                raise ValueError(f"{s} is to be a text")
            return self._short(s, str(value))
        if modality == "series" and isinstance(value, dict):
            value = self._numbers(s, value)
        content = value if isinstance(value, bytes) else self._decoded(s, value)
        try:
            self._measured(s, modality, content)
        except ValueError:
            raise
        except Exception as error:  # whatever a library makes of a damaged header
            why = image._why(error) if modality == "image" else audio._why(error, None)
            raise ValueError(f"{s} cannot be read: {why}") from None
        return content

    def _table(self, s: str, value: Any) -> str:
        if isinstance(value, str):
            return value
        if not isinstance(value, dict) or any(isinstance(cell, dict | list) for cell in value.values()):
            raise ValueError(f"{s} is to be an object with a value per column: {', '.join(self.cells.get(s, ())[:8])}")
        return json.dumps(value, ensure_ascii=False)

    def _numbers(self, s: str, value: Row) -> bytes:
        """The file of {"time": [...], "x": [...], ...}; `rate`, points a second, may stand in place of the times."""
        from trivium.modalities.recordings.written import content

        given = dict(value)
        rate = given.pop("rate", None)
        if not given or not all(isinstance(one, list) for one in given.values()) or not isinstance(
                rate, int | float | None) or isinstance(rate, bool):
            raise ValueError(f"{s} is to be an object: a list of numbers per channel, and their `time`, or a `rate`")
        try:
            return content(given, rate)
        except (TypeError, ValueError):
            raise ValueError(f"{s} has a list with something else than numbers, or times, in it") from None

    def _short(self, s: str, value: str) -> str:
        if len(value) > self.limits.characters:
            raise ValueError(f"{s} has {len(value):,} characters, and {self.limits.characters:,} are allowed")
        return value

    def _decoded(self, s: str, value: Any) -> bytes:
        if not isinstance(value, str):
            raise ValueError(f"{s} is to be the content of a file, as base64")
        if value.startswith("data:"):
            value = value.partition(",")[2]
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError(f"{s} is not base64: send the content of a file, not its name") from None

    def _measured(self, s: str, modality: str, content: bytes) -> None:
        """Look at the header before anything is decoded: a small file may claim to be a huge one."""
        if modality == "image":
            from PIL import Image

            with Image.open(io.BytesIO(content)) as opened:
                width, height = opened.size
            if width * height > self.limits.pixels:
                raise ValueError(f"{s} has {width:,} x {height:,} pixels, and {self.limits.pixels:,} are allowed")
        elif modality == "series":
            with as_file(content) as file:
                if why := series.probe(str(file), "").get("error"):
                    raise ValueError(f"{s} cannot be read: {why}")
        elif modality == "audio":
            from trivium.modalities.videos.sound import opened as sound_of

            # By its path: bytes would be read through Python, which waits for its lock at each of them.
            with as_file(content) as file, sound_of(str(file)) as sound:
                rate, frames = sound.samplerate, sound.frames
            if rate > self.limits.hertz:
                raise ValueError(f"{s} claims {rate:,} Hz, and {self.limits.hertz:,} are allowed")
            if frames > self.limits.seconds * rate:
                raise ValueError(f"{s} is {frames / rate:,.0f} s long, and {self.limits.seconds:,.0f} s are allowed")
        elif modality == "video":
            from trivium.modalities.videos.reader import Film

            with as_file(content) as file, Film(Path(str(file))) as film:
                width, height, lasts = film.pixels[0], film.pixels[1], film.scanned()
            if width * height > self.limits.pixels:
                raise ValueError(f"{s} has {width:,} x {height:,} pixels, and {self.limits.pixels:,} are allowed")
            if lasts > self.limits.seconds:
                raise ValueError(f"{s} is {lasts:,.0f} s long, and {self.limits.seconds:,.0f} s are allowed")

    def _time(self, key: str, value: Any) -> float | str:
        """A date stays one: when a series begins, its file says."""
        try:
            seconds = float(value)
        except (TypeError, ValueError):
            if "series" in self.streams.values() and isinstance(value, str) and moments.date(value) is not None:
                return value
            seconds = math.nan
        if not math.isfinite(seconds):
            raise ValueError(f"{key} is no number of seconds")
        return seconds
