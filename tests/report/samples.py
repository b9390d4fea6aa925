"""Samples with real media, and what validation says of them, made up. See tests.report.project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
from PIL import Image, ImageDraw, ImageFont

from tests.report.analyses import STREAMS
from tests.report.trained import save
from trivium.tasks.classification import Classification

WORDS = ("null", "eins", "deux", "tres", "four", "cinque", "six", "sieben", "acht", "nine")
WORLD = {"name": "dominant", "bits": {"text": 1.01, "image": 0.45, "audio": 1.5, "all": 1.75},
         "bayes": {"text": 0.78, "image": 0.55, "audio": 0.925, "all": 0.961}}


def write_samples(root: Path, y: np.ndarray, classes: list[str], evil: str, files: int) -> None:
    """Samples share at most `files` files of each kind."""
    media = root / "data/raw/media"
    media.mkdir(parents=True)
    rows: dict[str, list[Any]] = {"sample": [], "label": [], "y": [], "text": [], "image": [], "audio": []}
    for k, label in enumerate(y):
        rng = np.random.default_rng([k])
        rows["sample"].append(f"d{k:05}")
        rows["label"].append(classes[label])
        rows["y"].append(int(label))
        rows["text"].append(None if k % 17 == 3 else f"the number is {WORDS[label % 10]}{evil}")
        rows["image"].append(None if k % 23 == 5 else f"media/{k % files}.png")
        rows["audio"].append(f"media/{k % files}.flac")
        if k >= files:
            continue
        picture = Image.new("L", (32, 32), 20)
        ImageDraw.Draw(picture).text(rng.uniform(4, 14, 2), str(label), 230, ImageFont.load_default(size=22))
        noisy = np.clip(np.asarray(picture) + rng.normal(0, 18, (32, 32)), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(media / f"{k}.png")
        seconds = np.arange(11_200) / 16_000
        tone = np.sin(2 * np.pi * (180 + 60 * label) * seconds) * np.hanning(len(seconds)) * 0.3
        soundfile.write(media / f"{k}.flac", tone + rng.normal(0, 0.01, len(tone)), 16_000)
    table = pa.table(rows)
    for modality in STREAMS:
        present = pa.array([value is not None for value in rows[modality]])
        table = table.append_column(f"has_{modality}", present)
    (root / "data/aligned").mkdir(parents=True)
    pq.write_table(table, root / "data/aligned/samples.parquet")
    card = (
        "Real handwriting, synthesised speech and number words, **paired by class**, not by nature" + evil + ".\n\n"
        "- handwriting: UCI digits, 8×8 pixels, scaled\n- speech: `espeak-ng`, many voices\n- text: number words "
        "with typos\n"
    )
    save(
        {
            "source": "digits",
            "root": "data/raw",
            "title": f"Digits, world dominant{evil}",
            "card": card,
            "world": WORLD,
            "task": Classification(classes).plain(),
        },
        root / "data/aligned/meta.json",
    )
    bad = [
        {
            "table": "image",
            "key": f"k{k}",
            "sample": f"q{k}",
            "reason": f"the file cannot be decoded{evil}",
            "value": "x.png",
        }
        for k in range(3)
    ]
    (root / "data/valid").mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(bad), root / "data/valid/quarantine.parquet")
    rules = [
        {
            "says": f"every {m} can be read",
            "success": m != "image",
            "level": "row",
            "unexpected": 3 * (m == "image"),
            "percent": 0.3,
            "expectation": "expect_column_values_to_be_null",
            "columns": ["error"],
        }
        for m in STREAMS
    ]
    save(
        {
            "suites": [
                {"name": m, "rows": len(y), "expectations": [rule]} for m, rule in zip(STREAMS, rules, strict=True)
            ],
            "tables": {m: {"rows": len(y), "quarantined": 3 * (m == "image")} for m in STREAMS},
            "duplicates": {"groups": 1, "samples": 2, "largest": 2},
        },
        root / "reports/validation.json",
    )
    counts = {"train": len(y) // 2, "val": len(y) * 15 // 100, "test": len(y) * 35 // 100, "unlabelled": 0, "unused": 0}
    save({"seeds": [{"seed": 0, "counts": counts}], "warnings": []}, root / "data/splits/splits.json")
