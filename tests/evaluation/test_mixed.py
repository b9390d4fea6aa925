"""Analyses of models of unlike parts: published, kept, without vectors or gradients, too dear."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from tests import networks
from tests.fake_outs import CLASSES, fake_data, fake_models
from trivium import fusion as fusions
from trivium import models
from trivium.data.store import Store
from trivium.encoders.base import Encoder
from trivium.evaluation import encoded
from trivium.evaluation.analyse import analyse
from trivium.evaluation.metrics import Analyses, Attribution
from trivium.evaluation.settings import Settings
from trivium.models.network import Model

SETTINGS = Settings(batch=5, calibration_bins=15)
STREAMS = ["text", "image", "audio"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("mixed")
    fake_data(root, samples=96)
    fake_models(root, "joint")
    return root


def run(model: Any, store: Store, out: Path, settings: Settings = SETTINGS) -> Analyses:
    rows = store.rows(0, "test")
    return analyse(model, store, 0, rows, encoded.encode_rows(model, store, rows, 0, 5), settings, out)


def test_a_number_is_said_for_every_analysis_and_stream(project: Path, tmp_path: Path) -> None:
    """24 samples are tested: so few that all of them meet noise; of the six to explain, some lack a stream."""
    found = run(models.load(project / "models/joint/seed_0"), Store("supervised", project), tmp_path)
    rows = found.rows
    for name in ("contribution", "information", "misalignment", "probes"):
        assert rows[name] == {"text": 24, "image": 24, "audio": 24}
    assert rows["corruption"] == {"text": 24, "image": 24, "audio": 24}
    assert rows["shift"] == {"audio": 24} and rows["attacks"] == {"image": 8, "audio": 8}
    assert set(rows["attribution"]) == set(STREAMS) and all(4 <= n <= 6 for n in rows["attribution"].values())


def test_what_is_too_dear_is_absent_and_the_rest_is_as_it_was(project: Path, tmp_path: Path) -> None:
    store = Store("supervised", project)
    model = models.load(project / "models/joint/seed_0")
    whole = run(model, store, tmp_path / "whole")
    found = run(model, store, tmp_path / "poor", SETTINGS.model_copy(update={"analysis_flops": 1.0}))
    for name in ("corruption", "attacks", "attribution", "probes"):
        assert set(found.rows[name].values()) == {0}
    assert found.robustness.corruption == found.robustness.attacks == found.robustness.shift == {}
    assert found.probes == {} and found.attribution == Attribution(deletion={}, samples=[])
    assert found.contribution == whole.contribution and found.information == whole.information
    assert found.robustness.misalignment == whole.robustness.misalignment
    assert sorted(path.name for path in (tmp_path / "poor").iterdir()) == ["explained.json", "explained.safetensors",
                                                                          "vectors"]


class Words(Encoder):
    """As published encoders of texts are: of any length, without weights that somebody here drew."""

    published = True

    def __init__(self, spec: Any) -> None:
        super().__init__()
        self.spec, self.width, self.patch, self.seen = spec, 16, (), 0
        self.embed = nn.Embedding(spec.vocab, 16)
        nn.init.zeros_(self.embed.weight)

    def forward(self, x: Tensor) -> Tensor:
        self.seen += len(x)
        return self.embed(x).sum(1)


class Kept:
    def __init__(self, vectors: Tensor) -> None:
        self.vectors = vectors

    def take(self, rows: np.ndarray) -> Tensor:
        return self.vectors[torch.from_numpy(rows)]


def test_kept_vectors_stand_for_what_has_not_changed(project: Path, tmp_path: Path) -> None:
    store = Store("supervised", project)
    words = Words(store.specs["text"])
    with torch.no_grad():
        words.embed.weight[1:].normal_(generator=torch.Generator().manual_seed(0))
    parts: dict[str, Encoder] = {"text": words} | {
        s: models.encoder(store.encoders[s], store.specs[s], 0) for s in STREAMS[1:]}
    model: Any = models.multimodal(parts, networks.task(len(CLASSES)), fusions.chosen("concat", "fusion"), 0).eval()
    model.requires_grad_(False)
    fresh = run(model, store, tmp_path / "fresh")
    with torch.no_grad():
        model.kept["text"] = Kept(words(store.batch(np.arange(len(store)), 0).inputs["text"]))
    words.seen = 0
    found = run(model, store, tmp_path / "kept")
    explained, asked = len(found.attribution.samples), found.rows["attribution"]["text"]
    same = found.rows["explained"]["text"]  # those that every strategy explains
    # five levels of noise; 32 points of the line, and its ends twice; eleven cuts, of those with a text, in four orders
    assert words.seen == 24 * 5 + (explained + same) * (32 + 4) + asked * 11 * 4
    assert found.probes["text"].before is None and found.probes["image"].before is not None
    assert found == fresh


class Counts(Encoder):
    """As TF-IDF is: what it gives are the ids and counts themselves."""

    gives = frozenset()

    def forward(self, x: Tensor) -> Tensor:
        return x


class CountStore(Store):
    """Its texts are pairs of a word's id and count, as many as the longest text of a batch has."""

    def _input(self, s: str, rows: np.ndarray, seed: int, present: Tensor) -> Tensor:
        if s != "text":
            return super()._input(s, rows, seed, present)
        return self._pairs(torch.from_numpy(self._column(s, seed).gather(rows)).long())

    def encode(self, stream: str, seed: int, said: list[str]) -> Tensor:
        return self._pairs(super().encode(stream, seed, said))

    def _pairs(self, x: Tensor) -> Tensor:
        x = x[:, : max(1, int((x != 0).sum(1).max()))]
        return torch.stack([x, (x != 0).long()], -1)


class Linear(Model):
    """Two streams of three: a sum of weights of words, and one of an image's vector."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.task)
        self.streams, draw = store.streams, torch.Generator().manual_seed(0)
        self.parts = nn.ModuleDict({"text": Counts(),
                                    "image": models.encoder(store.encoders["image"], store.specs["image"], 0)})
        self.parts.text.spec, self.parts.text.width = store.specs["text"], 0
        self.words = torch.randn(store.reads.streams["text"].spec["vocab"], 3, generator=draw)
        self.pixels = torch.randn(16, 3, generator=draw)

    @property
    def readers(self) -> dict[str, Encoder]:
        return dict(self.parts.items())

    def answer(self, vectors: Any, present: Tensor) -> Tensor:
        ids, counts = vectors["text"].unbind(-1)
        said = (self.words[ids] * counts.unsqueeze(-1)).sum(1) * present[:, [0]]
        return (said + vectors["image"] @ self.pixels * present[:, [1]]).log_softmax(-1)


def test_counts_are_permuted_and_corrupted_but_neither_compared_nor_attacked(project: Path, tmp_path: Path) -> None:
    store = CountStore("supervised", project)
    store.specs["text"] = replace(store.specs["text"], kind="counts")
    model = Linear(store).eval().requires_grad_(False)
    found = run(model, store, tmp_path)
    assert found.information is not None and len(found.information.subsets) == 7
    assert set(found.contribution.score) == set(STREAMS)
    assert found.contribution.score["audio"] == 0 != found.contribution.log_probability["text"]
    corruption = found.robustness.corruption
    assert set(corruption) == set(STREAMS) and len(set(corruption["audio"].score)) == 1
    assert found.rows["corruption"] == {"text": 24, "image": 24, "audio": 24}
    assert set(found.robustness.attacks) == set(found.probes) == {"image"}
    assert set(found.attribution.deletion) == {"image"} and len(found.attribution.samples) >= 4
    assert set(load_file(tmp_path / "vectors/seed_0.safetensors")) == {"image"}


def test_counts_under_noise_are_those_of_other_words(project: Path) -> None:
    """The answers at severity 1 by hand: as many words, all of train, through the processor again."""
    from trivium.evaluation.noise import Noise
    from trivium.evaluation.robustness import corruption

    store = CountStore("supervised", project)
    store.specs["text"] = replace(store.specs["text"], kind="counts")
    model, rows = Linear(store).eval(), store.rows(0, "test")
    clean = encoded.encode_rows(model, store, rows, 0, 5)
    found = corruption(model, clean, "text", Noise(store, 0, "text", rows), 7)
    broken = Noise(store, 0, "text", rows)(slice(None), 1.0)
    right = model.answer({**clean.inputs, "text": broken}, clean.present).argmax(1) == clean.y
    assert found.score[-1] == right.double().mean().item()
    right = model.answer(clean.inputs, clean.present).argmax(1) == clean.y
    assert found.score[0] == right.double().mean().item()
