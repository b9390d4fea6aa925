"""All strategies together: from records like those of `evaluate` to the parts of comparison.json."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.comparison.outs import READ_BY, write_outs
from trivium.comparison.across import across
from trivium.comparison.outcomes import load
from trivium.data.tables import read_json, write_json

SUBSETS = {"text": 0.9, "image": 1.0, "audio": 0.5, "text+image": 0.8, "text+audio": 0.4, "image+audio": 0.5,
           "text+image+audio": 0.4}  # nats
NAMES = ["end_to_end", "ensemble", "frozen"]


def analysed() -> dict[str, Any]:
    curve = {"levels": [0.0, 1.0], "score": [0.8, 0.4], "relative": 0.6}
    table = [[50, 10, 10, 0], [10, 50, 10, 0], [10, 10, 50, 0]]
    return {
        "information": {"subsets": {s: {"val": nll, "test": nll} for s, nll in SUBSETS.items()}, "labels": [70, 70, 70],
                        "tables": {m: table for m in ("text", "image", "audio")}},
        "robustness": {"corruption": {m: curve for m in ("text", "image", "audio")}, "misalignment": {}, "shift": {},
                       "attacks": {}},
        "probes": {"image": {"before": 0.4, "after": 0.8}},
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_outs(tmp_path, {"end_to_end": 0.7, "ensemble": 0.8, "frozen": 0.8}, seeds=2, tests=200)
    for k, name in enumerate(NAMES):
        path = tmp_path / "reports/evaluate" / name
        metrics = read_json(path / "metrics.json")
        metrics["seeds"] = [seed | analysed() for seed in metrics["seeds"]]
        if name == "end_to_end":
            metrics["seeds"][0]["probes"] = metrics["seeds"][1]["probes"] = {"image": {"before": 0.4, "after": 0.41}}
        write_json(metrics, path / "metrics.json")
        (path / "vectors").mkdir()
        for seed in range(2):
            x = np.random.default_rng([k, seed]).normal(size=(32, 4)).astype(np.float32)
            save_file({"image": x}, path / "vectors" / f"seed_{seed}.safetensors")
    return tmp_path / "reports/evaluate"


def test_every_part(folder: Path) -> None:
    found = across(load(folder, NAMES), folder, NAMES[0])
    assert found.information.bits["audio"].mean == pytest.approx(np.log2(3) - 0.5 / np.log(2))
    assert found.information.sentence == (
        "Most of what was found in text and image was found in audio too; image added nothing to the others.")
    assert found.information.encoders["audio"] == {"bands": pytest.approx(np.log2(3) - 0.5 / np.log(2))}
    assert found.robustness.reference == "end_to_end"
    assert found.laziness.unlearned == {"end_to_end": ["image"]}
    assert [item.title for item in found.similarity.maps][:2] == ["image: CKA", "Between streams: CKA"]
    assert len(found.similarity.ensemble.members) == 2


def test_the_ensemble_is_made_of_the_same_samples(folder: Path) -> None:
    """Predictions are drawn independently, so the mean of two that are right 80 % of the time gains a little."""
    gained = across(load(folder, NAMES), folder, NAMES[0]).similarity.ensemble
    assert gained.joint_errors == pytest.approx(1.0, abs=0.25)
    assert 0.65 < gained.score.low <= gained.score.mean <= gained.score.high < 0.95


def test_an_analysis_that_a_strategy_lacks_leaves_it_out(folder: Path) -> None:
    path = folder / "frozen/metrics.json"
    metrics = read_json(path)
    for seed in metrics["seeds"]:
        del seed["information"], seed["robustness"]["corruption"]["image"]
        seed["probes"] = {}
    metrics["recipe"]["encoders"] = READ_BY | {"text": "minilm"}
    write_json(metrics, path)
    (folder / "frozen/vectors/seed_1.safetensors").unlink()
    found = across(load(folder, NAMES), folder, "frozen")
    assert "minilm" not in found.information.encoders["text"]
    assert list(found.robustness.corruption["image"]) == ["end_to_end", "ensemble"]
    assert found.robustness.sentence.endswith("; on average over all strengths of noise no strategy is more "
                                                    "accurate.")
    assert list(found.laziness.strategies) == ["end_to_end", "ensemble"]
    assert found.similarity.maps[0].names == ["end_to_end", "ensemble"]


def test_few_samples_of_a_probe_accuse_nobody(folder: Path) -> None:
    for name in NAMES:
        metrics = read_json(folder / name / "metrics.json")
        for seed in metrics["seeds"]:
            seed["rows"] = {"probes": {"image": 8}}
        write_json(metrics, folder / name / "metrics.json")
    found = across(load(folder, NAMES), folder, NAMES[0]).laziness
    assert found.unlearned == {} and found.strategies["end_to_end"]["image"].after == 0.41


def test_two_are_called_the_least_alike_where_all_made_errors_enough(tmp_path: Path) -> None:
    for last, known in ((0.6, True), (1.0, False)):
        root = write_outs(tmp_path / str(last), {"a": 0.7, "b": 0.8, "c": last}, seeds=2, tests=100, seed_sd=0)
        folder = root / "reports/evaluate"
        said = across(load(folder, ["a", "b", "c"]), folder, None).similarity.sentence
        assert ("no other two strategies" in said) is known and "err together" in said


def test_outs_without_analyses_have_little_to_say(tmp_path: Path) -> None:
    write_outs(tmp_path, {"a": 0.7, "b": 0.8}, seeds=2, tests=100)
    folder = tmp_path / "reports/evaluate"
    found = across(load(folder, ["a", "b"]), folder, "a")
    assert list(found.plain()) == ["robustness", "similarity"] and found.similarity.maps == []
    assert found.similarity.sentence.startswith("“a” and “b” err together ")
    assert list(across(load(folder, ["a"]), folder, None).plain()) == ["robustness"]
