import errno
import math
import os
import pathlib
import sys
import time
from multiprocessing.process import BaseProcess

import numpy as np
import pytest

from tests import fragile
from tests.raw_tables import audio, image, table, texts
from trivium.data import probe as module
from trivium.data.probe import measured, probe
from trivium.machine import limited

COLUMNS = "key value digest start end"


def test_measurements_in_the_order_of_the_rows(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"")
    sound = audio(tmp_path, 0, seconds=1.0)
    rows = {
        "text": table(texts(["x" * i for i in range(100)]), COLUMNS),
        "image": table([image(tmp_path, 0, side=9), {"key": "k1", "value": "broken.png"}, {"key": "k2", "value": None}],
                       COLUMNS),
        "audio": table([sound, sound | {"start": 0.25, "end": 0.5}, sound | {"start": 2.0}], COLUMNS),
    }
    called = []
    found = probe(rows, {s: s for s in rows}, str(tmp_path), meanwhile=lambda: called.append(1))
    assert called == [1]
    assert found["text"]["characters"].tolist() == list(range(100))
    assert found["text"]["error"].tolist() == [None] * 100
    assert found["image"]["error"].tolist() == [None, "not an image, or of a format that Pillow cannot read", None]
    assert found["image"]["width"][0] == 9
    assert np.isnan(found["image"]["width"][1:]).all()
    assert found["audio"]["seconds"][:2].tolist() == [1.0, 0.25]
    assert math.isnan(found["audio"]["seconds"][2])
    assert found["audio"]["error"].tolist() == [None, None, "starts at 2.0 s, but the recording lasts 1.00 s"]


def test_what_is_printed_next_has_a_line_of_its_own(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    probe({"photo": table([image(tmp_path, 0, side=9)], COLUMNS)}, {"photo": "image"}, str(tmp_path))
    assert capsys.readouterr().err.endswith("\n")


@pytest.mark.parametrize("ahead", [3, 256])
def test_a_decoder_that_dies_costs_its_value_only(monkeypatch, ahead):
    monkeypatch.setattr(module, "AHEAD", ahead)
    values = ["crash" if i in (3, 4, 70) else "x" * i for i in range(300)]
    tasks = [("title", "text", "", [(value, None, None) for value in values[i: i + 30]]) for i in range(0, 300, 30)]
    done = list(measured(fragile.work, iter(tasks), 300, lambda: None))
    assert [task for task, _ in done] == tasks
    results = [result for _, part in done for result in part]
    damaged = {"error": "crashes its decoder: the file is damaged"}
    assert results == [damaged if value == "crash" else {"characters": len(value)} for value in values]


def test_few_values_and_a_decoder_that_hangs(tmp_path, monkeypatch):
    monkeypatch.setattr(limited, "COMPUTING", 1.0)
    fragile.endless(tmp_path / "endless.wav")
    rows = {"audio": table([audio(tmp_path, 0, seconds=1.0), {"key": "k1", "value": "endless.wav"},
                            audio(tmp_path, 2, seconds=0.5)], COLUMNS)}
    found = probe(rows, {"audio": "audio"}, str(tmp_path))["audio"]
    assert found["error"].tolist() == [None, "takes longer than 1 s of computing to decode", None]
    assert found["seconds"][[0, 2]].tolist() == [1.0, 0.5]


@pytest.mark.parametrize("before, after", [(0.3, 0), (0, 0.3)])
def test_no_worker_starts_while_another_dies(monkeypatch, before, after):
    """Python before 3.13 would wait for ever for that worker, or stop with "handle is closed"."""
    start = BaseProcess.start

    def slowly(process):
        time.sleep(before)
        start(process)
        time.sleep(after)

    monkeypatch.setattr(BaseProcess, "start", slowly)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(3), raising=False)
    tasks = [("title", "text", "", [(value, None, None)]) for value in ["crash", *"abc"]]
    done = list(measured(fragile.work, iter(tasks), 300, lambda: None))
    assert [results for _, results in done] == [[{"error": "crashes its decoder: the file is damaged"}],
                                                *[[{"characters": 1}]] * 3]


def test_a_disk_that_has_gone_stops_the_probe_and_blames_no_row(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(b"no picture")
    task = ("photo", "image", str(tmp_path), [("a.png", None, None)])
    assert [set(one) for one in module._work(task)] == [{"error"}]
    whole = pathlib.Path.open

    def gone(path, *words):
        if path.name == "a.png":
            raise OSError(errno.ESTALE, "Stale file handle", str(path))
        return whole(path, *words)

    monkeypatch.setattr(pathlib.Path, "open", gone)
    with pytest.raises(OSError, match="Stale file handle"):
        module._work(task)
