import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.fake_outs import fake_outs
from tests.helpers import ROOT
from trivium.settings.errors import UserError
from trivium.tracking import view
from trivium.tracking.ui import free_port


def test_a_taken_port_is_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port < free_port(port) < port + 50


def test_no_port_left_is_said() -> None:
    with pytest.raises(UserError, match="--port"):
        free_port(65536)


def test_the_address_opens_the_first_view() -> None:
    assert view.address(5000, "1") == (
        "http://127.0.0.1:5000/#/experiments/1/runs?viewStateShareKey=strategies&workflowType=machine_learning")


@pytest.mark.slow
def test_the_ui_comes_up_and_goes_down(tmp_path: Path) -> None:
    root = fake_outs(tmp_path)
    port = free_port(5700)
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "trivium.cli", "ui", "--port", str(port)]
    with (tmp_path / "ui.log").open("wb") as words:
        ui = subprocess.Popen(command, cwd=root, env=environment, stdout=words, stderr=subprocess.STDOUT)
    try:
        until = time.monotonic() + 150
        while "Ctrl-C stops it" not in (said := (tmp_path / "ui.log").read_text()):
            assert ui.poll() is None and time.monotonic() < until, said
            time.sleep(0.2)
        assert f"http://127.0.0.1:{port}/#/experiments/1/runs" in said
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/api/2.0/mlflow/runs/search", headers={"Content-Type": "application/json"},
            data=json.dumps({"experiment_ids": ["1"], "filter": view.VIEWS[view.FIRST]["searchFilter"],
                             "order_by": ["metrics.`rank` ASC"]}).encode())
        found = json.loads(urllib.request.urlopen(request, timeout=20).read())
        assert [run["info"]["run_name"] for run in found["runs"]] == [
            "supervised_frozen", "unimodal", "end_to_end", "comparison"]
    finally:
        ui.send_signal(signal.SIGINT)
        assert ui.wait(timeout=30) == 0
    assert free_port(port) == port  # nobody listens any more
