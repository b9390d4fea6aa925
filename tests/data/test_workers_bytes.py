"""The bytes that `ingest` to `preprocess` leave do not depend on how many processes work on them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from tests.data.through import ALL, digests, through
from trivium.data.settings import Stream

ROWS = 700  # above what `validate` measures without other processes, and several pieces of every pool
STREAMS = {"text": Stream(modality="text"), "image": Stream(modality="image"), "audio": Stream(modality="audio"),
           "facts": Stream(modality="table", columns=("area", "kind"))}
RECIPES = {"scratch": {"text": "words", "image": "patches", "audio": "waves", "facts": "cells"},
           "simple": {"text": "ngrams", "image": "pixels", "audio": "coefficients", "facts": "cells"}}
SIMPLE = {"ngrams": {"modality": "text", "architecture": "tfidf"}, "pixels": {"modality": "image",
                                                                              "architecture": "hog"},
          "coefficients": {"modality": "audio", "architecture": "mfcc"}}


@pytest.mark.slow
def test_1_2_and_4_workers_leave_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine").mkdir()
    rng = np.random.default_rng(0)
    with Path("mine/m.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "label", "text", "image", "audio", "area", "kind"])
        for i in range(ROWS):
            side = int(rng.integers(8, 20))
            Image.fromarray(rng.integers(0, 256, (side, 9, 3), dtype=np.uint8)).save(f"mine/{i}.png")
            soundfile.write(f"mine/{i}.wav", rng.uniform(-0.5, 0.5, int(rng.integers(80, 400))), 8000, subtype="FLOAT")
            words = " ".join(f"w{k}" for k in rng.integers(0, 90, int(rng.integers(1, 12))))
            table.writerow([f"{i:03}", "ab"[i % 2], words, "" if i % 7 == 3 else f"{i}.png",
                            "" if i % 5 == 2 else f"{i}.wav", f"{rng.normal():.3f}", f"k{int(rng.integers(0, 5))}"])
    found = {}
    for workers in (1, 2, 4):
        through(Path("mine/m.csv"), Path(f"w{workers}"), STREAMS, RECIPES, ALL | SIMPLE, workers)
        found[workers] = digests(Path(f"w{workers}/data"), "raw", "valid", "aligned", "splits", "features", "reads")
    names = " ".join(found[1])
    assert all(part in names for part in ("reading.json", "x.arrow", "seed_0.json", "reads/simple.json"))
    assert found[2] == found[1]
    assert found[4] == found[1]
