"""What is said where there is no cluster to work on."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator

import pytest

from trivium.machine import engines
from trivium.machine.engines import connection
from trivium.machine.engines.local import Local
from trivium.settings.errors import UserError


@pytest.fixture
def unused() -> Iterator[int]:
    """A port of this machine on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        yield one.getsockname()[1]


def said(address: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(UserError) as caught:
        engines.chosen()
    return str(caught.value)


def test_without_an_address_ray_is_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "")
    monkeypatch.setitem(sys.modules, "ray", None)
    assert isinstance(engines.chosen(), Local)


def test_ray_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert said("10.0.0.1:6379", monkeypatch) == (
        "RAY_ADDRESS is set (10.0.0.1:6379), and Ray is not installed here: `.venv/bin/pip install ray==2.60.0`, or "
        "unset RAY_ADDRESS to work on this machine alone.")


@pytest.mark.parametrize("address", ["local", "ray://10.0.0.1:10001", "http://10.0.0.1:8265", "10.0.0.1", ":6379"])
def test_an_address_that_is_none(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    pytest.importorskip("ray")
    assert said(address, monkeypatch) == (
        f"RAY_ADDRESS is `{address}`, and Trivium takes HOST:PORT of the cluster's head, such as 10.0.0.1:6379, or "
        "`auto` on a machine that is in the cluster. Without a cluster, unset it.")


def test_a_cluster_that_is_not_there(monkeypatch: pytest.MonkeyPatch, unused: int) -> None:
    pytest.importorskip("ray")
    assert said(f"127.0.0.1:{unused}", monkeypatch) == (
        f"No Ray cluster answers at 127.0.0.1:{unused} (Connection refused): start its head (`ray start --head`; "
        "docs/scale.md says how), mend RAY_ADDRESS, or unset it to work on this machine alone.")


@pytest.mark.parametrize(("error", "words"), [
    ("Version mismatch: The cluster was started with:\n    Ray: 2.9.0\n    Python: 3.11.7\nThis process on node "
     "10.0.0.2 was started with:\n    Ray: 2.60.0\n    Python: 3.12.1\n",
     "The Ray cluster at 10.0.0.1:6379 was started with another version of Ray or Python (Ray 2.9.0, Python 3.11.7) "
     "than this machine has (Ray 2.60.0, Python 3.12.1): start it with the same."),
    ("Token authentication is enabled but no authentication token was found",
     "The Ray cluster at 10.0.0.1:6379 asks for a token: set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN (or "
     "RAY_AUTH_TOKEN_PATH) to the one that it was started with."),
    ("Can not find any matching raylet.",
     "This machine cannot join the Ray cluster at 10.0.0.1:6379: it has to be a node of it, such as by `ray start "
     "--address=10.0.0.1:6379 --num-cpus=0`. Ray says: Can not find any matching raylet."),
])
def test_what_ray_says_is_told_in_words(error: str, words: str) -> None:
    assert str(connection._told("10.0.0.1:6379", RuntimeError(error))) == words
