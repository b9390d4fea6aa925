"""A disk that fails at one of the writes of a stage, however the stage writes: a sentence, and no half of an out."""

import errno
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.faults import shim
from benchmarks.faults.shim import Fault, Shim
from benchmarks.faults.writes import UNSAID
from tests.helpers import ROOT

pytestmark = pytest.mark.skipif(not (shutil.which("gcc") or shutil.which("cc")) or sys.platform != "linux",
                                reason="the disk that fails is made with gcc, and preloaded as Linux does it")


def home(folder: Path) -> Path:
    (folder / "shim").mkdir()
    return folder / "shim"


def python(made: Shim, here: Path, *words: str) -> subprocess.CompletedProcess[str]:
    path = {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, *words], cwd=here, env=os.environ | made.environment | path,
                          capture_output=True, text=True)


WRITES = "import pathlib\nfor k in range(3): pathlib.Path(f'{k}').write_text('x')"


@pytest.mark.parametrize(("nth", "forever", "left"), [
    (1, True, {}), (2, True, {"0": 0}), (3, False, {"0": 1}), (4, False, {"0": 1, "1": 1}), (7, True, {
        "0": 1, "1": 1, "2": 1})])
def test_the_nth_call_fails(nth: int, forever: bool, left: dict[str, int], tmp_path: Path) -> None:
    """Each file is opened and written; what could not be written, Python tries once more when it closes the file."""
    made, here = Shim(home(tmp_path)), tmp_path / "here"
    here.mkdir()
    made.arm(here, Fault(errno.ENOSPC, nth, forever))
    done = python(made, here, "-c", WRITES)
    seen = made.disarm()
    assert {path.name: path.stat().st_size for path in here.iterdir()} == left
    assert ("OSError: [Errno 28] No space left on device" in done.stderr) == (nth < 7)
    assert (seen.what, seen.where) == {1: ("open", f"{here}/0"), 2: ("write", f"{here}/0"), 3: ("open", f"{here}/1"),
                                       4: ("write", f"{here}/1"), 7: ("", "")}[nth]


def test_other_folders_do_not_fail(tmp_path: Path) -> None:
    made, here = Shim(home(tmp_path)), tmp_path / "here"
    here.mkdir()
    made.arm(tmp_path / "her", Fault(errno.EIO, 1))
    assert python(made, here, "-c", WRITES).returncode == 0
    assert made.disarm().count == 0


def test_where_there_is_no_compiler_a_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(shim.NoCompiler, match=r"There is no C compiler here .* install one"):
        Shim(tmp_path)


@pytest.mark.slow
def test_every_way_of_writing_on_every_disk(tmp_path: Path) -> None:
    made, here = Shim(home(tmp_path)), tmp_path / "here"
    here.mkdir()
    done = python(made, here, "-m", "tests.benchmarks.shimmed", str(tmp_path / "shim"))
    assert done.returncode == 0, done.stderr
    trials = json.loads(done.stdout.splitlines()[-1])
    wrong = []
    for way, sentence, nth, code, said, left in trials:
        if sentence == "none" or code == 0:
            good = code == 0 and left and "Traceback" not in said
        else:
            told = sentence in said or UNSAID in said
            good = code == 1 and not left and told and "Traceback" not in said and "(out" in said
        if not good:
            wrong.append((way, sentence, nth, code, said, left))
    assert wrong == []
    tried = Counter(way for way, sentence, *_ in trials if sentence != "none")
    assert len(tried) == 14 and sum(tried.values()) > 30
