"""The comparison once more with other settings, as DVC experiments: in a folder of their own, from the shared cache.

`dvc exp run --temp` takes what git tracks to a folder below `.dvc/tmp` and runs the pipeline there; the workspace keeps
its settings and its outs. What git may not track comes along all the same: new source files as copies, the user's data
and encoders by their absolute paths.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trivium.comparison.out import PATH, Comparison
from trivium.data.tables import digest
from trivium.machine import vault
from trivium.settings.errors import UserError
from trivium.training.jobs import HOME

if TYPE_CHECKING:
    from trivium.comparison.budgets import Variant
    from trivium.params import Params

FEWEST = 32  # rows for the analyses of each model (robustness, contributions, ...), which the curves do not show


def run(root: Path, variants: Sequence[Variant]) -> dict[str, Comparison]:
    """comparison.json of every variant, by its name. One that has run on the same state of the project runs no more.

    Raises:
        UserError: no git repository or no commit, outs that are not of the present settings, or a stage that failed.
    """
    from trivium.params import load

    params = load(root / "params.yaml")
    state = checked(root)
    found = dict[str, Comparison]()
    for number, variant in enumerate(variants, 1):
        name = f"{variant.name}-{state}"
        changes = overrides(settings(params, variant) | elsewhere(root, params))
        found[variant.name] = compared(root, name, changes, variant.words, f"{number} of {len(variants)}")
    return found


def compared(root: Path, name: str, changes: Sequence[str], words: str, place: str) -> Comparison:
    """comparison.json of the experiment `name`, which runs unless it has done so. changes: of params.yaml, as
    `--set-param` takes them;  words: what it is with;  place: "1 of 4". Raises: UserError (a stage that failed).
    """
    if reference(root, name) is None:
        print(f"\n{place}, {words}: the pipeline runs as experiment {name}", flush=True)
        _run(root, name, changes, words)
    else:
        print(f"\n{place}, {words}: experiment {name} is there already", flush=True)
    made = json.loads(_git(root, "show", f"{reference(root, name)}:{PATH}"))
    return Comparison.checked(made, f"The comparison of experiment {name}")


def overrides(changes: Mapping[str, Any]) -> list[str]:
    """Values by dotted key, as `--set-param` takes them."""
    return [f"{key}={_written(value)}" for key, value in changes.items()]


def settings(params: Params, variant: Variant) -> dict[str, float | str | None]:
    """What `variant` changes in params.yaml, by dotted key. A share of the labels leaves the compute as it is."""
    changed: dict[str, float | str | None]
    if params.budget.flops is not None:
        changed = {"budget.flops": params.budget.flops * variant.compute}
    else:  # an epoch is over labelled samples: fewer of them make it cheaper
        changed = {"budget.epochs": params.budget.epochs * variant.compute / variant.labels}
    if variant.labels != 1:
        share = params.split.labels * variant.labels
        changed["split.labels"] = variant.rows or (round(share) if params.split.labels > 1 else share)
    return changed | quick(params)


def quick(params: Params) -> dict[str, float | str | None]:
    """Changes of params.yaml that leave out what nobody reads of an experiment."""
    changed: dict[str, float | str | None] = {"evaluate.analysis_rows": FEWEST}
    if params.compare.latency:  # the same models would be timed again for each point
        changed["compare.latency"] = False
    if params.compare.latency_ms is not None:
        changed["compare.latency_ms"] = None
    return changed


def checked(root: Path) -> str:
    """Stands for the state of the project: what every stage read. Raises: UserError (see `run`)."""
    try:
        _git(root, "rev-parse", "--verify", "HEAD")
    except (OSError, subprocess.CalledProcessError):
        raise UserError("The curves are DVC experiments, which are kept in git, and here is no git repository with a "
                        "commit: `git init` if there is none, then `git add --all` and `git commit`.") from None
    if dvc(root, "status", "--quiet"):
        raise UserError("The results here are not those of the present settings, code and data (`trivium status` says "
                        "what has changed): run `make repro`, or `dvc repro`, and then this.")
    return digest((root / "dvc.lock").read_bytes())[:8]  # holds settings, code and data


def _run(root: Path, name: str, changes: Sequence[str], words: str) -> None:
    new = _git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", "src", "pipeline").split("\0")
    options = [part for change in changes for part in ("--set-param", change)]
    options += [part for path in new if path for part in ("--copy-paths", path)]
    if dvc(root, "exp", "run", "--temp", "--name", name, *options, "compare"):  # nothing of it is to be served
        raise UserError(f"The comparison with {words} stopped; what it said is above. Finished stages are kept: mend "
                        "it and run the same command again.")


def elsewhere(root: Path, params: Params) -> dict[str, str]:
    """Settings that name the user's own files and folders, with their absolute paths."""
    data = params.data
    paths = {"manifest": {"data.watch": data.watch, "data.manifest.path": data.manifest.path,
                          "data.manifest.unlabelled": data.manifest.unlabelled},
             "stamps": {"data.stamps.folder": data.stamps.folder}}.get(data.source, {})
    for name, entry in params.encoder.items():
        if "weights" in entry:
            paths[f"encoder.{name}.weights"] = str(entry["weights"])
        if (tokenizer := (entry.get("processor") or {}).get("tokenizer", "trained")) != "trained":
            paths[f"encoder.{name}.processor.tokenizer"] = tokenizer
    return {key: str((root / path).resolve()) for key, path in paths.items() if path and (root / path).exists()}


def _written(value: Any) -> str:
    """For `--set-param`: quoted, so that a path may hold any sign."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_written(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_written, value)) + "]"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return repr(value) if not isinstance(value, str) else "'" + value.replace("'", r"\'") + "'"


def reference(root: Path, name: str) -> str | None:
    """The git reference of an experiment: refs/exps/<commit it started from>/<name>."""
    listed = _git(root, "for-each-ref", "--format=%(refname)", "refs/exps").split()
    return next((reference for reference in listed if reference.endswith(f"/{name}")), None)


def _git(root: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True).stdout


def dvc(root: Path, *words: str, **environment: str) -> int:
    """The exit code; what DVC and the stages say goes where ours does. environment: of the stages, beside ours"""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # the stages run `python`
    every = os.environ | {"PATH": path, "DVC_NO_ANALYTICS": "1", "TRIVIUM_UNITS": str(root.resolve() / HOME)}
    process = subprocess.Popen([sys.executable, "-m", "dvc", *words], cwd=vault.real(root), env=every | environment)
    try:
        return process.wait()
    except KeyboardInterrupt:  # DVC has heard it too, and removes the folder that the experiment ran in
        process.wait()
        print("\nStopped. What is finished is kept: the same command goes on.", file=sys.stderr)
        raise
    except BaseException:
        process.terminate()
        raise
