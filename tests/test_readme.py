"""The README and docs/: short, true to what is here, and no way leads nowhere."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from benchmarks import readme
from tests.comparisons import full
from tests.helpers import ROOT
from trivium.cli.main import parser
from trivium.comparison import together
from trivium.comparison.out import PATH, Comparison

README = ROOT / "README.md"
GUIDES = sorted((ROOT / "docs").glob("*.md"))
PAGES = [README, *GUIDES, *(ROOT / name for name in ("CONTRIBUTING.md", "data/README.md", "mlruns/README.md"))]
LINK = re.compile(r"""\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)\"""")
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.M | re.S)


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def code(page: Path) -> str:
    """What stands in code, a piece a line; no programs."""
    text = read(page)
    spans = re.findall(r"(?<!`)`([^`]+)`(?!`)", FENCE.sub("", text))
    return "\n".join([*(block for kind, block in FENCE.findall(text) if kind in ("", "sh")), *spans])


def links(page: Path) -> Iterator[str]:
    return (link or picture for link, picture in LINK.findall(FENCE.sub("", read(page))))


def anchors(page: Path) -> set[str]:
    """Of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", read(page)), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.fixture(scope="module")
def params() -> dict[str, Any]:
    found: dict[str, Any] = YAML(typ="safe").load(read(ROOT / "params.yaml"))
    return found


def test_the_readme_is_short() -> None:
    assert len(read(README).split()) < 700  # as `wc -w` counts


def test_the_readme_leads_to_every_page() -> None:
    assert {ROOT / link for link in links(README) if link.startswith("docs/")} >= set(GUIDES)


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_a_page_answers_a_question(page: Path) -> None:
    first, *rest = read(page).splitlines()
    assert first.startswith("# ") and first.endswith("?")
    assert not any(line.startswith("# ") for line in FENCE.sub("", "\n".join(rest)).splitlines())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_exists(page: Path, params: dict[str, Any]) -> None:
    targets = set(re.findall(r"^([a-z]+):", read(ROOT / "Makefile"), re.M))
    commands = next(action.choices for action in parser()._actions if action.choices)
    said = code(page)
    assert set(re.findall(r"\bmake ([a-z]+)", said)) <= targets
    assert set(re.findall(r"\btrivium ([a-z]+)", said)) <= set(commands)
    strategies = re.findall(r"\b(?:trivium predict |(?:train|evaluate)@)(?!updates/)([a-z_]+)", said)
    assert set(strategies) <= {*params["train"], together.NAME}
    for module in re.findall(r"\bpython -m (benchmarks[\w.]*)", said):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


@pytest.mark.parametrize("page", [README, *GUIDES], ids=lambda page: page.name)
def test_every_setting_exists(page: Path, params: dict[str, Any]) -> None:
    """`data.streams.NAME.modality`: capitals stand for any entry."""
    for said in re.findall(r"`([a-z]+(?:\.\w+)+)\b[^`]*`", FENCE.sub("", read(page))):
        first, *rest = said.split(".")
        if first in params:
            assert settings(params[first], rest), said


def settings(value: Any, path: list[str]) -> bool:
    if not path:
        return True
    if not isinstance(value, dict):
        return False
    inside = value.values() if path[0].isupper() else [value[path[0]]] if path[0] in value else []
    return any(settings(one, path[1:]) for one in inside)


def test_the_glossary_has_the_words_of_the_design() -> None:
    words = re.findall(r"^\| (\w+) \|", read(ROOT / "docs/glossary.md"), re.M)
    assert words[: words.index("word", 1)] == [
        "word", "source", "stream", "modality", "processor", "encoder", "component", "recipe", "objective", "strategy",
        "task", "unit", "budget", "outs"]


def test_the_figures_of_the_default_run_are_those_of_its_comparison() -> None:
    comparison = Comparison.read(ROOT / PATH)
    for path, content in (readme.pictures(comparison) | readme.pages(comparison)).items():
        assert read(path) == content, "run `PYTHONPATH=src .venv/bin/python -m benchmarks.readme`"


def test_the_answer_has_a_line_for_each_way() -> None:
    def entry(rank: int, title: str, **recipe: list[str]) -> dict[str, Any]:
        accuracy = {"mean": 0.5, "low": 0.4, "high": 0.6}
        return {"rank": rank, "title": title, "flops": 1.5e12 / rank, "metrics": {"accuracy": accuracy},
                "recipe": {"objectives": [], "encoders": {}, "published": [], "external": ""} | recipe}

    made = readme.answer(Comparison.model_validate(full({
        "verdict": {"sentence": "Take “A”."}, "settings": {"reference": "simple"},
        "strategies": {"b": entry(2, "B", objectives=["masked"]), "a": entry(1, "A", objectives=["supervised"]),
                       "simple": entry(4, "S"), "e": entry(3, "E"), "p": entry(5, "P", published=["text"])}})))
    assert made == """\
> Take “A”.

| way | its best strategy | test accuracy | training compute |
|---|---|---|---|
| pretrain each component, then fuse | A | 50.0 % (40.0 to 60.0) | 1.50 TFLOP |
| train end to end | E | 50.0 % (40.0 to 60.0) | 500 GFLOP |
| something simple | S | 50.0 % (40.0 to 60.0) | 375 GFLOP |
| take published weights | P | 50.0 % (40.0 to 60.0) | 300 GFLOP |"""


def test_a_page_s_own_words_stay() -> None:
    page = "before\n<!-- made by benchmarks.readme -->\nold\n\nold\n<!-- end -->\nafter\n"
    assert readme.filled(page, "new") == "before\n<!-- made by benchmarks.readme -->\nnew\n<!-- end -->\nafter\n"
