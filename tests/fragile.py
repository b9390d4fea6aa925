"""Decoders that die or never come back, as those written in C can."""

import itertools
import os
import signal
import struct
import time


def work(task):
    """The length of each value, but "crash" ends the process."""
    results = []
    for value, _, _ in task[3]:
        if value == "crash":
            os._exit(139)
        results.append({"characters": len(value)})
    return results


def odd(task):
    """The length of each value, but what is in `OF` does what it is called."""
    for value in task[-1]:
        OF.get(value, len)(value)
    return [{"characters": len(value)} for value in task[-1]]


def segfault(_):
    os.kill(os.getpid(), signal.SIGSEGV)


def computes(_):
    """Within one call into C, in which Python hears no signal."""
    sum(itertools.repeat(0))


def waits(_):
    time.sleep(600)


OF = {"segfault": segfault, "computes": computes, "waits": waits}


def endless(path):
    """A WAV of nine days of silence, which takes no room on a disk and many seconds to decode."""
    size = 3 << 30
    with path.open("wb") as file:
        about = struct.pack("<LHHLLHH", 16, 1, 1, 4000, 4000, 1, 8)
        file.write(b"RIFF" + struct.pack("<L", size + 36) + b"WAVEfmt " + about + b"data" + struct.pack("<L", size))
        file.truncate(size + 44)
