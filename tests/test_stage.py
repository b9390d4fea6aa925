import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import ROOT
from trivium.machine.measured import Measured
from trivium.stage import fresh, measure, peak_memory_bytes


def run_stage(folder: Path, body: str) -> subprocess.CompletedProcess[str]:
    """A stage called `try` that does `body`, as a process of its own in `folder`."""
    (folder / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    script = folder / "try.py"
    lines = "\n    ".join(body.splitlines())
    script.write_text(f"from trivium.stage import fresh, run\nfrom trivium.settings.errors import UserError\n"
                      f"def main(params):\n    {lines}\nrun('try', main)\n")
    return subprocess.run([sys.executable, str(script)], cwd=folder, capture_output=True, text=True,
                          env={"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin"})


def test_a_stage_gets_the_settings_and_leaves_its_cost(tmp_path: Path) -> None:
    done = run_stage(tmp_path, "with fresh('out') as out:\n    (out / 'a').write_text(str(params.seeds))")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "a").read_text() == "5"
    measured = json.loads((tmp_path / "reports" / "measured" / "try.json").read_text())
    always = {"seconds", "cpu_seconds", "peak_memory_bytes"}
    assert always <= set(measured) <= always | {"joules"}
    assert 0 <= measured["seconds"] < 60 and 0 < measured["cpu_seconds"] < 60
    assert measured["peak_memory_bytes"] > 1_000_000


def test_the_exit_does_not_look_for_garbage_in_what_the_libraries_made(tmp_path: Path) -> None:
    done = run_stage(tmp_path, "import atexit, gc\natexit.register(lambda: print(gc.get_freeze_count()))")
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10_000


def test_a_users_mistake_is_one_paragraph_and_exit_code_1(tmp_path: Path) -> None:
    done = run_stage(tmp_path, "with fresh('out') as out:\n    (out / 'a').write_text('x')\n"
                               "    raise UserError('row 3 of labels.csv has no label: fill it in.')")
    assert done.returncode == 1
    assert done.stderr.strip() == "try stopped: row 3 of labels.csv has no label: fill it in."
    assert sorted(path.name for path in tmp_path.iterdir()) == ["params.yaml", "try.py"]


def test_a_mistake_of_ours_keeps_its_trace(tmp_path: Path) -> None:
    done = run_stage(tmp_path, "1 / 0")
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr


def test_a_wrong_params_file_stops_the_stage(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    script = tmp_path / "work" / "try.py"
    script.write_text("from trivium.stage import run\nrun('try', print)\n")
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path / "work", capture_output=True, text=True,
                          env={"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin"})
    assert done.returncode == 1
    assert "try stopped: params.yaml does not exist here" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_says_what_to_do(tmp_path: Path) -> None:
    done = run_stage(tmp_path, f"raise OSError({errno.ENOSPC}, 'No space left on device', 'data/raw/x.png')")
    assert done.returncode == 1
    assert "try stopped: No space is left on the disk (data/raw/x.png)" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_names_the_out_where_the_system_names_no_file(tmp_path: Path) -> None:
    done = run_stage(tmp_path, f"with fresh('out'):\n    raise OSError({errno.ENOSPC}, 'No space left on device')")
    assert done.returncode == 1
    assert "try stopped: No space is left on the disk (out)" in done.stderr


def test_memory_that_ran_out_says_what_to_do(tmp_path: Path) -> None:
    done = run_stage(tmp_path, "import numpy\nnumpy.empty(1 << 60, dtype='u1')")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "try stopped: Memory ran out (1.00 EiB more were asked for). Close other programs" in done.stderr


def test_what_a_gpu_refuses_is_said_without_a_trace(tmp_path: Path) -> None:
    # One of the few operators that torch refuses on a CPU, too; from a worker, as in training.
    (tmp_path / "refused.py").write_text(
        "import torch\nfrom trivium.machine import device\n\n\ndef work(_):\n    device.deterministic('cpu')\n"
        "    x, places = torch.nn.functional.max_pool2d(torch.rand(1, 1, 4, 4), 2, return_indices=True)\n"
        "    torch.nn.functional.max_unpool2d(x, places, 2)\n")
    done = run_stage(tmp_path, "from refused import work\nfrom trivium.machine.workers import processes\n"
                               "with processes(1) as run:\n    list(run(work, [0]))")
    assert done.returncode == 1
    assert "try stopped: torch has no kernel for `max_unpooling2d_forward_out` on a GPU that gives" in done.stderr
    assert "`loop.device: cpu`" in done.stderr and "Traceback" not in done.stderr


def test_a_full_gpu_and_an_unknown_one_say_what_to_do(tmp_path: Path) -> None:
    for said, expected in (("torch.OutOfMemoryError('CUDA out of memory. Tried to allocate 2.00 GiB.')",
                            "(CUDA out of memory. Tried to allocate 2.00 GiB). In params.yaml, lower `loop.batch`"),
                           ("RuntimeError('CUDA error: no kernel image is available for execution on the device')",
                            "This build of torch has no kernels for the GPU here")):
        done = run_stage(tmp_path, f"import torch\nraise {said}")
        assert done.returncode == 1
        assert expected in done.stderr and "Traceback" not in done.stderr


def test_other_system_errors_keep_their_trace(tmp_path: Path) -> None:
    done = run_stage(tmp_path, "open('nowhere/x')")
    assert done.returncode == 1
    assert "FileNotFoundError" in done.stderr


def test_ctrl_c_and_sigterm_clean_up(tmp_path: Path) -> None:
    for sent, code in (("SIGINT", 130), ("SIGTERM", 143)):
        # A job in the background is born deaf to Ctrl-C; this one is to hear it wherever the tests run.
        hears = "import os, signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        done = run_stage(tmp_path, f"{hears}with fresh('out') as out:\n    (out / 'a').write_text('x')\n"
                                   f"    os.kill(os.getpid(), signal.{sent})")
        assert done.returncode == code
        assert "Traceback" not in done.stderr
        assert not list(tmp_path.glob("out*"))


def test_fresh_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    old = tmp_path / "out"
    old.mkdir()
    (old / "old").write_text("old")
    with fresh(old) as out:
        (out / "new").write_text("new")
        assert (old / "old").exists()
    assert [path.name for path in old.iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_fresh_leaves_nothing_of_a_failure(tmp_path: Path) -> None:
    with pytest.raises(KeyError), fresh(tmp_path / "deep" / "out") as out:
        (out / "half").write_text("half")
        raise KeyError
    assert list((tmp_path / "deep").iterdir()) == []


def test_fresh_keeps_the_old_when_the_new_fails(tmp_path: Path) -> None:
    old = tmp_path / "out"
    old.mkdir()
    (old / "old").write_text("old")
    with pytest.raises(KeyError), fresh(old):
        raise KeyError
    assert (old / "old").read_text() == "old"


def test_fresh_starts_empty_after_a_kill(tmp_path: Path) -> None:
    (tmp_path / "out.part").mkdir()
    (tmp_path / "out.part" / "half").write_text("half")
    with fresh(tmp_path / "out") as out:
        (out / "new").write_text("new")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["new"]


def test_measure_merges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    measure("train@a", Measured(seconds=1.0, joules=5.0, seeds=[0.5]))
    measure("train@a", Measured(seconds=2.0, joules=None))
    assert json.loads(Path("reports/measured/train@a.json").read_text()) == {"seconds": 2.0, "seeds": [0.5]}


@pytest.mark.parametrize("left", ["", '{"joules": 5, "sec', "[1, 2]", "\0\0\0"])
def test_a_broken_measurement_is_made_again(left: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("reports/measured/fuse@a.json")
    path.parent.mkdir(parents=True)
    path.write_text(left)
    measure("fuse@a", Measured(seconds=2.0))
    assert path.read_text() == '{\n "seconds": 2.0\n}\n'


def test_peak_memory_is_in_bytes() -> None:
    assert 5_000_000 < peak_memory_bytes() < 1_000_000_000_000
