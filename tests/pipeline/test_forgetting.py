"""Rows that are forgotten: all outs have the bytes as if they had never been there, and nothing here holds them."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.helpers import command, digests, set_params, tiny_project
from trivium.data import tables

pytestmark = pytest.mark.slow
SECRET = "".join(("Qui", "rinus"))  # not in this file as it is; stands in the text of one row alone
OUTS = ("data/raw", "data/valid", "data/aligned", "data/splits", "data/features", "data/reads", "models", "export",
        "reports/evaluate", "reports/plots", "reports/figures", "reports/explained", "reports/summary")
FILES = ("reports/validation.json", "reports/leaks.json", "reports/comparison.json")


def rows() -> list[dict[str, Any]]:
    draw = np.random.default_rng(0)
    found = []
    for i in range(180):
        label = i % 2
        pixels = draw.integers(0, 128, (16, 16)).astype(np.uint8) + np.uint8(100 * label)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        said = " ".join(draw.choice([["cat", "purr", "milk", "mouse"], ["dog", "bark", "bone", "leash"]][label], 4))
        found.append({"id": f"r{i:03}", "label": ["cat", "dog"][label], "text": f"{said} w{i}, mail a{i}@example.org",
                      "photo": {"bytes": file.getvalue(), "path": None}})
    found[20]["text"] = f"{SECRET} has a cat, call +49 30 1234567"
    found[21]["photo"] = found[41]["photo"]  # twins
    return found


def project(folder: Path, without: tuple[str, ...]) -> Path:
    made = tiny_project(folder)
    pq.write_table(pa.Table.from_pylist([row for row in rows() if row["id"] not in without]), made / "mine.parquet")
    params = tables.read_yaml(made / "params.yaml")
    set_params(made, {"train": {name: params["train"][name] for name in ("end_to_end", "reference")},
                      "pretrain": {name: params["pretrain"][name] for name in ("scratch", "simple")},
                      "budget.epochs": 2})
    command(made, "trivium", "import", "mine.parquet", "--out", "data/imported/mine")
    set_params(made, {"data.streams.text.anonymise": True})
    return made


@pytest.fixture(scope="module")
def forgotten(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A project after `forget r020 r021`, and what the commands said."""
    made = project(tmp_path_factory.mktemp("with") / "project", ())
    said = {"ingest": command(made, "dvc", "repro", "preprocess")}
    said["forget"] = command(made, "trivium", "forget", "r020", "r021")
    command(made, "dvc", "repro")
    said["after"] = command(made, "trivium", "forget")
    said["gc"] = command(made, "trivium", "forget", "--gc", "--yes")
    return made, said


def test_the_outs_are_as_if_the_rows_had_never_been_there(forgotten: tuple[Path, dict[str, str]],
                                                          tmp_path: Path) -> None:
    never = project(tmp_path / "project", ("r020", "r021"))
    command(never, "dvc", "repro")
    mine, theirs = (digests(one, *OUTS, "data/imported") | {name: (one / name).read_text() for name in FILES}
                    for one in (forgotten[0], never))
    assert len(mine) > 100 and mine.keys() == theirs.keys()
    assert [name for name in mine if mine[name] != theirs[name]] == []


def test_what_holds_them_is_said(forgotten: tuple[Path, dict[str, str]]) -> None:
    said = forgotten[1]
    assert "2 rows are forgotten: r020, r021." in said["forget"]
    assert "r041 has the same file of photo" in said["forget"]
    for part in ("- the present outs: data/raw, data/valid, ", "data/features", "- the remote storage, if you pushed",
                 "data/imported/mine/rows.parquet was written anew", "- .cache/features: made again"):
        assert part in said["forget"]
    assert "present outs" not in said["after"] and "- DVC's cache, " in said["after"]
    assert "- DVC's cache, " not in said["gc"]  # what still holds them comes last


def test_nothing_here_holds_them_after_the_last_step(forgotten: tuple[Path, dict[str, str]]) -> None:
    made = forgotten[0]
    holding = [str(path.relative_to(made)) for path in made.rglob("*") if path.is_file()
               and ".git/" not in str(path) and SECRET.encode() in plain(path)]
    assert holding == ["mine.parquet"]  # the user's own
    assert len(json.loads((made / "data/forgotten.json").read_text())["ids"]) == 2


def test_texts_are_anonymised_wherever_they_are_kept(forgotten: tuple[Path, dict[str, str]]) -> None:
    made, said = forgotten
    assert "text: 180 of 180 values were anonymised (e-mail addresses: 179, phone numbers: 1)." in said["ingest"]
    told = json.loads((made / "reports/validation.json").read_text())["anonymised"]
    assert told == {"text": {"rows": 178, "texts": 178, "found": {"email": 178}}}
    for folder in ("data/raw", "data/valid", "data/aligned", "data/features", "reports", "export", "models"):
        assert [path for path in (made / folder).rglob("*") if path.is_file() and b"@example.org" in plain(path)] == []
    assert '"anonymised"' in (made / "export/processors.json").read_text()
    assert "phonenumbers==" in (made / "export/requirements.txt").read_text()


def plain(path: Path) -> bytes:
    """What a file says; of Parquet, its cells."""
    if path.suffix == ".parquet":
        return repr(pq.read_table(path).to_pylist()).encode()
    content = path.read_bytes()
    return repr(pq.read_table(io.BytesIO(content)).to_pylist()).encode() if content[:4] == b"PAR1" else content
