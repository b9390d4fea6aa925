"""Files at addresses, from a server with bad manners."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.importing import servers
from trivium import importing
from trivium.data.sources import not_one
from trivium.importing import fetched
from trivium.machine import progress
from trivium.settings.errors import UserError

BODY = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 400


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fetched, "PAUSE", 0.01)
    monkeypatch.setattr(fetched, "TIMEOUT", 0.3)


@pytest.fixture
def asked() -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    handler, calls = servers.manners(BODY)
    with servers.serving(handler) as place:
        yield place, calls


Asked = tuple[str, list[tuple[str, str | None]]]


def fetch(place: str, name: str, private: bool = True, most: int = 1_000_000) -> bytes:
    return fetched.fetch(f"{place}/{name}", Path("cache"), private, most).read_bytes()


def test_a_file_is_fetched_once_and_kept_by_its_content(asked: Asked) -> None:
    place, calls = asked
    for name in ("good.png", "good.png", "good-2.png"):
        assert fetch(place, name) == BODY
    assert calls == [("/good.png", None), ("/good-2.png", None)]
    assert len([one for one in Path("cache").iterdir() if one.is_file()]) == 1  # of two addresses


def test_what_breaks_off_goes_on_where_it_stopped(asked: Asked) -> None:
    place, calls = asked
    assert fetch(place, "breaks.png") == BODY
    assert calls == [("/breaks.png", None), ("/breaks.png", f"bytes={len(BODY) // 2}-")]


def test_a_busy_server_is_asked_again(asked: Asked) -> None:
    place, calls = asked
    assert fetch(place, "busy.png") == BODY
    assert len(calls) == 3


def test_redirects_are_followed(asked: Asked) -> None:
    assert fetch(asked[0], "leads.png") == BODY


@pytest.mark.parametrize(("name", "why", "times"), [
    ("404.png", "the server answers 404", 1),
    ("500.png", "the server answers 500", 4),
    ("lies.png", f"the server sent {len(BODY):,} of {len(BODY) + 7:,} bytes", 4),
    ("silent.png", "the server sent nothing for 0.3 s", 4),
    ("huge.png", "it holds 1,000,000,000,000 bytes, and 1,000,000 are fetched at most", 1),
    ("file.png", "`file:///etc/hostname` is no http or https address", 1),
    ("round.png", "it leads on more than 5 times", 6),
])
def test_what_cannot_be_fetched_says_why(asked: Asked, name: str, why: str, times: int) -> None:
    place, calls = asked
    with pytest.raises(fetched.Refused) as refused:
        fetch(place, name)
    assert str(refused.value) == why and len(calls) == times


def test_a_server_that_drips_is_not_waited_for(
        asked: Asked, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(fetched, "GRACE", 0.5)
    monkeypatch.setattr(progress, "EVERY", 0.1)
    place, calls = asked
    Path("m.csv").write_text(f"id,label,photo\n1,a,{place}/drips.png\n2,b,{place}/good.png\n3,a,{place}/good-2.png\n")
    found = importing.table("m.csv", private=True)
    assert not_one.plain(pq.read_table(found.path)["photo"][0].as_py()) == f"{place}/drips.png"
    assert "(the server sends too slowly: less than 1,000 bytes a second for a minute)" in found.notes[0]
    assert sum(path == "/drips.png" for path, _ in calls) == 1
    assert capsys.readouterr().err.count("waiting for 1 that are slow") > 1


def test_two_addresses_in_a_cell_are_not_asked(asked: Asked) -> None:
    place, calls = asked
    with pytest.raises(fetched.Refused, match="^these look like 2 addresses, and a cell has room for one$"):
        fetch(place, f"good.png;{place}/good-2.png")
    assert calls == []


def test_a_private_network_is_not_asked_unless_one_may(asked: Asked) -> None:
    place, calls = asked
    with pytest.raises(fetched.Refused, match="127.0.0.1 is in a private network, which is asked with --private-addr"):
        fetch(place, "good.png", private=False)
    assert calls == []


def test_more_bytes_than_are_allowed(asked: Asked) -> None:
    with pytest.raises(fetched.Refused, match="it holds 102,408 bytes, and 1,000 are fetched at most"):
        fetch(asked[0], "good.png", most=1000)


def test_no_server() -> None:
    with pytest.raises(fetched.Refused, match="the server does not answer, or broke off"):
        fetch("http://127.0.0.1:9", "good.png")


def test_cells_that_cannot_be_fetched_keep_their_address(asked: Asked) -> None:
    place, _ = asked
    names = ["good", "404", "breaks", "good-2"]
    lines = [f"{k},a,{place}/{name}.png\n" for k, name in enumerate(names)]
    Path("m.csv").write_text("".join(["id,label,photo\n", *lines]))
    found = importing.table("m.csv", private=True)
    digest = Path(pq.read_table(found.path)["photo"][0].as_py()).stem
    kept = f"media/{digest[:2]}/{digest}.png"
    cells = pq.read_table(found.path)["photo"]
    assert not_one.bare(cells).to_pylist() == [kept, f"{place}/404.png", kept, kept]
    assert not_one.why(cells) == {1: "an address that the import could not fetch: the server answers 404"}
    assert (found.path.parent / kept).read_bytes() == BODY
    assert found.notes == (
        f"1 of 4 addresses could not be fetched: the first is {place}/404.png (the server answers 404). Their cells "
        "keep the address, and their rows go to quarantine. Import again to try them again.",)


def test_a_table_of_which_no_address_answers_is_an_error(asked: Asked) -> None:
    place, _ = asked
    Path("m.csv").write_text(f"id,label,photo\n1,a,{place}/404.png\n2,b,{place}/404-2.png\n")
    with pytest.raises(UserError, match="None of the 2 addresses in m.csv could be fetched: .*answers 404"):
        importing.table("m.csv", private=True)
    assert not Path("data/imported/m/rows.parquet").exists()


def test_pages_of_the_web_are_not_fetched(asked: Asked) -> None:
    place, calls = asked
    Path("m.csv").write_text(f"id,label,text,source\n1,a,x,{place}/article/1\n2,b,y,{place}/article/2\n")
    assert importing.table("m.csv", private=True).path == Path("m.csv")
    assert calls == []


def test_other_addresses_are_no_source() -> None:
    with pytest.raises(UserError, match="ftp://a.example/x.csv: only http and https addresses are fetched"):
        importing.table("ftp://a.example/x.csv")


def test_a_look_says_how_many_addresses_it_asked(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    from trivium.importing import cells

    monkeypatch.setattr(cells, "LOOKED", 2)
    place, calls = asked
    lines = [f"{k},a,{place}/good-{k}.png\n" for k in range(5)]
    Path("m.csv").write_text("".join(["id,label,photo\n", *lines]))
    assert importing.table("m.csv", private=True, look=True).notes == ("for this look, 2 of 5 addresses were asked.",)
    assert len(calls) == 2
