"""`trivium domains`: a shortcut that holds inside and breaks outside is seen, and sites that are alike are not told
apart.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.comparisons import full, span
from tests.experiments.shortcut import write
from tests.helpers import committed, digests, set_params, tiny_project
from trivium.cli.main import main
from trivium.comparison.each_domain import EachDomain, LeftOut, gather
from trivium.comparison.out import Comparison
from trivium.report.domains import render, summary


def comparison(domain: str, inside: dict[str, float], outside: dict[str, float], best: str | None, half: float,
               ) -> Comparison:
    return Comparison.model_validate(full({
        "strategies": {name: {"metrics": {"accuracy": span(value)}} for name, value in inside.items()},
        "verdict": {"recommended": best, "sentence": f"Inside of {domain}."},
        "domains": {"by": {}, "held_out": {
            "name": domain, "n": 100, "sentence": f"So much is lost on {domain}.",
            "strategies": {name: {"value": span(value), "drop": span(inside[name] - value, half),
                                  "metrics": {"accuracy": value}} for name, value in outside.items()}}}}))


def test_a_line_for_each_domain_and_what_is_lost() -> None:
    found = gather({"north": comparison("north", {"x": 0.9, "y": 0.8}, {"x": 0.5, "y": 0.7}, "x", 0.05),
                    "west": comparison("west", {"x": 0.9, "y": 0.8}, {"x": 0.88, "y": 0.8}, "y", 0.05)},
                   [LeftOut(name="east", n=3, reason="It has 3 rows with a label, and 20 are needed.")])
    assert [(one.name, one.n, one.recommended, one.chosen.drop.mean) for one in found.domains] == [
        ("north", 100, "x", pytest.approx(0.4)), ("west", 100, "y", 0.0)]
    assert found.sentence == (
        "On 1 of 2 domains that were held out the recommended strategy clearly does worse than inside: it loses 20.0 "
        "points of accuracy on average over all, and most on north, 40.0 (35.0 to 45.0).")
    assert found.rest == ("What is recommended depends on the domain that is held out: “x” 1 time and “y” 1 time.")
    assert EachDomain.model_validate(found.plain()) == found
    page = " ".join(render(found).split())
    assert "Inside: Inside of west. So much is lost on west." in page and "It has 3 rows with a label" in page
    assert "east was not held out: It has 3 rows" in summary(found)


def test_no_clear_loss_is_not_called_one() -> None:
    found = gather({"north": comparison("north", {"x": 0.9}, {"x": 0.88}, None, 0.05)}, [])
    assert found.domains[0].recommended is None and found.domains[0].chosen.title == "x"
    assert found.sentence == (
        "On north, which was held out, the recommended strategy, or else the best, does not clearly do worse than "
        "inside: it loses 2.0 points of accuracy (−3.0 to 7.0).")
    assert found.rest == "Whichever domain is held out, nothing is recommended by what is left."
    assert "x (the best; none is recommended)" in render(found)


def project(folder: Path, shortcut: bool, **more: Any) -> Path:
    """Three sites, read by one strategy and by the simple reference."""
    made = tiny_project(folder, data__streams={"text": {"modality": "text"}}, data__source="manifest", seeds=3,
                        data__manifest__path="mine/m.csv", data__watch="mine/m.csv", budget__epochs=8, **more)
    set_params(made, {"encoder.words.processor.length": 8,
                      "pretrain": {"scratch": {"encoders": {"text": "words"}},
                                   "simple": {"encoders": {"text": "ngrams"}}},
                      "train": {"end_to_end": {"start": "scratch", "strategy": "joint", "lr": 0.01},
                                "reference": {"start": "simple", "strategy": "linear"}}})
    (made / "mine").mkdir()
    write(made / "mine/m.csv", shortcut)
    return made


@pytest.mark.slow
def test_a_shortcut_that_breaks_outside_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                               capfd: pytest.CaptureFixture[str]) -> None:
    made = project(tmp_path, shortcut=True)
    committed(made, monkeypatch)
    before, params = digests(made, "data", "models", "reports"), (made / "params.yaml").read_bytes()
    main(["domains", "--most", "2"])
    capfd.readouterr()
    after = digests(made, "data", "models", "reports")
    assert {path for path in after if after[path] != before.get(path)} == {"reports/domains.json",
                                                                           "reports/domains.html"}
    assert (made / "params.yaml").read_bytes() == params
    found = EachDomain.read(made / "reports/domains.json")
    west = next(one for one in found.domains if one.name == "west")
    assert west.n == 121 and west.chosen.inside.mean > 0.95 and west.chosen.outside.mean < 0.3
    assert west.chosen.drop.low > 0.5
    assert "most on west" in found.sentence
    main(["domains", "--most", "2", "--transfer"])
    said = capfd.readouterr().out
    assert said.count("is there already") == 2 and "Running stage" not in said
    found = EachDomain.read(made / "reports/domains.json")
    west = next(one for one in found.domains if one.name == "west")
    assert west.transfer and [level.labels for level in west.transfer.levels][:2] == [0, 10]
    none, *some = west.transfer.levels
    assert list(none.ways) == ["continued"] and none.ways["continued"].mean < 0.3  # as it is: the shortcut misleads it
    assert set(some[-1].ways) == {"continued", "scratch", "reference"}
    # What it has learned stands in its way: a few labels alone teach more than they do on top of the shortcut.
    assert none.ways["continued"].mean + 0.1 < some[-1].ways["continued"].mean < some[-1].ways["scratch"].mean
    assert some[-1].ways["reference"].mean > 0.9 and "With a few labels of the domain" in render(found)


@pytest.mark.slow
def test_sites_that_are_alike_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = project(tmp_path, shortcut=False)
    committed(made, monkeypatch)
    main(["domains", "--most", "1"])
    found = EachDomain.read(made / "reports/domains.json")
    assert len(found.domains) == 1 and "does not clearly do worse than inside" in found.sentence
    assert all(-0.15 < one.chosen.drop.mean < 0.15 for one in found.domains)
