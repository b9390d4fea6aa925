"""How fast clips go through `preprocess`, beside what it costs to decode all of their frames and do nothing else.

`python -m benchmarks.video [CLIPS]`: clips of 5 s of 320 x 240 pixels, H.264 at 25 frames a second, key frames 2 s
apart, are made once; then, in turns, two processes decode every frame with PyAV (the decoder of ffmpeg, on one thread
each), and two make features of 4 frames a second as `preprocess` does, 20 of 64 x 64 pixels, their length and moments
included. What is said is the median over the turns.

`python -m benchmarks.video hour`: one video of an hour, of which 5 s are read near its end, with what that takes of
memory beside the same of a video of 10 s.
"""

from __future__ import annotations

import functools
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.machine import machine
from trivium.data.rows import Reading
from trivium.data.tensors import _decode
from trivium.machine.workers import processes
from trivium.modalities import video
from trivium.modalities.videos import container

SECONDS, RATE, SIZE = 5, 25, (320, 240)
TURNS, WORKERS, CHUNK = 5, 2, 8
SETTINGS = video.Settings(size=64, frames=20, frames_per_second=4)


def make(folder: Path, count: int, seconds: int = SECONDS) -> list[str]:
    from fractions import Fraction

    import av

    rng = np.random.default_rng(0)
    names = []
    for k in range(count):
        names.append(f"{seconds}s-{k}.mp4")
        texture = rng.integers(0, 256, (SIZE[1] // 8, SIZE[0] // 8 + 60, 3)).astype(np.uint8).repeat(8, 0).repeat(8, 1)
        with av.open(str(folder / names[-1]), "w") as target:
            stream = target.add_stream("libx264", rate=RATE)
            stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
            stream.options = {"g": str(2 * RATE), "preset": "veryfast"}
            for t in range(seconds * RATE):
                left = 3 * t % (3 * SECONDS * RATE)
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(texture[:, left: left + SIZE[0]]), "rgb24")
                frame.pts, frame.time_base = t, Fraction(1, RATE)
                target.mux(stream.encode(frame))
            target.mux(stream.encode(None))
    return names


def every_frame(folder: Path, chunk: list[str]) -> int:
    """Decode and do nothing else. Runs in a worker."""
    count = 0
    for name in chunk:
        with container(folder / name) as source:
            source.streams.video[0].codec_context.thread_count = 1
            count += sum(1 for _ in source.decode(video=0))
    return count


def features(folder: Path, chunk: list[str]) -> int:
    """As `preprocess` does. Runs in a worker."""
    spec = video.spec(SETTINGS)
    rows = [(name, name, None, None, None) for name in chunk]
    return len(_decode([(Reading("clip", "video", "video", SETTINGS), spec)], str(folder), rows)[0][0])


def timed(work: Callable, folder: Path, names: list[str]) -> float:
    """Clips a second."""
    chunks = [names[k: k + CHUNK] for k in range(0, len(names), CHUNK)]
    with processes(WORKERS) as run:
        list(run(functools.partial(work, folder), chunks[:WORKERS]))  # libraries load
        begin = time.perf_counter()
        list(run(functools.partial(work, folder), chunks))
        return len(names) / (time.perf_counter() - begin)


def near_end(path: str, seconds: int) -> tuple[float, int]:
    """Reads the last 5 s: seconds, and the most bytes of memory that it took. Runs in a process of its own."""
    import resource

    folder, name = Path(path).parent, Path(path).name
    video.decode(name, folder, 0.0, 1.0, SETTINGS)  # libraries load
    begin = time.perf_counter()
    video.decode(name, folder, seconds - SECONDS, seconds, SETTINGS)
    return time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def hour() -> None:
    print(machine()["processor"])
    with tempfile.TemporaryDirectory() as place:
        for seconds in (10, 3600):
            path = str(Path(place) / make(Path(place), 1, seconds)[0])
            with processes(1) as run:
                took, most = next(iter(run(functools.partial(near_end, seconds=seconds), [path])))[1]
            print(f"{seconds:,} s of video: its last {SECONDS} s are read in {took:.2f} s; "
                  f"{most / 1e6:.0f} MB at most.")


def main(count: int) -> None:
    print(machine()["processor"])
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        names = make(folder, count)
        found = [(timed(every_frame, folder, names), timed(features, folder, names)) for _ in range(TURNS)]
    bare, ours = (statistics.median(one[k] for one in found) for k in (0, 1))
    print(f"{count} clips of {SECONDS} s: every frame decoded {bare:.1f} clips/s; through preprocess {ours:.1f}; "
          f"{statistics.median(one[1] / one[0] for one in found):.2f} of it, on {WORKERS} processes.")


if __name__ == "__main__":
    if sys.argv[1:] == ["hour"]:
        hour()
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
