import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from tests import records
from tests.fake_outs import CLASSES, fake_data, fake_models, fake_outs
from tests.helpers import ROOT
from trivium.data.store import Store
from trivium.data.tables import digest, read, read_json, write_json
from trivium.runtime.folder import Processed, Processors
from trivium.runtime.values import Value
from trivium.serving import package
from trivium.serving.predictor import Predictor, best, data_uri
from trivium.settings.errors import UserError


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real features and an untrained model of seed 1, the best by validation NLL. To be read only."""
    folder = fake_outs(tmp_path_factory.mktemp("served"), {"supervised_frozen": 0.9})
    fake_data(folder)
    fake_models(folder, "supervised_frozen")
    return folder


@pytest.fixture(scope="module")
def predictor(root: Path) -> Predictor:
    return Predictor.of_strategy(root, "supervised_frozen")


def rows(root: Path) -> list[dict[str, str | None]]:
    return read(root / "data/aligned/samples.parquet").select(["text", "image", "audio"]).to_pylist()


def answered(predictor: Predictor, rows: Sequence[Mapping[str, Value]], root: str | Path = ".") -> np.ndarray:
    """Where nothing is left out."""
    found, warnings, errors = predictor.answers(rows, root)
    assert not any(warnings) and not any(errors)
    return found


def test_the_best_seed_is_taken(root: Path) -> None:
    assert best(root, "supervised_frozen") == (root / "models/supervised_frozen/seed_1", 1)


def test_raw_values_give_what_the_stored_features_give(root: Path, predictor: Predictor) -> None:
    import torch

    from trivium import models

    store = Store("supervised", root)
    batch = store.batch(np.arange(len(store)), seed=1)
    assert not bool(batch.present.all())  # some samples lack a modality
    with torch.inference_mode():
        expected = models.load(root / "models/supervised_frozen/seed_1")(batch.inputs, batch.present).exp().numpy()
    found = answered(predictor, rows(root), root / "data/raw")
    assert predictor.task.categories == tuple(CLASSES)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_allclose(found.sum(1), 1)


def test_path_bytes_and_data_uri_are_the_same(root: Path, predictor: Predictor) -> None:
    image, audio = root / "data/raw/media/3.png", root / "data/raw/media/3.wav"
    as_paths = answered(predictor, [{"image": str(image), "audio": "media/3.wav"}], root / "data/raw")
    as_bytes = answered(predictor, [{"image": image.read_bytes(), "audio": audio.read_bytes()}])
    as_uris = answered(predictor, [{"image": data_uri(image, "image/png"), "audio": data_uri(audio, "audio/wav")}])
    np.testing.assert_array_equal(as_paths, as_bytes)
    np.testing.assert_array_equal(as_paths, as_uris)


def test_missing_is_none_nan_or_empty(predictor: Predictor) -> None:
    found = answered(predictor, [{"text": "alpha one"}, {"text": "alpha one", "image": None, "audio": ""},
                                 {"text": "alpha one", "image": float("nan")}])
    np.testing.assert_allclose(found[1:], found[[0, 0]], rtol=1e-6)
    assert answered(predictor, []).shape == (0, 3)


def test_what_training_took_for_a_placeholder_is_missing(root: Path, predictor: Predictor, tmp_path: Path) -> None:
    """Here, in a package, and in an exported folder."""
    mine, grey = tmp_path / "mine", root / "data/raw/media/3.png"
    shutil.copytree(root, mine)
    facts = read_json(mine / "data/features/features.json")
    facts["meta"]["placeholders"] = {"image": [digest(grey.read_bytes())]}
    write_json(facts, mine / "data/features/features.json")
    packed = package.write(mine, "supervised_frozen", tmp_path / "packed")
    asked = [{"text": "alpha", "image": str(grey)}, {"text": "alpha"}]
    for own in (Predictor.of_strategy(mine, "supervised_frozen"), Predictor.of_package(tmp_path / "packed")):
        found = answered(own, asked)
        np.testing.assert_array_equal(found[0], found[1])
    assert (answered(predictor, asked)[0] != found[1]).any()
    told = Processors(strategy="a", title="A", seed=1, task=predictor.task.plain(), read=(), short=(),
                      streams={"image": Processed.model_validate(packed["streams"]["image"])}).text()
    assert digest(grey.read_bytes()) in told


def test_an_unreadable_file_is_named(predictor: Predictor, tmp_path: Path) -> None:
    found, warnings, errors = predictor.answers(
        [{"text": "alpha"}, {"image": "nope.png"}, {"audio": "data:audio/wav;base64,%%"}], tmp_path)
    assert errors[:2] == [None, "image 'nope.png' cannot be used: there is no such file"]
    assert str(errors[2]).startswith("audio 'data:audio/wav;base64,%%' cannot be used: not valid base64")
    assert warnings == [None, None, None] and np.isnan(found).any(1).tolist() == [False, True, True]


def test_a_name_tells_why_there_is_no_file(predictor: Predictor, tmp_path: Path) -> None:
    _, _, errors = predictor.answers([{"image": "D:/img/1.png"}, {"audio": "a.wav;b.wav"}], tmp_path)
    assert [str(error).split("used: ")[1] for error in errors] == [
        "there is no such file: this is a place on a drive of Windows, not one that is seen from the table",
        "there is no such file: these look like 2 files, and a cell has room for one"]


def test_a_value_that_cannot_be_used_is_left_out_with_a_warning(
    root: Path, predictor: Predictor, tmp_path: Path,
) -> None:
    """Also where a sound breaks off, which libsndfile reads without a word."""
    whole = (root / "data/raw/media/0.wav").read_bytes()
    (tmp_path / "half.wav").write_bytes(whole[:len(whole) // 2])
    found, warnings, errors = predictor.answers(
        [{"text": "alpha"}, {"text": "alpha", "audio": "half.wav"}, {"text": "alpha", "audio": whole, "start": "soon"},
         {"text": "alpha", "image": b"noise", "audio": b"noise"}, {"audio": b"noise", "image": "no.png"}], tmp_path)
    np.testing.assert_allclose(found[1:4], found[[0, 0, 0]], rtol=1e-6)
    assert np.isnan(found[4]).all() and warnings[4] is None and errors[:4] == [None] * 4
    assert warnings[0] is None
    assert str(warnings[1]).startswith("audio 'half.wav' cannot be used: has ")
    assert str(warnings[1]).endswith("bytes of sound that its header names: the file is truncated")
    assert warnings[2] == f"audio of {len(whole):,} bytes cannot be used: start is 'soon', not a number of seconds"
    noise = "audio of 5 bytes cannot be used: not sound, or of a format that libsndfile cannot read"
    assert str(warnings[3]).split("; ")[1] == noise and "image of 5 bytes cannot be used" in str(warnings[3])
    assert errors[4] == f"image 'no.png' cannot be used: there is no such file; {noise}"


def test_an_empty_file_in_the_row_itself_is_none_that_is_missing(predictor: Predictor, tmp_path: Path) -> None:
    _, warnings, errors = predictor.answers([{"text": "alpha", "image": b""}, {"text": b"", "image": b""},
                                             {"text": "alpha", "image": None}], tmp_path)
    assert warnings[0] == "image of 0 bytes cannot be used: it is an empty file" and warnings[2] is None
    assert errors == [None, "image of 0 bytes cannot be used: it is an empty file", None]


def test_no_answer_where_the_model_reads_nothing_of_what_is_left(root: Path, tmp_path: Path) -> None:
    deaf = Predictor.of_strategy(root, "supervised_frozen")
    deaf.read = ("image",)
    found, warnings, errors = deaf.answers([{"text": "alpha", "image": "no.png"}, {"text": "alpha"}], tmp_path)
    assert np.isnan(found).all() and warnings == [None, None]
    assert errors == ["image 'no.png' cannot be used: there is no such file",
                      "sample has no image, and the model reads nothing else"]
    _, _, errors = deaf.answers([{"text": "alpha", "audio": "no.wav"}], tmp_path)
    assert errors == ["sample has no image, and the model reads nothing else"]  # and not what is wrong with the sound


def test_one_bad_row_does_not_fail_a_batch_of_mlflow(root: Path, tmp_path: Path) -> None:
    import pandas as pd

    from trivium.serving.pyfunc import _load_pyfunc

    package.write(root, "supervised_frozen", tmp_path / "packed")
    table = pd.DataFrame({"text": ["alpha", None, "beta"], "image": [None, "gone.png", b"noise"]}, index=[7, 9, 8])
    found = _load_pyfunc(str(tmp_path / "packed")).predict(table)
    assert list(found.columns) == [
        "label", "probability_anna", "probability_ben", "probability_carla", "warning", "error"]
    assert list(found.index) == [7, 9, 8]
    assert found["label"][7] in CLASSES and found["warning"][7] is None and found["error"][7] is None
    assert found["label"][9] is None and found["probability_ben"].isna().tolist() == [False, True, False]
    assert found["label"][8] in CLASSES and found["warning"][8].startswith("image of 5 bytes cannot be used")
    assert found["error"][9] == "image 'gone.png' cannot be used: there is no such file"


def test_an_unknown_strategy_is_answered_with_the_known_ones(root: Path) -> None:
    with pytest.raises(UserError, match="no trained strategy `frozen`.*trained: supervised_frozen"):
        Predictor.of_strategy(root, "frozen")


def test_features_that_changed_since_the_training_are_refused(tmp_path: Path) -> None:
    """With other labels every answer would be wrong, and none would look it."""
    root = fake_outs(tmp_path, {"supervised_frozen": 0.9})
    fake_data(root)
    fake_models(root, "supervised_frozen")
    path = root / "data/reads/supervised.json"
    found = read_json(path)
    found["samples"] = "0" * 32  # other labels, or other splits
    write_json(found, path)
    for use in (lambda: Predictor.of_strategy(root, "supervised_frozen"),
                lambda: package.write(root, "supervised_frozen", tmp_path / "packed")):
        with pytest.raises(UserError, match="seed_1 was trained on other features than .*Run `dvc repro`"):
            use()


def test_a_package_stands_alone(root: Path, predictor: Predictor, tmp_path: Path) -> None:
    package.write(root, "supervised_frozen", tmp_path / "packed")
    assert {path.name for path in (tmp_path / "packed").iterdir()} == {"model.safetensors", "model.json", "inputs.json"}
    alone = Predictor.of_package(tmp_path / "packed")
    sample = [{"text": "beta two", "image": "media/1.png"}]
    np.testing.assert_array_equal(answered(alone, sample, root / "data/raw"),
                                  answered(predictor, sample, root / "data/raw"))


def test_the_code_of_a_package_is_all_that_a_prediction_needs(tmp_path: Path) -> None:
    made = package.code(tmp_path)
    source = ROOT / "src/trivium"
    files = {str(path.relative_to(made)) for path in made.rglob("*.py")}
    assert {"serving/pyfunc.py", "encoders/cnn.py", "fusion/concat.py", "modalities/text.py", "models/files.py",
            "data/sources/rows.py"} <= files
    for room in ("encoders", "modalities", "fusion", "models", "tasks"):  # rooms within them, too
        assert {str(path.relative_to(source)) for path in (source / room).rglob("*.py")} <= files
    assert not any(file.startswith(("training", "report", "tracking", "cli")) for file in files)


def test_the_streams_are_those_of_the_model_in_its_order(root: Path, tmp_path: Path) -> None:
    """Else a sample with a text alone would be taken for one with a sound alone."""
    package.write(root, "supervised_frozen", tmp_path / "packed")
    path = tmp_path / "packed/inputs.json"
    prepared = read_json(path)
    for order in (["audio", "image", "text"], ["image", "text", "audio"]):
        write_json(prepared | {"streams": {s: prepared["streams"][s] for s in order}}, path, sort=False)
        predictor = Predictor.of_package(tmp_path / "packed")
        assert predictor.streams == {"text": "text", "image": "image", "audio": "audio"}
        assert list(predictor.streams) == ["text", "image", "audio"]


def test_published_weights_that_stay_with_the_recipe_come_along(root: Path, tmp_path: Path) -> None:
    """`models/<strategy>` does not hold them: see `trivium.models.files`."""
    mine = tmp_path / "project"
    shutil.copytree(root, mine)
    model = mine / "models/supervised_frozen/seed_1"
    kept = mine / "models/pretrain/supervised/image/all"
    weights = load_file(model / "model.safetensors")
    prefix = "encoders.image."
    kept.mkdir(parents=True)
    save_file({name.removeprefix(prefix): w for name, w in weights.items() if name.startswith(prefix)},
              kept / "model.safetensors")
    write_json({}, kept / "model.json")
    save_file({name: w for name, w in weights.items() if not name.startswith(prefix)}, model / "model.safetensors")
    about = read_json(model / "model.json") | {"apart": {"image": "supervised/image/all"}}
    write_json({key: value for key, value in about.items() if key != "sha256"}, model / "model.json")
    sample = [{"text": "beta two", "image": "media/1.png"}]
    expected = answered(Predictor.of_strategy(root, "supervised_frozen"), sample, root / "data/raw")
    np.testing.assert_array_equal(
        answered(Predictor.of_strategy(mine, "supervised_frozen"), sample, root / "data/raw"), expected)
    package.write(mine, "supervised_frozen", tmp_path / "packed")
    shutil.rmtree(mine)
    np.testing.assert_array_equal(answered(Predictor.of_package(tmp_path / "packed"), sample, root / "data/raw"),
                                  expected)


def test_a_strategy_that_was_not_begun_has_no_model(tmp_path: Path) -> None:
    said = "Joint was not begun: it needs 3.0 times as much."
    records.trained("joint", skipped=said).write(tmp_path / "models/joint/training.json")
    with pytest.raises(UserError, match="no model of `joint`: Joint was not begun: it needs 3.0 times"):
        best(tmp_path, "joint")


def test_a_misspelt_strategy_is_answered_with_the_nearest_one_and_those_that_have_a_model(tmp_path: Path) -> None:
    for name, why in (("reference", ""), ("end_to_end", ""), ("joint", "Too dear.")):
        records.trained(name, skipped=why).write(tmp_path / "models" / name / "training.json")
    with pytest.raises(UserError) as refused:
        best(tmp_path, "refrence")
    assert str(refused.value) == (f"There is no trained strategy `refrence` in {tmp_path}/models; did you mean "
                                  "`reference`? Trained: end_to_end, reference.")


def test_a_recipe_with_another_name_changes_nothing(root: Path, predictor: Predictor, tmp_path: Path) -> None:
    mine = tmp_path / "project"
    shutil.copytree(root, mine)
    (mine / "data/reads/supervised.json").rename(mine / "data/reads/renamed.json")
    path = mine / "models/supervised_frozen/training.json"
    write_json(read_json(path) | {"start": "renamed"}, path)
    sample = [{"text": "beta two"}]
    np.testing.assert_array_equal(answered(Predictor.of_strategy(mine, "supervised_frozen"), sample),
                                  answered(predictor, sample))


def test_the_example_is_two_complete_samples_that_need_no_file(root: Path, predictor: Predictor) -> None:
    example = package.example(root, predictor.streams)
    assert [row["text"] for row in example] == ["alpha one 0", "beta two 1"]
    assert all(str(row["image"]).startswith("data:image/png;base64,") for row in example)
    raw = answered(predictor, rows(root)[:2], root / "data/raw")
    np.testing.assert_array_equal(answered(predictor, example), raw)


def test_the_example_without_the_data_has_two_rows_too(tmp_path: Path) -> None:
    assert package.example(tmp_path, {"text": "text", "image": "image"}) == [{"text": "hello", "image": None}] * 2


def test_the_part_of_a_recording_that_a_row_is_about(root: Path, predictor: Predictor, tmp_path: Path) -> None:
    import soundfile

    wave, rate = soundfile.read(root / "data/raw/media/3.wav", dtype="int16")
    soundfile.write(tmp_path / "long.wav", np.concatenate([np.resize(wave[::-1], rate // 4), wave, wave]), rate)
    soundfile.write(tmp_path / "cut.wav", wave, rate)
    span = {"start": "0.25", "end": str(0.25 + len(wave) / rate)}  # as a CSV has them
    cut, part, all_of_it = answered(predictor, 
        [{"audio": "cut.wav"}, {"audio": "long.wav"} | span, {"audio": "long.wav", "start": None}], tmp_path)
    np.testing.assert_allclose(part, cut, rtol=1e-6)
    assert not np.allclose(all_of_it, cut, rtol=1e-3)
    (error,) = predictor.answers([{"audio": "cut.wav", "start": "soon"}], tmp_path)[2]
    assert error == "audio 'cut.wav' cannot be used: start is 'soon', not a number of seconds"
