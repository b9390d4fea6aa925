"""A Ray cluster on 127.0.0.1, for benchmarks and tests: nodes that are ended by their own process ids."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ATTEMPTS = 4  # at starting a node: Ray gives each of them 30 s, which a busy machine does not always keep


class Nodes:
    """A head that does no work, and nodes with one CPU each, which keep what they are sent in folders of their own."""

    def __init__(self, home: Path, count: int) -> None:
        from ray.cluster_utils import Cluster

        self.home, self.nodes = home, list[Any]()
        self.cluster = started(lambda: Cluster(initialize_head=True, head_node_args={
            "num_cpus": 0, "include_dashboard": False, "include_log_monitor": False, "no_monitor": True,
            "node_ip_address": "127.0.0.1", **agents()}))
        for _ in range(count):
            self.add()

    @property
    def address(self) -> str:
        return str(self.cluster.address)

    def add(self, **more: Any) -> None:
        own = {"TRIVIUM_NODE": str(self.home / f"node_{len(self.nodes)}"),
               "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")])}
        self.nodes.append(started(lambda: self.cluster.add_node(
            num_cpus=1, node_ip_address="127.0.0.1", env_vars=own, **agents(), **more)))

    def kill(self, number: int) -> None:
        """As a machine that loses its power: its raylet, and who works for it."""
        import psutil

        for process in self._processes(number):
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def of(self, pid: int) -> int:
        """The number of the node for which the process works."""
        return next(number for number in range(len(self.nodes))
                    if any(process.pid == pid for process in self._processes(number)))

    def _processes(self, number: int) -> list[Any]:
        import psutil

        try:
            raylet = psutil.Process(self.nodes[number].all_processes["raylet"][0].process.pid)
            return [raylet, *raylet.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


def started(start: Callable[[], Any]) -> Any:
    """What `start` gives, tried again when Ray's patience ends before a busy machine is ready."""
    for _ in range(ATTEMPTS - 1):
        try:
            return start()
        except Exception as error:  # of no kind of its own
            if "timed out during startup" not in str(error):
                raise
    return start()


def agents() -> dict[str, int]:
    """Ports for what a node starts beside itself: a raylet that has to ask for them gives up after 15 s."""
    names = ("metrics_agent_port", "dashboard_agent_listen_port", "runtime_env_agent_port")
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in names]
        return {name: one.getsockname()[1] for name, one in zip(names, sockets, strict=True)}


@contextmanager
def nodes(home: Path, count: int) -> Iterator[Nodes]:
    """They are used by what runs in the block, and by the processes that it starts."""
    import ray

    before = {name: os.environ.get(name) for name in ("RAY_USAGE_STATS_ENABLED", "RAY_ADDRESS")}
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    made = Nodes(home, count)
    os.environ["RAY_ADDRESS"] = made.address
    try:
        yield made
    finally:
        ray.shutdown()
        made.cluster.shutdown()
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
