"""`python -m trivium.runtime.server FOLDER`: answers of an exported model over HTTP."""

from __future__ import annotations

import argparse
import errno
import ipaddress
import os
import socket
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from trivium.machine.workers import cores
from trivium.runtime.folder import Processors
from trivium.runtime.server.limits import Limits
from trivium.runtime.server.told import BACKLOG, Told
from trivium.settings import told as words
from trivium.settings.errors import UserError

TOKEN = "TRIVIUM_TOKEN"
MOST = 4  # workers that `auto` means: each holds about 100 MB


def main(argv: Sequence[str] | None = None) -> None:
    """Exit code 0, also after SIGTERM; 1 on a user's mistake, told in one paragraph; 2 on a wrong command line."""
    words.guard()
    try:
        run(parser().parse_args(argv))
    except UserError as error:
        sys.exit(f"\n{error}\n")


def parser(made: argparse.ArgumentParser | None = None) -> argparse.ArgumentParser:
    """made: one that is to have the arguments."""
    made = made or argparse.ArgumentParser(prog="python -m trivium.runtime.server", description=__doc__)
    made.add_argument("folder", type=Path, nargs="?", default=Path("export"), metavar="FOLDER",
                      help="what `trivium export` or the stage `export` made (default: export)")
    made.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: 127.0.0.1, which only "
                                                          "this machine reaches; others need a token)")
    made.add_argument("--port", type=int, default=8000, help="default: 8000")
    made.add_argument("--token-file", type=Path, metavar="FILE", help=f"its first line is the token that clients must "
                                                                     f"show (or set {TOKEN})")
    made.add_argument("--int8", action="store_true", help="answer with the smaller graph, if it was exported")
    made.add_argument("--log", type=Path, metavar="LOG", help="where statistics of rows and answers go, for `trivium "
                                                              "drift`; no raw values (default: nowhere)")
    made.add_argument("--log-raw", action="store_true", help="raw values, too: they may be personal data")
    made.add_argument("--workers", default="auto", metavar="N", help="processes that answer; the limits are of each "
                                                                     f"(default: auto, one per core, {MOST} at most)")
    for name, field in Limits.model_fields.items():
        kind: Any = field.annotation
        made.add_argument(f"--{name.replace('_', '-')}", type=kind, default=field.default, metavar=kind.__name__,
                          help=f"a limit, see the docs (default: {field.default})")
    return made


def run(given: argparse.Namespace) -> None:
    """Until SIGTERM or Ctrl-C. Raises: UserError."""
    for package in ("fastapi", "prometheus_client", "uvicorn"):
        if find_spec(package) is None:
            raise UserError(f"`{package}` is not installed, and the server needs it: pip install 'trivium[serve]', or "
                            "the requirements-serve.txt of the model's folder.")
    told, count = work(given), workers(given.workers)
    title = Processors.of(told.folder).title
    listening = bound(given.host, given.port)
    listening.listen(BACKLOG)  # who asks from now on waits until the first batch can be taken
    host, port = listening.getsockname()[:2]
    place = f"[{host}]" if ":" in host else host

    def begun() -> None:
        print(f"{title} answers at http://{place}:{port}\n"
              f"  a page to try it: /    how to ask: /docs    Ctrl-C stops it", flush=True)

    if count == 1:
        from trivium.runtime.server.worker import Server

        Server(told, begun).run([listening])
    else:
        from trivium.runtime.server.supervisor import Supervisor

        Supervisor(told, listening, count, begun).run()
    print("Stopped.", flush=True)


def work(given: argparse.Namespace) -> Told:
    """What a worker is to do. Raises: UserError (a wrong limit; no token; the log cannot be written)."""
    try:
        limits = Limits(**{name: getattr(given, name) for name in Limits.model_fields})
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"--{str(first['loc'][0]).replace('_', '-')}: {first['msg']}.") from None
    token = secret(given.token_file)
    if not loopback(given.host) and token is None:
        raise UserError(f"--host {given.host} can be reached by other machines, so that clients must show a token: set "
                        f"{TOKEN}, or name a file with --token-file. Without --host, only this machine is served.")
    if given.log is None and given.log_raw:
        raise UserError("--log-raw says what goes into the log: name the log with --log.")
    if given.log is not None:
        try:
            given.log.parent.mkdir(parents=True, exist_ok=True)
            given.log.open("a").close()
        except OSError as error:
            raise UserError(f"--log {given.log} cannot be written to ({error.strerror}).") from None
    return Told(folder=given.folder, int8=given.int8, limits=limits, token=token, log=given.log,
                       log_raw=given.log_raw)


def workers(said: str) -> int:
    """How many processes answer. Raises: UserError."""
    if said == "auto":
        return min(MOST, cores())
    if not said.isascii() or not said.isdigit() or not 1 <= int(said) <= 64:
        raise UserError(f"--workers is auto or a number from 1 to 64, not {said!r}.")
    return int(said)


def secret(file: Path | None) -> str | None:
    """The token; None where there is none. Raises: UserError."""
    if file is None:
        return os.environ.get(TOKEN, "").strip() or None
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--token-file {file} cannot be read ({error}).") from None
    if not lines or not lines[0].strip():
        raise UserError(f"--token-file {file} has no token in its first line.")
    return lines[0].strip()


def loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bound(host: str, port: int) -> socket.socket:
    """Raises: UserError (the port is taken, or the address is not of this machine)."""
    try:
        kind = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        made = socket.socket(*kind[:3])  # with its protocol: else asyncio leaves Nagle on, and each answer waits 40 ms
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(kind[4])
    except (OSError, OverflowError) as error:
        why = "another program listens there" if getattr(error, "errno", 0) == errno.EADDRINUSE else str(error)
        raise UserError(f"Port {port} of {host} cannot be used: {why}. Name another one with --port.") from None
    return made


if __name__ == "__main__":
    main()
