"""The whole pipeline on a table with gaps, cross-validated, with other encoders than the default ones."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from tests.helpers import command, set_params, tiny_project
from trivium.data import tables

pytestmark = pytest.mark.slow

ROWS, CLASSES, FOLDS = 120, ("high", "low", "middle"), 3
PITCH = {"high": 1600, "middle": 800, "low": 400}  # hertz


def write_manifest(folder: Path) -> Path:
    """ROWS rows: no text in every fifth row, no image in every fourth, no sound in every third, one in four groups."""
    rng = np.random.default_rng(0)
    with (folder / "table.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "label", "text", "image", "audio", "group"])
        for k in range(ROWS):
            label = CLASSES[k % 3]
            shade = 80 * (k % 3) + rng.integers(0, 60, (9, 11), dtype=np.uint8)
            Image.fromarray(shade.astype(np.uint8)).save(folder / f"{k}.png")
            wave = 0.3 * np.sin(2 * np.pi * PITCH[label] * np.arange(1600) / 8000) + rng.normal(0, 0.05, 1600)
            soundfile.write(folder / f"{k}.wav", wave, 8000)
            there = [f"{label} note {k}" if k % 5 else "", f"{k}.png" if k % 4 else "", f"{k}.wav" if k % 3 else ""]
            if not any(there):
                there[0] = f"{label} note {k}"
            table.writerow([k, label, *there, f"g{k // 4}"])
    return folder / "table.csv"


def write_vit(folder: Path) -> Path:
    """A local folder as transformers writes it: a vision transformer with random weights."""
    import torch
    from transformers import ViTConfig, ViTModel

    torch.manual_seed(0)
    about = ViTConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, image_size=16,
                      patch_size=8)
    ViTModel(about).save_pretrained(folder)
    scale = {"size": {"height": 16, "width": 16}, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(scale))
    return folder


def test_a_table_with_gaps_cross_validated_with_other_encoders(tmp_path: Path) -> None:
    project = tiny_project(tmp_path / "project")
    (tmp_path / "mine").mkdir()
    command(project, "trivium", "use", str(write_manifest(tmp_path / "mine")))
    train = tables.read_yaml(project / "params.yaml")["train"]
    set_params(project, {
        "pretrain.supervised_half": None,
        "train": {name: train[name] for name in ("end_to_end", "unimodal", "selfsup_finetune", "reference")},
        "evaluate.analysis_rows": 32, "seeds": FOLDS, "split.method": "kfold", "split.val": 0.2, "budget.epochs": 4,
        "encoder.words.architecture": "transformer", "encoder.bands.architecture": "transformer",
        "encoder.patches": {"modality": "image", "weights": str(write_vit(tmp_path / "vit"))},
        "encoder.bands.processor.features": "mfcc", "encoder.bands.processor.bins": 20,
        "train.end_to_end.fusion": {"name": "attention", "heads": 2},
    })
    command(project, "dvc", "repro", "compare")
    features = json.loads((project / "data/features/features.json").read_text())
    assert features["task"]["classes"] == sorted(CLASSES)
    # Every row is in the test set of exactly one fold, and no group in that of two.
    evaluated = json.loads((project / "reports/evaluate/end_to_end/metrics.json").read_text())
    assert sum(seed["n"] for seed in evaluated["seeds"]) == ROWS
    found = json.loads((project / "reports/comparison.json").read_text())
    assert found["settings"]["split"] == "kfold"
    # Pitch, shade and word each give the label away: what learns at all is far above one third.
    assert max(entry["metrics"]["accuracy"]["mean"] for entry in found["strategies"].values()) > 0.6
    assert "accuracy" in command(project, "trivium", "show")
