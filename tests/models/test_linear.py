import json

import numpy as np
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion

from tests import networks
from trivium.data.ragged import RaggedColumn, RaggedWriter
from trivium.encoders.tfidf import TfIdf, fit_idf
from trivium.modalities.processors import ngrams
from trivium.models.linear import Linear
from trivium.tasks.base import LOWEST
from trivium.training import logistic
from trivium.training.linear import fit, fit_probe

BUCKETS = 2**20
TASK, ONE = networks.task(3), torch.ones(())
WORDS = {0: "sun beach summer hot sand", 1: "snow ice winter cold sled", 2: "rain wet autumn grey leaf"}


def texts(rows, seed):
    rng = np.random.default_rng(seed)
    y = np.arange(rows) % 3
    common = ["the", "a", "of", "it", "is", "was", "and", "day", "week", "town"]
    return [" ".join([*rng.choice(common, 4), *rng.choice(WORDS[label].split(), 1 + k % 2)]) + f" number{k % 7}"
            for k, label in enumerate(y)], y


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """60 train and 30 other texts: counts, idf of train, TF-IDF and labels."""
    folder = tmp_path_factory.mktemp("ragged")
    (train, y), (other, y_other) = texts(60, 0), texts(30, 1)
    with RaggedWriter(folder / "a.arrow") as file:
        file.add(ngrams.counts([*train, *other], ngrams.Settings(buckets=BUCKETS)))
    column = RaggedColumn(folder / "a.arrow")
    encoder = TfIdf(BUCKETS)
    encoder.idf.copy_(torch.from_numpy(fit_idf(column.csr(np.arange(60), BUCKETS))))
    return {"train": train, "other": other, "y": y, "y_other": y_other, "idf": encoder.idf.numpy(),
            "matrix": encoder.transform(column.csr(np.arange(90), BUCKETS)),
            "pairs": torch.from_numpy(column.gather(np.arange(90)).astype(np.int64))}


def photos(y, seed):
    return (np.random.default_rng(seed).normal(0, 1, (len(y), 5)) + 2 * np.eye(5)[y]).astype(np.float32)


def two_streams(small):
    """A fit of text and photo, some of which are missing, the module of it, and its inputs of all 90 rows."""
    y = np.concatenate([small["y"], small["y_other"]])
    photo = photos(y, 3)
    here = {"text": np.arange(90) % 5 > 0, "photo": np.arange(90) % 7 > 1}
    cut = lambda of, rows: {s: x[rows] for s, x in of.items()}  # noqa: E731
    x = {"text": small["matrix"], "photo": photo}
    first, last = np.arange(60), np.arange(60, 90)
    found = fit(cut(x, first), cut(here, first), y[:60], cut(x, last), cut(here, last), y[60:], TASK)
    vectors = {"text": small["pairs"], "photo": torch.from_numpy(photo)}
    return found, vectors, torch.from_numpy(np.stack([here["text"], here["photo"]], 1)), y


def module(found, small, streams=("text", "photo")):
    answer = found.answer
    return Linear.of(streams, answer.way, answer.weights, answer.biases, answer.intercept, found.nothing,
                     found.chosen.calibration, {"text": small["idf"]})


def test_the_twenty_lines_of_scikit_learn(small, monkeypatch):
    monkeypatch.setattr(logistic, "TOLERANCE", 1e-14)
    union = FeatureUnion([
        ("words", TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)),
        ("characters", TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True))])
    x = union.fit_transform(small["train"]) / 2**0.5  # two parts of length 1: rows of length 1
    pipeline = LogisticRegression(C=1 / (60 * 1e-3), tol=1e-10, max_iter=9999).fit(x, small["y"])
    expected = pipeline.predict_log_proba(union.transform(small["other"]) / 2**0.5)
    probe = fit_probe(small["matrix"][:60], small["y"], small["matrix"][60:], small["y_other"], TASK, strengths=(1e-3,))
    net = Linear.of(("text",), "mean", {"text": probe.weight}, {"text": probe.bias}, np.zeros(3, np.float32),
                    np.log(np.full(3, 1 / 3, np.float32)), ONE, {"text": small["idf"]})
    found = net({"text": small["pairs"][60:]}, torch.ones(30, 1, dtype=torch.bool), TASK).numpy()
    assert np.abs(found - expected).max() < 1e-5


def test_the_module_answers_as_the_fit_did(small):
    found, vectors, present, y = two_streams(small)
    assert found.chosen.streams == ("text", "photo")
    net = module(found, small)
    log_p = net({s: x[60:] for s, x in vectors.items()}, present[60:], TASK).numpy()
    assert -log_p[np.arange(30), y[60:]].mean() == pytest.approx(found.chosen.nll, abs=1e-5)
    assert (log_p.argmax(1) == y[60:]).mean() == pytest.approx(found.chosen.score)
    assert np.exp(log_p).sum(1) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("way", ["mean", "concatenation"])
def test_what_an_absent_stream_holds_changes_nothing(small, way):
    found, vectors, _, _ = two_streams(small)
    net = Linear.of(("photo", "text"), way, {"text": np.ones((3, BUCKETS), np.float32) * [[1], [2], [3]],
                                             "photo": np.eye(3, 5, dtype=np.float32)},
                    {s: np.zeros(3, np.float32) for s in ("text", "photo")}, np.zeros(3, np.float32), found.nothing,
                    2 * ONE, {"text": small["idf"]})
    present = torch.tensor([[True, False], [False, True], [False, False], [True, True]])
    spoiled = {"photo": torch.where(present[:, :1], vectors["photo"][:4], torch.nan),
               "text": torch.where(present[:, 1:, None], vectors["text"][:4], vectors["text"][10:14])}
    here = net({s: x[:4] for s, x in vectors.items()}, present, TASK)
    assert torch.equal(net(spoiled, present, TASK), here)
    assert torch.equal(here[2], torch.from_numpy(found.nothing))  # nothing to read: the class shares
    all_there = net({s: x[:4] for s, x in vectors.items()}, torch.ones(4, 2, dtype=torch.bool), TASK)
    assert not torch.allclose(here[:2], all_there[:2]) and torch.equal(here[3], all_there[3])


def test_contributions_add_up_to_the_logits(small):
    found, vectors, _, _ = two_streams(small)
    weight = np.zeros((3, BUCKETS), np.float32)
    columns = np.flatnonzero(small["idf"])
    weight[:, columns] = np.random.default_rng(0).normal(size=(3, len(columns)))
    net = Linear.of(("text",), "mean", {"text": weight}, {"text": np.full(3, 0.5, np.float32)},
                    np.zeros(3, np.float32), found.nothing, ONE, {"text": small["idf"]})
    parts = net.contributions(vectors)["text"]
    assert parts.shape == (*vectors["text"].shape[:2], 3)
    assert torch.allclose(parts.sum(1) + 0.5, net.parts["text"](vectors["text"]), atol=1e-5)
    expected = small["matrix"][[7]] @ weight.T
    assert parts[7].sum(0).numpy() == pytest.approx(expected[0], abs=1e-5)
    ids, value = net.parts["text"].tfidf.weights(vectors["text"])
    assert parts[7, 3].numpy() == pytest.approx(weight[:, ids[7, 3] - 1] * value[7, 3].item(), rel=1e-5)


def test_it_is_saved_as_plain_arrays_and_loaded(small):
    found, vectors, present, _ = two_streams(small)
    net = module(found, small)
    about = json.loads(json.dumps(net.about()))
    again = Linear(**about)
    again.load_state_dict(net.state_dict())
    assert torch.equal(again(vectors, present, TASK), net(vectors, present, TASK))
    kept = len(np.unique(small["matrix"][np.arange(60)[np.arange(60) % 5 > 0]].indices))  # in a train row with text
    assert about["counts"] == {"text": [BUCKETS, kept]} and about["dense"] == {"photo": 5}
    assert not any(p.requires_grad for p in net.parameters())


@pytest.mark.slow
def test_torch_can_export_it(small):
    found, vectors, present, _ = two_streams(small)
    net = module(found, small)

    class Whole(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, text, photo, present):
            return self.net({"text": text, "photo": photo}, present, TASK)

    program = torch.export.export(Whole(), (vectors["text"][:4], vectors["photo"][:4], present[:4]))
    assert torch.allclose(program.module()(vectors["text"][:4], vectors["photo"][:4], present[:4]),
                          net({s: x[:4] for s, x in vectors.items()}, present[:4], TASK))


def test_ways_to_combine_by_hand():
    scores = torch.tensor([[[0.0, 0.0], [0.0, np.log(3)]]])
    shares = torch.tensor([0.5, 0.5]).log()
    both, one = torch.tensor([[True, True]]), torch.tensor([[False, True]])
    zero, combine = torch.zeros(2), networks.task(2).combined
    assert combine(scores, both, "mean", zero, shares, ONE)[0].exp().tolist() == pytest.approx(
        [1 / (1 + 3**0.5), 3**0.5 / (1 + 3**0.5)])
    assert combine(scores, both, "concatenation", zero, shares, ONE)[0].exp().tolist() == pytest.approx([0.25, 0.75])
    assert combine(scores, one, "mean", zero, shares, 0.5 * ONE)[0].exp().tolist() == pytest.approx([0.1, 0.9])
    tilted = torch.tensor([np.log(3), 0.0])
    assert combine(scores, both, "concatenation", tilted, shares, ONE)[0].exp().tolist() == pytest.approx([0.5, 0.5])


def test_a_class_that_train_lacks_stays_at_the_floor_however_hot():
    shares = torch.tensor([0.0, LOWEST])
    scores, here = torch.tensor([[[0.0, -1e4]]]), torch.tensor([[True]])
    log_p = networks.task(2).combined(scores, here, "mean", torch.zeros(2), shares, 20 * ONE)
    assert log_p[0].tolist() == pytest.approx([0.0, LOWEST])
