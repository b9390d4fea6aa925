"""A forecast is speeds times counts: here with speeds that are easy to reckon with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pytest import MonkeyPatch
from ruamel.yaml import YAML

from tests.tiny_media import ENTRIES, READ_BY
from tests.training import tiny
from trivium.experiments import forecast
from trivium.experiments.forecast import Counts, Machine
from trivium.experiments.speeds import Speed
from trivium.params import Params, parse
from trivium.report.look.price import Part, Price

PARAMS = Path(__file__).parents[2] / "params.yaml"
STREAMS = {"text": {"modality": "text"}, "image": {"modality": "image"}}
SCRATCH = {"encoders": {"text": "words", "image": "patches"}}
COUNTS = Counts(rows=1000, train=500, val=100, test=400, flops=64_000.0)
SPEED = Speed(step=0.5 / 64, flops=10.0, head=0.1, head_flops=1.0, passed=0.001, first=9.0, further=5.0, fewer=1.0,
              rows=400, exported=3.0, trained=10, evaluated=360, evaluated_each=2.5)
MACHINE = Machine({"scratch": SPEED, "own": SPEED}, start=2.0, compared=3.0, answering=1.0, beside=2, cores=2, base=100)


def settings(**changes: Any) -> Params:
    """Two streams, a recipe that trains and one that does not, and a strategy from each; the rest as it is shipped."""
    raw = YAML(typ="safe").load(PARAMS)
    raw["data"]["streams"] = STREAMS
    raw["pretrain"] = {"scratch": SCRATCH, "own": SCRATCH | {"objective": "supervised", "share": 0.75}}
    raw["train"] = {"end_to_end": {"start": "scratch", "strategy": "joint"},
                    "fused": {"start": "own", "strategy": "joint"}}
    raw["compare"]["reference"], raw["seeds"] = "", 4
    return parse(raw | changes)


def stages(params: Params, counts: Counts = COUNTS) -> dict[str, Part]:
    return {part.stage: part for part in forecast.parts(params, counts, MACHINE)}


def test_the_stages_of_a_run_in_their_order() -> None:
    assert list(stages(settings())) == [
        "pretrain@scratch", "pretrain@own", "train@end_to_end", "train@fused", "evaluate@end_to_end", "evaluate@fused",
        "latency", "compare", "export"]


def test_training_is_the_steps_that_the_budget_pays_for() -> None:
    """64,000 FLOPs are 100 steps of 64 samples at 10 FLOPs each: half a second each; and 14 looks at 100 validation
    samples, since they are 12.8 epochs of 500. A recipe's share is not trained again.
    """
    found = stages(settings())
    assert found["train@end_to_end"].work == pytest.approx(4 * (50 + 1.4))
    assert found["pretrain@own"].work == pytest.approx(4 * (37.5 + 1.1))  # 75 steps, 9.6 epochs
    assert found["train@fused"].work == pytest.approx(4 * (12.5 + 0.5))
    assert found["pretrain@scratch"].work == 0


def test_twice_the_seeds_are_twice_the_training() -> None:
    once, twice = stages(settings()), stages(settings(seeds=8))
    assert twice["train@end_to_end"].work == 2 * once["train@end_to_end"].work
    assert twice["train@end_to_end"].seconds == pytest.approx(2 + 8 * 51.4 / 2)
    assert stages(settings(seeds=3))["train@end_to_end"].seconds == pytest.approx(2 + 2 * 51.4)  # two, then one


def test_evaluation_grows_with_the_rows_of_its_analyses() -> None:
    """5 s at a seed with 400 rows, 1 s with 32, 4 s more at the first seed; 500 samples pass the encoders, and 363 that
    time the answers.
    """
    def work(rows: int) -> float:
        params = settings()
        return stages(params.model_copy(update={"evaluate": params.evaluate.model_copy(
            update={"analysis_rows": rows})}))["evaluate@fused"].work

    assert work(400) == work(5000) == pytest.approx(4 * 5.5 + 4)
    assert work(32) == pytest.approx(4 * 1.5 + 4)
    assert work(216) == pytest.approx(4 * 3.5 + 4)
    assert stages(settings())["evaluate@fused"].after == pytest.approx(0.363)


def test_a_head_on_vectors_stops_after_a_hundred_epochs() -> None:
    params = settings(train={"head": {"start": "own", "strategy": "frozen"}}, budget={
        "of": "head", "epochs": 20, "flops": 1e9})
    rich = Counts(**{**vars(COUNTS), "flops": 1e9})
    assert stages(params, rich)["train@head"].work == pytest.approx(4 * (0.6 + 782 * 0.1))  # 600 passes, then steps


def test_vectors_that_are_kept_are_made_once() -> None:
    """1,000 rows in the recipe, whatever the seeds; then no stage makes them again."""
    speed = Speed(once=0.1, further=5.0, first=5.0, fewer=5.0, rows=400, fitted=0.01)
    machine = replace(MACHINE, speeds={"scratch": speed, "own": SPEED})
    params = settings(train={"probe": {"start": "scratch", "strategy": "linear"}}, budget={
        "of": "probe", "epochs": 20, "flops": 1e9})
    found = {part.stage: part for part in forecast.parts(params, COUNTS, machine)}
    assert found["pretrain@scratch"].work == pytest.approx(100)
    assert found["train@probe"].work == pytest.approx(4 * 5) and found["evaluate@probe"].work == pytest.approx(4 * 5)


def test_what_is_not_asked_for_costs_nothing() -> None:
    raw = settings().compare.model_dump() | {"latency": False}
    assert "latency" not in stages(settings(compare=raw))


def test_savings_are_differences_of_forecasts() -> None:
    params = settings()
    whole = sum(part.seconds for part in stages(params).values())
    found = {one.words: one for one in forecast.savings(params, COUNTS, MACHINE)}
    less = sum(part.seconds for part in stages(settings(seeds=3)).values())
    assert found["`seeds: 3` instead of 4"].seconds == pytest.approx(whole - less)
    assert found["`compare.latency: false`"].seconds == pytest.approx(stages(params)["latency"].seconds)
    alone = found["`train` without `fused`"].seconds
    assert alone > sum(stages(params)[f"{kind}"].seconds for kind in ("pretrain@own", "train@fused", "evaluate@fused"))
    assert [one.share for one in found.values()] == sorted((one.share for one in found.values()), reverse=True)
    assert "`budget.epochs: 10` instead of 20" in found


def test_what_saves_memory_may_take_longer() -> None:
    """Two evaluations at a time take 1,000 bytes each beside the program's 100: 640 of them for 256 samples."""
    found = {one.words: one for one in forecast.savings(settings(), COUNTS, MACHINE)}
    alone, half = found["`loop.workers: 1` instead of 2"], found["`evaluate.batch: 128` instead of 256"]
    assert alone.memory == 1000 and alone.seconds < 0
    assert alone.said.startswith("1.00\xa0kB of memory, and takes ")
    assert half.memory == 640 and half.said == "640\xa0B of memory"
    assert "`loop.batch: 32` instead of 64" not in found  # the largest stage does not train


def test_of_many_entries_the_dearest_are_named() -> None:
    many = {f"e{k}": {"start": "scratch", "strategy": "joint"} for k in range(6)}
    params = settings(train=many, budget={"of": "e0", "epochs": 20, "flops": None})
    found = [one.words for one in forecast.savings(params, COUNTS, MACHINE)]
    assert sum(words.startswith("`train` without") for words in found) == 3


def test_the_whole_is_the_sum_of_its_parts_and_names_the_largest() -> None:
    parts = forecast.parts(settings(), COUNTS, MACHINE)
    price = Price(tuple(parts), there=10_000)
    assert price.seconds == pytest.approx(sum(part.seconds for part in parts))
    assert sum(price.kinds.values()) == pytest.approx(price.seconds)
    assert (price.largest.stage, price.largest.memory) == ("evaluate@end_to_end", 100 + 2 * 1000)


@pytest.mark.slow
def test_a_small_project_is_foretold(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    tiny.project(tmp_path, monkeypatch)
    raw = YAML(typ="safe").load(PARAMS)
    raw["data"]["streams"], raw["encoder"], raw["seeds"] = {s: {"modality": s} for s in READ_BY}, ENTRIES, 2
    raw["pretrain"] = {"scratch": {"encoders": READ_BY}}
    raw["train"] = {"end_to_end": {"start": "scratch", "strategy": "joint"}}
    raw["compare"]["reference"], raw["loop"] = "", tiny.LOOP.model_dump()
    (tmp_path / "models").mkdir()
    (tmp_path / "models/budget.json").write_text('{"of": "end_to_end", "epochs": 10, "flops": [42662400, 42662400]}')
    price = forecast.of(parse(raw), set())
    assert [part.stage for part in price.parts] == [
        "pretrain@scratch", "train@end_to_end", "evaluate@end_to_end", "latency", "compare", "export"]
    assert price.largest.stage == "latency"  # tiny models: what counts is that its workers load everything once more
    assert all(0 < part.seconds < 100 for part in price.parts)
    trained = price.parts[1]
    assert trained.work > 0 and trained.units == 2 and trained.beside == 1  # loop.workers: 1
