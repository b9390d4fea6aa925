"""Commands that run the pipeline more than once, as DVC experiments: `trivium curves`, `sweep`, `domains`, `update`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from trivium.cli import updating
from trivium.cli.repair import mend
from trivium.machine import vault
from trivium.settings.errors import UserError


def commands(command: Callable[[str, object, str], argparse.ArgumentParser]) -> None:
    """Add the four. command: see `main.parser`."""
    curves = command("curves", _curves, "the result over compute and over labels: repeats the comparison four times, "
                                        "as DVC experiments")
    sweep = command("sweep", _sweep, "what the fusion, the recipe and the strategy are worth: runs a fraction of their "
                                     "combinations, as DVC experiments")
    for name, words in (("fusions", "concat,gated"), ("recipes", "scratch,supervised"), ("strategies", "joint,frozen")):
        sweep.add_argument(f"--{name}", default="", metavar=words, help="default: those of params.yaml")
    sweep.add_argument("--fraction", type=float, default=0.5, help="of the combinations that are run (default: 0.5)")
    sweep.add_argument("--jobs", type=int, default=1, help="experiments side by side (default: 1; each trains as many "
                                                           "seeds side by side as loop.workers says)")
    domains = command("domains", _domains, "what is lost on data from elsewhere: holds out each domain in turn, as DVC "
                                           "experiments")
    domains.add_argument("--most", type=int, default=12, metavar="N", help="domains, largest first (default: 12)")
    domains.add_argument("--transfer", action="store_true", help="and what a few labels of the domain are worth to the "
                                                                 "model, 10 and 50 of each class")
    update = command("update", _update, "go on with the recommended model where new rows have come: whether that is "
                                        "worth it, which way, and at what cost")
    updating.options(update)
    for one in (curves, sweep, domains, update):
        one.add_argument("--ray", metavar="ADDRESS", help="of a Ray cluster that trains and evaluates: HOST:PORT of "
                                                          "its head, or auto (default: what RAY_ADDRESS says, else "
                                                          "this machine alone)")


def _curves(_: argparse.Namespace) -> None:
    from trivium.experiments.curves import make

    mend(Path("."))
    print(make(Path(".")))


def _sweep(arguments: argparse.Namespace) -> None:
    from trivium.experiments.sweep import FACTORS, make

    mend(Path("."))
    if not 0 < arguments.fraction <= 1 or arguments.jobs < 1:
        raise UserError("`--fraction` is above 0 and at most 1, and `--jobs` is 1 or more.")
    lists = (arguments.fusions, arguments.recipes, arguments.strategies)
    given = {factor: [one.strip() for one in names.split(",") if one.strip()]
             for factor, names in zip(FACTORS, lists, strict=True)}
    print(make(Path("."), given, arguments.fraction, arguments.jobs))


def _domains(arguments: argparse.Namespace) -> None:
    from trivium.experiments.domains import make

    mend(Path("."))
    if arguments.transfer:
        vault.refuse("`trivium domains --transfer`")
    print(make(Path("."), arguments.most, arguments.transfer))


def _update(arguments: argparse.Namespace) -> None:
    from trivium.experiments.update import update
    from trivium.experiments.ways import Settings
    from trivium.report.update import summary
    from trivium.settings.parts import typed

    mend(Path("."))
    vault.refuse("`trivium update`")
    given = {key: value for key in Settings.model_fields if (value := getattr(arguments, key)) is not None}
    if "ways" in given:
        given["ways"] = tuple(given["ways"].split(","))
    print(summary(update(Path("."), arguments.manifest, typed(Settings, given, "", "trivium update"))))
