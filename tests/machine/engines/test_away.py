"""Files of finished work come back from a cluster through a folder or a bucket."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from benchmarks.scale.nodes import nodes
from tests import ray_works
from tests.machine.engines.test_cluster import NEEDS, quiet, unseen
from tests.ray_works import Chain
from trivium.machine import engines
from trivium.machine.engines import Task, away
from trivium.settings.errors import UserError


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """s3://trivium/outs, on a server on this machine that processes started from here find."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing",
                            "AWS_DEFAULT_REGION": "us-east-1",
                            "FSSPEC_S3_ENDPOINT_URL": f"http://{host}:{port}"}.items():
            patch.setenv(name, value)
        import boto3

        boto3.client("s3", endpoint_url=f"http://{host}:{port}").create_bucket(Bucket="trivium")
        from fsspec.config import conf, set_conf_env

        set_conf_env(conf)
        yield "s3://trivium/outs"
        conf.pop("s3", None)
    server.stop()


def made(folder: Path) -> Path:
    (folder / "deep").mkdir(parents=True)
    (folder / "deep/model").write_bytes(bytes(range(256)) * 40)
    (folder / "record.json").write_text("{}")
    return folder


def left(folder: Path) -> dict[str, int]:
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in folder.rglob("*") if path.is_file()}


def test_without_a_place_they_are_in_what_is_returned(tmp_path: Path) -> None:
    found = away.leave(made(tmp_path / "a"), "")
    assert [name for name, _ in found.files] == ["deep/model", "record.json"] and not found.folder
    away.take(found, tmp_path / "b")
    assert left(tmp_path / "b") == {"deep/model": 10240, "record.json": 2}


def test_through_a_folder_which_is_empty_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIVIUM_OUTS", f"{tmp_path}/on/the/way/")
    found = away.leave(made(tmp_path / "a"), away.place())
    assert found.files == () and found.names == ("deep/model", "record.json")
    assert sorted(left(tmp_path / "on/the/way").values()) == [2, 10240]
    away.take(found, tmp_path / "b")
    assert left(tmp_path / "b") == {"deep/model": 10240, "record.json": 2}
    assert list((tmp_path / "on/the/way").iterdir()) == []


@pytest.mark.parametrize(("where", "why"), [
    ("nosuch://bucket/x", "Protocol not known: nosuch"),
    ("{}/file/below", "File exists|Not a directory"),
])
def test_a_place_that_does_not_work_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str,
                                                    why: str) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TRIVIUM_OUTS", where.format(tmp_path))
    with pytest.raises(UserError, match=rf"^TRIVIUM_OUTS names .* does not work: .*({why}).*unset TRIVIUM_OUTS"):
        away.place()


@pytest.mark.slow
def test_a_bucket_that_is_not_there_is_one_sentence(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIVIUM_OUTS", "s3://no-such-bucket/outs")
    with pytest.raises(UserError, match=r"^TRIVIUM_OUTS names s3://no-such-bucket/outs, .* bucket does not exist"):
        away.place()


@pytest.mark.slow
def test_from_two_nodes_through_a_bucket(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    import fsspec

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRIVIUM_OUTS", bucket)
    unseen(monkeypatch)
    todo, seen = [Chain(name, 3, 0.5, tmp_path / "log") for name in "abcd"], set[str]()
    system = fsspec.filesystem("s3")

    def look(_: Sequence[int]) -> None:
        system.invalidate_cache()
        seen.update(path.rpartition("/")[2] for path in system.find(bucket))

    with nodes(tmp_path / "nodes", 2):
        monkeypatch.setattr(away, "take", lambda found, folder, take=away.take: (look([]), take(found, folder)))
        tasks = [Task(one, Path("units") / one.name) for one in todo]
        found = engines.chosen().run(ray_works.chain, tasks, NEEDS, quiet)
    assert found == [ray_works.expected(one) for one in todo]
    assert {path.read_text() for path in tmp_path.glob("units/*/deep/made")} == set(found)
    assert seen == {"made", "state"}
    system.invalidate_cache()
    assert system.find(bucket) == []
