"""Members of archives, read where they lie."""

import io
import os
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from trivium.machine.workers import processes
from trivium.modalities import media
from trivium.modalities.media import archive, index, tars, zips


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def zipped(path: str, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(path, "w", method) as file:
        for name, content in members.items():
            file.writestr(name, content)


def tarred(path: str, members: dict[str, bytes | None], mode: str = "w", kind: bytes = tarfile.SYMTYPE) -> None:
    """None: a link to `b.png`."""
    with tarfile.open(path, mode) as file:  # type: ignore[call-overload]
        for name, content in members.items():
            about = tarfile.TarInfo(name)
            if content is None:
                about.type, about.linkname = kind, "b.png"
            else:
                about.size = len(content)
            file.addfile(about, io.BytesIO(content or b""))


def why(value: str) -> str:
    with pytest.raises(ValueError) as told:
        media.read(value, "")
    return str(told.value)


MEMBERS = {"a/b.png": b"picture" * 1000, "./c.png": b"", "ä 日.png": b"other", "x" * 300: b"long",
           "twice": b"first"}


@pytest.mark.parametrize("kind", ["stored", "deflated", "tar", "pax"])
def test_every_member_is_what_was_put_in(kind: str) -> None:
    if kind in ("tar", "pax"):
        tarred("x.tar", MEMBERS)
    else:
        zipped("x.zip", MEMBERS, zipfile.ZIP_STORED if kind == "stored" else zipfile.ZIP_DEFLATED)
    ending = "tar" if kind in ("tar", "pax") else "zip"
    for name, content in MEMBERS.items():
        assert media.read(f"{ending}://x.{ending}::{name}", "") == content
        assert media.exists(f"{ending}://x.{ending}::{name}", "")
    assert why(f"{ending}://x.{ending}::b.png") == "there is no such file in the archive"
    assert not media.exists(f"{ending}://x.{ending}::b.png", "")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_members_of_one_name_the_last_counts() -> None:
    with zipfile.ZipFile("x.zip", "w") as file:
        file.writestr("a", b"first")
        file.writestr("b", b"between")
        file.writestr("a", b"last")
    assert media.read("zip://x.zip::a", "") == b"last"


def test_names_that_windows_wrote_are_found_by_either_spelling() -> None:
    with zipfile.ZipFile("x.zip", "w") as file:
        file.writestr("photos\\a.png", b"content")
        file.writestr("..\\b.png", b"outside")
    assert media.read("zip://x.zip::photos\\a.png", "") == media.read("zip://x.zip::photos/a.png", "") == b"content"
    assert why("zip://x.zip::..\\b.png") == "its name leads out of the archive (`..`), and such a file is not read"
    assert not media.exists("zip://x.zip::b.png", "")


def test_a_zip_of_64_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    zipped("x.zip", MEMBERS)
    assert zips.END_64 in Path("x.zip").read_bytes()
    assert {name: media.read(f"zip://x.zip::{name}", "") for name in MEMBERS} == MEMBERS


def test_what_stands_before_a_zip_does_not_count() -> None:
    zipped("x.zip", MEMBERS)
    Path("y.zip").write_bytes(b"#!program\n" * 100 + Path("x.zip").read_bytes())
    assert {name: media.read(f"zip://y.zip::{name}", "") for name in MEMBERS} == MEMBERS


def test_a_directory_of_many_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zips, "PIECE", 200)
    monkeypatch.setattr(zips, "ENTRY", 150)
    members = {f"{k:03}.png": bytes([k]) for k in range(200)}
    zipped("x.zip", members)
    assert all(media.read(f"zip://x.zip::{name}", "") == content for name, content in members.items())


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_links_are_not_followed(kind: bytes) -> None:
    tarred("x.tar", {"b.png": b"b", "a.png": None}, kind=kind)
    assert "link" in why("tar://x.tar::a.png")
    with zipfile.ZipFile("x.zip", "w") as file:
        link = zipfile.ZipInfo("a.png")
        link.external_attr = 0o120777 << 16
        file.writestr(link, "/etc/passwd")
    assert "link" in why("zip://x.zip::a.png")


def test_what_is_no_file_says_so() -> None:
    zipped("x.zip", {"folder/": b"", "folder/a.png": b"a"})
    assert why("zip://x.zip::folder") == "is no file in the archive, but a folder, a device or a sparse file"
    zipped("y.zip", {"a.png": b"a" * 100}, zipfile.ZIP_BZIP2)
    assert "another method than deflate" in why("zip://y.zip::a.png")
    zipped("z.zip", {"a.png": b"a"})
    content = bytearray(Path("z.zip").read_bytes())
    content[content.rfind(zips.CENTRAL) + 8] |= 1
    Path("z.zip").write_bytes(content)
    assert why("zip://z.zip::a.png") == "is encrypted in the archive"


def test_a_member_that_leads_out_of_its_archive_is_not_there() -> None:
    zipped("x.zip", {"../a.png": b"a", "b.png": b"b"})
    tarred("x.tar", {"../a.png": b"a", "b.png": b"b"})
    assert why("zip://x.zip::a.png") == why("tar://x.tar::a.png") == "there is no such file in the archive"


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    zipped("x.zip", {"a.png": bytes(10_000_000)})
    monkeypatch.setattr(archive, "MOST", 1_000_000)
    assert why("zip://x.zip::a.png") == "holds 10,000,000 bytes, and 1,000,000 are read at most"
    content = bytearray(Path("x.zip").read_bytes())
    place = content.rfind(zips.CENTRAL) + 24
    content[place : place + 4] = (1000).to_bytes(4, "little")  # it claims to be small
    Path("x.zip").write_bytes(content)
    tracemalloc.start()
    assert why("zip://x.zip::a.png") == zips.DAMAGED
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()
    tarred("x.tar", {"a.png": bytes(1_000_001)})
    assert "1,000,001 bytes" in why("tar://x.tar::a.png")


def test_damaged_archives_say_so() -> None:
    zipped("x.zip", MEMBERS)
    whole = Path("x.zip").read_bytes()
    for name, content in {"half": whole[: len(whole) // 2], "empty": b"", "text": b"not a zip" * 100,
                          "directory": whole.replace(zips.CENTRAL, b"PK\1\1")}.items():
        Path(f"{name}.zip").write_bytes(content)
        assert why(f"zip://{name}.zip::a/b.png").startswith("the archive cannot be read: it")
    place = whole.index(b"a/b.png") + 10
    Path("content.zip").write_bytes(whole[:place] + b"\0\0\0" + whole[place + 3 :])
    assert why("zip://content.zip::a/b.png") == zips.DAMAGED
    assert media.read("zip://content.zip::twice", "") == b"first"
    zipped("stored.zip", MEMBERS, zipfile.ZIP_STORED)
    Path("stored.zip").write_bytes(Path("stored.zip").read_bytes().replace(b"long", b"lost"))
    assert why(f"zip://stored.zip::{'x' * 300}") == zips.DAMAGED
    assert why("zip://none.zip::a") == "the archive cannot be read: there is no such file"
    Path("folder.zip").mkdir()
    assert "the archive cannot be read: " in why("zip://folder.zip::a")


def test_a_tar_that_breaks_off_gives_what_is_whole() -> None:
    tarred("x.tar", {f"{k}.png": bytes([k]) * 5000 for k in range(10)})
    whole = Path("x.tar").read_bytes()
    Path("half.tar").write_bytes(whole[:30_000])
    assert media.read("tar://half.tar::1.png", "") == b"\1" * 5000
    assert why("tar://half.tar::9.png") == "there is no such file in the archive, which breaks off or is damaged"
    Path("damaged.tar").write_bytes(whole[:18_000] + b"x" * 8000 + whole[26_000:])
    assert media.read("tar://damaged.tar::0.png", "") == b"\0" * 5000
    assert "breaks off or is damaged" in why("tar://damaged.tar::9.png")


def test_a_compressed_tar_is_refused() -> None:
    tarred("x.tar.gz", {"a.png": b"a"}, "w:gz")
    assert "a compressed one" in why("tar://x.tar.gz/a.png")


def test_an_archive_is_looked_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = list[str]()
    for module, kind in ((zips, "zip"), (tars, "tar")):
        real = module.members

        def members(file, real=real, kind=kind):  # type: ignore[no-untyped-def]
            looked.append(kind)
            return real(file)

        monkeypatch.setattr(module, "members", members)
    monkeypatch.setattr(index, "MANY", 3)
    zipped("x.zip", MEMBERS)
    tarred("x.tar", MEMBERS)
    Path("damaged.zip").write_bytes(b"")
    for _ in range(3):
        for name in MEMBERS:
            media.read(f"zip://x.zip::{name}", "")
            media.read(f"tar://x.tar::{name}", "")
            why(f"zip://damaged.zip::{name}")
    assert looked == ["zip", "tar", "zip"]
    assert len(list(index.HOME.glob("*.npy"))) == 2
    archive._opened.cache_clear()  # as in another process
    assert media.read("zip://x.zip::a/b.png", "") == MEMBERS["a/b.png"]
    assert looked == ["zip", "tar", "zip"]
    for kept in index.HOME.glob("*.npy"):
        kept.write_bytes(kept.read_bytes()[:200])  # somebody was killed
    archive._opened.cache_clear()
    assert media.read("zip://x.zip::twice", "") == b"first"


def test_an_archive_that_changes_is_read_anew() -> None:
    zipped("x.zip", {"a": b"old"})
    assert media.read("zip://x.zip::a", "") == b"old"
    zipped("x.zip", {"b": b"", "a": b"new"})
    assert media.read("zip://x.zip::a", "") == b"new"


def _read(value: str) -> bytes:
    return media.read(value, "")


def test_forked_processes_read_what_is_open_side_by_side() -> None:
    members = {f"{k}.png": os.urandom(20_000) for k in range(50)}
    zipped("x.zip", members, zipfile.ZIP_STORED)
    tarred("x.tar", members)
    values = {f"{kind}://x.{kind}::{name}": content for name, content in members.items() for kind in ("zip", "tar")}
    for value in list(values)[:2]:
        media.read(value, "")  # open before the fork
    with processes(3) as run:
        assert dict(run(_read, list(values) * 4)) == values


def test_files_are_closed_when_others_are_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def open_files() -> int:
        return sum(1 for one in Path("/proc/self/fd").iterdir() if "many-" in os.path.realpath(one))

    for k in range(archive.OPEN + 10):
        zipped(f"many-{k}.zip", {"a": b"a"})
        media.read(f"zip://many-{k}.zip::a", "")
    assert open_files() <= archive.OPEN + 1
