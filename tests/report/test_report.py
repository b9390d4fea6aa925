"""The page as a whole: complete, self-contained, escaped, small, and the same every time."""

from __future__ import annotations

import re
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.report.page import Page
from tests.report.project import build
from trivium.report.html import LIMIT, refresh, write
from trivium.settings.errors import UserError

EVIL = "<script>alert('x')</script>\"&amp;"

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


def test_no_comparison_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Run `dvc repro` first"):
        write(tmp_path)
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports/comparison.json").write_text("{")
    with pytest.raises(UserError, match="not valid JSON"):
        write(tmp_path)
    (tmp_path / "reports/comparison.json").write_text('{"metric": "accuracy", "strategies": {}}')
    with pytest.raises(UserError, match="another version"):
        write(tmp_path)
    with pytest.raises(UserError, match="another version"):
        refresh(tmp_path)
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
