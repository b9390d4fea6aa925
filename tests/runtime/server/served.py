"""A server of an exported folder, as a process of its own on 127.0.0.1, and how to speak with it."""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PATIENCE = 60.0  # seconds


class Served:
    """port: where it answers;  process: to be ended by its id."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process, self.port = process, port

    def ask(self, body: Any, path: str = "/predict", **headers: str) -> tuple[int, Any]:
        """Status and JSON. body: a JSON value, or bytes as they are."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} | {key.replace("_", "-"): value for key, value in headers.items()}
        try:
            connection.request("POST", path, content, sent)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def open(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=PATIENCE)


@contextmanager
def serving(folder: Path, *words: str, begin: tuple[str, ...] = (), **environment: str) -> Iterator[Served]:
    """words: of the command line;  begin: what stands before the command."""
    command = [*begin, sys.executable, "-m", "trivium.runtime.server", str(folder), "--port", "0", *words]
    home = {"PYTHONPATH": os.pathsep.join(sys.path)} | environment
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               env=os.environ | home)
    assert process.stdout is not None
    try:
        first = process.stdout.readline()
        assert " answers at http://" in first, first + process.stdout.read()
        yield Served(process, int(first.rpartition(":")[2]))
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()


def encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
