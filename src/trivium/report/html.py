"""`reports/report.html`: one file that needs nothing else, from the outs of the pipeline."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from trivium.comparison.out import PATH, Comparison
from trivium.drawing import numbers
from trivium.machine import files
from trivium.report.inputs import Inputs
from trivium.report.parts import breakable, coded
from trivium.report.sections import GROUPS, Section, verdict
from trivium.settings import told

if TYPE_CHECKING:
    from jinja2 import Environment

HERE = Path(__file__).parent
LIMIT = 3_000_000  # bytes of the page
MEDIA = 1_700_000  # of them for images and sounds
OUT = Path("reports/report.html")
HEAD = 2000  # characters of the page that tell which comparison it is of
SKIP = "To the comparison"


@dataclass(frozen=True)
class Written:
    """A section that has something to say."""

    key: str
    title: str
    content: Markup


@dataclass(frozen=True)
class Piece:
    """A section of a page of its own: a template, and what fills it."""

    key: str
    title: str
    template: str
    context: Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    """A group of sections, of which at least one has something to say."""

    title: str
    folded: bool
    sections: list[Written]


def write(root: Path = Path(".")) -> Path:
    """Write the report of the project in `root` from its outs; returns where it is.

    The same outs give the same page, apart from measured values and provenance.

    Raises:
        UserError: there is no `reports/comparison.json` yet, or none of this version.
    """
    root = Path(root)
    for budget in (MEDIA, MEDIA // 4, 0):  # a page that is too large does without its media
        page = render(Inputs(root, budget)).encode("utf-8")
        if len(page) < LIMIT:
            break
    path = root / OUT
    files.write(path, page)
    return path


def refresh(root: Path) -> bool:
    """Write the report where there is none of the present comparison; returns whether there is one now.

    It is no out of DVC, since it holds measured values: after `dvc pull` or `dvc checkout` the old one, or none, is
    there. Nothing is written where not all of the outs are here.
    """
    path, comparison = root / OUT, Comparison.found(root / PATH)
    if comparison is None:
        return False
    needed = [root / place for name in comparison.strategies
              for place in (f"reports/evaluate/{name}/metrics.json", f"models/{name}/training.json")]
    if not all(place.exists() for place in needed):
        return False
    if path.exists():
        with path.open(encoding="utf-8") as page:
            if f'content="{comparison.mark}"' in page.read(HEAD):
                return True
    write(root)
    return True


def render(inputs: Inputs) -> str:
    """The page as text."""
    templates = pages()
    found = verdict.context(inputs)
    parts = [Part(group.title, group.folded, [
        Written(section.key, section.title, content)
        for section in group.sections if (content := _content(templates, section, inputs))]) for group in GROUPS]
    return _whole(templates, found.title, inputs.comparison.mark, "verdict.html", vars(found),
                  [part for part in parts if part.sections])


def page(title: str, mark: str, head: str, context: Mapping[str, Any], pieces: Iterable[Piece],
         skip: str = SKIP) -> str:
    """A page of its own. mark: tells which values it shows, or nothing.  head: its template, filled with `context`.
    skip: where the link leads that only keyboards find.
    """
    templates = pages()
    written = [Written(one.key, one.title, Markup(templates.get_template(one.template).render(one.context)))
               for one in pieces]
    return _whole(templates, title, mark, head, context, [Part("", False, written)], skip)


def _whole(templates: Environment, title: str, mark: str, head: str, context: Mapping[str, Any], parts: list[Part],
           skip: str = SKIP) -> str:
    style, script = (HERE.joinpath(name).read_text(encoding="utf-8") for name in ("style.css", "script.js"))
    return told.masked(templates.get_template("base.html").render(
        policy=policy(style, script), comparison=mark, title=title, skip=skip, style=Markup(style),
        script=Markup(script), verdict=Markup(templates.get_template(head).render(context)), parts=parts))


def content(key: str, inputs: Inputs) -> str:
    """Of the section `key` alone, as markup; empty without its inputs."""
    section = next(section for group in GROUPS for section in group.sections if section.key == key)
    return str(_content(pages(), section, inputs))


def _content(templates: Environment, section: Section, inputs: Inputs) -> Markup:
    context = section.context(inputs)
    return Markup("" if context is None else templates.get_template(section.template).render(vars(context)))


def pages() -> Environment:
    """What a template is given is escaped, unless it is markup; a name that it is not given is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined,
                       trim_blocks=True, lstrip_blocks=True)
    made.filters |= {"breakable": breakable, "coded": coded, "plural": numbers.plural}
    return made


def policy(style: str, script: str) -> str:
    """What a page with these may load and run: nothing else."""
    return (f"default-src 'none'; img-src data:; media-src data:; style-src '{_hash(style)}'; script-src "
            f"'{_hash(script)}'; base-uri 'none'; form-action 'none'")


def _hash(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode("utf-8")).digest()).decode()
