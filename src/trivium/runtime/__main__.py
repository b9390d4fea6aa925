"""`python -m trivium.runtime FOLDER`: answers of an exported model to one sample or to a table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

try:
    from trivium.runtime import table
    from trivium.runtime.folder import Processors
    from trivium.runtime.runner import Runner
    from trivium.settings import told
    from trivium.settings.errors import UserError
except ImportError as missing:
    sys.exit(f"`{missing.name}` is not installed. Install what this folder needs: pip install -r requirements.txt")


def main(argv: Sequence[str] | None = None) -> None:
    """Exit code 0; 1 on a user's mistake, told in one paragraph, and with --strict where a row has no answer; 2 on a
    wrong command line.
    """
    told.guard()
    argv = sys.argv[1:] if argv is None else list(argv)
    try:
        folder = next((one for one in argv if not one.startswith("-")), None)
        streams = list(Processors.of(Path(folder)).streams) if folder else []
        given = parser(streams).parse_args(argv)
        sample = {s: getattr(given, f"stream {s}") for s in streams}
        if (given.table is None) == (not any(sample.values())):
            raise UserError("Give either a table (`python -m trivium.runtime FOLDER new-rows.csv`) or one sample "
                            f"({', '.join(f'`--{s}`' for s in streams)}).")
        runner = Runner(given.folder, given.int8)
        if given.table is None:
            print(table.sample(runner, sample, runner.about.strategy))
        else:
            from trivium.runtime.statistics.reference import NAME, Reference
            from trivium.runtime.unlike import Unlike

            known = Reference.found(given.folder / NAME)
            look = Unlike(runner, known.streams, given.table.parent) if known else None
            bad = table.write(runner, given.table, given.out, "answers", look=look)
            sys.exit(1 if bad and given.strict else 0)
    except UserError as error:
        sys.exit(f"\n{error}\n")


def parser(streams: Sequence[str]) -> argparse.ArgumentParser:
    """streams: those that a sample may be given by."""
    made = argparse.ArgumentParser(prog="python -m trivium.runtime", description=__doc__)
    made.add_argument("folder", type=Path, metavar="FOLDER", help="what `trivium export` made")
    made.add_argument("table", nargs="?", type=Path, metavar="TABLE",
                      help="CSV, TSV, JSONL or Parquet with a column for each stream (any may be empty); paths are "
                           "relative to this file")
    for name in streams:
        made.add_argument(f"--{name}", dest=f"stream {name}", metavar="VALUE",
                          help=f"the {name} of a single sample: the text itself, a path, or cells as JSON")
    made.add_argument("--out", type=Path, metavar="FILE", help="where the answers go: .csv, .jsonl or .parquet "
                                                               "(default: the terminal, as CSV)")
    made.add_argument("--strict", action="store_true", help="exit code 1 where a row has no answer")
    made.add_argument("--int8", action="store_true", help="answer with the smaller graph, if it was exported")
    return made


if __name__ == "__main__":
    main()
