"""Currents of household appliances while they are switched on or run, each as a WAV file (audio).

    python -m benchmarks.real.plaid SOURCE OUT

Rows: 1,074 recordings of PLAID (Gao et al. 2014). Label: the appliance, 11 sorts. Group: none; the package does not
say which recordings are of one appliance (three to six were made of each), so accuracies hold for known appliances.
The size of a current tells the appliance: processors must not normalise the loudness away.

The recordings took seconds at 30,000 values each, and the package has 100 to 1,344 values of each, thinned out in a
way that it does not state. The rate in the WAV files is therefore made up, such that 0.08 s are the usual length: at
30,000 a second a recording would be one frame of a spectrogram, and scikit-learn gets 47 % instead of 78 %.

Licence: BSD-3 (sktime, which ships the set). Needs: pip (the wheel sktime, an 8 MB download), scipy.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.io import wavfile  # soundfile puts the time of day into files of floats

from benchmarks.real.common import Row, pypi, start

VERSION = "1.2.0"
RATE = 4_000  # made up, see above
KILO = 1000  # the files are in kA: amperes would not fit in [-1, 1]
NAMES = ("air conditioner", "compact fluorescent lamp", "fan", "fridge", "hairdryer", "heater",
         "incandescent light bulb", "laptop", "microwave", "vacuum", "washing machine")


def series(text: str) -> Iterator[tuple[np.ndarray, str]]:
    """(values, label) of each line after `@data`; gaps are left out."""
    lines = iter(text.splitlines())
    for line in lines:
        if line.strip().lower() == "@data":
            break
    for line in lines:
        values, _, label = line.rpartition(":")
        yield np.array([float(x) for x in values.split(",") if x not in ("?", "NaN")]), NAMES[int(float(label))]


def build(source: Path, out: Path) -> list[Row]:
    home = pypi("sktime", VERSION, source) / "sktime/datasets/data/PLAID"
    rows: list[Row] = []
    for part in ("TRAIN", "TEST"):
        text = (home / f"PLAID_{part}.ts").read_text(encoding="utf-8-sig")
        for k, (wave, label) in enumerate(series(text)):
            name = f"{part.lower()}-{k:03}"
            wavfile.write(out / "media" / f"{name}.wav", RATE, (wave / KILO).astype(np.float32))
            rows.append({"id": name, "label": label, "audio": f"media/{name}.wav"})
    return rows


if __name__ == "__main__":
    start(build)
