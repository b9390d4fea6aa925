"""A pickle in each place where something is read: none is loaded, and none is let pass in silence."""

from __future__ import annotations

import io
import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from tests import networks
from tests.importing.things import put, rows, shard
from tests.security.planted import by_numpy, by_torch, pickled, works
from trivium import importing
from trivium.data import tables
from trivium.encoders import describe
from trivium.modalities.spec import Spec
from trivium.settings.errors import UserError

SPEC = Spec("text", "tokens", (6,), vocab=20)
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "mark"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    from transformers import BertConfig, BertModel

    config = BertConfig(vocab_size=20, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24,
                        max_position_embeddings=64)
    BertModel(config).save_pretrained(tmp_path / "model")
    vocabulary = {"version": "1.0", "added_tokens": [], "model": {
        "type": "WordLevel", "unk_token": "[UNK]", "vocab": {"[PAD]": 0, "[UNK]": 1, "[MASK]": 2, "a": 3}}}
    (tmp_path / "model/tokenizer.json").write_text(json.dumps(vocabulary))
    return tmp_path / "model"


def test_the_plants_are_some(mark: Path) -> None:
    works(pickled(mark), mark, pickle.loads)
    works(by_torch(mark), mark, lambda content: torch.load(io.BytesIO(content), weights_only=False))
    works(by_numpy(mark), mark, lambda content: np.load(io.BytesIO(content), allow_pickle=True))


@pytest.mark.parametrize("plant", [by_torch, pickled])
def test_a_checkpoint(mark: Path, plant: object) -> None:
    from tests.training.test_loop import Line, train

    checkpoint = mark.with_name("run.pt")
    checkpoint.write_bytes(plant(mark))  # type: ignore[operator]
    try:
        train(Line(), checkpoint)
    except Exception as error:  # or it is set aside and the unit starts again
        assert "eights" in str(error) or "checkpoint" in str(error)
    assert not mark.exists()


def test_vectors_and_costs_of_a_component(mark: Path) -> None:
    from trivium.models.kept import Kept

    for name, other in (("vectors.npy", "flops.npy"), ("flops.npy", "vectors.npy")):
        folder = mark.with_name(name.partition(".")[0])
        folder.mkdir()
        (folder / name).write_bytes(by_numpy(mark))
        np.save(folder / other, np.zeros((2, 3)))
        with pytest.raises((ValueError, UserError)):  # or the folder is damaged already
            Kept(folder)
    assert not mark.exists()


def test_the_index_of_an_archive(mark: Path) -> None:
    from trivium.modalities import media
    from trivium.modalities.media import index

    shard("a.tar", [(f"{k}.png", b"x") for k in range(3)])
    plants = []
    keep = index.kept

    def planted(state: str, members: index.Members, always: bool) -> index.Index:
        import hashlib

        path = index.HOME / f"{hashlib.blake2b(state.encode(), digest_size=16).hexdigest()}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(by_numpy(mark))
        plants.append(path)
        return keep(state, members, always)

    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(index, "kept", planted)
        assert media.read("tar://a.tar::1.png", mark.parent) == b"x"
    assert plants and not mark.exists()


def test_samples_that_times_are_measured_on(mark: Path) -> None:
    from trivium.serving.latency import timing

    file = io.BytesIO()
    np.savez(file, present=np.array([1]), x=np.array([None], object))
    content = file.getvalue()
    assert b"x.npy" in content
    (mark.parent / timing.SAMPLES).write_bytes(content)
    with pytest.raises(ValueError, match="allow_pickle"):
        timing.samples(mark.parent)


def test_a_model(mark: Path) -> None:
    from trivium import models
    from trivium.models import files

    folder = mark.with_name("seed_0")
    folder.mkdir()
    about = {"kind": "encoder", "streams": ["text"], "specs": {"text": SPEC.plain()},
             "encoders": {"text": networks.described(SPEC).plain()}}
    tables.write_json(about, folder / "model.json")
    for plant in (by_torch(mark), pickled(mark)):
        (folder / files.WEIGHTS).write_bytes(plant)
        with pytest.raises(Exception, match=r"(?i)header|safetensors|whole|damaged"):
            models.load(folder)
    assert not mark.exists()


def test_weights_of_the_hub_beside_safetensors(mark: Path, model: Path) -> None:
    for name in ("pytorch_model.bin", "training_args.bin", "optimizer.pt", "rng_state.pth"):
        (model / name).write_bytes(by_torch(mark))
    describe("one", {"modality": "text", "weights": str(model)})
    networks.encoder(SPEC, weights=str(model))
    (model / "model.safetensors").rename(model / "other.safetensors")  # so that the folder has some
    with pytest.raises(UserError, match="could not be loaded|no whole|without"):
        networks.encoder(SPEC, weights=str(model))
    (model / "other.safetensors").unlink()
    for given in (lambda: networks.encoder(SPEC, weights=str(model)),
                  lambda: describe("one", {"modality": "text", "weights": str(model)})):
        with pytest.raises(UserError, match="a pickle, which can run any code when it is loaded"):
            given()
    assert not mark.exists()


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
def test_code_that_comes_with_a_model(mark: Path, model: Path, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`auto_map` names classes of a Python file in the folder, which `trust_remote_code` would run."""
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("somebody is asked at the terminal"))
    (model / "evil.py").write_text(f"from pathlib import Path\nPath({str(mark)!r}).touch()\nclass Evil: pass\n")
    path = model / file
    about = json.loads(path.read_text()) if path.exists() else {}
    names = {key: "evil.Evil" for key in ("AutoConfig", "AutoModel", "AutoTokenizer", "AutoImageProcessor")}
    if file == "tokenizer_config.json":
        names["AutoTokenizer"] = ["evil.Evil", "evil.Evil"]  # type: ignore[assignment]
    path.write_text(json.dumps(about | {"auto_map": names}))
    networks.encoder(SPEC, weights=str(model))  # transformers knows this kind by itself: the code is not needed
    path.write_text(json.dumps(about | {"auto_map": names, "model_type": "evil", "tokenizer_class": "Evil"}))
    for given in (lambda: networks.encoder(SPEC, weights=str(model)), lambda: _tokenizer(model)):
        try:
            given()
        except UserError as error:
            assert "needs code that comes with it" in str(error) or "tokenizer" in str(error), error
    assert not mark.exists()


def _tokenizer(model: Path) -> object:
    from trivium.modalities import text

    return text._ready_made(str(model))


def test_an_extension_type_of_arrow(mark: Path) -> None:
    """pyarrow once unpickled what such a column says of itself (CVE-2023-47248)."""
    about = {b"ARROW:extension:name": b"arrow.py_extension_type", b"ARROW:extension:metadata": pickled(mark)}
    schema = pa.schema([pa.field("id", pa.string()), pa.field("text", pa.string(), metadata=about),
                        pa.field("label", pa.string())], metadata={b"pandas": pickled(mark), b"huggingface": b"{"})
    table = pa.table([["a", "b"], ["x", "y"], ["u", "v"]], schema)
    pq.write_table(table, "rows.parquet")
    for name, opened in (("rows.arrow", pa.ipc.new_file), ("stream/data-0.arrow", pa.ipc.new_stream)):
        Path(name).parent.mkdir(exist_ok=True)
        with opened(name, schema) as file:
            file.write_table(table)
    put({"stream/state.json": json.dumps({"_data_files": [{"filename": "data-0.arrow"}], "planted": "x"}),
         "stream/dataset_info.json": "{}"})
    for source in ("rows.parquet", "stream"):
        assert [row["text"] for row in rows(source)] == ["x", "y"]
    assert tables.read("rows.parquet")["text"].to_pylist() == ["x", "y"]
    assert not mark.exists()


def test_members_of_shards(mark: Path) -> None:
    """The library `webdataset` unpickles these endings by itself."""
    kinds = {"pyd": pickled, "pickle": pickled, "pkl": pickled, "pt": by_torch, "pth": by_torch, "npy": by_numpy,
             "npz": by_numpy, "ten": pickled, "mp": pickled}
    shard("a.tar", [("1.txt", b"hello"), *((f"1.{end}", made(mark)) for end, made in kinds.items())])
    assert rows("a.tar") == [{"id": "1", "text": "hello"}]
    assert not mark.exists()


def test_a_script_of_a_data_set(mark: Path) -> None:
    code = f"from pathlib import Path\nPath({str(mark)!r}).touch()\n"
    put({"set/set.py": code, "set/dataset.py": code, "set/features.pkl": pickled(mark), "set/state.pkl": pickled(mark),
         "set/README.md": f"---\nconfigs: !!python/object/apply:os.mkdir [{str(mark)!r}]\n---\n",
         "set/train.csv": "id,text,label\n1,a,u\n2,b,v\n"})
    assert importing.table("set").path == Path("set/train.csv")
    assert not mark.exists()


def test_yaml_that_makes_objects(mark: Path) -> None:
    from trivium.cli import repair
    from trivium.params import load

    evil = f"!!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path [{str(mark)!r}]]"
    put({"params.yaml": f"seeds: {evil}\ndata: {{source: {evil}}}\n", "dvc.lock": f"schema: {evil}\nstages: {{}}\n"})
    for read in (load, lambda: tables.read_yaml("dvc.lock"), lambda: repair.repair(Path("."))):
        try:
            read()
        except UserError as error:
            assert "YAML" in str(error) or "params.yaml" in str(error)
        except Exception as error:  # DVC's own, of a folder that is no repository
            assert "git" in str(error).lower() or "dvc" in str(error).lower(), error
    assert not mark.exists()


def test_a_packaged_model(mark: Path, tmp_path: Path) -> None:
    """Ours holds no pickle, and one beside the weights is not looked at."""
    from tests.fake_outs import fake_data, fake_models, fake_outs
    from trivium.serving import package
    from trivium.serving.pyfunc import _load_pyfunc

    root = fake_outs(tmp_path / "root", {"supervised_frozen": 0.9})
    fake_data(root)
    fake_models(root, "supervised_frozen")
    package.write(root, "supervised_frozen", tmp_path / "packed")
    assert sorted(file.name for file in (tmp_path / "packed").rglob("*") if file.is_file()) == [
        "inputs.json", "model.json", "model.safetensors"]
    for name in ("python_model.pkl", "model.pkl", "data.pkl"):
        (tmp_path / "packed" / name).write_bytes(pickled(mark))
    _load_pyfunc(str(tmp_path / "packed"))
    shutil.copy(tmp_path / "packed/model.pkl", tmp_path / "packed/model.safetensors")
    with pytest.raises(Exception, match=r"(?i)header|safetensors|whole|damaged"):
        _load_pyfunc(str(tmp_path / "packed"))
    assert not mark.exists()
