"""The `trivium` command. Each subcommand imports what it needs when it runs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path

from trivium.cli import encryption, experimenting, importing, predicting, verifying
from trivium.cli import forget as forgetting
from trivium.cli.repair import mend, sweep
from trivium.machine import engines, signals, vault
from trivium.settings.errors import UserError, of_damage

OPENED = ("predict", "export", "serve", "drift", "show", "status", "sync")  # what reads files that may be encrypted


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
        with vault.here() if argv[0] in OPENED else nullcontext():
            arguments.run(arguments)
    except UserError as error:
        sys.exit(f"\n{error}\n")
    except BrokenPipeError:  # `trivium show | head`
        sys.stderr.close()
    except Exception as error:
        from trivium.cli.missing import of_missing
        from trivium.settings.failures import of_machine

        if (mine := of_machine(error) or of_damage(error) or of_missing(error, Path("."))) is None:
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
    experimenting.commands(command)
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
    forgetting.options(command("forget", _forget, forgetting.WORDS))
    command("sync", _sync, "make the MLflow runs from the pipeline's outputs")
    encryption.commands(command)
    ui = command("ui", _ui, "sync, then open the MLflow UI")
    ui.add_argument("--port", type=int, default=5000, help="the first one to try (default: 5000)")
    ui.add_argument("--no-sync", action="store_true", help="show what is there")
    return top


def _doctor(arguments: argparse.Namespace) -> None:
    from trivium.cli.doctor import examine

    if arguments.repair:
        mend(Path("."))
    sys.exit(0 if examine(Path(".")) else 1)


def _repair(_: argparse.Namespace) -> None:
    from trivium.cli import foresee
    from trivium.cli.busy import refuse
    from trivium.cli.doctor import on_clock
    from trivium.cli.measured import again
    from trivium.cli.ready import check, complete

    refuse(Path("."), "run this again")
    for grade, words in foresee.permission(Path(".")):  # DVC says it worse
        if grade == "wrong":
            raise UserError(words[:1].upper() + words[1:])
    mend(Path("."))
    sweep(Path("."))
    check(Path("."))
    for _grade, words in on_clock(Path(".")):
        print(f"note: {words}", file=sys.stderr)
    if said := complete(Path(".")):
        print(f"note: {said}", file=sys.stderr)
    again(Path("."), lambda words: print(f"note: {words}", file=sys.stderr, flush=True))


def _use(arguments: argparse.Namespace) -> None:
    from trivium.cli.busy import refuse
    from trivium.cli.use import use

    refuse(Path("."), "run this again")
    use(arguments.data, labels=arguments.label, weight=arguments.weight)


def _look(arguments: argparse.Namespace) -> None:
    from trivium.cli.busy import refuse
    from trivium.cli.look import look

    refuse(Path("."), "run this again")
    mend(Path("."))
    print(look(Path("."), arguments.data, arguments.time))


def _profile(arguments: argparse.Namespace) -> None:
    from trivium.cli.profile import add

    add(arguments.name)


def _status(_: argparse.Namespace) -> None:
    from trivium.cli.status import status

    mend(Path("."))
    print(status(Path(".")))


def _show(arguments: argparse.Namespace) -> None:
    from trivium.cli.against import against
    from trivium.cli.status import show

    mend(Path("."))
    print(against(Path("."), arguments.against) if arguments.against else show(Path(".")))


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

    mend(Path("."))
    print(pull(Path(".")))


def _forget(arguments: argparse.Namespace) -> None:
    mend(Path("."))
    forgetting.run(arguments)


def _sync(_: argparse.Namespace) -> None:
    from trivium.cli.busy import refuse
    from trivium.tracking.sync import sync

    refuse(Path("."), "MLflow shows its results already")
    mend(Path("."))
    print(sync())


def _ui(arguments: argparse.Namespace) -> None:
    from trivium.tracking.sync import sync
    from trivium.tracking.ui import serve

    mend(Path("."))
    if sealed := bool(vault.state(Path(".")) and not arguments.no_sync):  # the UI itself needs nothing of the outs
        with vault.here():
            print(sync())
    serve(".", arguments.port, not arguments.no_sync and not sealed)


if __name__ == "__main__":
    main()
