"""`trivium predict STRATEGY SOURCE`: answers to new rows in any form that `trivium import` reads, or to one sample."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from trivium.cli.importing import of_recordings
from trivium.settings.errors import UserError


def options(parser: argparse.ArgumentParser, streams: Iterable[str]) -> None:
    parser.add_argument("strategy", metavar="STRATEGY",
                        help="a name of params.yaml, e.g. supervised_lpft, or an update, updates/NAME")
    parser.add_argument("source", nargs="?", metavar="SOURCE",
                        help="CSV, TSV, JSONL or Parquet with a column for each stream (any may be empty), called like "
                             "the stream or as data.streams says; paths are relative to this file. Or whatever "
                             "`trivium import` reads: a folder, shards, an address")
    for name in streams:
        parser.add_argument(f"--{name}", dest=f"stream {name}", metavar="VALUE",
                            help=f"the {name} of a single sample: the text itself, a path, or cells as JSON")
    of_recordings(parser)
    parser.add_argument("--out", type=Path, metavar="FILE",
                        help="where the predictions go: .csv, .jsonl or .parquet (default: the terminal, as CSV)")
    parser.add_argument("--strict", action="store_true", help="exit code 1 where a row has no answer")


def run(arguments: argparse.Namespace) -> None:
    from trivium.serving.predict import predict_sample, predict_source

    sample = {key.removeprefix("stream "): value for key, value in vars(arguments).items() if key.startswith("stream ")}
    if (arguments.source is None) == (not any(sample.values())):
        raise UserError("Give either a table (`trivium predict STRATEGY new-rows.csv`) or one sample "
                        f"({', '.join(f'`--{s}`' for s in sample)}).")
    if arguments.source is None:
        print(predict_sample(Path("."), arguments.strategy, sample))
    else:
        long = {name: getattr(arguments, name) for name in ("key", "time", "window", "step")}
        bad = predict_source(Path("."), arguments.strategy, arguments.source, arguments.out, **long)
        if bad and arguments.strict:
            sys.exit(1)
