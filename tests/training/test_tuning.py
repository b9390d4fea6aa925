"""Tuning: what is tried, when a trial is stopped, what is chosen, and that a killed search goes on to the same."""

from pathlib import Path
from typing import Any

import pytest
from pytest import MonkeyPatch

from tests.training import tiny
from trivium.data.tables import read_json
from trivium.settings.base import Range
from trivium.strategies import Entry, changed, entry
from trivium.training import strategy, tuning
from trivium.training.records import Trained
from trivium.training.settings import Tune


def one(name: str = "joint", **settings: Any) -> Entry:
    return entry("one", {"start": "scratch", "strategy": name} | settings)


@pytest.mark.parametrize(("of", "expected"), [
    (one("joint"), {"lr": Range(3e-4, 3e-2, True)}),
    (one("lpft"), {"lr": Range(3e-4, 3e-2, True), "finetune_lr": Range(3e-4, 3e-2, True),
                   "head_share": Range(0.05, 0.5)}),
    (one("frozen", fusion={"name": "low_rank", "rank": 3}), {"lr": Range(3e-4, 3e-2, True),
                                                             "fusion.rank": Range(2, 16, True)}),
    (one("joint", lr=0.1), {"lr": Range(3e-4, 0.1, True)}),  # the range reaches to what is written
    (one("modality_dropout", p=0.0), {"lr": Range(3e-4, 3e-2, True), "p": Range(0.0, 0.6)}),
    (one("unimodal_losses", weight={"text": 2.0}), {"lr": Range(3e-4, 3e-2, True)}),  # no number, but one per stream
    (one("unimodal_losses"), {"lr": Range(3e-4, 3e-2, True), "weight": Range(0.1, 10, True)}),
    (one("lora"), {"lr": Range(1e-4, 1e-2, True), "rank": Range(2, 32, True)}),
    (one("linear"), {}), (one("ensemble"), {}), (one("unimodal"), {}), (one("boosting"), {}),
])
def test_what_is_tried_is_what_the_parts_declare(of: Entry, expected: dict[str, Range]) -> None:
    assert tuning.space(of) == expected


def test_other_settings_of_an_entry_make_another_plan() -> None:
    written = one("lpft", fusion={"name": "low_rank", "width": 16}, title="Mine")
    other = changed(written, {"finetune_lr": 0.01, "head_share": 0.25, "fusion.rank": 7})
    assert other.title == "Mine" and other.start == "scratch"
    assert [(phase.share, phase.lr) for phase in other.plan.phases] == [(0.25, 0.003), (0.75, 0.01)]
    assert other.plan.fusion == {"name": "low_rank", "width": 16, "rank": 7}
    assert changed(one("joint"), {"lr": 0.01}).plan.fusion == "concat"


def train(trials: int, name: str = "joint", out: str = "out", seeds: int = 2, **settings: Any) -> Trained:
    strategy.train(one(name, **settings), tiny.LOOP.model_copy(update={"evaluations": 9}), [tiny.BUDGET] * seeds,
                   Path(out), Tune(trials=trials, halving=3))
    return Trained.read(Path(out) / "training.json")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: MonkeyPatch) -> Path:
    tiny.project(tmp_path, monkeypatch)
    tiny.pretrained(tiny.recipe("scratch"), seeds=2)
    return tmp_path


def test_the_lowest_validation_nll_of_a_whole_trial_is_chosen_at_each_seed(project: Path) -> None:
    found = train(6)
    assert found.tuning and (found.tuning.trials, found.tuning.space) == (6, {"lr": (3e-4, 3e-2)})
    for seed, own in zip(found.seeds, found.tuning.seeds, strict=True):
        first = own.trials[0]
        assert len(own.trials) == 6 and first.settings == {"lr": 0.003} and first.share == 1
        whole = [trial for trial in own.trials if trial.share == 1]
        best = min(whole, key=lambda trial: trial.nll)
        assert own.chosen == best.settings
        # The model is the one of that trial, of the same samples and the same compute.
        assert seed.validation.nll == pytest.approx(best.nll, abs=1e-12) and best.flops == seed.flops.total
        assert all(3e-4 <= trial.settings["lr"] <= 3e-2 for trial in own.trials)
        # Stopped at a ninth or a third of the training, for what that costs.
        for trial in own.trials:
            assert trial.flops == pytest.approx(trial.share * seed.flops.total)
            assert trial.share == 1 or 0.12 <= trial.share < 0.5
    one_seed, other = found.tuning.seeds
    assert [t.settings for t in one_seed.trials[1:]] != [t.settings for t in other.trials[1:]]
    assert min(t.share for own in found.tuning.seeds for t in own.trials) < 1


def test_without_trials_nothing_is_said_of_tuning(project: Path) -> None:
    assert train(0).tuning is None
    assert "tuning" not in read_json("out/training.json")


def test_a_strategy_with_nothing_to_tune_has_no_trials(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = train(3, "linear").tuning
    assert found and (found.trials, found.space, found.seeds) == (0, {}, [])
    assert "one: nothing to tune" in capsys.readouterr().out


def test_a_killed_search_goes_on_to_the_same_bytes(project: Path, monkeypatch: MonkeyPatch) -> None:
    from trivium.training import fused

    train(5, out="whole")
    for folder in Path(".cache/units").iterdir():
        (folder / "record.json").unlink()
        (folder / "trials.json").unlink(missing_ok=True)
    count, begun, real = 0, list[str](), fused.train

    def dies(unit: Any, folder: Path, report: Any) -> Any:
        nonlocal count
        count += 1
        begun.append(folder.name)
        if count == 3:
            raise KeyboardInterrupt
        return real(unit, folder, report)

    monkeypatch.setattr("trivium.machine.engines.local.forks", lambda _: False)  # so that it works here
    monkeypatch.setattr(fused, "train", dies)
    with pytest.raises(KeyboardInterrupt):
        train(5, out="again")
    assert begun == ["trial_0", "trial_1", "trial_2"]
    begun.clear()
    train(5, out="again")
    assert begun[:3] == ["trial_2", "trial_3", "trial_4"]  # the first two are not trained again
    assert Path("again/training.json").read_bytes() == Path("whole/training.json").read_bytes()
    assert (Path("again/seed_1/model.safetensors").read_bytes() ==
            Path("whole/seed_1/model.safetensors").read_bytes())


def test_more_seeds_tune_the_new_ones_alone(project: Path, monkeypatch: MonkeyPatch) -> None:
    from trivium.training import fused

    first, trained, real = train(2, seeds=1).tuning, list[int](), fused.train
    monkeypatch.setattr("trivium.machine.engines.local.forks", lambda _: False)  # so that it works here
    monkeypatch.setattr(fused, "train", lambda unit, *rest: trained.append(unit.seed) or real(unit, *rest))
    both = train(2, out="again").tuning
    assert first and both and both.seeds[:1] == first.seeds
    assert trained == [1, 1, 1]  # two trials, and the model


def test_a_phase_counts_by_its_compute(project: Path) -> None:
    """A head on frozen vectors takes many steps, and next to nothing of a trial."""
    from trivium.training import fused

    seen = list[tuple[float, float, float]]()
    own = one("lpft", head_share=0.1)
    unit = strategy.Unit(own, strategy.chosen_fusion(own), 0, tiny.LOOP, tiny.BUDGET,
                         lambda *row: seen.append(row))
    record: Any = fused.train(unit, Path("lpft"), lambda *_: None)
    rows = [row for row in record.history if row.step]
    assert [(nll, flops) for _, nll, flops in seen] == [(row.val_nll, pytest.approx(row.flops)) for row in rows]
    shares = {phase: [share for (share, *_), row in zip(seen, rows, strict=True) if row.phase == phase]
              for phase in ("head", "finetune")}
    assert max(shares["head"]) < 0.1 and shares["finetune"][-1] == pytest.approx(1)
    assert sorted(share for share, *_ in seen) == [share for share, *_ in seen]
