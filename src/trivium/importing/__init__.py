"""Whatever people have, as one table that the rest of Trivium reads.

A clean table is used where it lies. All else becomes `rows.parquet` in a folder, whose cells name files where they lie;
what lies in a table itself is written beside it.
"""

from __future__ import annotations

import difflib
import json
import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from trivium.data.cut import BESIDE
from trivium.importing.asked import Asked, Rows
from trivium.machine import files
from trivium.settings import told
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from trivium.importing.forms import Form

HOME = Path("data/imported")
WEB = re.compile(r"[A-Za-z][\w+.-]+://")


@dataclass(frozen=True)
class Imported:
    """path: of the table.  form: what was found, in words.  notes: what else is to be said."""

    path: Path
    form: str
    notes: tuple[str, ...] = ()


def table(source: str, into: Path | None = None, *, media: Path | None = None, join: Sequence[str] = (),
          on: Sequence[str] = (), boxes: bool = False, private: bool = False, look: bool = False, key: str = "",
          label: str = "", time: str = "", window: float = 0.0, step: float = 0.0, whole: bool = False,
          lacks_id: Callable[[Sequence[str]], bool] | None = None) -> Imported:
    """A table of `source`: a path, a pattern of shards, an http(s) address, or an id of the Hugging Face hub.

    into: the folder to write where the source is no clean table (`data/imported/NAME`)
    join, on: further tables, and the keys (see `joined`)
    boxes, private, look, label, key, time, window, step, whole: see `Asked`
    lacks_id: whether a table with columns of these names needs one more, the number of the row

    Raises: UserError (no such source, a form that nothing here reads, whatever is wrong with it).
    """
    if bool(join) != bool(on):
        raise UserError("`--join TABLE` and `--on KEY` belong together: a table is joined on a key.")
    asked = Asked(source, into or HOME / name(source), media, boxes, private, label, key, time, window, step, whole,
                  look)
    if step and not window:
        raise UserError("`--step` says how far windows are apart: it needs `--window SECONDS`.")
    if media and not media.is_dir():
        raise UserError(f"There is no folder {media} (seen from {Path.cwd()}), which `--media` names.")
    if (what := files.special(source)) not in ("", "a folder"):
        raise UserError(f"{source} is {what}, and not a file or a folder: name one of these.")
    asked = _near(asked)
    form = _form(asked)
    from trivium.importing.forms import tables

    asked = tables.within(asked) if form is tables else asked
    if form is tables and not (join or media) and tables.is_clean(asked.path, lacks_id):
        if asked.foreign:
            deque(form.rows(asked), 0)  # which refuses cells that name files of this machine
        return Imported(asked.path, tables.WORDS, tuple(asked.notes))
    from trivium.importing import joined, written

    _refuse_other(asked.into, source)
    rows: Rows = form.rows(asked)
    if join:
        rows = joined.join(rows, asked, join, on, lambda other: _form(near := _near(other)).rows(near))
    path = written.write(rows, asked, lacks_id)
    about = {"source": told.masked(source)} | ({"cut": asked.cuts[-1].plain()} if asked.cuts else {})
    files.write(asked.into / BESIDE, json.dumps(about) + "\n")
    return Imported(path, form.WORDS, tuple(asked.notes))


def of_series(path: Path) -> bool:
    """Whether a table holds series themselves: a row for each moment, or lists of numbers."""
    from trivium.importing.forms import lists, long

    return any(form.knows(Asked(str(path), Path())) for form in (lists, long))


def name(source: str) -> str:
    """Of the folder that a source is imported into."""
    last = re.split(r"[?#]", source)[0].rstrip("/").rpartition("/")[2] if WEB.match(source) else Path(source).name or \
        Path(source).resolve().name
    plain = re.sub(r"\{[^}]*\}|\.(tar\.\w+|\w{1,7})$", "", re.split("[@:]", last)[0])
    plain = re.sub(r"\{[^}]*\}", "", plain)
    return re.sub(r"[^\w.-]+", "-", plain).strip("-._") or "data"


def _near(asked: Asked) -> Asked:
    """The same of a file on this disk, where the source is an address."""
    if not WEB.match(asked.source) or asked.source.startswith("hf://"):
        return asked
    if not asked.source.lower().startswith(("http://", "https://")):
        raise UserError(f"{asked.source}: only http and https addresses are fetched. Cells of a table may name files "
                        "elsewhere, see docs/media.md.")
    from trivium.importing import fetched
    from trivium.machine.cache import link

    kept = fetched.source(asked.source, asked)
    path = asked.into / "source" / (re.split(r"[?#]", asked.source)[0].rpartition("/")[2] or "data")
    path.parent.mkdir(parents=True, exist_ok=True)
    link(kept, path)
    return replace(asked, source=str(path), foreign=True)


def _form(asked: Asked) -> Form:
    from trivium.importing.forms import FORMS

    form = next((one for one in FORMS if one.knows(asked)), None)
    if form is not None:
        return form
    if asked.path.exists():
        raise UserError(f"{asked.source} is in no form that is known here. Known are "
                        f"{', '.join(one.WORDS for one in FORMS)}; docs/bring-your-own-data.md shows each.")
    siblings = [one.name for one in asked.path.parent.iterdir()] if asked.path.parent.is_dir() else []
    near = difflib.get_close_matches(asked.path.name, siblings, 1)
    hint = f"Did you mean {asked.path.parent / near[0]}?" if near else "Check the path."
    raise UserError(f"There is no file or folder {asked.source} (seen from {Path.cwd()}). {hint}")


def _refuse_other(into: Path, source: str) -> None:
    """Raises: UserError (the folder holds the import of another source, or something else)."""
    before = files.read_json_or(into / BESIDE, {}).get("source", "")
    if before and before != told.masked(source):
        raise UserError(f"{into} holds the import of {before}. Name another folder with `--out FOLDER`, or remove this "
                        "one.")
