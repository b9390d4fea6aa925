"""Recordings in the format of PhysioNet's WFDB: a header (`.hea`) and signals beside it (`.dat`), in the formats 16 and
212 (https://physionet.org/physiotools/wag/header-5.htm, signal-5.htm). A value may name either file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trivium.modalities import media
from trivium.modalities.recordings import Recording, counted

RATE, GAIN = 250.0, 200.0  # of a header that does not say: points a second, and units of the ADC in a millivolt
MISSING = {"16": -(2**15), "212": -(2**11)}  # what stands for no value
HEADER = re.compile(rb"^(?:#[^\n]*\r?\n)*\s*\S+[ \t]+\d+(?:[ \t]+[\d.]+[\d./()]*(?:[ \t]+\d+)?)?[^\n]*\r?\n"
                    rb"\S+\.[a-zA-Z]\w*[ \t]+\d+")  # in one line each: numbers below a CSV's names are none


@dataclass(frozen=True)
class Signal:
    file: str
    format: str
    offset: int  # bytes before the first sample
    gain: float
    baseline: float
    name: str


def begins(head: bytes) -> bool:
    """Whether this is how a header begins."""
    return bool(HEADER.match(head))


def read(value: str, root: str | Path) -> Recording:
    """Raises: ValueError."""
    folder = value[: len(value) - len(re.split(r"[/\\:]", value)[-1])]
    header = value[:-4] + ".hea" if value.endswith(".dat") else value
    rate, count, signals = _header(_bytes(header, root).decode("utf-8", "replace"))
    values = np.full((len(signals), count or 0), np.nan)
    for name in dict.fromkeys(one.file for one in signals):
        own = [k for k, one in enumerate(signals) if one.file == name]
        if "/" in name or "\\" in name or name in ("-", "~", ".."):
            raise ValueError(f"its header names the file `{name}`: signals lie beside their header")
        found = _samples(_bytes(folder + name, root), signals[own[0]], len(own))
        if not count:
            count, values = found.shape[1], np.full((len(signals), found.shape[1]), np.nan)
        if found.shape[1] < count:
            raise ValueError(f"`{name}` has {found.shape[1]:,} of the {count:,} points that its header names: it is "
                             "truncated")
        for k, samples in zip(own, found[:, :count], strict=True):
            one = signals[k]
            values[k] = np.where(samples == MISSING[one.format], np.nan, (samples - one.baseline) / one.gain)
    return Recording(counted(count or 0, rate), values, tuple(one.name for one in signals))


def _bytes(value: str, root: str | Path) -> bytes:
    try:
        file = media.opened(value, root)
        return file.read_bytes() if isinstance(file, Path) else file.getvalue()
    except (OSError, ValueError):
        name = value.rpartition("/")[2]
        raise ValueError(f"`{name}` is not beside it: a record of WFDB has two files, .hea and .dat") from None


def _header(text: str) -> tuple[float, int, list[Signal]]:
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    try:
        first = lines[0]
        if "/" in first[0]:
            raise ValueError("is a record of several segments: name one of these")
        rate = float(re.split(r"[/(]", first[2])[0]) if len(first) > 2 else RATE
        count = int(first[3]) if len(first) > 3 else 0
        signals = [_signal(line, k) for k, line in enumerate(lines[1: 1 + int(first[1])])]
    except (IndexError, TypeError) as error:
        raise ValueError(f"the header of WFDB is damaged ({error})") from None
    if len(signals) != int(first[1]) or not signals:
        raise ValueError(f"the header of WFDB names {first[1]} signals and describes {len(signals)}")
    if rate <= 0:
        raise ValueError(f"the header of WFDB says {rate:g} points a second")
    return rate, count, signals


def _signal(line: list[str], number: int) -> Signal:
    form = re.fullmatch(r"(\d+)(x\d+)?(:\d+)?(\+\d+)?", line[1])
    if not form or form[1] not in MISSING or form[2] not in (None, "x1"):
        raise ValueError(f"its signals are in WFDB's format {line[1]}; 16 and 212 are read: convert it with `xform`")
    gain, baseline = GAIN, None
    if len(line) > 2 and (told := re.match(r"([\d.eE+-]+)(?:\((-?\d+)\))?", line[2])):
        gain = float(told[1]) or GAIN
        baseline = float(told[2]) if told[2] else None
    if baseline is None:
        baseline = float(line[4]) if len(line) > 4 else 0.0
    name = " ".join(line[8:]) if len(line) > 8 else str(number + 1)
    return Signal(line[0], form[1], int((form[4] or "+0")[1:]), gain, baseline, name)


def _samples(content: bytes, one: Signal, channels: int) -> np.ndarray:
    """int [C, N] of what lies in turns in one file."""
    raw = content[one.offset:]
    if one.format == "16":
        flat = np.frombuffer(raw[: len(raw) // 2 * 2], "<i2").astype(np.int32)
    else:  # two samples of 12 bits in three bytes
        parts = np.frombuffer(raw[: len(raw) // 3 * 3], np.uint8).reshape(-1, 3).astype(np.int32)
        pairs = np.stack([parts[:, 0] | (parts[:, 1] & 0x0F) << 8, parts[:, 2] | (parts[:, 1] >> 4) << 8], 1)
        flat = np.where(pairs >= 2048, pairs - 4096, pairs).ravel()
    return flat[: len(flat) // channels * channels].reshape(-1, channels).T
