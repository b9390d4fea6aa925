"""docs/curves.md and the measurement with few labels behind it."""

import json
import statistics

from benchmarks import few, parts


def test_the_page_holds_what_was_measured() -> None:
    found = json.loads(few.RESULTS.read_text(encoding="utf-8"))
    page = few.PAGE.read_text(encoding="utf-8")
    assert few.table(found) in page
    assert parts.filled(page, "benchmarks.few", {"few labels": few.table(found)}) == page


def test_what_the_page_says_of_it() -> None:
    found = json.loads(few.RESULTS.read_text(encoding="utf-8"))
    mean = {count: {name: statistics.mean(one["accuracy"]) for name, one in entries.items()}
            for count, entries in found["labels"].items()}
    assert sorted(map(int, mean)) == [20, 80, 320, 1280]
    for one in mean.values():
        assert max(one, key=lambda name: one[name]) == "simple"
        assert one["class prompts, no label"] > found["chance"]
        shots = one["class prompts and 4 labels of each"] - one["class prompts, no label"]
        assert 0.02 < shots < 0.05
    trained = ("aligned", "masked", "supervised", "scratch")
    few_labels, some = mean["20"], mean["80"]
    assert all(0.015 < few_labels[name] - few_labels["class prompts and 4 labels of each"] < 0.05 for name in trained)
    assert all(some[name] - some["the same, reading its text"] > 0.15 for name in trained)
    assert all(0.035 < some[name] - some["scratch"] < 0.075 for name in ("aligned", "masked"))
    assert some["supervised"] > max(some["aligned"], some["masked"])


def test_the_fewest_labels_stand_first() -> None:
    entries = {name: {"accuracy": [0.25, 0.5]} for name in few.ENTRIES}
    lines = few.table({"labels": {"80": entries, "320": entries, "20": entries}}).splitlines()
    assert lines[0] == "| strategy | 20 | 80 | 320 |"
    assert lines[-1] == "| simple features |" + " 37.5 (25.0 to 50.0) |" * 3
