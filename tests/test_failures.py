"""What a disk or a memory that fails says, of the errors that libraries really make of it."""

import errno
import os
import pickle
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.helpers import ROOT
from trivium.settings.failures import at, of_machine, of_memory

FULL = "No space is left on the disk"


def raised(name: str, words: str, base: type[Exception] = RuntimeError) -> Exception:
    return type(name, (base,), {})(words)


@pytest.mark.parametrize(("error", "expected"), [
    (OSError(errno.ENOSPC, "No space left on device", "data/raw/x.png"), f"{FULL} (data/raw/x.png). Free some"),
    (OSError(errno.ENOSPC, "No space left on device"), f"{FULL}. Free some"),
    (OSError(errno.EXDEV, "x", "a", None, "b"), None),
    (OSError(errno.EROFS, "Read-only file system", "models"), "The disk is read-only (models). Mount it for writing"),
    (OSError(errno.EACCES, "Permission denied", b"models"), "This user may not write there (models). `ls -ld`"),
    (OSError(errno.EPERM, "Operation not permitted", "a", None, "b"), "This user may not write there (b). `ls -ld`"),
    (OSError(errno.EDQUOT, "Disk quota exceeded", 7), "Your quota on this disk is used up. Delete"),
    (OSError(errno.EIO, "Input/output error", "x"), "The disk cannot be read or written (x) (input/output error)"),
    (OSError(errno.ESTALE, "Stale file handle", "x"), "The disk is not there any more (x): it was unmounted"),
    (OSError("[Errno 28] Error writing bytes to file. Detail: [errno 28] No space left on device"), FULL),  # pyarrow
    (raised("SafetensorError", "Error while serializing: I/O error: No space left on device (os error 28)"), FULL),
    (sqlite3.OperationalError("database or disk is full"), FULL),
    (sqlite3.OperationalError("attempt to write a readonly database"), "The disk is read-only"),
    (sqlite3.OperationalError("disk I/O error"), "The disk cannot be read or written"),
    (sqlite3.OperationalError("no such table: runs"), None),
    (raised("LibsndfileError", "Error opening 'x.wav': System error."), "The disk did not take what was written:"),
    (RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 576 vs 534"), "The disk did not take"),
    (OSError("100000 requested and 0 written"), "The disk did not take what was written:"),  # NumPy
    (sqlite3.OperationalError("unable to open database file"), "The disk did not take what was written:"),
    (OSError("cannot identify image file 'x.png'"), None),
    (FileNotFoundError(errno.ENOENT, "No such file or directory", "x"), None),
    (ValueError("Permission denied"), None),
    (ZeroDivisionError(), None),
])
def test_the_sentence(error: Exception, expected: str | None) -> None:
    found = of_machine(error)
    assert (found is None) == (expected is None)
    assert expected is None or str(found).startswith(expected)
    assert expected is None or str(found).endswith("What was finished is kept: run it again, and it goes on.")


def test_what_led_to_an_error_counts() -> None:
    try:
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as error:
            raise RuntimeError("writing failed") from error
    except RuntimeError as error:
        assert str(of_machine(error)).startswith(FULL)
    assert str(of_machine(ExceptionGroup("all", [ValueError(), OSError(errno.EROFS, "")]))).startswith("The disk is")


def test_the_place_comes_along_from_a_worker() -> None:
    error = OSError(errno.ENOSPC, "No space left on device")
    at(error, Path("data/raw"))
    at(error, "outside of that")
    assert str(of_machine(pickle.loads(pickle.dumps(error)))).startswith(f"{FULL} (data/raw). Free")


def test_a_library_that_does_not_say_why_has_the_disk_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    error, asked = OSError("100000 requested and 0 written"), list[Path]()
    at(error, tmp_path / "data")

    def full(dir: Path) -> object:
        asked.append(dir)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    assert str(of_machine(error)).startswith(f"{FULL} ({tmp_path}/data). Free some") and asked == [tmp_path]


@pytest.mark.parametrize("error", [
    MemoryError(), OSError(errno.ENOMEM, "Cannot allocate memory"), RuntimeError("std::bad_alloc"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you tried "
                 "to allocate 17179869184 bytes. Error code 12 (Cannot allocate memory)")])
def test_memory_that_ran_out_says_what_to_lower(error: Exception) -> None:
    assert of_memory(error)
    said = str(of_machine(error, "`loop.batch`"))
    assert said.startswith("Memory ran out") and "In params.yaml, lower `loop.batch`; or close other programs" in said
    assert ("(17179869184 bytes more were asked for)" in said) == ("17179869184" in str(error))
    assert "params.yaml" not in str(of_machine(error))


def test_a_full_gpu_is_no_memory_of_the_machine() -> None:
    assert not of_memory(raised("OutOfMemoryError", "CUDA out of memory. Tried to allocate 2.00 GiB."))


def test_a_full_disk_before_compare_has_begun(tmp_path: Path) -> None:
    """The process that writes to MLflow is started first, and has a scratch folder."""
    script = (f"import tempfile\nfrom pipeline import compare\nfull = OSError({errno.ENOSPC}, 'No space', 'tmp')\n"
              "tempfile.mkdtemp = lambda *_, **__: (_ for _ in ()).throw(full)\ncompare.start()")
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True,
                          env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.strip().startswith("compare stopped: No space is left on the disk (tmp). Free some")
