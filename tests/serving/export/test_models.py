"""Every kind of model, of every task, says as a graph what it says with torch: for any streams and any rows."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests import networks
from tests.serving.export.exported import gap
from tests.test_shapes import READ, spec
from trivium import fusion as fusions
from trivium import models
from trivium.encoders.base import Plain
from trivium.encoders.cells import Cells
from trivium.encoders.hub import Hub
from trivium.encoders.published import efficientnet_lite0, resemblyzer
from trivium.encoders.tfidf import TfIdf
from trivium.modalities.spec import Spec
from trivium.models import adapters, lora
from trivium.models.boosting import Boosted, Boosting, Trees, reader
from trivium.models.linear import Linear, Probed
from trivium.models.network import Ensemble, Model, Unimodal
from trivium.models.pools import Mean, Stack
from trivium.models.prompted import Prompted
from trivium.models.selected import Selected
from trivium.runtime.runner import session, short
from trivium.serving.export import graph
from trivium.tasks import Task
from trivium.tasks.classification import Classification
from trivium.tasks.multilabel import MultiLabel
from trivium.tasks.ordinal import Ordinal
from trivium.tasks.regression import Regression

pytest.importorskip("onnxscript")
pytestmark = pytest.mark.slow

CLOSE = 1e-5
TASKS: dict[str, Task] = {
    "classification": Classification(["a", "b", "c"]), "ordinal": Ordinal(["low", "mid", "high"]),
    "multilabel": MultiLabel(["a", "b", "c"]),
    "regression": Regression({"x": "", "y": "", "z": ""}, scale=[2.0, 1.0, 1.0]).fitted(
        np.random.default_rng(0).normal(1, 2, (50, 3))),
}
COLUMNS = (("area", 2), ("colour", 4), ("rooms", 2))
SPECS = {"note": Spec("note", "tokens", (6,), 20, modality="text"),
         "photo": Spec("photo", "features", (6,), modality="image")}
SIMPLE = {"title": TfIdf(64, Spec("title", "counts", (64,), modality="text")), "photo": Plain(SPECS["photo"]),
          "facts": Cells(Spec("facts", "columns", (3, 2), modality="table", columns=COLUMNS))}


def drawn(model: Model) -> Model:
    """With numbers in all that is trained, and in what is not."""
    draw = torch.Generator().manual_seed(0)
    for name, value in model.state_dict().items():
        if name.endswith("place"):
            value[1:] = torch.randint(0, 11, (len(value) - 1,), generator=draw, dtype=value.dtype)
        elif name.endswith("calibration") or name.endswith("calibrations"):
            value.fill_(1.7)
        elif value.is_floating_point() and "trees" not in name:
            value.copy_(torch.rand(value.shape, generator=draw) - 0.4)
    return model.eval()


def linear(way: str = "mean", streams: tuple[str, ...] = ("title", "photo", "facts"), outputs: int = 3,
           shape: tuple[int, ...] = ()) -> Linear:
    dense = {s: SIMPLE[s].width for s in streams if s != "title"}
    return Linear(("photo", "other", "title", "facts"), way, outputs, dense,  # type: ignore[arg-type]
                  {"title": (64, 10)} if "title" in streams else {}, shape)


def probed(task: Task, way: str) -> Model:
    shape = tuple(task.uncalibrated().shape)
    return drawn(Probed(SIMPLE, linear(way, outputs=task.outputs, shape=shape), task))


def pooled(task: Task, pool: str) -> Model:
    members = {s: Unimodal(networks.encoder(one, "static" if s == "note" else "mlp") if s == "note" else Plain(one),
                           task.outputs) for s, one in SPECS.items()}
    numbers = task.answer(torch.zeros(1, task.outputs), task.uncalibrated()).shape[1]
    own = {"product": None, "mean": Mean(torch.tensor([0.3, 0.7]), task.uncalibrated()),
           "stack": Stack(torch.zeros(2, task.outputs, numbers), torch.zeros(2, task.outputs),
                          torch.zeros(task.outputs), torch.zeros(task.outputs), task.uncalibrated())}[pool]
    return drawn(Ensemble(members, ("photo", "note", "other"), task, own))


def boosted(task: Task) -> Model:
    from sklearn.ensemble import HistGradientBoostingRegressor

    draw = np.random.default_rng(0)
    x = draw.normal(size=(300, 7))
    x[draw.random(x.shape) < 0.2] = np.nan
    fitted = HistGradientBoostingRegressor(max_iter=9, early_stopping=False).fit(x, np.nan_to_num(x) @ np.ones(7))
    grown = Trees.of([each[0].nodes for each in fitted._predictors], [k % 2 for k in range(9)], np.array([0.5, -1.0]))
    own = Boosting(("photo", "other", "title", "facts"), {"photo": [6, 2], "title": [64, 10, 2], "facts": [3]},
                   grown.about(), task)
    own.trees.load_state_dict(grown.state_dict())
    return drawn(Boosted({s: reader(one) for s, one in SIMPLE.items()}, own, task))


@pytest.mark.parametrize("name", list(TASKS))
@pytest.mark.parametrize("pool", ["product", "mean", "stack"])
def test_ensembles_of_every_task(pool: str, name: str, tmp_path: Path) -> None:
    assert gap(pooled(TASKS[name], pool), tmp_path / "a.onnx") < CLOSE


@pytest.mark.parametrize("name", list(TASKS))
@pytest.mark.parametrize("way", ["mean", "concatenation"])
def test_linear_probes_on_simple_features(way: str, name: str, tmp_path: Path) -> None:
    assert gap(probed(TASKS[name], way), tmp_path / "a.onnx") < CLOSE


@pytest.mark.parametrize("name", list(TASKS))
def test_boosted_trees(name: str, tmp_path: Path) -> None:
    assert gap(boosted(TASKS[name]), tmp_path / "a.onnx") < CLOSE


def test_a_selection_of_probes(tmp_path: Path) -> None:
    members = {"photo": linear(streams=("photo",)), "all": linear("concatenation")}
    model = Selected(SIMPLE, members, Mean(torch.tensor([0.4, 0.6]), torch.ones(())), TASKS["classification"])
    assert gap(drawn(model), tmp_path / "a.onnx") < CLOSE


def test_class_prompts(tmp_path: Path) -> None:
    encoders = {"note": networks.encoder(SPECS["note"]), "photo": Plain(SPECS["photo"])}
    model = Prompted(encoders, ("note", "other", "photo"), 5, TASKS["classification"])
    assert gap(drawn(model), tmp_path / "a.onnx") < CLOSE


@pytest.mark.parametrize("name", fusions.names())
def test_every_fusion(name: str, tmp_path: Path) -> None:
    specs = {"note": SPECS["note"], "scan": Spec("scan", "image", (3, 8, 8), modality="image")}
    assert gap(networks.multimodal(specs, 3, name).eval(), tmp_path / "a.onnx") < CLOSE


def test_every_encoder(tmp_path: Path) -> None:
    """All in one network, but for those that give no vectors of their own."""
    parts, k = {}, 0
    for described in READ:
        if described.architecture != "tfidf":
            k += 1
            parts[f"s{k}"] = models.encoder(described, spec(described, f"s{k}"), seed=0)
    assert len(parts) > 15
    model = models.multimodal(parts, TASKS["classification"], fusions.chosen("concat", "fusion"), seed=0)
    assert gap(model.eval(), tmp_path / "a.onnx") < 3 * CLOSE


@pytest.mark.parametrize("added", ["adapters", "lora"])
def test_what_was_put_into_encoders(added: str, tmp_path: Path) -> None:
    """Adapters, which stay behind their blocks, and low-rank updates, which are merged once they are trained."""
    specs = {"note": SPECS["note"], "scan": Spec("scan", "image", (3, 8, 8), modality="image")}
    parts, room = networks.encoders(specs), {"adapters": adapters, "lora": lora}[added]
    assert all(room.add(part, 4, 2) for part in parts.values())
    model = models.multimodal(parts, TASKS["classification"], fusions.chosen("concat", "fusion"), seed=0)
    for name, weight in model.named_parameters():
        if room.MARK in name:
            torch.nn.init.normal_(weight, std=0.5, generator=torch.Generator().manual_seed(0))
    if added == "lora":
        for part in parts.values():
            lora.merge(part)
    assert gap(model.eval(), tmp_path / "a.onnx") < CLOSE


def test_published_encoders_of_pictures_and_voices(tmp_path: Path) -> None:
    """Without their weights, which are as large as they need not be here."""
    torch.manual_seed(0)
    parts = {"scan": efficientnet_lite0.empty(Spec("scan", "image", (3, 64, 64), modality="image")),
             "voice": resemblyzer.empty(Spec("voice", "waveform", (1, 25_600), modality="audio"))}
    model = models.multimodal(parts, TASKS["classification"], fusions.chosen("concat", "fusion"), seed=0).eval()
    assert gap(model, tmp_path / "a.onnx") < CLOSE


def test_a_published_text_encoder_answers_to_texts_that_are_cut_behind_the_longest(tmp_path: Path) -> None:
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(vocab_size=30, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
                        intermediate_size=32, max_position_embeddings=12)
    spec = Spec("note", "tokens", (8,), 30, (0, 1, 3), modality="text")
    parts = {"note": Hub(BertModel(config), spec), "photo": Plain(SPECS["photo"])}
    model = models.multimodal(parts, TASKS["classification"], fusions.chosen("concat", "fusion"), seed=0).eval()
    ids = torch.tensor([[5, 9, 0, 0, 0, 0, 0, 0], [7, 8, 9, 4, 0, 0, 0, 0]])
    present = torch.ones(2, 2, dtype=torch.bool)
    photo = torch.randn(2, 6)
    with torch.inference_mode():
        told = model({"note": ids, "photo": photo}, present).numpy()
    assert graph.write(model, tmp_path / "a.onnx").short == ("note",)
    made = session(tmp_path / "a.onnx")
    for length in (4, 8):
        fed = {"input_note": short(ids.numpy()) if length == 4 else ids.numpy(), "input_photo": photo.numpy(),
               "present": present.numpy()}
        assert fed["input_note"].shape == (2, length)
        np.testing.assert_allclose(made.run(None, fed)[0], told, atol=CLOSE)
