"""Ctrl-C and SIGTERM: out within seconds whatever this process is doing, with exit code 130 or 143.

The signal raises where the main thread is, so that what was begun is tidied up. That alone is not enough: Python loses
such an exception in a destructor or in a callback of a library, code between may catch everything, and a long call into
a library hears nothing before it is done. So a thread hears the signal, too. It raises again what was lost, and where
all that takes longer than `PATIENCE`, it ends this process and those that it has started.
"""

from __future__ import annotations

import atexit
import os
import select
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

CODES: dict[int, int] = {signal.SIGINT: 130, signal.SIGTERM: 143}
PATIENCE = 3.0  # seconds to tidy up
AGAIN = 0.5  # seconds after which a second signal is of somebody who does not want to wait; and between two looks
OF_DVC = "DVC_STAGE"  # which DVC sets for the stages that it runs


class Terminated(SystemExit):
    """Raised by SIGTERM. Where nobody catches it, Python ends with its code and says nothing."""


class Interrupted(KeyboardInterrupt, SystemExit):
    """Raised by Ctrl-C. Libraries know it as the former, Python's end as the latter: as above."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code  # which only the second of the two would set


class _State:
    """owner: pid of the process that heeds; a fork has another one.  code: of the signal that came, 0 where none did.
    raised: the latest exception.  depth: blocks of `ended` that are open.  over: whether the outermost one was left
    scratch: folders that are half-written, and go with this process whatever it is doing
    """

    def __init__(self) -> None:
        self.owner = self.code = self.depth = 0
        self.raised: BaseException | None = None
        self.over = False
        self.scratch = set[Path]()


_state = _State()


def heed() -> None:
    """Hear both from here on. What the parent had ignored (`nohup`) stays ignored; a second call changes nothing, and
    neither does one outside the main thread. A stage whose DVC was killed takes it for SIGTERM: nobody would keep what
    it makes, and the next run would meet it.
    """
    if _state.owner == os.getpid() or threading.current_thread() is not threading.main_thread():
        return
    _state.__init__()  # type: ignore[misc]
    _state.owner = os.getpid()
    for number in CODES:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _answer)
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    os.register_at_fork(after_in_child=_deaf)
    sys.unraisablehook = _unraisable
    threading.Thread(target=_watch, args=(read,), name="signals", daemon=True).start()


@contextmanager
def ended() -> Iterator[None]:
    """For all that a command does: the signal that came in it is its exit code, also where the exception was lost, or
    became another one on its way. What comes after it ends the process at once: nothing is left to tidy up.
    """
    _state.depth += 1
    try:
        yield
    except KeyboardInterrupt:
        if not heard():  # somebody else's answer to Ctrl-C
            raise Terminated(130) from None
    except BaseException:
        if not heard():
            raise
    finally:
        _state.depth -= 1
        _state.over = not _state.depth
    if code := heard():
        _end(code)


def heard() -> int:
    """The exit code of the signal that came; 0 where none did."""
    return _state.code if _state.owner == os.getpid() else 0


@contextmanager
def scratch(*folders: Path) -> Iterator[None]:
    """These folders are gone when the block ends, also where a signal comes while they are removed, or where the
    process is ended before it has come to that.
    """
    _state.scratch |= set(folders)
    try:
        _remove(*folders)
        yield
    finally:
        _remove(*folders)
        _state.scratch -= set(folders)


def _remove(*folders: Path) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _end(code: int) -> None:
    """All is tidied up: Python's own end would take libraries to pieces, for seconds."""
    if _state.depth:
        raise Terminated(code)
    _remove(*_state.scratch)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _answer(number: int, frame: FrameType | None) -> None:
    """In the main thread."""
    code = CODES[number]
    if _state.owner != os.getpid():  # a fork that has not come to itself yet
        os._exit(code)
    if _state.over:  # all is done, or tidied up
        return None if _state.code else _leave(code)
    _state.code = _state.code or code
    if not _tidying() and not _importing(frame):
        _state.raised = (Interrupted if number == signal.SIGINT else Terminated)(_state.code)
        raise _state.raised


def _importing(frame: FrameType | None) -> bool:
    """Whether a module is being loaded: libraries of C++ abort at an exception there. `_insist` asks again."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def _tidying() -> bool:
    """Whether the main thread, from which this is called, deals with what was raised in it."""
    error = sys.exception()
    while error is not None and error is not _state.raised:
        error = error.__context__
    return error is not None


def _watch(read: int) -> None:
    """In a thread, which the signal reaches at once."""
    parent = os.getppid() if OF_DVC in os.environ else 0
    while True:
        while not select.select([read], [], [], 1.0 if parent else None)[0]:
            if os.getppid() != parent:
                parent = 0
                os.kill(os.getpid(), signal.SIGTERM)
        number = os.read(read, 1)[0]
        if number in CODES and signal.getsignal(number) is _answer:  # a server has answers of its own
            _insist(read, number)


def _insist(read: int, number: int) -> None:
    begun = looked = time.monotonic()
    own = 0
    while (now := time.monotonic()) < begun + PATIENCE:
        if now >= looked + AGAIN:
            looked, own = now, own + 1
            signal.pthread_kill(threading.main_thread().ident or 0, number)  # which comes back as a byte
        if select.select([read], [], [], AGAIN / 5)[0]:
            for other in os.read(read, 64):
                mine = other == number and own > 0
                own -= mine
                if other in CODES and not mine and now > begun + AGAIN:
                    _leave(CODES[number])
    _leave(CODES[number])


def _leave(code: int) -> None:
    """At once, with all processes that this one has started."""
    with suppress(Exception):
        import psutil

        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                child.kill()
    if _state.owner == os.getpid() and _state.scratch:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 2)  # the main thread may miss what goes now, and would say so
        _remove(*_state.scratch)
    os._exit(code)


def _deaf() -> None:
    """A fork does not wake its parent's thread."""
    with suppress(ValueError):
        signal.set_wakeup_fd(-1)


def _unraisable(lost: Any) -> None:
    if not isinstance(lost.exc_value, Interrupted | Terminated):
        sys.__unraisablehook__(lost)
