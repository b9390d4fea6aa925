"""The `trivium` command. Each subcommand imports what it needs when it runs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from trivium.cli import importing, predicting, updating, verifying
from trivium.machine import engines, signals
from trivium.settings.errors import UserError, of_damage


def main(argv: Sequence[str] | None = None) -> None:
    """Exit code 0; 1 on a user's mistake, told in one paragraph; 2 on a wrong command line."""
    if argv is not None:
        return _run(argv)
    signals.heed()
    with signals.ended():
        _run(sys.argv[1:])


def _run(argv: Sequence[str]) -> None:
    from trivium.stage import quiet

    quiet()
    try:
        streams = _streams() if argv[:1] == ["predict"] else []
        top = parser(streams, argv[:1] == ["serve"])
        arguments, unknown = top.parse_known_args(argv)
        if unknown and streams:
            raise UserError(f"`{unknown[0]}` is not known here: a stream of the sample is given by "
                            f"{' or '.join(f'--{stream}' for stream in streams)}.")
        if unknown:
            top.error(f"unrecognized arguments: {' '.join(unknown)}")
        if address := getattr(arguments, "ray", None):
            os.environ[engines.ADDRESS] = address  # which the stages inherit
        arguments.run(arguments)
    except UserError as error:
        sys.exit(f"\n{error}\n")
    except BrokenPipeError:  # `trivium show | head`
        sys.stderr.close()
    except Exception as error:
        from trivium.settings.failures import of_machine

        if (mine := of_machine(error) or of_damage(error)) is None:
            raise
        sys.exit(f"\n{mine}\n")


def parser(streams: Iterable[str] = (), serving: bool = False) -> argparse.ArgumentParser:
    """streams: those that a sample may be given by;  serving: whether `serve` is asked for, with all its limits."""
    top = argparse.ArgumentParser(prog="trivium", description="Which training strategy wins on your multimodal data?")
    commands = top.add_subparsers(required=True, metavar="command")

    def command(name: str, run: object, words: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=words, description=words)
        added.set_defaults(run=run)
        return added

    doctor = command("doctor", _doctor, "check this machine, the installation, params.yaml and what is here")
    doctor.add_argument("--repair", action="store_true", help="first mend DVC's own files, as `trivium repair` does")
    command("repair", _repair, "what `make repro` does first: mend DVC's own files where a kill has left half of them, "
                               "refuse a wrong params.yaml, and measure again what is broken in reports/measured")
    verifying.arguments(command("verify", verifying.run, verifying.WORDS))
    use = command("use", _use, "choose the data: writes data.* in params.yaml")
    use.add_argument("data", metavar="DATA", help="digits (or digits:mixed, with a world), symbols, stamps, a table")
    use.add_argument("--label", action="append", default=[], metavar="COLUMN",
                     help="of a table: what is to be predicted; more than once for several numbers, or for tags that "
                          "have a column of 0 and 1 each")
    use.add_argument("--weight", metavar="COLUMN", help="of a table: how much each row counts")
    importing.arguments(command("import", importing.run, importing.WORDS))
    profile = command("profile", _profile, "put more recipes and strategies into params.yaml, beside those there")
    profile.add_argument("name", metavar="NAME", help="full: fourteen more strategies, twenty-two in all")
    look = command("look", _look, "what the data is, before anything is trained; and a page, reports/look.html")
    look.add_argument("data", nargs="?", metavar="DATA", help="choose this data first, as `trivium import` does")
    look.add_argument("--time", action="store_true", help="measure how long a run will take, too")
    command("status", _status, "what `dvc repro` would run, and which models there are")
    show = command("show", _show, "the table and the verdict of the last comparison")
    show.add_argument("--against", metavar="COMMIT", help="what has changed since, as Markdown for a pull request")
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
    predict = command("predict", predicting.run, "answers to new data, from the best seed of a trained strategy: "
                                                 "labels and probabilities, tags, or numbers with intervals")
    predicting.options(predict, streams)
    export = command("export", _export, "a trained strategy as a folder that answers without torch: an ONNX graph, "
                                        "what stands before it, its card and its code")
    export.add_argument("strategy", metavar="STRATEGY", help="a name of params.yaml, e.g. supervised_lpft")
    export.add_argument("--out", type=Path, metavar="FOLDER", help="a new one, or an older export (default: "
                                                                   "exports/STRATEGY)")
    export.add_argument("--docker", action="store_true", help="with a Dockerfile, which builds a server from this "
                                                              "folder alone")
    export.add_argument("--int8", action="store_true", help="beside it a smaller graph with numbers of 8 bits, and "
                                                            "what it costs in answers")
    serve = command("serve", _serve, "answers of an exported model over HTTP, with a page to try it")
    if serving:
        from trivium.runtime.server.__main__ import parser as more

        more(serve)
    command("push", _push, "send data and models to DVC's remote, and keep what they cost for git")
    command("pull", _pull, "bring data, models, costs and the report of the commit that is checked out")
    drift = command("drift", _drift, "whether what a served model was asked, and answered, still looks like what it "
                                     "learned from, and what to do")
    drift.add_argument("log", type=Path, metavar="LOG", help="what `trivium serve --log LOG` wrote")
    drift.add_argument("--folder", type=Path, default=Path("export"), help="of the exported model (default: export)")
    drift.add_argument("--out", type=Path, metavar="HTML", help="a page with plots")
    drift.add_argument("--strict", action="store_true", help="exit code 1 where there is drift")
    command("sync", _sync, "make the MLflow runs from the pipeline's outputs")
    for one in (curves, sweep, domains, update):
        one.add_argument("--ray", metavar="ADDRESS", help="of a Ray cluster that trains and evaluates: HOST:PORT of "
                                                          "its head, or auto (default: what RAY_ADDRESS says, else "
                                                          "this machine alone)")
    ui = command("ui", _ui, "sync, then open the MLflow UI")
    ui.add_argument("--port", type=int, default=5000, help="the first one to try (default: 5000)")
    ui.add_argument("--no-sync", action="store_true", help="show what is there")
    return top


def _doctor(arguments: argparse.Namespace) -> None:
    from trivium.cli.doctor import examine

    if arguments.repair:
        _mend()
    sys.exit(0 if examine(Path(".")) else 1)


def _repair(_: argparse.Namespace) -> None:
    from trivium.cli.busy import refuse
    from trivium.cli.measured import again
    from trivium.cli.ready import check, complete

    refuse(Path("."), "run this again")
    _mend()
    check(Path("."))
    if said := complete(Path(".")):
        print(f"note: {said}", file=sys.stderr)
    again(Path("."), lambda words: print(f"note: {words}", file=sys.stderr, flush=True))


def _mend() -> None:
    """Before anything reads what a kill may have left half-written."""
    from trivium.cli.repair import repair

    if said := repair(Path(".")):
        print(f"note: {said}", file=sys.stderr)


def _use(arguments: argparse.Namespace) -> None:
    from trivium.cli.busy import refuse
    from trivium.cli.use import use

    refuse(Path("."), "run this again")
    use(arguments.data, labels=arguments.label, weight=arguments.weight)


def _look(arguments: argparse.Namespace) -> None:
    from trivium.cli.busy import refuse
    from trivium.cli.look import look

    refuse(Path("."), "run this again")
    _mend()
    print(look(Path("."), arguments.data, arguments.time))


def _profile(arguments: argparse.Namespace) -> None:
    from trivium.cli.profile import add

    add(arguments.name)


def _status(_: argparse.Namespace) -> None:
    from trivium.cli.status import status

    _mend()
    print(status(Path(".")))


def _show(arguments: argparse.Namespace) -> None:
    from trivium.cli.against import against
    from trivium.cli.status import show

    _mend()
    print(against(Path("."), arguments.against) if arguments.against else show(Path(".")))


def _curves(_: argparse.Namespace) -> None:
    from trivium.experiments.curves import make

    _mend()
    print(make(Path(".")))


def _sweep(arguments: argparse.Namespace) -> None:
    from trivium.experiments.sweep import FACTORS, make

    _mend()
    if not 0 < arguments.fraction <= 1 or arguments.jobs < 1:
        raise UserError("`--fraction` is above 0 and at most 1, and `--jobs` is 1 or more.")
    lists = (arguments.fusions, arguments.recipes, arguments.strategies)
    given = {factor: [one.strip() for one in names.split(",") if one.strip()]
             for factor, names in zip(FACTORS, lists, strict=True)}
    print(make(Path("."), given, arguments.fraction, arguments.jobs))


def _domains(arguments: argparse.Namespace) -> None:
    from trivium.experiments.domains import make

    _mend()
    print(make(Path("."), arguments.most, arguments.transfer))


def _update(arguments: argparse.Namespace) -> None:
    from trivium.experiments.update import update
    from trivium.experiments.ways import Settings
    from trivium.report.update import summary
    from trivium.settings.parts import typed

    _mend()
    given = {key: value for key in Settings.model_fields if (value := getattr(arguments, key)) is not None}
    if "ways" in given:
        given["ways"] = tuple(given["ways"].split(","))
    print(summary(update(Path("."), arguments.manifest, typed(Settings, given, "", "trivium update"))))


def _export(arguments: argparse.Namespace) -> None:
    from trivium.cli.export import export

    print(export(Path("."), arguments.strategy, arguments.out, arguments.int8, arguments.docker))


def _drift(arguments: argparse.Namespace) -> None:
    from trivium.serving.drift import drift

    said, found = drift(arguments.log, arguments.folder, arguments.out)
    print(said)
    if found and arguments.strict:
        sys.exit(1)


def _streams() -> list[str]:
    """Those of params.yaml. Raises: UserError (it is not YAML, or of an old form)."""
    from trivium.data.tables import read_yaml
    from trivium.params import refuse_old

    refuse_old(found := read_yaml("params.yaml"))
    return [str(name) for name in found.get("data", {}).get("streams", ())]


def _serve(arguments: argparse.Namespace) -> None:
    from trivium.runtime.server.__main__ import run

    run(arguments)


def _push(_: argparse.Namespace) -> None:
    from trivium.cli.share import push

    print(push(Path(".")))


def _pull(_: argparse.Namespace) -> None:
    from trivium.cli.share import pull

    _mend()
    print(pull(Path(".")))


def _sync(_: argparse.Namespace) -> None:
    from trivium.cli.busy import refuse
    from trivium.tracking.sync import sync

    refuse(Path("."), "MLflow shows its results already")
    _mend()
    print(sync())


def _ui(arguments: argparse.Namespace) -> None:
    from trivium.tracking.ui import serve

    _mend()
    serve(".", arguments.port, not arguments.no_sync)


if __name__ == "__main__":
    main()
