"""The options of `trivium update`."""

from __future__ import annotations

import argparse
from pathlib import Path


def options(update: argparse.ArgumentParser) -> None:
    update.add_argument("manifest", type=Path, metavar="MANIFEST",
                        help="the new rows: a table with the columns of the present data")
    update.add_argument("--replay", type=float, metavar="SHARE", help="of each batch that old rows give (default: 0.2)")
    update.add_argument("--reservoir", type=int, metavar="ROWS", help="old train rows that are kept for it (500)")
    update.add_argument("--ewc", type=float, metavar="LAMBDA", help="of elastic weight consolidation (1.0)")
    update.add_argument("--budget", type=float, metavar="SHARE",
                        help="of the FLOPs that the model's own training took (0.25)")
    update.add_argument("--ways", metavar="WAYS", help="finetune,replay,ewc,replay+ewc,scratch or some of them (all)")
    update.add_argument("--strategy", metavar="NAME", help="whose models go on (the recommended one)")
    update.add_argument("--name", metavar="NAME", help="of the update (that of the manifest)")
