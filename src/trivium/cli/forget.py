"""`trivium forget ID...`: rows go, from raw data on; what still holds them is named, and with `--gc` it is cleared.

Their ids go, as keyed digests, to data/forgotten.json, so that ingest passes over them; a table that `trivium import`
has made is written anew without them. A table of the user's own stays as it is.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trivium.drawing.numbers import plural
from trivium.machine import files
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from trivium.data.sources.forgotten import Forgotten

WORDS = ("remove rows, from the raw data on: says what else hangs together with them, which outs and MLflow runs still "
         "hold them, and how to clear these")
IMPORTED = Path("data/imported")
AFTER = "Now run `dvc repro` (or `make repro`): it makes all outs as if these rows had never been there."


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", nargs="*", metavar="ID", help="of a row, as the column of ids has it")
    parser.add_argument("--file", type=Path, metavar="TEXT", help="ids, one on each line")
    parser.add_argument("--twins", action="store_true", help="and all rows that hold the same, or nearly the same, or "
                                                             "another part of the same recording")
    parser.add_argument("--dry-run", action="store_true", help="change nothing, and say what would be done")
    parser.add_argument("--gc", action="store_true", help="after `dvc repro`: clear DVC's cache of old versions of the "
                                                          "outs, and the MLflow runs that still hold such rows")
    parser.add_argument("--yes", action="store_true", help="with --gc: do not ask")


def run(arguments: argparse.Namespace) -> None:
    """Raises: UserError."""
    given = [*arguments.ids, *(_read(arguments.file) if arguments.file else ())]
    if given and arguments.gc:
        raise UserError("`--gc` comes last: `trivium forget ID...`, then `dvc repro`, then `trivium forget --gc`. "
                        "Before, the present outs hold these rows as well.")
    if given:
        print(forget(given, arguments.twins, arguments.dry_run))
    elif arguments.gc:
        print(clear(Path("."), arguments.yes, arguments.dry_run))
    else:
        print(told(Path(".")))


def _read(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read as a text of ids ({error}).") from None


def forget(given: Sequence[str], twins: bool = False, dry: bool = False) -> str:
    """Forget rows of the project here; what was done, in words. Raises: UserError (see `rows.known`)."""
    from trivium.cli import apart, rows
    from trivium.data.sources.forgotten import PATH, Forgotten
    from trivium.importing import removed
    from trivium.params import load

    given = [name.strip() for name in given if name.strip()]
    params, before = load(), Forgotten.at()
    sources = rows.sources(params)
    every = [name for source in sources for name in source.ids() if name]
    there = set(every)
    names = rows.known(given, there, [name for name in given if before.ids and before.digest(name) in before.ids])
    beside = {name: why for name, why in rows.twins(params, set(names)).items() if name in there}
    also = sorted(beside) if twins else []
    names = [*names, *also]
    chosen = set(names)
    count = sum(name in chosen for name in every)
    verb = "would be" if dry else "is" if count == 1 else "are"
    said = [f"{plural(count, 'row')} {verb} forgotten: {rows.listed(names)}." if names else
            "These rows are forgotten already."]
    if also:
        said.append(f"Among them {len(also):,} for --twins: "
                    + "; ".join(f"{name} has {beside[name]}" for name in also[:rows.SHOWN]) + ".")
    elif beside:
        said.append(f"{plural(len(beside), 'row')} {'hangs' if len(beside) == 1 else 'hang'} together with them and "
                    f"{'stays' if len(beside) == 1 else 'stay'}: "
                    + "; ".join(f"{name} has {why}" for name, why in list(beside.items())[:rows.SHOWN])
                    + ("; ..." if len(beside) > rows.SHOWN else "") + ". `--twins` forgets these, too.")
    elif not rows.SAMPLES.exists():
        said.append("Which other rows hold the same is known once `dvc repro align` has run.")
    gone = before.with_more([*given, *names])
    whole, shared = apart.recordings(params, sources, gone)
    gone = gone.with_more([], whole)
    if names and not dry:
        gone.write(PATH)  # first: a kill from here on loses nothing, and the command may be typed again
    for source in sources:
        own = sorted(chosen.intersection(filter(None, source.ids())))
        ours = source.path.resolve().is_relative_to(IMPORTED.resolve())
        named = source.files(set(own)) if own else []
        if own and ours:
            if not dry:
                removed.remove(source.path, source.column, own)
            said.append(f"{source.path} {'would be' if dry else 'was'} written anew without them"
                        + (f", and the media that only they name {'would go' if dry else 'are gone'}" if named else "")
                        + f". {_origin(source.path)} is yours, and stays as it is.")
            named = [name for name in named if not name.startswith("media/")]
        elif own:
            said.append(f"{source.path} is your own table, and stays as it is: ingest passes over these rows. Take "
                        "them out of it yourself.")
        if named:
            said.append(f"Only these rows name the files {rows.listed(named)}: they are yours, and stay.")
    said += apart.told(params, whole, shared)
    if names and not dry:
        said.append(f"{PATH} keeps digests of their ids: commit it.")
    return "\n".join([*said, "", *held(Path("."), gone, _tables()), "",
                      "Nothing was changed." if dry else AFTER + " Then `trivium forget --gc` clears what is old."])


def _origin(table: Path) -> str:
    from trivium.data.cut import BESIDE

    return str(files.read_json_or(table.parent / BESIDE, {}).get("source") or "What it was imported from")


def told(root: Path) -> str:
    """What still holds the rows that were forgotten before."""
    from trivium.data.sources.forgotten import Forgotten

    gone = Forgotten.at(root)
    if not gone.ids:
        return "No row is forgotten here. `trivium forget ID...` forgets some."
    return "\n".join([f"{plural(len(gone.ids), 'row')} {'is' if len(gone.ids) == 1 else 'are'} forgotten here.",
                      *held(root, gone, _tables())])


def held(root: Path, gone: Forgotten, tables: Collection[Path]) -> list[str]:
    """What still holds such rows, a line each, with the command that clears it."""
    from trivium.cli.traces import Traces
    from trivium.tracking import forgotten as runs
    from trivium.tracking import server

    traces = Traces(root, gone)
    lines = []
    if traces.outs:
        lines.append(f"- the present outs: {', '.join(traces.outs)}. `dvc repro` makes them anew.")
    if traces.objects:
        lines.append(f"- DVC's cache, {plural(traces.objects, 'old version')} of outs: `trivium forget --gc`, or "
                     "`dvc gc --workspace`, which drops all versions that the present dvc.lock does not name.")
    if any(traces.raws.values()) and traces.remotes():
        lines.append(f"- the remote {', '.join(traces.remotes())}, if you pushed: `dvc gc --workspace --cloud` drops "
                     "from it all that the present dvc.lock does not name.")
    if runs.there(root) and (found := runs.runs(root, lambda raw: traces.raws.get(raw, True), bool(traces.outs))):
        lines.append(f"- MLflow{' at ' + server.shown(server.address() or '') if server.address() else ''}, "
                     f"{plural(len(found), 'run')}: {', '.join(dict.fromkeys(found))}. `trivium forget --gc` "
                     "removes them.")
    lines += [f"- {path}: made again when it is needed. `trivium forget --gc` removes it." for path in traces.caches()
              if traces.outs or traces.objects]
    lines += [f"- {path}, {what}, if it was made before: `rm -r {path}`." for path, what in traces.copies().items()]
    for path in tables:
        if commits := traces.tracked(path):
            lines.append(f"- git, {plural(commits, 'commit')} of {path}: `git filter-repo --path {path} "
                         "--invert-paths` takes the table out of its history; whoever has a clone has it still.")
    if experiments := traces.experiments():
        lines.append(f"- {plural(experiments, 'experiment')} of DVC: `dvc exp remove --all-commits`, before `--gc`.")
    return ["What still holds them:", *lines] if lines else ["Nothing that is known here holds them any more."]


def clear(root: Path, sure: bool, dry: bool) -> str:
    """Clear what `--gc` may; what was done, in words. Raises: UserError (nothing is forgotten; the present outs hold
    such rows; DVC's cache serves other projects, too; nobody said yes).
    """
    from trivium.cli.traces import Traces
    from trivium.data.sources.forgotten import Forgotten
    from trivium.experiments.dvc import dvc
    from trivium.tracking import forgotten as runs

    gone = Forgotten.at(root)
    if not gone.ids:
        raise UserError("No row is forgotten here, so there is nothing to clear. `trivium forget ID...` comes first.")
    traces = Traces(root, gone)
    if traces.outs:
        raise UserError(f"The present outs still hold such rows ({', '.join(traces.outs[:3])}, ...): run `dvc repro`, "
                        "then `trivium forget --gc`.")
    if not traces.cache.resolve().is_relative_to(root.resolve()):
        raise UserError(f"DVC's cache, {traces.cache}, lies outside of this project, so that others may use it. Clear "
                        "it yourself: `dvc gc --workspace --projects OTHER...` keeps what other projects name.")
    found = runs.runs(root, lambda raw: traces.raws.get(raw, True), False) if runs.there(root) else []
    todo = [f"all versions in DVC's cache that the present dvc.lock does not name ({traces.objects:,} of them with "
            "such rows), which other commits and branches can then no longer check out",
            *([f"{plural(len(found), 'MLflow run')} ({', '.join(dict.fromkeys(found))})"] if found else []),
            *traces.caches()]
    print("This removes:", *(f"- {one}" for one in todo), sep="\n")
    if dry:
        return "Nothing was changed."
    if not sure:
        if not sys.stdin.isatty():
            raise UserError("Nobody is there to ask: add `--yes` to remove it. Nothing was removed.")
        if input("Go on? [y/N] ").strip().lower() not in ("y", "yes"):
            return "Nothing was removed."
    if dvc(root, "gc", "--workspace", "--force"):
        raise UserError("`dvc gc` failed: what it says stands above.")
    shutil.rmtree(traces.cache.parent.parent / "runs", ignore_errors=True)  # which names the outs that are gone
    for path in traces.caches():
        shutil.rmtree(root / path)
    if found:
        runs.remove(root, lambda raw: traces.raws.get(raw, True), False)
    return "\n".join(["That is gone.", *held(root, gone, _tables())])


def _tables() -> list[Path]:
    from trivium.params import load

    data = load().data
    apart = [stream.table.path for stream in data.streams.values() if stream.table]
    return [Path(name) for name in dict.fromkeys((data.manifest.path, data.manifest.unlabelled, *apart)) if name]

