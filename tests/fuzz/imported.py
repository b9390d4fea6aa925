"""Folders and JSON as `trivium import` may find them: in the forms that it knows, and torn, mixed or empty ones."""

from __future__ import annotations

import io
import itertools
import json
import os
import shutil
import tarfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from hypothesis import strategies as st

from tests.fuzz import checks, made
from trivium import importing
from trivium.data.sources import rows
from trivium.settings.errors import UserError

Files = dict[str, bytes]
FOLDERS = ("", "cat/", "dog/", "train/cat/", "test/cat/", "val/", "cat/dog/", "e\u0301/", ".hidden/", "a b/")
STEMS = st.sampled_from(("a", "b", "c", "a.en", "metadata", "annotations", "train", "test", "state", "dataset_dict",
                         "shard-000", "x.y.z", "A", "-", "=1"))
GOOD = {**{f".{name.split()[0].lower()}": content for name, content in made.pictures().items()},
        **{f".{name.split()[0].lower()}": content for name, content in made.sounds().items()}}
KEYS = st.sampled_from(("images", "annotations", "categories", "id", "image_id", "category_id", "file_name", "name",
                        "caption", "bbox", "splits", "_data_files", "filename", "label", "text", "audio", "data"))
LEAVES = st.one_of(made.SCALARS, st.sampled_from(("a.png", "cat/a.png", "b.wav", "cat", "dog", 0, 1, 2)))
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
                    max_leaves=20)
SMALL = st.one_of(st.integers(0, 3), st.integers(0, 3), LEAVES)
COCO = st.fixed_dictionaries({
    "images": st.lists(st.fixed_dictionaries(
        {"id": SMALL, "file_name": st.one_of(st.sampled_from(("a.png", "cat/a.png", "b.png")), LEAVES)}), max_size=4),
    "annotations": st.lists(st.fixed_dictionaries({"image_id": SMALL}, optional={
        "category_id": SMALL, "caption": LEAVES, "bbox": st.lists(SMALL, max_size=5) | LEAVES}), max_size=5),
    "categories": st.lists(st.fixed_dictionaries({"id": SMALL}, optional={"name": LEAVES}), max_size=3)})
LISTED = st.lists(st.fixed_dictionaries({}, optional={
    "file_name": st.sampled_from((*made.ODD, "a.png", "cat/a.png", "c.wav")), "label": made.SCALARS,
    "id": made.SCALARS, "text": made.SCALARS, "image": made.VALUES}), max_size=5)
CUES = st.sampled_from(("1\n00:00:00,000 --> 00:00:00,050\nhello\n", "WEBVTT\n\n00:00.000 --> 00:99.000\n<v Anna>hi\n",
                        "00:00:09,0 --> 00:00:01,0\n\n", ""))
_numbers = itertools.count()


@st.composite
def trees(draw: st.DrawFn) -> Files:
    """Path -> content."""
    found: Files = {}
    for _ in range(draw(st.integers(0, 7))):
        ending, content = draw(_file())
        if draw(st.integers(0, 7)) == 0:
            content = draw(made.mutated(st.just(content)))
        found[draw(st.sampled_from(FOLDERS)) + draw(STEMS) + ending] = content
    return found


@st.composite
def _file(draw: st.DrawFn) -> tuple[str, bytes]:
    match draw(st.sampled_from(("media", "media", "media", "text", "json", "lines", "table", "cues", "tar", "none"))):
        case "media":
            return draw(st.sampled_from(sorted(GOOD.items())))
        case "text":
            return ".txt", draw(made.CELLS).encode("utf-8", "replace")
        case "json":
            return ".json", json.dumps(draw(st.one_of(JSON, COCO, COCO, LISTED))).encode()
        case "lines":
            return ".jsonl", "".join(json.dumps(one) + "\n" for one in draw(LISTED)).encode()
        case "table":
            ending, content, _ = draw(made.tables())
            return ending, content
        case "cues":
            return draw(st.sampled_from((".srt", ".vtt"))), draw(CUES).encode()
        case "tar":
            return draw(st.sampled_from((".tar", ".tar.gz", ".tgz"))), draw(_shard())
    return draw(st.sampled_from(("", ".md", ".npy", ".arrow", ".zip", ".mp4"))), draw(st.binary(max_size=30))


@st.composite
def _shard(draw: st.DrawFn) -> bytes:
    """A tar of WebDataset, or nearly one."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=draw(st.sampled_from(("w", "w:gz")))) as file:
        for key in draw(st.lists(st.sampled_from(("a", "b", "b", "cat/a", "..", "x.y")), max_size=4)):
            for ending in draw(st.lists(st.sampled_from(("png", "wav", "json", "cls", "txt", "pkl")), max_size=3)):
                content = GOOD.get(f".{ending}") or json.dumps(draw(made.VALUES)).encode()
                about = tarfile.TarInfo(f"{key}.{ending}")
                about.size = len(content)
                file.addfile(about, io.BytesIO(content))
    return out.getvalue()


def check(folder: Path, files: Files, alone: int) -> str:
    """What is found is a table with ids that can be read, or refused in a sentence; and what it was made of is left as
    it was.

    alone: number of the file that is imported instead of the folder, if there is one
    """
    home = folder / f"import{next(_numbers)}"
    source, into = home / "source", home / "into"
    source.mkdir(parents=True)
    try:
        there = [path for name, content in files.items() if (path := _put(source / name, content))]
        chosen = there[alone] if alone < len(there) else source
        before = _seen(source)
        with checks.bounded(), redirect_stderr(io.StringIO()), redirect_stdout(io.StringIO()):
            try:
                found = importing.table(str(chosen), into, lacks_id=lambda names: "id" not in names)
                columns = rows.columns(found.path)
                table = rows.read(found.path, columns)
            except UserError as error:
                assert str(error).strip() and "Traceback" not in str(error)
                return "refused"
        assert _seen(source) == before
        assert into not in found.path.parents or "id" in columns
        assert all(str(field.type) == "string" for field in table.schema)
        return f"read as {found.form.partition(' (')[0]}"
    finally:
        shutil.rmtree(home)


def _put(path: Path, content: bytes) -> Path | None:
    """None where something else has its name."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError:
        return None
    return path


def _seen(folder: Path) -> dict[str, int]:
    return {os.path.join(at, name): os.path.getsize(os.path.join(at, name))
            for at, _, names in os.walk(folder) for name in names}
