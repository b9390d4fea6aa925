"""`reports/report.html`: one file that needs nothing else, from the outs of the pipeline."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory

from trivium.comparison.budgets import mark
from trivium.data.tables import read_json
from trivium.drawing.markup import Html, h
from trivium.report.inputs import Inputs
from trivium.report.sections import SECTIONS, verdict

LIMIT = 3_000_000  # bytes of the page
MEDIA = 1_700_000  # of them for images and sounds
OUT = Path("reports/report.html")
HEAD = 2000  # characters of the page that tell which comparison it is of


def write(root: Path = Path(".")) -> Path:
    """Write the report of the project in `root` from its outs; returns where it is.

    The same outs give the same page, apart from measured values and provenance.

    Raises:
        UserError: there is no `reports/comparison.json` yet.
    """
    root = Path(root)
    for budget in (MEDIA, MEDIA // 4, 0):  # a page that is too large does without its media
        page = render(Inputs(root, budget)).encode("utf-8")
        if len(page) < LIMIT:
            break
    path = root / OUT
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent) as scratch:  # of this process alone: two syncs may write at once
        part = Path(scratch) / path.name
        part.write_bytes(page)
        part.replace(path)
    return path


def refresh(root: Path) -> bool:
    """Write the report where there is none of the present comparison; returns whether there is one now.

    It is no out of DVC, since it holds measured values: after `dvc pull` or `dvc checkout` the old one, or none, is
    there. Nothing is written where not all of the outs are here.
    """
    compared, path = root / "reports/comparison.json", root / OUT
    if not compared.exists():
        return False
    comparison = read_json(compared)
    needed = [root / place for name in comparison["strategies"]
              for place in (f"reports/evaluate/{name}/metrics.json", f"models/{name}/training.json")]
    if not all(place.exists() for place in needed):
        return False
    if path.exists():
        with path.open(encoding="utf-8") as page:
            if f'content="{mark(comparison)}"' in page.read(HEAD):
                return True
    write(root)
    return True


def render(inputs: Inputs) -> str:
    """The page as text."""
    here = Path(__file__)
    style, script = (here.with_name(name).read_text(encoding="utf-8") for name in ("style.css", "script.js"))
    policy = (
        f"default-src 'none'; img-src data:; media-src data:; style-src '{_hash(style)}'; script-src "
        f"'{_hash(script)}'; base-uri 'none'; form-action 'none'"
    )
    written = [(key, title, body(inputs)) for key, title, body in SECTIONS]
    written = [(key, title, content) for key, title, content in written if content]
    title = verdict.title(inputs)
    head = h(
        "head",
        h("meta", charset="utf-8"),
        h("meta", http_equiv="Content-Security-Policy", content=policy),
        h("meta", name="viewport", content="width=device-width, initial-scale=1"),
        h("meta", name="color-scheme", content="light dark"),
        h("meta", name="comparison", content=mark(inputs.comparison)),
        h("title", f"{title} – Trivium"),
        h("style", Html(style)),
    )
    contents = h(
        "nav", h("ul", [h("li", h("a", title, href=f"#{key}")) for key, title, _ in written]), aria_label="Contents"
    )
    sections = [h("section", h("h2", title), content, id=key) for key, title, content in written]
    body = h(
        "body",
        h("a", "To the comparison", href="#content", class_="skip"),
        h("header", verdict.body(inputs)),
        h("div", contents, h("main", sections, id="content"), class_="columns"),
        h("script", Html(script)),
    )
    return f"<!doctype html>\n{h('html', head, body, lang='en')}\n"


def _hash(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode("utf-8")).digest()).decode()
