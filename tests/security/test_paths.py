"""A file outside of the data is read where somebody allows it, and nowhere else; an archive holds no way out."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.helpers import ROOT
from tests.importing.servers import manners, serving
from tests.importing.things import no_id, png, put, rows
from trivium import importing, modalities
from trivium.cli import use as command
from trivium.data.settings import Manifest, Stream
from trivium.data.sources import manifest, places
from trivium.modalities import media
from trivium.settings.errors import UserError
from trivium.tasks.classification import Classification

STREAMS = {"photo": Stream(modality="image")}
NAMES = dict.fromkeys(("group", "split", "language", "domain", "start", "end"), "")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project `p` as the working folder, with a table in `p/t`; beside it `private/b.png`."""
    (tmp_path / "p").mkdir()
    monkeypatch.chdir(tmp_path / "p")
    put({"t/a.png": png(1), "../private/b.png": png(2), "other/c.png": png(3)})
    return tmp_path


def ingested(cell: str, outside: list[str] | None = None) -> None:
    put({"t/t.csv": f"id,label,photo\n1,u,a.png\n2,v,{cell}\n"})
    settings = Manifest(path="t/t.csv", id="id", label="label", outside=tuple(outside or ()), **NAMES)
    manifest.write(Path("raw"), settings, 0, STREAMS, Classification)


@pytest.mark.parametrize("cell", ["../../private/b.png", "{}/private/b.png", "file://{}/private/b.png",
                                  "..\\..\\private\\b.png", "zip://../../private/z.zip::b.png", "../../../../etc/x",
                                  "/etc/passwd", "/proc/self/environ", "link/b.png", "file.png"])
def test_a_cell_that_leads_out_is_refused(here: Path, cell: str) -> None:
    with zipfile.ZipFile(here / "private/z.zip", "w") as file:
        file.writestr("b.png", png())
    Path("t/link").symlink_to(here / "private")
    Path("t/file.png").symlink_to(here / "private/b.png")
    Path("raw").mkdir()
    with pytest.raises(UserError) as caught:
        ingested(cell.format(here))
    assert "which is neither in the folder of the table nor in this project" in str(caught.value)
    assert "data.manifest.outside" in str(caught.value) and not os.listdir("raw")


@pytest.mark.parametrize("cell", ["a.png", "./a.png", "../other/c.png", "{}/p/other/c.png", "inner/a.png", "gone.png",
                                  "s3://bucket/a.png", "\0"])
def test_a_cell_that_stays_inside_is_not(here: Path, cell: str) -> None:
    Path("t/inner").symlink_to(Path("t").resolve())
    assert places.outside(Path("t/t.csv"), [cell.format(here)]) == {}


@pytest.mark.parametrize("cell", ["/dev/zero", "zero.png", "pipe.png"])
def test_what_is_no_file_costs_its_row_alone_since_it_is_never_opened(here: Path, cell: str) -> None:
    os.mkfifo(here / "private/pipe")
    Path("t/zero.png").symlink_to("/dev/zero")
    Path("t/pipe.png").symlink_to(here / "private/pipe")
    assert places.outside(Path("t/t.csv"), [cell]) == {}
    assert places.outside(Path("t/t.csv"), [cell, "../../private/b.png"]) == {here / "private": "../../private/b.png"}


def test_a_folder_that_is_allowed(here: Path) -> None:
    Path("raw").mkdir()
    ingested("../../private/b.png", [str(here / "private")])
    assert pq.read_table("raw/photo.parquet")["value"].to_pylist() == ["a.png", "../../private/b.png"]
    with pytest.raises(UserError, match="/etc/passwd"):
        ingested("/etc/passwd", [str(here / "private")])


def test_who_chooses_a_table_allows_what_it_names(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("params.yaml").write_text((ROOT / "params.yaml").read_text())
    put({"t/t.csv": "id,label,photo\n" + "".join(f"{k},{'uv'[k % 2]},{here}/private/b.png\n" for k in range(8))})
    changes: dict[str, Any] = command.edited("t/t.csv", Path("params.yaml"), [], None, save=False)
    assert changes["data.manifest.outside"] == [str(here / "private")]
    assert f"files outside of the table's folder are read, too: those in {here}/private," in capsys.readouterr().out
    put({"t/t.csv": "id,label,photo\n" + "".join(f"{k},{'uv'[k % 2]},a.png\n" for k in range(8))})
    assert "data.manifest.outside" not in command.edited("t/t.csv", Path("params.yaml"), [], None, save=False)


def test_folders_are_gathered() -> None:
    assert places.gathered([Path("/a/b"), Path("/a"), Path("/c")]) == ["/a", "/c"]
    assert places.gathered([Path(f"/data/{k}") for k in range(20)]) == ["/data"]
    assert len(places.gathered([Path(f"/{k}") for k in range(20)])) == 20


def test_a_table_from_elsewhere_names_no_file_of_this_machine(here: Path) -> None:
    for cell in (str(here / "private/b.png"), "../../../../t/a.png", f"file://{here}/private/b.png"):
        body = f"id,label,photo\n1,u,{cell}\n2,v,{cell}\n".encode()
        with serving(manners(body)[0]) as address, pytest.raises(UserError) as caught:
            importing.table(f"{address}/t.csv", Path("data/imported/t"), private=True, lacks_id=no_id)
        assert "came from elsewhere, and names a file of this machine" in str(caught.value)
        assert not Path("data/imported/t/rows.parquet").exists()


@pytest.mark.parametrize("value", ["local:///etc/hostname", "dir:///etc/hostname", "simplecache:///etc/hostname",
                                   "git:///etc/hostname", "generic:///etc/hostname", "reference:///etc/hostname"])
def test_no_address_means_this_disk(here: Path, value: str) -> None:
    with pytest.raises(ValueError, match="nothing here can read addresses that begin with"):
        media.read(value, Path("t"))


def tar(path: Path) -> None:
    """Each way in which a tar may lead out, and a device."""
    with tarfile.open(path, "w") as file:
        def add(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", content: bytes = b"") -> None:
            one = tarfile.TarInfo(name)
            one.type, one.linkname, one.size = kind, link, len(content)
            file.addfile(one, io.BytesIO(content))

        add("cat/1.png", content=png(1))
        add("dog/1.png", content=png(2))
        add("../out.png", content=png(3))
        add("/tmp/abs.png", content=png(3))
        add("cat/../../out2.png", content=png(3))
        add("cat/sym.png", tarfile.SYMTYPE, "/etc/passwd")
        add("cat/hard.png", tarfile.LNKTYPE, "../../private/b.png")
        add("dir", tarfile.SYMTYPE, "../private")
        add("dir/b.png", content=png(4))  # a link, then a file through it
        add("cat/dev.png", tarfile.CHRTYPE)
        add("cat/pipe.png", tarfile.FIFOTYPE)


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def test_an_archive_writes_nothing_outside_and_its_links_are_not_followed(here: Path) -> None:
    tar(Path("s.tar"))
    before = everything(here)
    made = rows("s.tar")
    assert all(".." not in str(row.get("image", "")).partition("::")[2] for row in made)
    for row in made:
        name = str(row.get("image", ""))
        if name:
            read = modalities.get("image").probe(name, Path("data/imported/s"), None, None)
            assert ("error" in read) == ("/1.png" not in name and "dir/b.png" not in name), (name, read)
    left = {name for name in everything(here) - before if not name.startswith(("p/data/imported/", "p/.cache/"))}
    assert left == set()
    for name, words in (("cat/sym.png", "is a link"), ("cat/hard.png", "is a link"), ("cat/dev.png", "is no file"),
                        ("cat/pipe.png", "is no file"), ("../out.png", "leads out")):
        with pytest.raises(ValueError, match=words):
            media.read(f"tar://s.tar::{name}", Path())


def test_a_zip_writes_nothing_outside(here: Path) -> None:
    with zipfile.ZipFile("z.zip", "w") as file:
        for name in ("cat/1.png", "dog/1.png", "../out.png", "/abs.png", "cat/../../out2.png", "..\\win.png", "C:/x"):
            file.writestr(name, png())
        link = zipfile.ZipInfo("cat/link.png")
        link.external_attr = 0o120777 << 16
        file.writestr(link, "/etc/passwd")
    before = everything(here)
    made = rows("z.zip")
    assert {row["id"] for row in made} >= {"cat/1", "dog/1"}
    left = {name for name in everything(here) - before if not name.startswith(("p/data/imported/", "p/.cache/"))}
    assert left == set()
    with pytest.raises(ValueError, match="is a link inside the archive"):
        media.read("zip://z.zip::cat/link.png", Path())


def test_a_request_names_no_file(here: Path) -> None:
    from trivium.runtime.server.limits import Limits
    from trivium.runtime.server.reading import Reader

    reader = Reader({"photo": "image", "text": "text"}, {}, Limits())
    for value in ("/etc/passwd", "t/a.png", "file:///etc/passwd", "zip://t.zip::a", "s3://b/a"):
        with pytest.raises(ValueError, match="not base64|cannot be read"):
            reader.row({"photo": value})
    assert reader.row({"text": "/etc/passwd"})[0] == {"text": "/etc/passwd"}  # a text is a text
