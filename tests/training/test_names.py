"""Names are the user's own: another one changes no weight, no key and no byte of a model; other content does."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pytest import MonkeyPatch

from tests.helpers import digests
from tests.tiny_media import ENCODERS, ENTRIES, READ_BY, write_features
from tests.training import tiny
from trivium import strategies
from trivium.data.tables import read_json
from trivium.encoders import Described, describe
from trivium.training import strategy

RENAMED = {"text": "terms", "image": "mosaic", "audio": "noises"}  # encoders of the same settings, by other names
OTHERS = ENCODERS | {new: ENCODERS[READ_BY[s]] for s, new in RENAMED.items()}
JOINT = {"strategy": "joint", "fusion": {"name": "attention", "heads": 2}, "title": "One"}


def units() -> set[str]:
    return {path.name for path in Path(".cache/units").iterdir()}


def models(folder: str) -> dict[str, str]:
    """SHA-256 of every file but the record, by its path below `folder`."""
    found = digests(Path(folder), ".")
    return {path: digest for path, digest in found.items() if path != "training.json"}


def read_again(folder: Path, reads: Mapping[str, Mapping[str, str]], encoders: Mapping[str, Described]) -> None:
    """Preprocess again, for other recipes."""
    for part in ("features", "reads"):
        shutil.rmtree(folder / "data" / part)
    write_features(folder, reads, encoders)


def train(name: str, start: str, entry: Mapping[str, Any] = JOINT) -> dict[str, str]:
    """Train the entry `name` of `train` and return the digests of its models."""
    made = strategies.entry(name, {"start": start, **entry})
    strategy.train(made, tiny.LOOP, [tiny.BUDGET] * 2, Path("models") / name)
    return models(f"models/{name}")


@pytest.mark.parametrize("recipe", ["scratch", "supervised", "selfsup"])
def test_a_recipe_and_its_encoders_by_other_names_are_the_same_units(
        tmp_path: Path, monkeypatch: MonkeyPatch, capsys: pytest.CaptureFixture[str], recipe: str) -> None:
    tiny.project(tmp_path, monkeypatch, reads={recipe: READ_BY, "mine": RENAMED}, encoders=OTHERS)
    content = tiny.PRETRAIN[recipe]
    records = tiny.pretrained(tiny.recipe(recipe), seeds=2)
    before = units()
    assert len(before) == 6  # three streams, two seeds
    capsys.readouterr()
    assert tiny.pretrained(tiny.recipe("mine", RENAMED, **content), seeds=2) == records
    assert "pretrain mine: 6 of 6 were finished before" in capsys.readouterr().out
    assert units() == before
    assert models("models/pretrain/mine") == models(f"models/pretrain/{recipe}") != {}


@pytest.mark.parametrize("entry", [JOINT, {"strategy": "frozen"}, {"strategy": "ensemble"}, {"strategy": "unimodal"},
                                   {"strategy": "linear"}], ids=lambda entry: entry["strategy"])
def test_an_entry_of_train_by_other_names_is_the_same_unit(
        tmp_path: Path, monkeypatch: MonkeyPatch, capsys: pytest.CaptureFixture[str], entry: dict[str, Any]) -> None:
    """Its own name and title, its recipe's, and those of the encoders; trained anew it is the same to the byte."""
    tiny.project(tmp_path, monkeypatch, reads={"supervised": READ_BY, "mine": RENAMED}, encoders=OTHERS)
    tiny.pretrained(tiny.recipe("supervised"), seeds=2)
    tiny.pretrained(tiny.recipe("mine", RENAMED, **tiny.PRETRAIN["supervised"]), seeds=2)
    one = train("one", "supervised", entry)
    before = units()
    capsys.readouterr()
    assert train("other", "mine", entry | {"title": "Another"}) == one
    assert "other: 2 of 2 were finished before" in capsys.readouterr().out and units() == before
    found = read_json("models/other/training.json")
    assert found["entry"] == "other" and found["title"] == "Another" and found["start"] == "mine"
    assert found["recipe"]["encoders"] == RENAMED
    assert found["seeds"] == read_json("models/one/training.json")["seeds"]
    shutil.rmtree(".cache/units")
    assert train("anew", "mine", entry) == one


def test_other_settings_seeds_budgets_and_components_are_other_units(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    tiny.project(tmp_path, monkeypatch)
    for recipe in ("scratch", "selfsup"):
        tiny.pretrained(tiny.recipe(recipe))

    def key(start: str = "scratch", limit: float = tiny.BUDGET, loop: dict[str, Any] | None = None,
            **entry: Any) -> str:
        made = strategies.entry("one", {"start": start, **JOINT, **entry})
        settings = tiny.LOOP.model_copy(update=loop or {})
        unit = strategy.Unit(made, strategy.chosen_fusion(made), 0, settings, limit)
        return strategy._key(strategy.Store(start), unit)

    first = key()
    assert key(title="Another") == first == key(loop={"workers": 2})
    others = [key("selfsup"), key(limit=tiny.BUDGET + 1), key(loop={"batch": 8}), key(lr=0.01), key(strategy="frozen"),
              key(fusion={"name": "attention", "heads": 4}), key(fusion="concat")]
    assert len({first, *others}) == 8


def test_another_encoder_of_one_stream_is_no_business_of_recipes_that_do_not_use_it(
        tmp_path: Path, monkeypatch: MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither its settings nor its processor: what the others read, their components and models stay."""
    reads = {"scratch": READ_BY, "wide": READ_BY | {"image": "other"}}
    first = {"other": describe("other", ENTRIES["patches"] | {"width": 24})}
    tiny.project(tmp_path, monkeypatch, reads=reads, encoders=ENCODERS | first)
    for name, read in reads.items():
        tiny.pretrained(tiny.recipe(name, read), seeds=2)
    said, own = Path("data/reads/scratch.json").read_bytes(), Path("data/reads/wide.json").read_bytes()
    trained = train("one", "scratch")

    larger = ENTRIES["patches"] | {"width": 24, "processor": {"size": 12, "channels": 3}}
    read_again(tmp_path, reads, ENCODERS | {"other": describe("other", larger)})
    assert Path("data/reads/scratch.json").read_bytes() == said and Path("data/reads/wide.json").read_bytes() != own
    now, before = read_json("data/reads/wide.json")["streams"], json.loads(own)["streams"]
    assert {s for s in now if now[s] != before[s]} == {"image"}
    capsys.readouterr()
    tiny.pretrained(tiny.recipe("scratch"), seeds=2)
    assert "pretrain scratch: 6 of 6 were finished before" in capsys.readouterr().out
    tiny.pretrained(tiny.recipe("wide", reads["wide"]), seeds=2)
    assert "pretrain wide: 4 of 6 were finished before; the rest goes on" in capsys.readouterr().out
    assert train("one_again", "scratch") == trained
    assert "one_again: 2 of 2 were finished before" in capsys.readouterr().out


def test_a_trained_stream_depends_on_the_others_encoders_through_the_shared_budget(
        tmp_path: Path, monkeypatch: MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """All streams of a recipe get the same number of epochs: a dearer image encoder leaves fewer to the text."""
    reads = {"supervised": READ_BY, "wide": READ_BY | {"image": "other"}}
    entries = ENCODERS | {"other": describe("other", ENTRIES["patches"] | {"width": 32})}
    tiny.project(tmp_path, monkeypatch, reads=reads, encoders=entries)
    found = [next(one for one in tiny.pretrained(tiny.recipe(name, read, **tiny.PRETRAIN["supervised"]))
                  if one["streams"] == ["text"]) for name, read in reads.items()]
    assert "finished before" not in capsys.readouterr().out
    assert found[0]["epochs"] > 2 * found[1]["epochs"]


def test_a_recipe_that_was_killed_goes_on_with_what_is_lacking_and_ends_the_same(
        tmp_path: Path, monkeypatch: MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from trivium.training import pretrain

    tiny.project(tmp_path, monkeypatch)
    tiny.pretrained(tiny.recipe("supervised"), seeds=2)
    expected = models("models/pretrain/supervised")
    for part in ("models", ".cache/units"):
        shutil.rmtree(part)
    work, done = pretrain._work, []

    def dies(*arguments: Any) -> Any:
        if len(done) == 4:
            raise KeyboardInterrupt
        done.append(1)
        return work(*arguments)

    monkeypatch.setattr("trivium.machine.engines.local.forks", lambda _: False)  # so that it works here
    monkeypatch.setattr(pretrain, "_work", dies)
    with pytest.raises(KeyboardInterrupt):
        tiny.pretrained(tiny.recipe("supervised"), seeds=2)
    assert not Path("models/pretrain").exists()
    monkeypatch.setattr(pretrain, "_work", work)
    capsys.readouterr()
    tiny.pretrained(tiny.recipe("supervised"), seeds=2)
    assert "4 of 6 were finished before; the rest goes on" in capsys.readouterr().out
    assert models("models/pretrain/supervised") == expected
