"""`preprocess` decodes on the nodes of a Ray cluster, and leaves the bytes of one machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from benchmarks.scale.nodes import Nodes, nodes
from tests.data.test_media_places import RECIPES, STREAMS, filled, manifest
from tests.data.through import digests, preprocess, through
from tests.tiny_media import ENTRIES
from trivium.machine import engines
from trivium.machine.engines import cluster, spread
from trivium.settings.errors import UserError

pytest.importorskip("ray")
pytestmark = pytest.mark.slow
ROWS = 60
PLACES = {"loose": "img/{}.png", "zip": "zip://all.zip::img/{}.png", "tar": "tar://all.tar::img/{}.png"}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with nodes(tmp_path_factory.mktemp("nodes"), 2) as made:
        yield made


def made(name: str, image: str, folder: Path = Path("mine")) -> Path:
    """The outs of one machine, below `name`."""
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv(engines.ADDRESS)
        through(manifest(folder, image, image.replace("png", "wav"), ROWS), Path(name), STREAMS, RECIPES, ENTRIES)
    return Path(name) / "data"


def again(data: Path) -> list[int]:
    """The same on the cluster, with nothing kept; how many tasks there were."""
    sizes = list[int]()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(spread, "TOGETHER", 2)
        patched.setattr(spread, "WINDOW", 4)
        real = cluster.Cluster.run

        def run(self, work, tasks, needs, show):  # type: ignore[no-untyped-def]
            sizes.append(len(tasks))
            return real(self, work, tasks, needs, show)

        patched.setattr(cluster.Cluster, "run", run)
        for part in ("features", "reads", "cache"):
            (data / part).rename(data / f"{part}_here")
        preprocess(data, RECIPES, ENTRIES, 1)
    return sizes


@pytest.mark.parametrize("disk", ["shared disk", "no shared disk"])
@pytest.mark.parametrize("place", PLACES)
def test_the_bytes_are_those_of_one_machine(two: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disk: str,
                                            place: str) -> None:
    monkeypatch.chdir(tmp_path)
    if disk == "no shared disk":
        monkeypatch.setattr(cluster, "_marked", lambda orders: nullcontext())
    monkeypatch.setattr("trivium.data.arrow_file.BATCH_ROWS", 32)  # chunks of two rows
    filled(ROWS)
    data = made("out", PLACES[place])
    assert again(data) == [4, 4, 4, 3] * 2
    here = {path.replace("_here/", "/"): digest
            for path, digest in digests(data, "features_here", "reads_here").items()}
    assert digests(data, "features", "reads") == here
    assert not spread.HOME.exists()


def test_a_node_without_files_from_elsewhere_says_which(two: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                        ) -> None:
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path)
    filled(ROWS)
    monkeypatch.chdir(tmp_path / "project")
    data = made("out", PLACES["zip"], Path("../mine"))
    assert again(data)  # which is on the disk of this machine, and so on that of its nodes
    for part in ("features", "reads", "cache"):
        (data / f"{part}_here").rename(tmp_path / part)
    (tmp_path / "mine/all.zip").unlink()
    monkeypatch.setattr(cluster, "_marked", lambda orders: nullcontext())
    with pytest.raises(UserError, match=r"The node 127\.0\.0\.1 has no .*/mine/all\.zip, which params\.yaml names"):
        again(data)
