"""What people read: words of the data run nothing in a page, in Markdown or at a terminal."""

from __future__ import annotations

import base64
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import mistune
import pytest
from PIL import Image

from tests.comparisons import full
from tests.report.browser import Opened, started
from tests.report.project import build
from trivium.comparison.out import Comparison
from trivium.runtime.statistics.reference import Sketch
from trivium.serving import drift_page
from trivium.serving.drift import Compared
from trivium.settings import told

MARK = "window.marked=1"
EVIL = (f"'\"><script>{MARK}</script><img src=x onerror={MARK}><svg/onload={MARK}></title></style></script>"
        f"<a href=\"javascript:{MARK}\">a</a>[b](javascript:{MARK})![c](https://evil.invalid/c.png){{{{7*7}}}}`|\x1b[2J")
ATTRIBUTES = ("[...document.querySelectorAll('*')].flatMap((one) => one.getAttributeNames())"
              ".filter((name) => name.startsWith('on'))")
LINKS = "[...document.querySelectorAll('[href],[src]')].map((e) => e.getAttribute('href') || e.getAttribute('src'))"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with started() as found:
        yield found


def drifted() -> str:
    sketch = Sketch(names=(f"a{EVIL}", "b"), counts=(5, 5, 0))
    one = Compared(f"text{EVIL}", 10, 0.5, None, 0.001, sketch, (1, 9, 0))
    return drift_page.text([one], f"Look at {EVIL}.\nThen train again.", 10)


def reported(folder: Path) -> str:
    from trivium.report.html import write

    return write(build(folder, samples=60, evil=EVIL, classes=["a", "b", "c"], extras=True)).read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["report", "drift"])
def test_a_page_runs_nothing_of_the_data(browser: Any, tmp_path: Path, kind: str) -> None:
    text = drifted() if kind == "drift" else reported(tmp_path / "project")
    assert "Content-Security-Policy" in text and "default-src 'none'" in unescape(text)
    for name, shown in (("whole.html", text), ("without.html", re.sub(r"<meta[^>]*Content-Security[^>]*>", "", text))):
        (tmp_path / name).write_text(shown, encoding="utf-8")  # what is escaped needs no policy
        page = Opened(browser, tmp_path / name)
        page.run("document.querySelectorAll('details').forEach((fold) => { fold.open = true })")
        page.page.wait_for_timeout(200)
        assert page.run("typeof window.marked") == "undefined"
        assert page.run(ATTRIBUTES) == []
        assert [link for link in page.run(LINKS) if not link.startswith(("#", "data:"))] == []
        assert [url for url in page.asked if not url.startswith(("data:", "file:"))] == []
        assert page.run("document.scripts.length") == (0 if kind == "drift" else 1)
        assert "7*7" in page.run("document.body.innerText")  # what was planted is there to be read
        page.page.close()


@pytest.mark.slow
def test_the_search_of_a_page_finds_what_is_not_escaped(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(f"<!doctype html><p>{EVIL}</p>", encoding="utf-8")
    page = Opened(browser, tmp_path / "a.html")
    page.page.wait_for_timeout(200)
    assert page.run("window.marked") == 1 and "onerror" in page.run(ATTRIBUTES)


def test_what_a_picture_carries_stays_out_of_the_report(tmp_path: Path) -> None:
    """Its description, and where it was taken."""
    from trivium.report.media import Media

    about = Image.Exif()
    about[0x010E] = EVIL  # ImageDescription
    about.get_ifd(0x8825)[1] = "N"  # GPS
    Image.new("RGB", (9, 9)).save(tmp_path / "a.jpg", exif=about, comment=EVIL.encode())
    assert b"onerror" in (tmp_path / "a.jpg").read_bytes()
    uri = Media(tmp_path, 100_000).image("a.jpg")
    assert uri is not None
    content = base64.b64decode(uri.partition(",")[2])
    assert b"onerror" not in content and not Image.open(io.BytesIO(content)).getexif()


def compared() -> Comparison:
    entry = {"title": f"One{EVIL}"}
    return Comparison.model_validate(full({
        "strategies": {"one": entry, "two": {}}, "constant": {"label": f"a{EVIL}"},
        "verdict": {"sentence": f"Take “One{EVIL}”.\n\n# Ha", "reason": f"It is ahead{EVIL}.", "recommended": "one"}}))


def rendered(text: str) -> str:
    """HTML as a viewer makes it that lets all of it through."""
    return str(mistune.create_markdown(escape=False, plugins=["table"])(text))


def test_notes_in_mlflow() -> None:
    from trivium.tracking import notes

    page = rendered(notes.comparison(compared()))
    assert not re.search(r"<(script|img|svg|a)\b", page) and "<h1" not in page
    assert "&lt;script&gt;" in page and page.count("<tr>") == 3
    assert re.search(r"<(script|img|svg|a)\b", rendered(f"**{EVIL}**"))  # else nothing was tried


def test_words_in_markdown() -> None:
    assert told.markdown("a <b> [c](d) *e*\n\n# f | `g` \\") == (
        "a &lt;b&gt; \\[c\\](d) \\*e\\* # f \\| \\`g\\` \\\\")
    assert told.code("a`b`\nc") == "a'b' c"


def test_words_at_a_terminal() -> None:
    assert told.plain("a\x1b[31mb\x07\rc\x9b\u202ed\x7f\0") == "a␛[31mb␇␍c\\u009b\\u202ed␡␀"
    assert told.plain("one\r\ntwo\tthree é 猫\n") == "one\r\ntwo\tthree é 猫\n"
    assert told.plain("https://anna:secret@host/a, https://host/@b") == "https://***@host/a, https://host/@b"


@pytest.mark.parametrize("where", ["stdout", "stderr"])
def test_a_stage_and_a_command_show_no_control_character(where: str) -> None:
    code = ("import sys\nfrom trivium import stage\nstage.quiet()\nstage.quiet()\n"
            f"print('id \\x1b]0;title\\x07 \\x1b[2J', file=sys.{where})\n"
            "sys.exit('\\nstopped: \\x1b[8mhidden\\n')\n")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert getattr(done, where).startswith("id ␛]0;title␇ ␛[2J\n")
    assert done.stderr.endswith("\nstopped: ␛[8mhidden\n\n") and "\x1b" not in done.stdout + done.stderr


def test_progress_names_a_stream_in_plain_words(capsys: pytest.CaptureFixture[str]) -> None:
    from trivium.machine.progress import Progress

    with Progress("reading \x1b[2Jphoto", 1) as bar:
        bar.at(1, "note \x1b[1A")
    assert "\x1b" not in capsys.readouterr().err
