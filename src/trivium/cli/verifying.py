"""The words of `trivium verify`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

WORDS = ("read every file of every out, and hold it against dvc.lock, here and in DVC's cache: what is missing, "
         "changed or damaged, and what restores it; exit code 1 where there is any")


def arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("--repair", action="store_true",
                         help="restore what the workspace or DVC's cache still has, and remove what is damaged in "
                              "both, so that `dvc pull` or `dvc repro` brings it")


def run(given: argparse.Namespace) -> None:
    from trivium.cli.busy import refuse
    from trivium.cli.repair import repair
    from trivium.cli.verify import verify

    refuse(Path("."), "run this again")  # what a stage is writing would count as missing
    if said := repair(Path(".")):
        print(f"note: {said}", file=sys.stderr)
    said, well = verify(Path("."), given.repair)
    print(said)
    sys.exit(0 if well else 1)
