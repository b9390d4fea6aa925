"""A Ray cluster: each task goes to a node that has room for it, and to another one when that node is lost.

This machine keeps keys, what is to do and records; nodes need Trivium and its packages, and neither its disk nor DVC.
What comes back is put in its place here, by this process alone.
"""

from __future__ import annotations

import os
import pickle
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from trivium.machine import source
from trivium.machine.engines import Needs, Show, Task, Work, attempts, away, connection, door, elsewhere, node, sent
from trivium.settings.errors import UserError

LOST = 5  # attempts at a task whose node or process is lost, before it is given up
_here: Cluster | None = None  # what this process is connected to


def at(address: str) -> Cluster:
    """Connected once in a process. Raises: UserError."""
    global _here
    if _here is None or _here.address != address or not _here.ray.is_initialized():
        _here = Cluster(address)
    return _here


class Cluster:
    def __init__(self, address: str) -> None:
        self.address, self.ray = address, connection.connect(address)
        self._blobs = dict[str, list[Any]]()  # by digest, references to the pieces of what was sent
        self._wanted = door.versions(door.PACKAGES)

    def device(self, wanted: str) -> str:
        """With GPUs in the cluster `auto` is one of them, for every task: on some nodes a CPU would compute other
        digits.
        """
        if wanted == "cpu":
            return "cpu"
        if self._has("GPU"):
            return "cuda"
        if wanted == "cuda":
            raise UserError(f"params.yaml says `loop.device: cuda`, and the Ray cluster at {self.address} has no GPU: "
                            "start a node that has one, or set `loop.device: auto`.")
        return "cpu"

    def run(self, work: Work, tasks: Sequence[Task], needs: Needs, show: Show) -> list[Any]:
        device, mark = self.device(needs.device), f"ray-{uuid4().hex}"
        outs = away.place()
        orders = [self._order(work, one, needs, device, mark, outs) for one in tasks]
        options, most = self._room(needs, device)
        board = self._board(len(tasks))
        enter = self.ray.remote(door.enter).options(**options, max_retries=0)
        waiting, running, lost = deque(range(len(tasks))), dict[Any, int](), Counter[int]()
        found: list[Any] = [None] * len(tasks)
        files: sent.Files | None = None
        with connection.ending(), _marked(orders):
            try:
                while waiting or running:
                    while waiting and len(running) < (most or len(tasks)):
                        index = waiting.popleft()
                        order = pickle.dumps(replace(orders[index], files=files))
                        known = {digest: self._blobs[digest] for digest in set((files or {}).values())
                                 if digest in self._blobs}
                        running[enter.remote(self._wanted, str(source.HOME), order, index, board, known)] = index
                    ready, _ = self.ray.wait(list(running), num_returns=1, timeout=0.5)
                    self._tell(board, show)
                    for reference in ready:
                        index = running.pop(reference)
                        left = self._got(reference, index, lost)
                        if left is None:  # lost: once more, elsewhere
                            waiting.append(index)
                        elif left[0] == "lacks":
                            files = files or sent.listed(needs.inputs)
                            self._send(files, left[1])
                            waiting.appendleft(index)
                        else:
                            found[index] = self._placed(left, tasks[index].folder)
                self._tell(board, show)
            finally:
                with suppress(self.ray.exceptions.RayError):
                    for reference in running:
                        self.ray.cancel(reference, force=True)
                    self.ray.kill(board)
        return found

    def _order(self, work: Work, task: Task, needs: Needs, device: str, mark: str, outs: str) -> node.Order:
        there = tuple(str(path) for path in needs.inputs if path.is_absolute())
        environment = {name: os.environ[name] for name in node.ENVIRONMENT if name in os.environ}
        return node.Order(work, task.argument, Path.cwd(), task.folder.absolute(), mark, None, there, device,
                          environment, outs)

    def _room(self, needs: Needs, device: str) -> tuple[dict[str, float], int]:
        """What a task takes of a node, and how many run at a time (0: as many as there is room for)."""
        asked = 0 if needs.workers == "auto" else needs.workers
        if device == "cpu":
            if not self._has("CPU"):
                print(f"note: no node of the Ray cluster at {self.address} has CPUs to work with: waiting for one",
                      flush=True)
            return {"num_cpus": needs.cores}, asked
        several = -(-asked // max(1, int(self._has("GPU"))))  # on one GPU, when more are asked for than there are
        return {"num_cpus": 1, "num_gpus": 1 / max(1, several)}, asked

    def _has(self, what: str) -> float:
        return float(self.ray.cluster_resources().get(what, 0))

    def _board(self, tasks: int) -> Any:
        """On this machine: a node that is lost does not take it along."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = NodeAffinitySchedulingStrategy(self.ray.get_runtime_context().get_node_id(), soft=False)
        return self.ray.remote(door.Board).options(num_cpus=0, scheduling_strategy=here).remote(tasks)

    def _tell(self, board: Any, show: Show) -> None:
        try:
            numbers, lines = self.ray.get(board.read.remote(), timeout=10)
        except self.ray.exceptions.RayError:  # slow, or gone: how far it is can wait
            return
        for line in lines:
            print(line, flush=True)
        show(numbers)

    def _got(self, reference: Any, index: int, lost: Counter[int]) -> Any:
        """What a task returned; None where its process, its node or its result is lost and it may try again."""
        errors = self.ray.exceptions
        try:
            return self.ray.get(reference)
        except errors.RayTaskError as error:
            raise error.cause from error
        except (errors.WorkerCrashedError, errors.NodeDiedError, errors.LocalRayletDiedError, errors.OutOfMemoryError,
                errors.ObjectLostError) as error:
            lost[index] += 1
            if lost[index] < LOST:
                print(f"note: a node, or a process on it, was lost ({type(error).__name__}): its unit begins again",
                      flush=True)
                return None
            raise UserError(f"A unit was lost {LOST} times with its process or its node ({type(error).__name__}), most "
                            "likely because the memory of the nodes ran out: start larger ones, or make `loop.batch` "
                            "smaller in params.yaml.") from None

    def _send(self, files: sent.Files, asked: Sequence[str] | None) -> None:
        """Put what a node asked for where all nodes can take it; null: it asks when it knows what there is."""
        paths = {digest: path for path, digest in files.items()}
        for digest in asked or ():
            if digest not in self._blobs:
                self._blobs[digest] = [self.ray.put(piece) for piece in sent.pieces(paths[digest])]

    def _placed(self, left: tuple[Any, ...], folder: Path) -> Any:
        """Put the files of a finished task where they belong; what its work gave."""
        if left[0] == "refused":
            raise UserError(left[1])
        _, result, files, peak, where = left
        if isinstance(files, away.Left):
            attempt = attempts.new(folder)
            attempt.mkdir(parents=True)
            away.take(files, attempt)
            files = attempt
        attempts.end(files, folder)
        elsewhere.there |= where != node.name()
        elsewhere.peak_memory_bytes = max(elsewhere.peak_memory_bytes, peak)
        return result


@contextmanager
def _marked(orders: Sequence[node.Order]) -> Iterator[None]:
    """Files by which a node knows that it sees this disk."""
    marks = {mark for order in orders for mark in order.marks()}
    for mark in marks:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
    try:
        yield
    finally:
        for mark in marks:
            mark.unlink(missing_ok=True)
