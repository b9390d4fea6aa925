"""What each strategy does, in phases."""

from trivium import strategies
from trivium.config import load
from trivium.strategies.base import ALL, TOP

CONFIG = load()


def test_phases_of_every_strategy() -> None:
    plans = {name: strategies.plan(name, CONFIG) for name in CONFIG.strategies}
    assert {name: plan.start for name, plan in plans.items()} == {
        "end_to_end": None, "unimodal": "supervised", "ensemble": "supervised", "supervised_frozen": "supervised",
        "supervised_lpft": "supervised_half", "selfsup_finetune": "selfsup",
    }
    assert {name: [phase.train for phase in plan.phases] for name, plan in plans.items()} == {
        "end_to_end": [ALL], "unimodal": [], "ensemble": [], "supervised_frozen": [TOP], "supervised_lpft": [TOP, ALL],
        "selfsup_finetune": [ALL],
    }


def test_shares_of_phases_add_up_to_the_budget() -> None:
    for name in CONFIG.strategies:
        phases = strategies.plan(name, CONFIG).phases
        assert not phases or abs(sum(phase.share for phase in phases) - 1) < 1e-9
