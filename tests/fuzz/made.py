"""What people's files might hold, and what no person would write: cells, tables, and damaged pictures and sounds."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import socket
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
from hypothesis import strategies as st
from PIL import Image

from tests import clips

COLUMNS = ("id", "label", "text", "image", "audio", "group", "split", "start", "end", "area", "kind")
ODD = (
    "", " ", "\t", "nan", "NaN", "inf", "-inf", "1e999", "-0", "1.0", "01", "٣", "9" * 400, "=1+1", "@a", "+", "-",
    "\x00", "\ufeff", "\u202eabc", "e\u0301", "a,b", 'a"b', '"', "'", "a\nb", "a\r\nb", ";", "\\", "None", "null",
    "true", "{}", "[]", '{"a": 1}', '{"area": {"b": [1]}}', "[[[1]]]", "[" * 2000, "..", ".", "/", "a" * 5000,
    "../../x.png", "good.png", "good.wav", "GOOD.PNG", " good.png ", "good.png;good.wav", "%67ood.png", "%", "%zz",
    "file:///none.png", "C:\\a\\b.png", "zip://", "zip://none.zip::a.png", "zip://good.png::a.png", "tar://a::", "::",
    "zip://a::b::c", "://", "odd://a", "data:", "data:image/png;base64,!!!", "data:image/png;base64,iVBORw0KGgo=",
    "train", "val", "0.1", "-1", "1e300", "2020-02-30", "1,234.5", "12:30", "0x10", "1_000",
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-2**70, 2**70), st.floats(), st.text(max_size=20),
                    st.sampled_from(ODD))
CELLS = st.one_of(st.sampled_from(ODD), st.text(max_size=30), st.floats().map(str), st.integers().map(str))
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner,
                                                                                            max_size=3), max_leaves=6)


@st.composite
def names(draw: st.DrawFn, needed: Sequence[str]) -> list[str]:
    """Of columns: those needed and other known ones, maybe in other letters, and others."""
    found = draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=7, unique=True))
    found = [*needed, *(name for name in found if name not in needed)]
    changed = [draw(st.sampled_from((name, name, name, name.upper(), f" {name}", f"{name} "))) for name in found]
    return changed + draw(st.lists(st.one_of(st.text(max_size=8), st.sampled_from(ODD)), max_size=2))


@st.composite
def tables(draw: st.DrawFn, *needed: str) -> tuple[str, bytes, int | None]:
    """The ending of a file, its content, and how many rows it has where that is known."""
    ending = draw(st.sampled_from((".csv", ".csv", ".tsv", ".jsonl", ".parquet")))
    header = draw(names(needed))
    count = draw(st.integers(0, 6))
    if ending == ".jsonl":
        rows = [{name: draw(VALUES) for name in header if draw(st.integers(0, 9))} for _ in range(count)]
        content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    elif ending == ".parquet":
        content = _parquet(draw, list(dict.fromkeys(header)), count)
    else:
        out = io.StringIO()
        writer = csv.writer(out, delimiter="\t" if ending == ".tsv" else draw(st.sampled_from(",;\t")),
                            quoting=draw(st.sampled_from((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))))
        writer.writerow(header)
        writer.writerows([draw(CELLS) for _ in header] for _ in range(count))
        content = out.getvalue().encode("utf-8", "replace")
    if draw(st.integers(0, 3)) == 0:
        return ending, draw(mutated(st.just(content))), None
    return ending, content, count if ending in (".jsonl", ".parquet") else None


USUAL = {
    "id": st.integers(0, 40).map(lambda k: f"r{k}"), "label": st.sampled_from(("a", "b", "b", "c")),
    "text": st.sampled_from(("one two", "three", "two one", "four")), "image": st.just("good.png"),
    "audio": st.just("good.wav"), "group": st.sampled_from(("g", "h", "")), "split": st.sampled_from(("train", "test")),
    "start": st.sampled_from(("0", "0.01", "")), "end": st.sampled_from(("0.05", "0.1", "")), "note": CELLS}


@st.composite
def manifests(draw: st.DrawFn) -> tuple[str, bytes, int]:
    """As `tables`, of rows as people have them, of which some cells are odd, or name what is no file (see `special`).
    """
    more = draw(st.lists(st.sampled_from(("group", "split", "start", "end", "note")), max_size=3, unique=True))
    count = draw(st.integers(3, 12))
    odd = st.one_of(CELLS, st.sampled_from(SPECIAL))
    rows = [{name: draw(USUAL[name] if draw(st.integers(0, 7)) else odd)
             for name in ("id", "label", "text", "image", "audio", *more)} for _ in range(count)]
    if more and "split" in more:  # an odd one refuses the table, as it should
        for row in rows:
            row["split"] = draw(USUAL["split"])
    ending = draw(st.sampled_from((".csv", ".jsonl")))
    if ending == ".jsonl":
        return ending, "".join(json.dumps(row) + "\n" for row in rows).encode(), count
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return ending, out.getvalue().encode("utf-8", "replace"), count


def _parquet(draw: st.DrawFn, header: list[str], count: int) -> bytes:
    kinds: dict[str, Any] = {
        "texts": (pa.string(), st.none() | CELLS), "floats": (pa.float64(), st.none() | st.floats()),
        "integers": (pa.int64(), st.none() | st.integers(-2**63, 2**63 - 1)),
        "bytes": (pa.binary(), st.binary(max_size=9)), "flags": (pa.bool_(), st.booleans()),
        "lists": (pa.list_(pa.string()), st.lists(st.sampled_from(ODD), max_size=2)),
        "pairs": (pa.struct([("bytes", pa.binary()), ("path", pa.string())]), st.none() | st.fixed_dictionaries(
            {"bytes": st.none() | st.binary(max_size=9), "path": st.none() | st.sampled_from(ODD)}))}
    columns = {}
    for name in header:
        kind, cells = kinds[draw(st.sampled_from(("texts", "texts", *kinds)))]
        given = [draw(cells) for _ in range(count)]
        columns[_plain(name)] = pa.array([_plain(one) if isinstance(one, str) else one for one in given], kind)
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def _plain(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


@st.composite
def mutated(draw: st.DrawFn, files: st.SearchStrategy[bytes]) -> bytes:
    """A file in which bits are turned, bytes are put in, numbers of the head are huge, or the end is gone."""
    content = bytearray(draw(files))
    for _ in range(draw(st.sampled_from((1, 1, 1, 2, 4)))):
        size = len(content)
        near = draw(st.integers(0, 3)) == 3  # the head says more than the rest
        at = draw(st.integers(0, max(0, min(size, 64) - 1 if near else size - 1)))
        match draw(st.sampled_from(("turn", "set", "huge", "cut", "put", "drop", "double"))):
            case "turn" if size:
                content[at] ^= 1 << draw(st.integers(0, 7))
            case "set" if size:
                content[at] = draw(st.integers(0, 255))
            case "huge":
                number = draw(st.sampled_from((0, 1, 0x7FFF, 0xFFFF, 2**24, 2**31 - 1, 2**31, 2**32 - 1)))
                content[at:at + 4] = number.to_bytes(4, draw(st.sampled_from(("little", "big"))))
            case "cut":
                del content[at:]
            case "put":
                content[at:at] = draw(st.binary(max_size=12))
            case "drop":
                del content[at:at + draw(st.integers(1, 40))]
            case "double":
                content[at:at] = content[:at]
    return bytes(content)


def pictures() -> dict[str, bytes]:
    """A small one of each format."""
    pixels = np.random.default_rng(0).integers(0, 256, (12, 9, 4), np.uint8)
    found = {}
    for name, mode, how in (
        ("PNG", "RGBA", {}), ("PNG", "P", {}), ("PNG", "I;16", {}), ("JPEG", "RGB", {}), ("JPEG", "L", {}),
        ("JPEG", "CMYK", {}), ("GIF", "P", {}), ("BMP", "RGB", {}), ("TIFF", "RGB", {}),
        ("TIFF", "L", {"compression": "tiff_lzw"}), ("TIFF", "F", {}), ("WEBP", "RGBA", {}), ("PPM", "RGB", {}),
    ):
        picture = Image.fromarray(pixels).convert("L" if mode == "I;16" else "RGB" if mode == "CMYK" else mode)
        out = io.BytesIO()
        picture.convert(mode).save(out, name, **how)
        found[f"{name} {mode}{''.join(how.values())}"] = out.getvalue()
    return found


def sounds() -> dict[str, bytes]:
    """A short one of each format."""
    wave = 0.3 * np.sin(np.arange(800) * 0.2)
    found = {}
    for name, kind in (
        ("WAV", "PCM_16"), ("WAV", "FLOAT"), ("WAV", "PCM_U8"), ("WAV", "MS_ADPCM"), ("FLAC", "PCM_16"),
        ("OGG", "VORBIS"), ("OGG", "OPUS"), ("AIFF", "PCM_16"), ("AU", "ULAW"), ("MP3", "MPEG_LAYER_III"),
        ("CAF", "PCM_24"),
    ):
        out = io.BytesIO()
        soundfile.write(out, np.stack([wave, wave], 1) if name == "FLAC" else wave, 8000, kind, format=name)
        found[f"{name} {kind}"] = out.getvalue()
    return found


def videos() -> dict[str, bytes]:
    """A short one of each container, with sound."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for ending, codec in (("mp4", "libx264"), ("mkv", "libx264"), ("ts", "libx264"), ("avi", "mpeg4"),
                              ("webm", "libvpx-vp9")):
            sound = None if ending == "webm" else np.zeros(3000, np.float32)
            path = clips.write(Path(folder) / f"a.{ending}", clips.greys(6, (32, 32)), codec=codec, sound=sound)
            found[ending] = path.read_bytes()
    return found


SPECIAL = ("pipe", "folder", "socket", "loop.png", "gone.png", "empty.png", "/dev/zero", "/dev/null", "/dev/stdin",
           "/proc/self/mem", "huge.png", "half.wav")


def good(folder: Path) -> None:
    """The files that some cells name, and what is no file: who opens the pipe waits for ever."""
    os.mkfifo(folder / "pipe")
    (folder / "folder").mkdir()
    with socket.socket(socket.AF_UNIX) as listening, contextlib.chdir(folder):  # the name of a socket is short
        listening.bind("socket")
    (folder / "loop.png").symlink_to("loop.png")
    (folder / "empty.png").touch()
    with (folder / "huge.png").open("wb") as file:
        file.truncate(1 << 40)
    (folder / "half.wav").write_bytes(sounds()["WAV PCM_16"][:700])
    (folder / "good.png").write_bytes(pictures()["PNG RGBA"])
    (folder / "good.wav").write_bytes(sounds()["WAV PCM_16"])


IMAGES = st.one_of(mutated(st.sampled_from(list(pictures().values()))), st.binary(max_size=80))
VIDEOS = st.one_of(mutated(st.sampled_from(list(videos().values()))), st.binary(max_size=80))
SOUNDS = st.one_of(mutated(st.sampled_from(list(sounds().values()))), st.binary(max_size=80))
PACKED = st.one_of(CELLS, VALUES.map(lambda value: json.dumps(value)),
                   st.dictionaries(st.sampled_from(("area", "kind", "sold", "x")), st.none() | CELLS).map(json.dumps))
SPANS = st.one_of(st.none(), st.sampled_from((*[None] * 9, 0.0, 0.01, 0.05, 0.1, -1.0, 1e9, 1e300)), st.floats())
TEXTS = st.one_of(st.none(), CELLS, st.text(st.characters(), max_size=20), st.just("\ud800"), st.binary(max_size=20))
SAMPLES = st.lists(st.fixed_dictionaries({}, optional={
    "text": TEXTS, "image": st.one_of(TEXTS, IMAGES), "audio": st.one_of(TEXTS, SOUNDS), "start": TEXTS | SPANS,
    "end": TEXTS | SPANS}), min_size=1, max_size=4)
