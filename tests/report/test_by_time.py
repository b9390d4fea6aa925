"""What the report says of splits that follow time."""

import json
from pathlib import Path

from tests.report.project import build
from trivium.data.tables import read_json, write_json
from trivium.report.html import write


def test_the_dates_of_the_splits_and_what_intervals_do_not_say(tmp_path: Path) -> None:
    root = build(tmp_path, samples=60, seeds=2)
    before = write(root).read_text(encoding="utf-8")
    assert "follow time" not in before and "one draw in time" not in " ".join(before.split())
    path = root / "data/splits/splits.json"
    time = {"dates": True, "first": {"train": "2020-01-01", "val": "2020-02-23", "test": "2020-03-15"},
            "last": {"train": "2020-02-22", "val": "2020-03-14", "test": "2020-04-16"}, "later": 67.0}
    write_json(read_json(path) | {"time": time}, path)
    comparison = root / "reports/comparison.json"
    made = read_json(comparison)
    made["settings"]["split"] = "time"
    comparison.write_text(json.dumps(made))
    words = " ".join(write(root).read_text(encoding="utf-8").split())
    assert ("The splits follow time, the same for every seed: train is from 2020-01-01 to 2020-02-22, val is from "
            "2020-02-23 to 2020-03-14 and test is from 2020-03-15 to 2020-04-16. Test is 67 days later than train, by "
            "their medians.") in words
    assert "It is one draw in time, and no interval says" in words
