"""The guides of docs/: what they show works as it stands there."""

import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from ruamel.yaml import YAML

from tests.data.clocks import joined, picked, sound
from tests.helpers import ROOT
from trivium import encoders, fusion, params, strategies
from trivium.modalities.spec import Spec

Guide = Callable[[str, ModuleType, str], dict[str, Any]]


def blocks(guide: str, kind: str) -> list[str]:
    words = (ROOT / "docs" / guide).read_text(encoding="utf-8")
    return [textwrap.dedent(found) for found in re.findall(rf"^ *```{kind}\n(.*?)```", words, re.S | re.M)]


@pytest.fixture
def follow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guide]:
    """Do what a guide says: its file as `name` of a room, its entries in params.yaml, which is returned."""
    added = []

    def done(guide: str, room: ModuleType, name: str) -> dict[str, Any]:
        (code,) = blocks(guide, "python")
        (tmp_path / f"{name}.py").write_text(code, encoding="utf-8")
        monkeypatch.setattr(room, "__path__", [*room.__path__, str(tmp_path)])
        added.append(f"{room.__name__}.{name}")
        yaml = YAML(typ="safe")
        settings = yaml.load((ROOT / "params.yaml").read_text(encoding="utf-8"))
        params.check(params.parse(settings))  # a new file makes no old params.yaml invalid
        for block in blocks(guide, "yaml"):
            for section, entries in yaml.load(block).items():
                settings[section] |= entries
        return settings

    yield done
    for module in added:
        sys.modules.pop(module, None)


def test_adding_an_encoder(follow: Guide) -> None:
    settings = follow("adding-an-encoder.md", encoders, "bag")
    settings["pretrain"]["mine"]["encoders"] |= {"image": "patches", "audio": "bands"}  # without a look at the hub
    settings["encoder"]["bags"] = {"modality": "text", "architecture": "bag", "width": 16}
    settings["pretrain"]["bags"] = {"encoders": {"text": "bags", "image": "patches", "audio": "bands"}}
    made = params.parse(settings)
    params.check(made)
    assert made.encoders["wide_words"].settings == {"width": 128, "depth": 2}
    described = made.encoders["bags"]
    assert described.settings == {"width": 16} and described.processor[0] == "text"
    for spec, x in ((Spec("text", "tokens", (6,), 30), torch.tensor([[3, 4, 5, 0, 0, 0], [5, 4, 3, 0, 0, 0]])),
                    (Spec("image", "image", (3, 8, 8)), torch.rand(2, 3, 8, 8))):
        encoder = encoders.build(described, spec)
        assert encoder(x).shape == (2, 16) and encoder.tokens(x).shape == (2, *encoder.tokens(x).shape[1:2], 16)


def test_tables_on_a_clock_are_read_as_they_stand_there(tmp_path: Path) -> None:
    words = (ROOT / "docs/clock.md").read_text(encoding="utf-8")
    assert [line for line in words.splitlines() if len(line) > 125 and not line.startswith("|")] == []
    named = re.findall(r"^`(\w+\.csv)`, [^\n]*:\n\n```csv\n(.*?)```", words, re.S | re.M)
    assert [name for name, _ in named] == ["events.csv", "mics.csv", "words.csv"]
    for name, table in named:
        (tmp_path / name).write_text(table, encoding="utf-8")
    for table in blocks("clock.md", "csv"):
        assert len({line.count(",") for line in table.splitlines()}) == 1 and "  " not in table
    sound(tmp_path / "anna.wav", 10)
    settings = YAML(typ="safe").load(blocks("clock.md", "yaml")[0])
    streams = settings["data"]["streams"]
    for stream in streams.values():
        stream["table"]["path"] = stream["table"]["path"].replace("my-data", str(tmp_path))
    rows = joined(tmp_path, streams, settings["data"]["manifest"]["key"], **settings["align"])
    assert picked(rows, "sample", "label", "mic_start", "mic_end", "words") == [
        ("e1", "cough", 0.5, 1.5, None), ("e2", "speech", 5.0, 6.0, "good morning")]


def test_adding_a_fusion(follow: Guide) -> None:
    made = params.parse(follow("adding-a-fusion.md", fusion, "mean"))
    params.check(made)
    chosen = {name: fusion.chosen(made.entries[name].plan.fusion, "fusion") for name in ("end_to_end", "wide_mean")}
    assert chosen == {"end_to_end": {"name": "mean", "width": None}, "wide_mean": {"name": "mean", "width": 128}}
    mean = fusion.build(chosen["end_to_end"], {"text": 2, "image": 2})
    vectors = {"text": torch.tensor([[1.0, 2.0]] * 3), "image": torch.tensor([[3.0, 6.0]] * 3)}
    present = torch.tensor([[True, True], [True, False], [False, False]])
    assert mean(vectors, present).tolist() == [[2.0, 4.0], [1.0, 2.0], [0.0, 0.0]]
    assert fusion.build(chosen["wide_mean"], {"text": 2, "image": 5}).width == 128


def test_adding_a_strategy(follow: Guide) -> None:
    made = params.parse(follow("adding-a-strategy.md", strategies, "cooled"))
    params.check(made)
    variant = made.entries["frozen_attention"]
    assert variant.strategy == "frozen" and variant.plan.phases[0].lr == 0.001
    assert fusion.chosen(variant.plan.fusion, "fusion")["heads"] == 4
    entry = made.entries["cooled"]
    assert entry.title == "Cooled from supervised_half"
    assert [(phase.name, phase.share, phase.lr, phase.train) for phase in entry.plan.phases] == [
        ("joint", 0.7, 0.003, ("encoders", "fusion", "head")), ("head", 0.3, 0.001, ("fusion", "head"))]
    groups = made.recipe("selfsup_words").groups
    assert [(group.name, (group.objective or {}).get("name")) for group in groups] == [
        ("text", "masked"), ("image", None), ("audio", None)]
