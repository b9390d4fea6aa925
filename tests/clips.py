"""Little clips, written by PyAV: what a test says of a frame can be read off its pixels."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

TICKS = 1000  # a second


def greys(count: int, size: tuple[int, int] = (96, 64)) -> list[np.ndarray]:
    """`count` pictures (width, height), from black to white: frame k has the grey `grey_of(k, count)`."""
    return [np.full((size[1], size[0], 3), grey_of(k, count), np.uint8) for k in range(count)]


def grey_of(k: int, count: int) -> int:
    return 16 + 224 * k // max(1, count - 1)


def write(path: Path, pictures: Sequence[np.ndarray], fps: float = 25, codec: str = "libx264", keys: int = 12,
          times: Sequence[float] | None = None, sound: np.ndarray | None = None, **options: str) -> Path:
    """pictures: uint8 [H, W, 3].  times: seconds at which each is shown.  keys: frames from key frame to key frame.
    sound: float32 [N] at 16 kHz.
    """
    import av

    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1000))
        stream.options = {"g": str(keys), **({"preset": "ultrafast"} if codec == "libx264" else {}), **options}
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        voice = container.add_stream("pcm_s16le" if path.suffix in (".mkv", ".avi") else "aac",
                                     rate=16_000) if sound is not None else None
        if voice is not None:
            voice.layout = "mono"
        for k, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.time_base, frame.pts = Fraction(1, TICKS), round(TICKS * (times[k] if times else k / fps))
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if voice is not None and sound is not None:
            for at in range(0, len(sound), 1024):
                piece = av.AudioFrame.from_ndarray((sound[None, at: at + 1024] * 32767).astype(np.int16), "s16", "mono")
                piece.sample_rate, piece.time_base, piece.pts = 16_000, Fraction(1, 16_000), at
                container.mux(voice.encode(piece))
            container.mux(voice.encode(None))
    return path


POSES = {"quarter": (0, 1, -1, 0), "half": (-1, 0, 0, -1), "three quarters": (0, -1, 1, 0), "mirror": (-1, 0, 0, 1),
         "upside down": (1, 0, 0, -1), "transpose": (0, 1, 1, 0), "other transpose": (0, -1, -1, 0)}


def posed(path: Path, pose: str) -> Path:
    """The file (mp4) with a display matrix that turns its pictures clockwise, or mirrors them (see `POSES`)."""
    matrix = POSES[pose]
    content = bytearray(path.read_bytes())
    at = content.find(b"tkhd") + 4 + 40
    a, b, c, d = (value * 65536 for value in matrix)
    content[at: at + 36] = np.array([a, b, 0, c, d, 0, 0, 0, 1 << 30], ">i4").tobytes()
    path.write_bytes(bytes(content))
    return path


SHAPES, WAYS = ("square", "cross"), ("left", "right")
CLASSES = tuple(f"{shape}_{way}" for shape in SHAPES for way in WAYS)


def moving(shape: str, way: str, rng: np.random.Generator, count: int = 12, side: int = 32) -> list[np.ndarray]:
    """A bright shape that goes from one side to the other and comes in again: no single frame tells which way."""
    noise = rng.integers(0, 60, (count, side, side))
    mask = np.ones((9, 9), bool)
    if shape == "cross":
        mask[:3, :3] = mask[:3, -3:] = mask[-3:, :3] = mask[-3:, -3:] = False
    top, first, speed = int(rng.integers(0, side - 9)), int(rng.integers(side)), int(rng.integers(2, 5))
    pictures = []
    for k in range(count):
        left = first + (k if way == "right" else -k) * speed
        columns = (left + np.arange(9)) % side
        noise[k][np.ix_(np.arange(top, top + 9), columns)] = np.where(mask, 230, noise[k][top: top + 9][:, columns])
        pictures.append(np.repeat(noise[k][..., None], 3, 2).astype(np.uint8))
    return pictures


def world(folder: Path, rows: int, sound: bool = False) -> Path:
    """A table of `rows` clips of 1.5 s at 8 frames a second, whose class is a shape and the way that it moves; their
    sound, a tone, tells the shape.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["id,label,clip"]
    for k in range(rows):
        rng = np.random.default_rng([7, k])
        shape, way = CLASSES[k % 4].split("_")
        hertz = 300 if shape == "square" else 900
        tone = 0.4 * np.sin(2 * np.pi * hertz * np.arange(24_000) / 16_000) + rng.normal(0, 0.05, 24_000)
        write(folder / f"c{k}.mp4", moving(shape, way, rng), 8, sound=tone.astype(np.float32) if sound else None)
        lines.append(f"c{k},{shape}_{way},c{k}.mp4")
    (folder / "clips.csv").write_text("\n".join(lines) + "\n")
    return folder / "clips.csv"
