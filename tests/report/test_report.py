"""The page as a whole: complete, self-contained, escaped, small, and the same every time."""

from __future__ import annotations

import json
import re
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.report.project import build
from trivium.report.html import LIMIT, write
from trivium.report.inputs import Inputs
from trivium.settings.errors import UserError

EVIL = "<script>alert('x')</script>\"&amp;"
ALWAYS = set(
    [
        "strategies",
        "pairs",
        "cost",
        "learning",
        "components",
        "machine",
        "streams",
        "ceilings",
        "errors",
        "calibration",
        "disagreements",
        "similarity",
        "data",
        "reading",
        "provenance",
    ]
)


class Page(HTMLParser):
    """Elements, attributes and text of a page; fails where tags are not closed in order."""

    VOID = ("meta", "img", "br", "wbr")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.cells: list[list[str]] = []
        self.feed(text)
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "tr":
            self.cells.append([])
        if tag in ("td", "th") and self.cells:
            self.cells[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        data = re.sub(r"[ \n]+", " ", data)  # as a browser shows it
        if not {"script", "style"} & set(self.open):
            self.words.append(data)
            if {"td", "th"} & set(self.open):
                self.cells[-1][-1] += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def sections(self) -> set[str | None]:
        return {attributes["id"] for attributes in self.of("section")}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("project"), extras=True)


@pytest.fixture(scope="module")
def text(project: Path) -> str:
    return write(project).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_nothing_is_loaded_from_elsewhere(page: Page, text: str) -> None:
    for tag, attributes in page.elements:
        assert tag not in ("link", "iframe", "object", "embed", "base")
        for name, value in attributes.items():
            assert not name.startswith("on"), f"{tag} has a handler {name}"
            assert name != "style", f"{tag} has an inline style, which the policy forbids"
            if name in ("src", "href", "srcset", "poster", "action", "xlink:href", "data"):
                assert value and value.startswith(("data:image/", "data:audio/", "#")), f"{tag} {name} {value[:60]}"
    style = text.split("<style>")[1].split("</style>")[0]
    assert "url(" not in style and "@import" not in style
    assert re.search(r"https?:", text) is None


def test_policy_allows_exactly_the_inline_style_and_script(page: Page, text: str) -> None:
    import base64
    import hashlib

    (policy,) = [meta["content"] for meta in page.of("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None and policy.startswith("default-src 'none';")
    for tag in ("style", "script"):
        content = text.split(f"<{tag}>")[1].split(f"</{tag}>")[0]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert len(page.of("script")) == 1 and len(page.of("style")) == 1


def test_media_are_inside(page: Page) -> None:
    assert len(page.of("img")) >= 8 and all((image["src"] or "").startswith("data:image/") for image in page.of("img"))
    assert len(page.of("audio")) >= 8 and all((a["src"] or "").startswith("data:audio/flac") for a in page.of("audio"))
    assert all(image["alt"] for image in page.of("img"))
    assert all(a["aria-label"] for a in page.of("audio"))
    assert all(svg.get("aria-hidden") or svg.get("aria-label") for svg in page.of("svg"))


def test_text_from_the_data_is_escaped(tmp_path: Path) -> None:
    root = build(tmp_path, samples=60, evil=EVIL, classes=["a", "b", "c"])
    text = write(root).read_text(encoding="utf-8")
    page = Page(text)
    assert len(page.of("script")) == 1 and "alert('x')" not in text.split("<script>")[1]
    assert EVIL not in text.split("<body>")[1]
    said = "".join(page.words)
    for expected in (f"a{EVIL}", f"Digits, world dominant{EVIL}", f"number is {EVIL}"[:10], f"cannot be decoded{EVIL}"):
        assert expected in said
    assert any(EVIL in (image["alt"] or "") for image in page.of("img"))


def test_strategy_names_are_escaped(tmp_path: Path) -> None:
    """A strategy is also a folder, so it holds no slash; it may still look like markup."""
    root = build(tmp_path, samples=60, strategies={"<b>one": 3.0, "two": 2.0}, seeds=2)
    text = write(root).read_text(encoding="utf-8")
    assert "<b>one" not in text and "&lt;b&gt;one" in text


def test_all_sections_with_all_inputs(page: Page) -> None:
    assert page.sections == ALWAYS | {"budgets", "contributions", "robustness", "attributions"}
    linked = {(link["href"] or "")[1:] for link in page.of("a")} - {"content"}
    assert linked == page.sections


@pytest.mark.parametrize(
    ("gone", "left_out"),
    [
        ("reports/evaluate", {"streams", "contributions", "errors", "calibration", "disagreements", "similarity"}),
        ("models", {"learning", "components"}),
        ("data", {"data", "ceilings"}),
        ("reports/measured", {"machine"}),
        ("dvc.lock", set()),
    ],
)
def test_section_without_inputs_is_left_out(tmp_path: Path, gone: str, left_out: set[str]) -> None:
    root = build(tmp_path, samples=60, seeds=2)
    whole = Page(write(root).read_text(encoding="utf-8")).sections
    path = root / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert whole - Page(write(root).read_text(encoding="utf-8")).sections == left_out & whole


@pytest.mark.parametrize("content", ["", '{"sec', "[1, 2]"])
def test_a_measurement_that_is_broken_is_left_out(tmp_path: Path, content: str) -> None:
    root = build(tmp_path, samples=60, seeds=2)
    (root / "reports/measured/train@end_to_end.json").write_text(content)
    inputs = Inputs(root, 0)
    assert inputs.measured["train@end_to_end"] == {} and inputs.measured["evaluate@end_to_end"]["seconds"] == 9.0
    assert "machine" in Page(write(root).read_text(encoding="utf-8")).sections


def test_comparison_alone_is_enough(tmp_path: Path) -> None:
    root = build(tmp_path / "whole", samples=60, seeds=2)
    (tmp_path / "bare/reports").mkdir(parents=True)
    shutil.copy(root / "reports/comparison.json", tmp_path / "bare/reports")
    page = Page(write(tmp_path / "bare").read_text(encoding="utf-8"))
    assert {"strategies", "pairs", "cost", "reading", "provenance"} == page.sections


def changed(root: Path, **parts: Any) -> Page:
    """The page with other values for keys of parts of the comparison: `verdict={"winner": None}`."""
    path = root / "reports/comparison.json"
    comparison = json.loads(path.read_text())
    for key, values in parts.items():
        comparison[key] = comparison[key] | values if isinstance(values, dict) else values
    path.write_text(json.dumps(comparison))
    return Page(write(root).read_text(encoding="utf-8"))


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


def test_no_comparison_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Run `dvc repro` first"):
        write(tmp_path)
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports/comparison.json").write_text("{")
    with pytest.raises(UserError, match="not valid JSON"):
        write(tmp_path)
    assert not (tmp_path / "reports/report.html").exists()


def test_two_may_write_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = build(tmp_path)
    together = threading.Barrier(8)

    def render(inputs: object) -> str:
        together.wait(10)
        return "page" * 500_000

    monkeypatch.setattr("trivium.report.html.render", render)
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            assert list(pool.map(write, [root] * 8)) == [root / "reports/report.html"] * 8
    assert (root / "reports/report.html").read_text() == "page" * 500_000
    assert [path.name for path in (root / "reports").iterdir() if "part" in path.name or "tmp" in path.name] == []


def test_numbers_are_those_of_the_comparison(project: Path, page: Page) -> None:
    comparison = json.loads((project / "reports/comparison.json").read_text())
    rows = {re.split("recommended|not told apart|worse|behind", row[1])[0]: row for row in page.cells if len(row) == 9}
    entries = comparison["strategies"]
    assert {entry["title"] for entry in entries.values()} <= set(rows)
    for entry in entries.values():
        row = rows[entry["title"]]
        accuracy = entry["accuracy"]
        assert row[0] == str(entry["rank"])
        assert row[2].startswith(f"{100 * accuracy['mean']:.1f}\u00a0%{100 * accuracy['low']:.1f} to ")
        assert f"{100 * accuracy['high']:.1f}\u00a0%" in row[2]
        assert row[3] == f"{100 * entry['macro_f1']['mean']:.1f}\u00a0%"
        assert row[4] == f"{entry['nll']['mean']:.3f}"
        assert row[5] == {1.94e12: "1.94\u00a0TFLOP", 1.94e12 * 0.95: "1.84\u00a0TFLOP"}[entry["flops"]]
        assert row[7] == {171_234: "171\u00a0k", 57_000: "57.0\u00a0k"}[entry["parameters"]]
        assert row[8] == {0.0: "0\u00a0%", 0.2: "20\u00a0%"}[entry["failed_share"]]
    # Seconds: own seeds, and twice three modalities' 8 s of pretraining for all but end_to_end (20 s).
    assert rows["End to end"][6] == "20\u00a0s" and rows["Best single stream"][6] == f"{20 + 1 + 3 * 8}\u00a0s"
    (constant,) = [row for row in page.cells if row[1:2] == ["always “7”"]]
    assert constant[2].startswith("14.0\u00a0%") and constant[3:5] == ["2.5\u00a0%", "2.290"]


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
    assert "Knowing nothing" in page.words and "14.0\u00a0% (always “7”)" in said


def test_what_a_reader_must_know_of_a_strategy_is_marked(tmp_path: Path) -> None:
    root = build(tmp_path, samples=60, seeds=2, strategies={"end_to_end": 1.5, "ensemble": 2.0, "unimodal": 1.0})
    found = json.loads((root / "reports/comparison.json").read_text())["strategies"]
    found["end_to_end"] |= {"one_class": 0.97}
    found["ensemble"] |= {"over_budget": 2.1}
    skipped = {"video": {"title": "Video", "budget": 1.0, "needed": 3.0, "sentence": "Video was not begun."}}
    sentence = "Take “Ensemble of single streams”, at 2.1 × the budget: it beats “End to end”."
    page = changed(root, strategies=found, skipped=skipped, verdict={"sentence": sentence, "recommended": "unimodal"})
    said = "".join(page.words)
    assert "one class for 97\u00a0% of the samples" in page.words and "2.1 × the budget" in page.words
    assert "Video was not begun." in page.words
    assert "“Ensemble of single streams”, at 2.1 × the budget and 45\u00a0s: it beats" in said
    assert "text on 1 of 2 seeds" in said and "It took text on 1 of 2 seeds, audio on 1 of 2 seeds." in said


def test_a_stream_that_no_model_reads_has_a_dash(tmp_path: Path) -> None:
    """The best single stream is text here, on both seeds: image and audio have given it nothing, not 0 points."""
    root = build(tmp_path, samples=60, seeds=2, strategies={"unimodal": 1.5, "ensemble": 2.0}, extras=True)
    path = root / "reports/evaluate/unimodal/metrics.json"
    found = json.loads(path.read_text())
    for seed in found["seeds"]:
        seed["training"]["chosen"] = "text"
    path.write_text(json.dumps(found))
    page = changed(root, verdict={"sentence": "Take it.", "recommended": "unimodal"},
                   information={"encoders": {"image": {"patches": 0.26, "pixels": None}}, "entropy": 1.58})
    rows = [row for row in page.cells if row and row[0] == "Best single stream"]
    assert ["Best single stream", "+27.5", "–", "–"] in rows
    (subsets,) = (row for row in rows if len(row) == 8)
    assert [cell == "–" for cell in subsets[1:]] == [False, True, True, False, False, True, False]
    assert ["image", "pixels", "–"] in page.cells
    assert "“Best single stream” reads text alone: without it, there is nothing to answer from." in page.words


def test_an_ensemble_that_gains_nothing_is_not_said_to_gain_0_points(tmp_path: Path) -> None:
    root = build(tmp_path, samples=60, seeds=2, strategies={"end_to_end": 1.5, "ensemble": 2.0}, extras=True)
    mean = {"accuracy": {"mean": 0.905}, "gain": -0.0001, "members": ["end_to_end", "ensemble"]}
    said = "".join(changed(root, similarity={"sentence": "", "ensemble": mean}).words)
    assert ("Together, “End to end” and “Ensemble of single streams” reach 90.5\u00a0%, as much as the better of them "
            "alone.") in said  # fmt: skip


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


def test_no_axis_of_shares_goes_beyond_all_of_it(tmp_path: Path) -> None:
    root = build(tmp_path, samples=60, seeds=2, strategies={"end_to_end": 1.5, "ensemble": 2.0}, extras=True)
    curve = [{"level": x, "accuracy": {"mean": y, "low": y, "high": y}} for x, y in ((0, 1.0), (0.1, 1.0))]
    changed(root, robustness={"corruption": {}, "attacks": {"pgd on image": {"end_to_end": curve}}, "summary": {}})
    text = (root / "reports/report.html").read_text(encoding="utf-8")
    section = text.split('<section id="robustness">')[1].split("</section>")[0]
    ticks = [float(tick) for tick in re.findall(r'class="tick"[^>]*>([\d.]+)\xa0%<', section)]
    assert max(ticks) == 100
    assert 'text-anchor="end">100\xa0%' in section


def test_where_nothing_was_learned_nothing_is_made_of_the_differences(tmp_path: Path) -> None:
    root = build(tmp_path, samples=60, seeds=2, strategies={"end_to_end": 1.5, "ensemble": 2.0})
    learned = "".join(changed(root, verdict={"recommended": "ensemble"}).words)
    assert "it matters which one is asked." in learned and "On the Pareto front" in learned
    nothing = "".join(changed(root, verdict={"recommended": None, "learned": False}).words)
    assert "it matters which one is asked" not in nothing and "On the Pareto front" not in nothing


def test_rows_are_counted_once(tmp_path: Path) -> None:
    """The made-up validation knows 60 rows, each with three streams; two of three in quarantine are of one sample."""
    root = build(tmp_path, samples=60, seeds=2, strategies={"end_to_end": 1.5, "ensemble": 2.0})
    assert "3 of 60 rows went to quarantine, for 1 reason." in "".join(changed(root).words)
    path = root / "data/valid/quarantine.parquet"
    table = pq.read_table(path).to_pylist()
    some = [row | {"sample": "q0" if k < 2 else "q2"} for k, row in enumerate(table)]
    pq.write_table(pa.Table.from_pylist(some), path)
    assert "2 of 60 rows went to quarantine" in "".join(changed(root).words)
    pq.write_table(pa.Table.from_pylist(table).slice(0, 0), path)
    assert "Nothing was set aside: all 60 rows passed." in "".join(changed(root).words)


def test_a_manifest_is_named_once(tmp_path: Path) -> None:
    root = build(tmp_path, samples=60, seeds=2, strategies={"end_to_end": 1.5, "ensemble": 2.0})
    path = root / "data/aligned/meta.json"
    about = {"source": "manifest", "title": "manifest.csv", "card": "60 rows of `manifest.csv`."}
    path.write_text(json.dumps(json.loads(path.read_text()) | about))
    said = "".join(changed(root).words)
    assert "in 10 classes: manifest.csv." in said and "60 rows of" not in said


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


def test_the_pareto_front_is_named(tmp_path: Path) -> None:
    root = build(tmp_path, samples=60, seeds=2, strategies={"end_to_end": 1.5, "ensemble": 2.0, "unimodal": 1.0})
    path = root / "reports/comparison.json"
    found = json.loads(path.read_text())
    for name, accuracy, flops in (("end_to_end", 0.9, 2e12), ("ensemble", 0.8, 1e12), ("unimodal", 0.7, 1.5e12)):
        found["strategies"][name] |= {"accuracy": {"mean": accuracy, "low": 0.6, "high": 1.0}, "flops": flops}
        found["strategies"][name]["parameters"] = 1e5
    path.write_text(json.dumps(found))
    shutil.rmtree(root / "reports/measured")
    said = "".join(Page(write(root).read_text(encoding="utf-8")).words)
    one, two = "“End to end”", "“Ensemble of single streams”"
    either = f"({one} and {two}|{two} and {one})"  # their ranks are not set here
    assert re.search(f"On the Pareto front of accuracy and cost: {either} by training compute; {one} by "
                     r"parameters\.", said)  # fmt: skip


def test_memory_of_a_gpu_is_shown_where_one_was_used(text: str, tmp_path: Path) -> None:
    assert "memory to train" in text and "GPU memory" not in text
    root = build(tmp_path, samples=60, seeds=2)
    path = root / "reports/measured/train@end_to_end.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"peak_gpu_memory_bytes": 3.5e9}))
    section = write(root).read_text(encoding="utf-8").split('<section id="machine">')[1].split("</section>")[0]
    assert "GPU memory to train" in section and "3.50\N{NO-BREAK SPACE}GB" in section


def test_curves_are_drawn_while_they_belong_to_the_comparison(tmp_path: Path) -> None:
    root = build(tmp_path, samples=60, seeds=2, extras=True)
    text = write(root).read_text(encoding="utf-8")
    section = text.split('<section id="budgets">')[1].split("</section>")[0]
    said = re.sub(r"<[^>]+>", "", section)
    found = json.loads((root / "reports/comparison.json").read_text())
    names = sorted(f"“{found['strategies'][name]['title']}”" for name in found["verdict"]["tied"])
    assert (f"With half the compute, the present compute and twice the compute, no difference was found between "
            f"{names[0]} and {names[1]}.") in said  # fmt: skip
    assert section.count('class="band"') == 12  # two charts of six strategies
    assert re.findall(r'text-anchor="middle">([\d.]+)</text>', section) == ["0.954", "1.91", "3.82", "15", "30", "60"]
    other = json.loads((root / "reports/comparison.json").read_text())
    other["strategies"]["ensemble"]["accuracy"]["mean"] += 1e-6
    (root / "reports/comparison.json").write_text(json.dumps(other))
    assert 'id="budgets"' not in write(root).read_text(encoding="utf-8")


def test_disagreements_show_what_was_answered(page: Page) -> None:
    said = "".join(page.words)
    assert re.search(r"True label \d", said) and "(right)" in said and "(wrong)" in said
    assert "All strategies are right on" in said


def test_same_inputs_same_bytes(project: Path, tmp_path: Path) -> None:
    first = write(project).read_bytes()
    assert write(project).read_bytes() == first
    shutil.copytree(project, tmp_path / "copy")
    assert write(tmp_path / "copy").read_bytes() == first


def test_small_even_with_large_media(tmp_path: Path) -> None:
    import numpy as np
    import soundfile
    from PIL import Image

    root = build(tmp_path, samples=60, seeds=2, strategies={"end_to_end": 1.5, "ensemble": 2.0, "unimodal": 1.0})
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 255, (900, 1200, 3), dtype=np.uint8))
    for file in sorted((root / "data/raw/media").glob("*.png")):
        noise.save(file, compress_level=0)
    for file in sorted((root / "data/raw/media").glob("*.flac")):
        soundfile.write(file, rng.uniform(-1, 1, (44_100 * 6, 2)), 44_100, format="FLAC")
    path = write(root)
    page = Page(path.read_text(encoding="utf-8"))
    assert path.stat().st_size < LIMIT == 3_000_000
    assert page.of("audio") and "sound not embedded" in page.words


def test_many_classes_and_strategies_stay_small(tmp_path: Path) -> None:
    names = {f"strategy_number_{k}": 2.0 + 0.1 * k for k in range(16)}
    path = write(build(tmp_path, samples=200, seeds=2, classes=[f"class {k}" for k in range(120)], strategies=names))
    page = Page(path.read_text(encoding="utf-8"))
    assert path.stat().st_size < LIMIT
    assert "Most frequent mistakes" in {attributes.get("aria-label") for attributes in page.of("div")}
    assert len({(svg.get("class"), svg.get("d", "circle")) for svg in page.of("path") + page.of("circle")
                if str(svg.get("class")).startswith("mark s")}) >= 16  # fmt: skip


def test_unreadable_media_are_said_in_words(tmp_path: Path) -> None:
    root = build(tmp_path, samples=60, seeds=2)
    for file in (root / "data/raw/media").iterdir():
        file.write_bytes(b"not a medium")
    page = Page(write(root).read_text(encoding="utf-8"))
    assert not page.of("img") and not page.of("audio")
    assert "image not embedded" in page.words and "sound not embedded" in page.words
