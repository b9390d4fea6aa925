"""The scikit-learn yardstick for tags and numbers, and the builders of such sets, on hand-made values."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.real import fontawesome, targets


def splits(rows: int) -> list[dict[str, list[str]]]:
    names = [f"r{k}" for k in range(rows)]
    return [{"train": names[: rows // 2], "val": names[rows // 2: 2 * rows // 3], "test": names[2 * rows // 3:]}]


def test_numbers_that_a_column_tells_are_found(tmp_path: Path) -> None:
    """Linear in `area` up to a cell that is missing; by kind, too."""
    rng = np.random.default_rng(0)
    area, kind = rng.uniform(20, 200, 240), rng.choice(["flat", "house"], 240)
    y = 3 * area + 100 * (kind == "house")
    pd.DataFrame({"id": [f"r{k}" for k in range(240)], "label": y, "area": [f"{a:.6f}" if k else "" for k, a in
                  enumerate(area)], "kind": kind}).to_csv(tmp_path / "m.csv", index=False)
    found = targets.score(tmp_path / "m.csv", splits(240), "regression", "r2")
    assert found["scikit_learn"][0] > 0.99 and 0.9 < found["boosting"][0] <= 1


@pytest.mark.parametrize("metric", ["micro_f1", "macro_f1", "mean_ap"])
def test_tags_that_words_tell_are_found(tmp_path: Path, metric: str) -> None:
    rng = np.random.default_rng(0)
    tags = ["red", "round", "sweet"]
    has = rng.random((150, 3)) < [0.5, 0.4, 0.3]
    said = [" ".join([*(f"{tag}ish thing" for tag, one in zip(tags, row, strict=True) if one), f"number{k % 5}"])
            for k, row in enumerate(has)]
    label = [";".join(tag for tag, one in zip(tags, row, strict=True) if one) for row in has]
    pd.DataFrame({"id": [f"r{k}" for k in range(150)], "label": label, "text": said}).to_csv(
        tmp_path / "m.csv", index=False)
    assert targets.score(tmp_path / "m.csv", splits(150), "multilabel", metric)["scikit_learn"][0] > 0.97


def test_no_search_word_is_a_category() -> None:
    icon = {"label": "Anchor", "search": {"terms": ["berth", "Maritime", 7]}}
    assert fontawesome.words(icon, {"maritime", "travel"}) == "Anchor, berth, 7"
    assert fontawesome.words({"label": "A"}, set()) == "A"
