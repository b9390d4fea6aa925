"""Each form that docs/bring-your-own-data.md shows, typed as it stands there."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.helpers import ROOT
from tests.importing import docs_page, servers
from trivium.cli.main import main
from trivium.modalities import media

LOCAL = "http://localhost:8000"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what forms.py makes."""
    folder = tmp_path_factory.mktemp("forms")
    (folder / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    (script,) = docs_page.blocks("Is there an example of each form?", "python")
    subprocess.run([sys.executable, "-c", script], cwd=folder, check=True)
    return folder


@pytest.fixture
def here(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(made)
    return made


def typed(title: str, say: pytest.CaptureFixture[str], place: str = LOCAL) -> None:
    """Every import of a section, after which its lines have been said, and each medium of the table is there."""
    lines = [line for line in docs_page.commands(title) if line.startswith(".venv/bin/trivium import")]
    assert lines
    for line in lines:
        main(shlex.split(line.replace(LOCAL, place))[1:])
    said = say.readouterr().out.replace(place, LOCAL)
    for block in docs_page.blocks(title):
        for line in block.splitlines():
            assert line in said.splitlines()
    for line in docs_page.blocks(title)[0].splitlines():
        if ": data/" in line:
            table = Path(line.rpartition(": ")[2])
            rows = pq.read_table(table).to_pylist()
            cells = [row.get("image") or row.get("picture") or row.get("image_url") or row.get("audio") for row in rows]
            assert len(rows) == (72 if "talks" in str(table) else 120)
            assert all(cell and media.exists(cell, table.parent) for cell in cells)
            assert len({row["id"] for row in rows}) == len(rows)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("title", [
    "Is there a folder for each class?", "Are pictures in the table?", "Are they tar shards?",
    "Are there several tables?", "Are there subtitles?", "Are there annotations of COCO?"])
def test_forms_on_this_disk(title: str, capsys: pytest.CaptureFixture[str]) -> None:
    typed(title, capsys)


def test_addresses(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with servers.serving(servers.folder(here / "forms")) as place:
        table = here / "forms/addresses.csv"
        before = table.read_text()
        table.write_text(before.replace(LOCAL, place))
        typed("Does it lie on a server?", capsys, place)
        table.write_text(before)


@pytest.mark.slow
def test_a_data_set_of_the_hub_and_one_that_datasets_saved(here: Path) -> None:
    """In processes of their own, since the hub's address is read once."""
    pytest.importorskip("datasets")
    title = "Is it a Hugging Face data set?"
    (script,) = docs_page.blocks(title, "python")
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, env=os.environ | {
        "HF_HOME": str(here / "hf")})
    files = {f"data/{side}-00000-of-00001.parquet": (here / f"forms/shards/part-{k}.parquet").read_bytes()
             for k, side in enumerate(("train", "test"))}
    with servers.serving(servers.hub("ylecun/mnist", files | {"mnist.py": b"raise SystemExit"})) as place:
        env = os.environ | {"HF_ENDPOINT": place, "HF_HOME": str(here / "hf"), "HF_HUB_OFFLINE": "0"}
        env["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), env.get("PYTHONPATH", "")])
        said = ""
        for line in docs_page.commands(title):
            done = subprocess.run([sys.executable, "-m", "trivium.cli", *shlex.split(line)[1:]], capture_output=True,
                                  text=True, env=env)
            assert done.returncode == 0, done.stderr
            said += done.stdout
    for block in docs_page.blocks(title):
        assert block.strip() in said
    hub = pq.read_table("data/imported/mnist/rows.parquet")
    assert hub["split"].to_pylist() == ["test"] * 60 + ["train"] * 60
    saved = pq.read_table("data/imported/saved/rows.parquet").to_pylist()
    assert [row["label"] for row in saved[:2]] == ["even", "odd"] and saved[119]["text"] == "row 119"
    assert Path("data/imported/saved", saved[7]["image"]).is_file()
