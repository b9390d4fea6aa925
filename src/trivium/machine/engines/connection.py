"""How this process gets hold of a Ray cluster, and what is said where it does not."""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from trivium.machine.engines import ADDRESS, door
from trivium.settings.errors import UserError

WAIT = 5.0  # seconds for a machine to answer
VERSION = "2.60.0"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def connect(address: str) -> Any:
    """The module `ray`, connected to the cluster at `address`: HOST:PORT, or `auto` for one that this machine is in.

    Raises: UserError (not installed; no such address; no cluster there, or one of another version; this machine is not
    in it).
    """
    try:
        import ray
        from ray import cloudpickle
    except ImportError:
        raise UserError(f"{ADDRESS} is set ({address}), and Ray is not installed here: `.venv/bin/pip install "
                        f"ray=={VERSION}`, or unset {ADDRESS} to work on this machine alone.") from None
    if address == "auto":
        from ray._private.utils import read_ray_address

        address = read_ray_address() or "auto"
    host = _check(address)
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "1")
    if host in LOOPBACK:
        from ray._private import ray_constants

        ray_constants.ENABLE_RAY_CLUSTER = False  # else it takes another address of this machine, where nobody listens
    if ray.is_initialized():
        ray.shutdown()
    answers = signal.getsignal(signal.SIGTERM)  # Ray's own would end a stage with another exit code
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:
        raise _told(address, error) from None
    finally:
        signal.signal(signal.SIGTERM, answers)
    cloudpickle.register_pickle_by_value(door)
    return ray


@contextmanager
def ending() -> Iterator[None]:
    """What SIGTERM raises in the block leaves it as it is: out of Ray's calls it comes with another exit code."""
    answer, ended = signal.getsignal(signal.SIGTERM), list[SystemExit]()
    if not callable(answer):
        yield
        return

    def end(number: int, frame: Any) -> None:
        try:
            answer(number, frame)
        except SystemExit as error:
            ended.append(error)
            raise

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    except SystemExit:
        if ended:
            raise ended[0] from None
        raise
    finally:
        signal.signal(signal.SIGTERM, answer)


def _check(address: str) -> str:
    """The host. Ray waits minutes for a machine that does not answer, and some of its waits end this process."""
    if address == "auto":
        raise UserError(f"{ADDRESS} is `auto`, and this machine is in no Ray cluster: `ray start --head` starts one "
                        f"(docs/scale.md says how); without {ADDRESS}, Trivium works on this machine alone.")
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or "/" in host:
        raise UserError(f"{ADDRESS} is `{address}`, and Trivium takes HOST:PORT of the cluster's head, such as "
                        "10.0.0.1:6379, or `auto` on a machine that is in the cluster. Without a cluster, unset it.")
    try:
        socket.create_connection((host, int(port)), WAIT).close()
    except OSError as error:
        raise UserError(f"No Ray cluster answers at {address} ({error.strerror or error}): start its head (`ray start "
                        f"--head`; docs/scale.md says how), mend {ADDRESS}, or unset it to work on this machine "
                        "alone.") from None
    return host


def _told(address: str, error: Exception) -> UserError:
    said = " ".join(str(error).split())
    if "Version mismatch" in said:
        theirs, _, mine = said.partition("This process")
        return UserError(f"The Ray cluster at {address} was started with another version of Ray or Python "
                         f"({_versions(theirs)}) than this machine has ({_versions(mine)}): start it with the same.")
    if "authentication" in said.lower() or "UNAUTHENTICATED" in said:
        return UserError(f"The Ray cluster at {address} asks for a token: set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN "
                         "(or RAY_AUTH_TOKEN_PATH) to the one that it was started with.")
    return UserError(f"This machine cannot join the Ray cluster at {address}: it has to be a node of it, such as by "
                     f"`ray start --address={address} --num-cpus=0`. Ray says: {said[:300]}")


def _versions(said: str) -> str:
    words = said.split()
    return ", ".join(f"{name} {words[words.index(f'{name}:') + 1]}" for name in ("Ray", "Python")
                     if f"{name}:" in words)
