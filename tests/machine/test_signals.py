"""Commands that hear Ctrl-C and SIGTERM, each as a process of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.helpers import ROOT
from tests.machine.test_workers import alive
from tests.training.test_jobs import gone

BOTH = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
HEAD = "import hashlib, signal, sys, time\nfrom trivium.machine import signals\nsignals.heed()\n"
READY = "print('ready', flush=True)"
DEAF = "hashlib.pbkdf2_hmac('sha256', b'a', b'b', 10**9)"  # minutes in which Python hears nothing


def hearing() -> None:
    """A test that runs in the background is deaf to Ctrl-C; what it starts is not to be."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def start(body: str, **more: str) -> "subprocess.Popen[str]":
    lines = "\n    ".join(body.splitlines())
    process = subprocess.Popen([sys.executable, "-c", f"{HEAD}with signals.ended():\n    {lines}"], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=hearing,
                               env=os.environ | {"PYTHONPATH": str(ROOT / "src")} | more)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def ends(process: "subprocess.Popen[str]", kind: signal.Signals) -> tuple[int, float, str, str]:
    """Exit code after the signal, seconds until then, and what was said."""
    begun = time.monotonic()
    process.send_signal(kind)
    said, wrong = process.communicate(timeout=60)
    return process.returncode, time.monotonic() - begun, said, wrong


@pytest.mark.parametrize(("kind", "code"), BOTH)
def test_what_was_begun_is_tidied_up(kind: signal.Signals, code: int) -> None:
    process = start(f"try:\n    {READY}\n    time.sleep(60)\nfinally:\n    print('tidied up')")
    found, _, said, wrong = ends(process, kind)
    assert (found, said, wrong) == (code, "tidied up\n", "")


@pytest.mark.parametrize(("kind", "code"), BOTH)
def test_while_modules_are_loaded(kind: signal.Signals, code: int, tmp_path: Path) -> None:
    """Before anything looks after what is raised."""
    (tmp_path / "slow.py").write_text(f"{READY}\nimport time\ntime.sleep(60)\n")
    process = subprocess.Popen([sys.executable, "-c", f"{HEAD}import slow"], text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, preexec_fn=hearing,
                               env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{tmp_path}"})
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    found, _, _, wrong = ends(process, kind)
    assert (found, wrong) == (code, "")


@pytest.mark.parametrize(("kind", "code"), BOTH)
@pytest.mark.parametrize("lost", [
    "try:\n    time.sleep(60)\nexcept BaseException:\n    print('swallowed')",
    "class Noisy:\n    def __del__(self):\n        time.sleep(60)\nNoisy()",
    "try:\n    time.sleep(60)\nexcept BaseException as error:\n    raise ValueError from error",
])
def test_one_that_gets_lost_comes_again(lost: str, kind: signal.Signals, code: int) -> None:
    inner = lost.replace("\n", "\n    ")
    found, seconds, _, wrong = ends(start(f"{READY}\nfor _ in range(3):\n    {inner}\nprint('done')"), kind)
    assert (found, wrong) == (code, "") and seconds < 5


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "code"), BOTH)
def test_a_long_call_into_a_library_is_not_waited_for(kind: signal.Signals, code: int) -> None:
    process = start(f"{READY}\n{DEAF}")
    time.sleep(1.0)  # until it is in there
    found, seconds, _, wrong = ends(process, kind)
    assert (found, wrong) == (code, "") and 2 < seconds < 20  # 3 on a machine with nothing else to do


@pytest.mark.slow
def test_tidying_up_has_an_end_too_and_processes_go_with_it() -> None:
    process = start("import subprocess\nother = subprocess.Popen(['sleep', '600'])\n"
                    f"try:\n    {READY}\n    time.sleep(60)\nfinally:\n    print(other.pid, flush=True)\n"
                    "    time.sleep(60)")
    found, seconds, said, _ = ends(process, signal.SIGTERM)
    assert found == 143 and seconds < 20
    assert gone([int(said)])


def test_whoever_asks_twice_does_not_wait() -> None:
    process = start(f"{READY}\n{DEAF}")
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    time.sleep(0.8)
    found, seconds, _, _ = ends(process, signal.SIGINT)
    assert found == 130 and seconds < 2.5


def test_work_that_ends_all_the_same_counts_as_interrupted() -> None:
    body = f"{READY}\ntry:\n    time.sleep(60)\nexcept BaseException:\n    pass\nprint('done')"
    assert ends(start(body), signal.SIGTERM)[0] == 143


def test_what_the_parent_ignores_stays_ignored() -> None:
    """As after `nohup`, and in the background of a shell without job control."""
    code = f"{HEAD}print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
                          preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN) and None)
    assert done.stdout == "True\n", done.stderr


def test_a_stage_whose_dvc_was_killed_ends() -> None:
    """Else the next run would meet it."""
    inner = f"{HEAD}with signals.ended():\n    print('ready', flush=True)\n    time.sleep(60)"
    outer = (f"import subprocess, sys\nchild = subprocess.Popen([sys.executable, '-c', {inner!r}])\n"
             "print(child.pid, flush=True)\nchild.wait()")
    for told, lives in (({"DVC_STAGE": "train"}, False), ({}, True)):
        process = subprocess.Popen([sys.executable, "-c", outer], text=True, stdout=subprocess.PIPE,
                                   env=os.environ | {"PYTHONPATH": str(ROOT / "src")} | told)
        assert process.stdout is not None
        lines = sorted(process.stdout.readline() for _ in range(2))
        child = int(lines[0])
        process.kill()
        process.wait()
        time.sleep(3.0)
        assert alive(child) is lives
        if lives:
            os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize(("kind", "code"), BOTH)
@pytest.mark.parametrize("body", [
    f"{READY}\n    {DEAF}",  # a long call into a library
    f"signals._remove = lambda *_, own=signals._remove: setattr(signals, '_remove', own) or {READY} or time.sleep(60)",
], ids=["in a library", "while it is removed"])
def test_what_is_half_written_goes_whatever_the_process_is_doing(kind: signal.Signals, code: int, body: str,
                                                                 tmp_path: Path) -> None:
    folder = tmp_path / "made.part"
    process = start(f"from pathlib import Path\nfolder = Path({str(folder)!r})\nwith signals.scratch(folder):\n"
                    f"    folder.mkdir()\n    (folder / 'half').write_text('a')\n    {body}")
    assert (folder / "half").exists()
    found, _, said, wrong = ends(process, kind)
    assert (found, said, wrong) == (code, "", "") and not folder.exists()


def test_a_command_whose_modules_are_still_loaded_ends_in_silence() -> None:
    script = ("import sys, time\nclass Slow:\n    def find_spec(self, name, *_):\n"
              "        if name == 'trivium.cli.main':\n            print('ready', flush=True)\n"
              "            time.sleep(60)\nsys.meta_path.insert(0, Slow())\n"
              "from trivium.cli.start import main\nmain()")
    process = subprocess.Popen([sys.executable, "-c", script], text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, preexec_fn=hearing,
                               env=os.environ | {"PYTHONPATH": str(ROOT / "src")})
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    found, _, said, wrong = ends(process, signal.SIGINT)
    assert (found, said, wrong) == (-signal.SIGINT, "", "")
