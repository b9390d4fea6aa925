"""`trivium import SOURCE`: a table of whatever people have, and then what `trivium use TABLE` does.

With `--dry-run` both happen in a folder that vanishes, and what would have been written is shown.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from trivium.importing import Imported

WORDS = ("your own data, whatever their form: a table, a folder for each class, a Hugging Face data set, tar shards, "
         "recordings with subtitles, COCO, an address; writes data.* in params.yaml")
OWN = ("digits", "symbols", "cells", "waves", "stamps")  # data that come with Trivium
PARAMS = Path("params.yaml")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE", help="a path, a pattern such as x-{000..003}.tar, an http(s) "
                                                         "address, or OWNER/NAME of the Hugging Face hub")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where the table goes, if it must be made (default: "
                                                                   "data/imported/NAME)")
    parser.add_argument("--media", type=Path, metavar="FOLDER", help="where the files lie, if not beside the table")
    parser.add_argument("--join", action="append", default=[], metavar="TABLE",
                        help="a further table, whose rows have the same key; more than once for several")
    parser.add_argument("--on", action="append", default=[], metavar="KEY",
                        help="the column to join on; HERE=THERE if it has two names")
    parser.add_argument("--label", action="append", default=[], metavar="COLUMN", help="what is to be predicted; more "
                        "than once for several numbers, or for tags that have a column of 0 and 1 each")
    parser.add_argument("--weight", metavar="COLUMN", help="how much each row counts")
    parser.add_argument("--boxes", action="store_true", help="of COCO: a row for each box instead of each picture")
    of_recordings(parser)
    parser.add_argument("--private-addresses", action="store_true", help="fetch from private networks, too")
    parser.add_argument("--dry-run", action="store_true", help="write nothing, and show what would be written")


def _seconds(text: str) -> float:
    """Of an option. Raises: argparse.ArgumentTypeError (no number above 0)."""
    with contextlib.suppress(ValueError):
        if 0 < (found := float(text)) < float("inf"):
            return found
    raise argparse.ArgumentTypeError(f"`{text}` is no number of seconds above 0")


def of_recordings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--key", default="", metavar="COLUMN",
                        help="of a long table, with a row for each moment: which recording a row is of")
    parser.add_argument("--time", default="", metavar="COLUMN",
                        help="of a long table: when a row is, in seconds or as a date")
    parser.add_argument("--window", type=_seconds, default=0.0, metavar="SECONDS",
                        help="of a long table: cut each recording into parts of this length, each a row")
    parser.add_argument("--step", type=_seconds, default=0.0, metavar="SECONDS",
                        help="from one part to the next (default: the window, so that none overlap)")


def run(arguments: argparse.Namespace) -> None:
    """Raises: UserError."""
    if not arguments.dry_run:
        from trivium.cli.busy import refuse

        refuse(Path("."), "run this again")  # the stages to come would read other settings than those before
    source = arguments.source.strip()
    name = source.partition(":")[0]
    if name in OWN or not (Path(source).suffix or "/" in source or Path(source).exists()):
        from trivium.cli.use import use  # or it says which of these was meant

        use(source, labels=arguments.label, weight=arguments.weight)
    elif arguments.dry_run:
        print(_shown(arguments, source))
    else:
        found = _table(arguments, source, arguments.out, look=False)
        with _speaking_of(source, found):
            from trivium.cli.use import use

            use(str(found.path), labels=arguments.label, weight=arguments.weight)


def choose(source: str) -> None:
    """As `trivium import SOURCE`. Raises: UserError."""
    parser = argparse.ArgumentParser()
    arguments(parser)
    run(parser.parse_args(["--", source]))


def _table(arguments: argparse.Namespace, source: str, into: Path | None, look: bool) -> Imported:
    """After a line on what was found and one for each thing to note."""
    from trivium import importing

    found = importing.table(source, into, media=arguments.media, join=arguments.join, on=arguments.on,
                            boxes=arguments.boxes, private=arguments.private_addresses, look=look, lacks_id=_lacks_id,
                            label=arguments.label[0] if arguments.label else "",
                            key=arguments.key, time=arguments.time, window=arguments.window, step=arguments.step)
    print(f"{source} is {found.form}" + ("" if str(found.path) == source else f": {found.path}"))
    print(*(f"note: {words}" for words in found.notes), sep="\n", end="\n" if found.notes else "")
    return found


def _lacks_id(names: Sequence[str]) -> bool:
    from trivium.cli import columns, edit

    configured: dict[str, Any] = edit.load(PARAMS)[1]["data"]["manifest"]
    return "id" not in columns.about(PARAMS, names, configured)


def _shown(arguments: argparse.Namespace, source: str) -> str:
    """What was found, each column with its role and three examples, and what params.yaml would say."""
    from trivium import importing
    from trivium.cli import edit
    from trivium.cli.roles import roles
    from trivium.cli.use import edited, said

    final = arguments.out or importing.HOME / importing.name(source)
    with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stdout(io.StringIO()) as spoken:
        into = Path(scratch) / final.name
        with _renamed(str(into), str(final)):
            found = _table(arguments, source, into, look=True)
            table = found.path
            with _speaking_of(source, found):
                changes = edited(str(table), PARAMS, arguments.label, arguments.weight, save=False)
            time = changes.get("data.manifest.time") or edit.load(PARAMS)[1]["data"]["manifest"].get("time", "")
            lines = [roles(table, changes, time), said(changes, f"{PARAMS} would say"), "", "Nothing was written."]
        words = [line for line in spoken.getvalue().splitlines() if "outside of this repository" not in line]
        return "\n".join([*words, "", *lines]).replace(str(into), str(final))


@contextlib.contextmanager
def _renamed(before: str, after: str) -> Any:
    try:
        yield
    except UserError as error:
        raise UserError(str(error).replace(before, after)) from None


@contextlib.contextmanager
def _speaking_of(source: str, found: Imported) -> Any:
    """Errors that name the command which people typed, and what they gave to it."""
    from trivium.cli.use import Lacks

    try:
        yield
    except Lacks as error:
        if str(found.path) != source and error.lacking == ("label",):
            raise UserError(_unlabelled(source, found.form, error.names)) from None
        raise UserError(_typed(error, source, found)) from None
    except UserError as error:
        raise UserError(_typed(error, source, found)) from None


def _typed(error: UserError, source: str, found: Imported) -> str:
    words = str(error).replace(f"trivium use {found.path}", f"trivium import {source}")
    return words.replace("trivium use TABLE", f"trivium import {source}")


def _unlabelled(source: str, form: str, names: Sequence[str]) -> str:
    own = next((name for name in names if name in ("speaker", "language")), "")
    which = f", such as `--label {own}`" if own else ": `--label COLUMN`"
    return (f"{source} was taken for {form}, and nothing in it looks like a label. Each row has {', '.join(names)}. If "
            f"one of these is to be predicted, say which{which}. "
            "If the labels stand in another table, join it: `--join TABLE --on id`, where its `id` is as here.")
