"""`trivium look`: what the data is, before anything is trained. The stages up to `split` run where they are stale."""

from __future__ import annotations

import contextlib
from pathlib import Path

from trivium.experiments.dvc import dvc
from trivium.machine import vault
from trivium.report.look.price import Price
from trivium.settings import told
from trivium.settings.errors import UserError


def look(root: Path, data: str | None, timed: bool) -> str:
    """What a terminal shows; the page is written. data: what is chosen first, as by `trivium import`
    timed: whether it is foretold what a run takes, for which `preprocess` and `budget` run as well
    Raises: UserError (a stage that failed).
    """
    from trivium.cli.importing import choose
    from trivium.report.look import page

    if data:
        choose(data)
    if dvc(root, "repro", "--quiet", *(("split", "budget") if timed else ("split",)), **{told.LATER: "1"}):
        raise UserError("A stage stopped; what it said is above. Mend it and run `trivium look` again.")
    with vault.here():
        return page.write(root, _price(root) if timed else None)[1]


def _price(root: Path) -> Price:
    from trivium.cli.measured import unchanged
    from trivium.experiments import forecast
    from trivium.params import load

    with contextlib.chdir(root):
        return forecast.of(load(), unchanged(Path(".")))
