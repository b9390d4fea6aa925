"""A README or a licence beside folders of classes is no sample, and makes no class of what lies above them."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image

from trivium import importing


def test_a_readme_above_the_classes_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for k, kind in enumerate("abab"):
        place = Path("shapes/all", kind, f"{k}.png")
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (k, 0, 0)).save(place)
    Path("shapes/README.txt").write_text("what this is")
    found = pq.read_table(importing.table("shapes").path).to_pylist()
    assert sorted(row["label"] for row in found) == ["a", "a", "b", "b"] and "text" not in found[0]
