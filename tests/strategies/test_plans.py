"""What each entry of the repository's `train` does, in phases; and what strategies refuse."""

from typing import Any

import pytest

from tests.helpers import ROOT
from trivium import strategies
from trivium.params import load
from trivium.settings.errors import UserError
from trivium.strategies.base import ALL, TOP, Phase, Plan

ENTRIES = load(ROOT / "params.yaml").entries
RAW = {"start": "supervised", "strategy": "lpft"}


def test_phases_of_every_entry() -> None:
    expected = {
        "end_to_end": ("scratch", "fusion", [ALL]), "unimodal": ("supervised", "best", []),
        "ensemble": ("supervised", "ensemble", []), "supervised_frozen": ("supervised", "fusion", [TOP]),
        "supervised_lpft": ("supervised_half", "fusion", [TOP, ALL]), "selfsup_finetune": ("selfsup", "fusion", [ALL]),
    }
    found = {name: (one.start, one.plan.combine, [phase.train for phase in one.plan.phases])
             for name, one in ENTRIES.items()}
    assert {name: found[name] for name in expected} == expected


def test_shares_of_phases_add_up_to_the_budget() -> None:
    for one in ENTRIES.values():
        phases = one.plan.phases
        assert not phases or abs(sum(phase.share for phase in phases) - 1) < 1e-9


def test_settings_of_an_entry_reach_its_phases() -> None:
    one = strategies.entry("own", RAW | {"fusion": {"name": "attention", "heads": 2}, "lr": 0.01, "head_share": 0.25,
                                         "finetune_lr": 0.001})
    assert one.plan == Plan("fusion", {"name": "attention", "heads": 2},
                            (Phase("head", 0.25, 0.01, TOP), Phase("finetune", 0.75, 0.001)))
    assert one.settings == {"fusion": {"name": "attention", "heads": 2}, "lr": 0.01, "head_share": 0.25,
                            "finetune_lr": 0.001}


def test_names_titles_and_recipes_are_no_part_of_what_makes_a_strategy_what_it_is() -> None:
    one = strategies.entry("one", RAW | {"title": "One"})
    other = strategies.entry("other", RAW | {"start": "selfsup"})
    assert one.settings == other.settings and one.plan == other.plan
    assert (one.title, other.title) == ("One", "LP-FT from selfsup")


def test_the_same_title_twice_is_told_apart_by_names() -> None:
    found = strategies.entries({"a": RAW, "b": RAW, "c": RAW | {"title": "C"}})
    assert [one.title for one in found.values()] == ["LP-FT from supervised (a)", "LP-FT from supervised (b)", "C"]


def test_the_same_title_twice_is_told_apart_by_how_streams_are_joined() -> None:
    film = RAW | {"fusion": {"name": "film"}}
    found = strategies.entries({
        "a": RAW, "b": film, "c": film,
        "d": {"start": "supervised", "strategy": "ensemble"},
        "e": {"start": "supervised", "strategy": "ensemble", "way": "selection"}})
    titles = [one.title for one in found.values()]
    assert titles[:3] == ["LP-FT from supervised (concat)", "LP-FT from supervised (b)", "LP-FT from supervised (c)"]
    assert titles[3].endswith(" (product)") and titles[4].endswith(" (selection)")


@pytest.mark.parametrize(("raw", "says"), [
    (RAW | {"strategy": "lptf"}, r"`train\.own\.strategy`: there is no strategy `lptf`; did you mean `lpft`"),
    (RAW | {"strategy": "DGL"}, r"`train\.own\.strategy`: there is no strategy `DGL`; did you mean `dgl`"),
    (RAW | {"Head_Share": 0.1}, r"unknown key `train\.own\.Head_Share`; did you mean `head_share`"),
    (RAW | {"head_shaer": 0.1}, r"unknown key `train\.own\.head_shaer`; did you mean `head_share`"),
    (RAW | {"head_share": 1.0}, r"`train\.own\.head_share` must be below 1 \(got 1\.0\)"),
    ({"strategy": "joint"}, r"`train\.own\.start` is missing"),
    ({"start": "scratch"}, r"`train\.own` is a mapping such as \{start: scratch, strategy: joint\}"),
    ({"start": "scratch", "strateg": "joint"}, r"unknown key `train\.own\.strateg`; did you mean `strategy`"),
    (None, r"`train\.own` is a mapping such as"),
])
def test_what_is_wrong_is_named(raw: Any, says: str) -> None:
    with pytest.raises(UserError, match=r"params\.yaml: " + says):
        strategies.entry("own", raw)


def test_plans_that_spend_more_than_there_is_are_refused() -> None:
    with pytest.raises(ValueError, match="shares that sum to 1 at most"):
        Plan("fusion", "concat", (Phase("a", 0.6, 0.1), Phase("b", 0.5, 0.1)))
    with pytest.raises(ValueError, match="phases need names of their own"):
        Plan("fusion", "concat", (Phase("a", 0.5, 0.1), Phase("a", 0.5, 0.1)))


def test_gradual_unfreezing_takes_a_block_more_at_a_time() -> None:
    phases = strategies.entry("own", {"start": "supervised", "strategy": "unfreezing", "head_share": 0.1,
                                      "blocks": 2}).plan.phases
    assert [(one.name, one.train, one.last, one.moves) for one in phases] == [
        ("head", TOP, 0, False), ("last_1", ("encoders.last(1)", *TOP), 1, True),
        ("last_2", ("encoders.last(2)", *TOP), 2, True), ("all", ALL, 0, True)]
    assert [one.share for one in phases] == pytest.approx([0.1, 0.3, 0.3, 0.3])
    assert {one.decay for one in phases[1:]} == {1 / 2.6}


@pytest.mark.parametrize("part", ["encoder", "encoders.last(0)", "encoders.last", "heads"])
def test_a_part_that_is_not_there_cannot_move(part: str) -> None:
    with pytest.raises(ValueError, match=r"phase one: there is no part `.*` that could move"):
        Phase("one", 1.0, 0.1, (part,))


def test_a_stand_in_is_a_matter_of_the_fusion() -> None:
    raw = {"start": "scratch", "strategy": "modality_dropout", "fusion": {"name": "gated", "width": 32}}
    assert strategies.entry("own", raw).plan.fusion == {"name": "gated", "width": 32}
    learned = strategies.entry("own", raw | {"stand_in": "learned"})
    assert learned.plan.fusion == {"name": "gated", "width": 32, "stand_in": True}
    with pytest.raises(UserError, match=r"`train\.own\.stand_in`: did you mean `learned`\?"):
        strategies.entry("own", raw | {"stand_in": "learnd"})
