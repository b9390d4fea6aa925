"""`trivium domains`: the comparison once for each domain of the data, with that domain held out."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium.comparison.each_domain import OUT, LeftOut, gather
from trivium.data import tables
from trivium.data.tables import digest
from trivium.params import Params
from trivium.settings.errors import UserError
from trivium.tasks import Task

FEWEST = 20  # rows with a label that a domain needs: with fewer, an interval says nothing
MOST = 12  # domains that are held out, where nothing else is said


def make(root: Path, most: int = MOST, few: bool = False) -> str:
    """Run what is missing, write `reports/domains.json` and `reports/domains.html`; what came out. most: how many
    domains are held out, largest first.  few: whether models go on with a few labels of each.

    Raises:
        UserError: fewer than two domains, none that can be held out, no results of the present settings, or an
            experiment that failed.
    """
    from trivium.experiments.dvc import checked, compared, elsewhere, overrides, quick
    from trivium.experiments.transfer import transfer
    from trivium.params import load
    from trivium.report import domains as page

    if most < 1:
        raise UserError("`--most` is 1 or more.")
    params = load(root / "params.yaml")
    state = checked(root)
    chosen, left = sort(root, params, most)
    found, transfers = {}, {}
    for number, name in enumerate(chosen, 1):
        changes = overrides({"split.held_out_domain": name} | quick(params) | elsewhere(root, params))
        experiment = f"domain-{digest(name.encode())[:8]}-{state}"
        found[name] = compared(root, experiment, changes, f"{name} held out", f"{number} of {len(chosen)}")
        if few and (own := transfer(root, params, experiment, found[name])):
            transfers[name] = own
    made = gather(found, left, transfers)
    made.write(root / OUT)
    return "\n".join([page.summary(made), f"The domains are in {OUT} and, to look at, in {page.write(root, made)}."])


def sort(root: Path, params: Params, most: int) -> tuple[list[str], list[LeftOut]]:
    """The domains that can be held out, largest first, and the others with the reason. Raises: UserError (see `make`).
    """
    from trivium import tasks
    from trivium.data.meta import Meta

    aligned = root / "data/aligned"
    samples = tables.read(aligned / "samples.parquet", ["domain", "y"])
    samples = samples.filter(pc.is_valid(samples["domain"]))
    told = samples.filter(pc.is_valid(samples["y"]))
    names = sorted(pc.unique(samples["domain"]).to_pylist())
    if len(names) < 2:
        raise UserError(f"The data has {len(names)} domain{'s' * (len(names) != 1)}, and it takes two to hold each out "
                        "in turn: name the column that says where a row comes from (data.manifest.domain in "
                        "params.yaml).")
    task = tasks.of(Meta.read(aligned / "meta.json").task or {})
    own = {name: told.filter(pc.equal(told["domain"], name))["y"] for name in names}
    chosen, left, further = list[str](), list[LeftOut](), list[str]()
    for name in sorted(names, key=lambda name: (-len(own[name]), name)):
        if reason := _few(own[name], task) or ("" if len(chosen) == most else _refused(root, params, name)):
            left.append(LeftOut(name=name, n=len(own[name]), reason=reason))
        else:
            (further if len(chosen) == most else chosen).append(name)
    if further:
        name = further[0] if len(further) == 1 else f"{further[0]} and {len(further) - 1:,} more"
        left.append(LeftOut(name=name, n=sum(len(own[one]) for one in further),
                            reason=f"`--most` says how many are held out: {most:,} here, the largest first."))
    if not chosen:
        raise UserError("No domain of this data can be held out." + "".join(
            f"\n{one.name}: {one.reason}" for one in left))
    return chosen, left


def _few(y: pa.ChunkedArray, task: Task) -> str:
    """Why the rows of a domain, whose targets are `y`, are too few to test on; "" where they are not."""
    if len(y) < FEWEST:
        return f"It has {len(y)} row{'s' * (len(y) != 1)} with a label, and {FEWEST} are needed."
    if task.needs_every_category:
        tally = task.tally(task.numbers(y))
        if lacking := [f"`{task.categories[k]}`" for k in np.flatnonzero(tally == 0)]:
            return f"It has no row of {', '.join(lacking[:5])}{' ...' * (len(lacking) > 5)}."
    return ""


def _refused(root: Path, params: Params, name: str) -> str:
    """Why the other domains do not make splits; "" where they do."""
    from trivium.data.splits import split

    with TemporaryDirectory() as scratch:
        try:
            split(root / "data/aligned", scratch, params.split.model_copy(update={"held_out_domain": name}),
                  params.seeds)
        except UserError as error:
            return str(error)
    return ""
