"""Pictures and sounds loose, in archives and at addresses: the same tensors, and a reason for what cannot be read."""

from __future__ import annotations

import csv
import socket
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
import soundfile
from PIL import Image

from tests.data.through import VALIDATE, digests, preprocess, through
from tests.tiny_media import ENTRIES
from trivium.data import probe, tables
from trivium.data.settings import Stream
from trivium.data.validation import validate
from trivium.modalities import media
from trivium.modalities.media import remote
from trivium.report.media import Media
from trivium.settings.errors import UserError

STREAMS = {"image": Stream(modality="image"), "audio": Stream(modality="audio")}
RECIPES = {"scratch": {"image": "patches", "audio": "waves"}}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(remote, "PAUSES", (0.01,))
    media._kept.cache_clear()
    remote._lost_before.cache_clear()
    return tmp_path


@contextmanager
def in_this_process(*_: object, **__: object) -> Iterator[Any]:
    """In place of workers for the probe: what is at `memory://` is there in one process, and in its forks."""
    yield lambda work, tasks, **_: ((task, work(task)) for task in tasks)


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "processes", in_this_process)


def filled(rows: int) -> Path:
    """`mine`, with files of `rows` pictures and sounds; each of them loose, in a zip, in a tar and at an address."""
    folder, memory = Path("mine"), fsspec.filesystem("memory")
    (folder / "img").mkdir(parents=True)
    with zipfile.ZipFile(folder / "all.zip", "w", zipfile.ZIP_DEFLATED) as zipped, \
            tarfile.open(folder / "all.tar", "w") as tarred:
        for i in range(rows):
            rng = np.random.default_rng([i, 7])
            Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(folder / f"img/{i}.png")
            soundfile.write(folder / f"img/{i}.wav", rng.uniform(-0.5, 0.5, 128), 8000, subtype="FLOAT")
            for ending in ("png", "wav"):
                path = folder / f"img/{i}.{ending}"
                zipped.write(path, f"img/{i}.{ending}")
                tarred.add(path, f"./img/{i}.{ending}")
                memory.pipe_file(f"/bucket/{i}.{ending}", path.read_bytes())
    return folder


def manifest(folder: Path, image: str, audio: str, rows: int, **others: str) -> Path:
    """A table whose cells are `image` and `audio`, with numbers for `{}`. others: row -> its image instead."""
    with (folder / "m.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "label", "image", "audio"])
        for i in range(rows):
            table.writerow([f"{i:03}", "ab"[i % 2], others.get(f"row_{i}", image.format(i)), audio.format(i)])
    return folder / "m.csv"


def ran(name: str, image: str, audio: str, rows: int, **others: str) -> dict[str, Any]:
    return through(manifest(Path("mine"), image, audio, rows, **others), Path(name), STREAMS, RECIPES, ENTRIES)


@pytest.fixture
def server() -> Iterator[str]:
    """Of the working directory."""
    made = ThreadingHTTPServer(("127.0.0.1", 0), type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": _quiet}))
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()


def _quiet(*_: object) -> None:
    pass


def test_300_pictures_and_sounds_give_the_same_bytes_wherever_they_lie(server: str) -> None:
    filled(300)
    places = {"loose": "img/{}.png", "zip": "zip://all.zip::img/{}.png", "slash": "zip://all.zip/img/{}.png",
              "tar": "tar://all.tar::img/{}.png", "far": f"{server}/mine/img/{{}}.png"}
    found, raw = {}, {}
    for name, image in places.items():
        ran(name, image, image.replace("png", "wav"), 300)
        found[name] = digests(Path(name) / "data", "features", "reads", "splits")
        raw[name] = tables.read(f"{name}/data/raw/image.parquet")
    assert len(found["loose"]) >= 8
    assert all(each == found["loose"] for each in found.values())
    assert all(each["digest"].equals(raw["loose"]["digest"]) for each in raw.values())
    assert raw["slash"]["value"][0].as_py() == "zip://all.zip::img/0.png"


@pytest.mark.usefixtures("memory")
def test_what_cannot_be_read_is_in_quarantine_with_its_reason() -> None:
    filled(60)
    Path("mine/damaged.zip").write_bytes(b"PK")
    Path("mine/text.png").write_text("no picture")
    with zipfile.ZipFile("mine/text.zip", "w") as file:
        file.write("mine/text.png", "text.png")
    report = ran("out", "zip://all.zip::img/{}.png", "img/{}.wav", 60, row_0="zip://all.zip::img/none.png",
                 row_1="zip://damaged.zip::a.png", row_2="tar://none.tar::a.png", row_3="zip://all.zip::../a.png",
                 row_4="memory://bucket/none.png", row_5="zip://text.zip::text.png", row_6="zip://all.zip")
    assert report["tables"]["image"]["quarantined"] == 7
    reasons = {row["key"]: row["reason"] for row in tables.read("out/data/valid/quarantine.parquet").to_pylist()}
    wanted = ["there is no such file in the archive", "the archive cannot be read: it is no zip",
              "the archive cannot be read: there is no such file", "leads out of the archive", "there is no such file",
              "not an image", "names no file in an archive"]
    assert [words for k, words in enumerate(wanted) if words not in reasons[f"{k:03}"]] == []
    assert len(tables.read("out/data/aligned/samples.parquet")) == 60


def test_a_server_that_is_gone_is_one_error() -> None:
    filled(40)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(UserError, match=rf"^http://127\.0\.0\.1:{port} cannot be read"):
        ran("out", f"http://127.0.0.1:{port}/{{}}.png", "img/{}.wav", 40)
    with pytest.raises(UserError, match="^memory://nowhere cannot be read: there is no such bucket"):
        ran("out", "memory://nowhere/{}.png", "img/{}.wav", 40)


@pytest.mark.usefixtures("memory")
def test_a_server_that_goes_after_ingest_puts_nothing_in_quarantine() -> None:
    filled(40)
    ran("out", "memory://bucket/{}.png", "img/{}.wav", 40)
    fsspec.filesystem("memory").rm("/bucket", recursive=True)
    with pytest.raises(UserError, match="^memory://bucket cannot be read"):
        validate(Path("out/data/raw"), Path("out/again"), {"image": "image"}, VALIDATE)


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize("image", ["memory://bucket/{}.png", "zip://all.zip::img/{}.png"])
def test_what_has_changed_since_ingest_stops_preprocess(image: str) -> None:
    filled(40)
    ran("out", image, "img/{}.wav", 40)
    (Path("mine/img/7.png")).write_bytes(Path("mine/img/8.png").read_bytes())
    fsspec.filesystem("memory").pipe_file("/bucket/7.png", Path("mine/img/8.png").read_bytes())
    with zipfile.ZipFile("mine/all.zip", "w") as file:
        for i in range(40):
            file.write(f"mine/img/{i}.png", f"img/{i}.png")
    larger = {name: dict(entry) for name, entry in ENTRIES.items()}
    larger["patches"] = ENTRIES["patches"] | {"processor": {"size": 9, "channels": 3}}
    with pytest.raises(UserError, match=r"`007`: image `.*7\.png` in mine: it has other content than when `ingest`"):
        preprocess(Path("out/data"), RECIPES, larger, 1)


@pytest.mark.usefixtures("memory")
def test_archives_of_a_second_table_are_seen_from_the_first() -> None:
    folder = filled(40)
    Path("more").mkdir()
    (folder / "all.zip").rename("more/all.zip")
    Path("more/m.csv").write_text("id,image\nu1,zip://all.zip/img/38.png\nu2,memory://bucket/39.png\n")
    through(manifest(folder, "img/{}.png", "img/{}.wav", 38), Path("out"), STREAMS, RECIPES, ENTRIES,
            unlabelled="more/m.csv")
    values = tables.read("out/data/raw/image.parquet")["value"].to_pylist()
    assert values[-2:] == ["zip://../more/all.zip::img/38.png", "memory://bucket/39.png"]
    assert tables.read("out/data/raw/image.parquet")["digest"].null_count == 0


def test_an_archive_in_a_folder_that_stages_empty_is_refused() -> None:
    folder = filled(10)
    Path("data/raw").mkdir(parents=True)
    (folder / "all.zip").rename("data/raw/all.zip")
    with pytest.raises(UserError, match=r"`zip://\.\./data/raw/all\.zip::img/0\.png` is in .*data/raw"):
        ran("out", "zip://../data/raw/all.zip::img/{}.png", "img/{}.wav", 10)


@pytest.mark.parametrize("place", ["zip://all.zip::img/{}", "tar://all.tar::img/{}", "memory://bucket/{}"])
def test_the_report_shows_them(place: str) -> None:
    folder = filled(2)
    shown, loose = Media(folder, 10**6), Media(folder, 10**6)
    assert shown.image(place.format("1.png")) == loose.image("img/1.png") is not None
    assert shown.audio(place.format("1.wav")) == loose.audio("img/1.wav") is not None
