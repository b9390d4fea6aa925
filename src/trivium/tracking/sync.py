"""`trivium sync`: the MLflow store, made from the outs. As often as one likes, with the same result.

A run is known by the fingerprint of the outs it shows. New outs add a parent run with its seeds; outs that are shown
already add nothing; runs whose outs are no longer in the workspace stay as history with the tag `latest = false`. On a
server, runs of other people count as shown, and stay as they are.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from trivium.settings.errors import UserError
from trivium.tracking import exports, lineage, notes, outs, registry, server, store, view
from trivium.tracking.outs import Outs

if TYPE_CHECKING:
    from mlflow import MlflowClient


def sync(root: str | Path = ".", report: bool = True, hurry: bool = False) -> str:
    """Bring mlruns/, or the server, up to date with the outs below `root`. Returns what was done, in words.

    report: False leaves the comparison's run, with the report and the pictures, to the next sync: they are being made.
    hurry: give up early with a server that is slow, see `server`

    Nothing is written, and MLflow is not even imported, when the store shows the present outs already.
    Raises: UserError (nothing was trained and evaluated yet; the store cannot be read).
    """
    folder = Path(root).resolve()
    if report:
        from trivium.report import html

        html.refresh(folder)
    found = outs.read(folder)
    if not found.outcomes:
        raise UserError("There is nothing to show yet: no strategy was trained and evaluated here. Run `dvc repro` "
                        "first (or `dvc pull`, when someone else ran it and pushed the outputs).")
    words = [_outs(folder, found, report, hurry)]
    if report:
        for one in lineage.late(folder):
            version = lineage.write(folder, one).version
            words.append(f"The update `{one.name}` is version {version} in the registry now.")
        words += exports.write(folder, {each.fingerprint: each.name for each in found.outcomes})
    return " ".join(words)


def _outs(folder: Path, found: Outs, report: bool, hurry: bool) -> str:
    there = "MLflow shows the present outputs already."
    if report and server.address() is None and store.state(folder) == found.state:
        return there
    until = time.monotonic() + (server.LIMIT if hurry else math.inf)
    with store.opened(folder, hurry) as (client, experiment), TemporaryDirectory() as scratch:
        if report and server.address() and client.get_experiment(experiment).tags.get(_mark(folder)) == found.state:
            return there
        return _write(client, experiment, found, report, Path(scratch), until)


def attempt(root: str | Path = ".", report: bool = True) -> str:
    """`sync`, for a stage: a server that fails costs it nothing but these words, and some seconds."""
    try:
        there = server.address()
    except UserError as error:  # the variable names none
        return f"note: {error} All results are here, and the next `trivium sync` writes them."
    try:
        return sync(root, report, hurry=True)
    except UserError as error:
        if there is None:
            raise
        return f"note: {error}"


def _mark(folder: Path) -> str:
    """The experiment's tag for what the last complete sync saw. On a server everybody has one of their own."""
    return "trivium.state" if server.address() is None else f"trivium.state.{server.owner(folder).rpartition(' ')[2]}"


def _write(client: MlflowClient, experiment: str, found: Outs, report: bool, scratch: Path,
           until: float) -> str:
    from trivium.machine.progress import track
    from trivium.serving import package
    from trivium.tracking.runs import Writer

    mine = server.owner(found.root) if server.address() else None
    writer = Writer(client, experiment, found, package.code(scratch), mine, until)
    client.set_experiment_tag(experiment, "mlflow.note.content", notes.experiment(found))
    view.save(client, experiment, view.columns(found.metric.key, [one.key for one in found.beside]))
    known, own = {}, set()  # fingerprint -> run;  runs that are ours to change
    written = "attributes.status = 'FINISHED' AND tags.kind != 'seed' AND tags.fingerprint != ''"
    for run in _runs(client, experiment, written):
        mark, number, folder = run.data.tags["fingerprint"], run.info.run_id, store.local(run.info.artifact_uri)
        ours = mine is None or run.data.tags.get(server.OWNER) == mine
        if folder is not None and not folder.is_dir():  # somebody deleted its files
            if ours:
                store.remove(client, experiment, run)
        elif ours or mark not in known:
            known[mark] = number
            own |= {number} if ours else set()
    latest, added = set(), 0
    order = found.ranked[::-1]  # MLflow lists the newest run first: the best strategy comes last
    for outcome in track(order, "MLflow", len(order), "strategy"):
        run = known.get(outcome.fingerprint)
        if run and writer.lacks_model(outcome, run):
            if run in own:
                store.remove(client, experiment, client.get_run(run))
            run = None
        if run is None:
            known[outcome.fingerprint] = writer.strategy(outcome)
            added += 1
        elif run in own:
            writer.summary(outcome, run)
        latest.add(known[outcome.fingerprint])
    done = f"MLflow: {added} {'strategy' if added == 1 else 'strategies'} written, {len(order) - added} already there."
    if not report:
        return done
    if found.comparison is not None:
        mark = outs.digest(found.comparison.plain())
        if known.get(mark) in own:
            writer.report(known[mark])
        elif mark not in known:
            known[mark] = writer.comparison(found.comparison, mark)
        latest.add(known[mark])
        chosen = found.comparison.verdict.recommended
        if chosen is None:
            registry.withdraw(client, mine)
        for outcome in (each for each in order if each.name == chosen):
            registry.register(client, experiment, known[outcome.fingerprint], outcome.name, mine)
    marked = (run for run in _runs(client, experiment, "tags.kind != ''")
              if mine is None or run.data.tags.get(server.OWNER) == mine or run.info.run_id in latest)
    writer.mark_latest(marked, latest)
    client.set_experiment_tag(experiment, _mark(found.root), found.state)  # last: only a complete sync counts
    return done


def _runs(client: MlflowClient, experiment: str, which: str) -> Iterator[Any]:
    token: str | None = ""
    while token is not None:
        page = client.search_runs([experiment], which, max_results=1000, page_token=token or None)
        yield from page
        token = page.token or None
