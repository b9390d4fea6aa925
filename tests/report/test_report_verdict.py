"""What is said of the strategies: the verdict, the table, and what a reader must know of each."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.report.page import Page, changed
from tests.report.project import build


def test_verdict_comes_first_and_large(project: Path, text: str, page: Page) -> None:
    verdict = json.loads((project / "reports/comparison.json").read_text())["verdict"]
    heading = re.sub(r"<[^>]+>", "", re.search(r"<h1>(.*?)</h1>", text, re.DOTALL)[1])  # type: ignore[index]
    assert verdict["sentence"].startswith(heading) and heading == "Take “Ensemble of single streams”."
    assert next(tag for tag, _ in page.elements if tag in ("h1", "h2")) == "h1" and len(page.of("h1")) == 1
    assert verdict["reason"] in "".join(page.words)
    assert "No winner: the best cannot be told apart" in page.words
    assert verdict["sentence"].removeprefix(heading).strip() in "".join(page.words)


def test_the_chip_says_whether_others_are_level(tmp_path: Path) -> None:
    root = build(tmp_path, samples=60, seeds=2, strategies={"end_to_end": 1.5, "ensemble": 2.0, "unimodal": 1.0})
    everyone = ["ensemble", "end_to_end", "unimodal"]
    for behind, chip in ((["unimodal"], "No winner: the best cannot be told apart"),
                         (everyone[1:], "One is ahead, but not surely")):  # fmt: skip
        verdict = {"winner": None, "recommended": "ensemble", "tied": everyone, "behind": behind}
        assert chip in changed(root, verdict=verdict).words


def test_the_chip_does_not_speak_of_others_that_learned_nothing(tmp_path: Path) -> None:
    root = build(tmp_path, samples=60, seeds=2, strategies={"end_to_end": 1.5, "ensemble": 2.0, "unimodal": 1.0})
    found = json.loads((root / "reports/comparison.json").read_text())["strategies"]
    verdict = {"winner": None, "recommended": "ensemble", "tied": ["ensemble"], "behind": []}
    for learned, chip in ((["ensemble"], "Only one has surely learned"),
                          (["ensemble", "unimodal"], "It beats all others that have learned")):
        strategies = {name: entry | {"learned": name in learned} for name, entry in found.items()}
        words = changed(root, verdict=verdict, strategies=strategies).words
        assert chip in words and "One is ahead, but not surely" not in words


def test_where_nothing_was_learned_nothing_is_recommended(tmp_path: Path) -> None:
    """No sentence may say that one is to be taken, whatever else is shown."""
    root = build(tmp_path, samples=60, seeds=2, extras=True)
    sentence = "Nothing was learned: no strategy is surely better than always answering “7” (14.0 % right)."
    verdict = {"learned": False, "winner": None, "tied": [], "recommended": None, "within": None, "sentence": sentence,
               "reason": "Try more samples."}
    path = root / "reports/comparison.json"
    strategies = {name: entry | {"learned": False}
                  for name, entry in json.loads(path.read_text())["strategies"].items()}
    page = changed(root, verdict=verdict, strategies=strategies)
    said = "".join(page.words)
    assert "Nothing was learned" in page.words and "recommended" not in page.words
    assert page.words.count("not surely learned") == 6
    assert "Take" not in page.words and "models:/trivium@recommended" not in said
    assert "Constant answer" in page.words and "14.0\u00a0% (always “7”)" in said


def test_what_a_reader_must_know_of_a_strategy_is_marked(tmp_path: Path) -> None:
    root = build(tmp_path, samples=60, seeds=2, strategies={"end_to_end": 1.5, "ensemble": 2.0, "unimodal": 1.0})
    found = json.loads((root / "reports/comparison.json").read_text())["strategies"]
    found["end_to_end"] |= {"one_class": 0.97}
    found["ensemble"] |= {"over_budget": 2.1}
    skipped = {"video": {"title": "Video", "budget": 1.0, "needed": 3.0, "setting": "",
                         "sentence": "Video was not begun."}}
    sentence = "Take “Ensemble of single streams”, at 2.1 × the budget: it beats “End to end”."
    page = changed(root, strategies=found, skipped=skipped, verdict={"sentence": sentence, "recommended": "unimodal"})
    said = "".join(page.words)
    assert "one class for 97\u00a0% of the samples" in page.words and "2.1 × the budget" in page.words
    assert "Video was not begun." in page.words
    assert "“Ensemble of single streams”, at 2.1 × the budget and 45\u00a0s: it beats" in said
    assert "text on 1 of 2 seeds" in said and "It took text on 1 of 2 seeds, audio on 1 of 2 seeds." in said


def test_tags_say_what_the_table_of_pairs_says(tmp_path: Path) -> None:
    """Of each strategy against the recommended one, the cheaper of two that cannot be told apart."""
    names = ["end_to_end", "ensemble", "unimodal", "supervised_frozen", "supervised_lpft"]
    root = build(tmp_path, samples=60, seeds=2, strategies=dict.fromkeys(names, 2.0))
    against = {"end_to_end": "open", "unimodal": "better", "supervised_frozen": "ahead", "supervised_lpft": "close"}
    pairs = [{"a": "ensemble", "b": name, "difference": 0.1, "verdict": said, "beats": said == "better"}
             for name, said in against.items()]
    pairs[0] |= {"a": "end_to_end", "b": "ensemble", "verdict": "ahead"}
    page = changed(root, pairs=pairs, verdict={"recommended": "ensemble", "winner": None, "tied": names, "behind": []})
    table = [row[1] for row in page.cells if len(row) > 5 and row[0].isdigit()]
    assert sorted(table[:5]) == [
        "Best single streamworse", "End to endahead, not surely", "Ensemble of single streamsrecommended",
        "Frozen supervised componentsbehind, not surely", "LP-FTnot told apart"]


def test_where_nothing_was_learned_nothing_is_made_of_the_differences(tmp_path: Path) -> None:
    root = build(tmp_path, samples=60, seeds=2, strategies={"end_to_end": 1.5, "ensemble": 2.0})
    learned = "".join(changed(root, verdict={"recommended": "ensemble"}).words)
    assert "it matters which one is asked." in learned and "On the Pareto front" in learned
    nothing = "".join(changed(root, verdict={"recommended": None, "learned": False}).words)
    assert "it matters which one is asked" not in nothing and "On the Pareto front" not in nothing


def test_a_likelihood_that_ranks_is_shown_in_nats(tmp_path: Path) -> None:
    root = build(tmp_path, samples=60, seeds=2, strategies={"end_to_end": 1.5, "ensemble": 2.0})
    pair = {"a": "ensemble", "b": "end_to_end", "difference": 0.12, "low": 0.05, "high": 0.19, "verdict": "ahead",
            "beats": False}
    page = changed(root, metric="nll", pairs=[pair])
    said = "".join(page.words)
    assert "A better by, nats" in page.words and "+0.120 (+0.050 to +0.190)" in said
    assert "A is ahead, not surely" in page.words and "The difference could be chance." in page.words
    assert "the class shares of train" in page.words and "ranked by negative log-likelihood" in said


def test_where_the_model_is_and_what_strategies_do_stand_at_the_top(project: Path, page: Page) -> None:
    chosen = json.loads((project / "reports/comparison.json").read_text())["verdict"]["recommended"]
    top = "".join(page.words).split("Strategy against strategy")
    header = top[0] + top[1]  # the contents name the section first
    seeds = json.loads((project / f"models/{chosen}/training.json").read_text())["seeds"]
    best = min(seeds, key=lambda seed: seed["validation"]["nll"])["seed"]
    assert f"models/{chosen}/seed_{best}, in MLflow models:/trivium@recommended" in header
    assert "6 strategies, 3 paired seeds × 42 test samples" in header
    assert "Joint training: one loss, every part moves." in header
    assert "Recipe: scratch (text by words, image by patches, audio by bands)." in header


def test_groups_of_test_samples_are_said_where_there_are_some(tmp_path: Path) -> None:
    root = build(tmp_path, samples=60, seeds=2)
    cases = (
        (7, 7.0, True, "of a test set are of 7 groups, and", "test samples, of 7 groups in all"),
        (20, 6.5, True, "are of 6.5 of the 20 groups, and", "test samples, of 20 groups in all"),
        (6, 2.0, False, "Too few to resample: the intervals speak of these groups alone", "too few to tell how much"),
    )
    for whole, each, resampled, below, above in cases:
        about = {"test": 1050.0, "groups": whole, "test_groups": each, "resampled": resampled}
        said = "".join(changed(root, dataset=about).words)
        assert below in said and above in said
    alone = {"test": 1050.0, "groups": 2000, "test_groups": 1050.0, "resampled": True}
    assert "groups" not in "".join(changed(root, dataset=alone).words).split("Interval")[1].split("Seed")[0]


def test_numbers_are_those_of_the_comparison(project: Path, page: Page) -> None:
    comparison = json.loads((project / "reports/comparison.json").read_text())
    rows = {re.split("recommended|not told apart|worse|behind", row[1])[0]: row for row in page.cells
            if len(row) == 10 and row[0].isdigit()}
    entries = comparison["strategies"]
    assert {entry["title"] for entry in entries.values()} <= set(rows)
    for entry in entries.values():
        row = rows[entry["title"]]
        accuracy = entry["metrics"]["accuracy"]
        assert row[0] == str(entry["rank"])
        assert row[2].startswith(f"{100 * accuracy['mean']:.1f}\u00a0%{100 * accuracy['low']:.1f} to ")
        assert f"{100 * accuracy['high']:.1f}\u00a0%" in row[2]
        assert row[3] == f"{100 * entry['metrics']['macro_f1']['mean']:.1f}\u00a0%"
        assert row[4] == f"{entry['metrics']['nll']['mean']:.3f}"
        assert row[5] == f"{100 * entry['metrics']['ece']['mean']:.1f}\u00a0%"
        assert row[6] == {1.94e12: "1.94\u00a0TFLOP", 1.94e12 * 0.95: "1.84\u00a0TFLOP"}[entry["flops"]]
        assert row[8] == {171_234: "171\u00a0k", 57_000: "57.0\u00a0k"}[entry["parameters"]["total"]]
        assert row[9] == {0.0: "0\u00a0%", 0.2: "20\u00a0%"}[entry["failed_share"]]
    # Seconds: own seeds, and twice three streams' 8 s of pretraining for all but end_to_end (20 s).
    assert rows["End to end"][7] == "20\u00a0s" and rows["Best single stream"][7] == f"{20 + 1 + 3 * 8}\u00a0s"
    (constant,) = [row for row in page.cells if row[1:2] == ["always “7”"]]
    assert constant[2].startswith("14.0\u00a0%") and constant[3:5] == ["2.5\u00a0%", "2.290"]
