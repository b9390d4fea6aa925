"""What makes `reference.json` of an exported folder, for `trivium drift`.

Inputs are those of train rows. Answers are those to validation rows: a model is surer of the rows that it learned from,
so that every new row would look like drift beside them.
"""

from __future__ import annotations

from pathlib import Path

from trivium.runtime import watch
from trivium.runtime.runner import Runner
from trivium.runtime.statistics import answer, described
from trivium.runtime.statistics.reference import NAME, Reference, sketches
from trivium.serving.export.smoke import real
from trivium.settings.errors import UserError

ROWS = 2000  # of each split, at most


def made(runner: Runner, root: Path, seed: int) -> Reference:
    """From raw rows of `seed`'s train and validation sets. runner: of the exported folder"""
    rows, media = real(root, runner.streams, seed, ROWS, "train", spread=True)
    seen = described(rows, runner.inputs, runner.read, media)
    rows, media = real(root, runner.streams, seed, ROWS, "val", spread=True)
    stored, _, errors = runner.answers(rows, media)
    said = answer.measured(runner.task, stored[[error is None for error in errors]])
    return Reference(model=watch.fingerprint(runner.folder), answer=sketches(said),
                     streams={s: sketches(one[s] for one in seen) for s in runner.read})


def read(folder: Path) -> Reference:
    """Raises: UserError."""
    found = Reference.found(folder / NAME)
    if found is None:
        raise UserError(f"There is no {NAME} in {folder}, with which a log is compared: export the model again "
                        "(`trivium export NAME`), or name its folder with --folder.")
    return found
