import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion

from trivium.data.ragged import RaggedColumn, RaggedWriter
from trivium.encoders.tfidf import TfIdf, fit_idf
from trivium.modalities.processors import ngrams

TRAIN = ["the cat sat on the mat", "the dog sat", "a cat and a dog", "birds fly over the house"]
OTHER = ["the cat flies over the moon", "zzz", ""]
BUCKETS = 2**20  # so many that none is shared here


def encoder(idf):
    made = TfIdf(len(idf))
    made.idf.copy_(torch.as_tensor(idf))
    return made


def column(folder, texts):
    with RaggedWriter(folder / "a.arrow") as file:
        file.add(ngrams.counts(texts, ngrams.Settings(buckets=BUCKETS)))
    return RaggedColumn(folder / "a.arrow")


def test_idf_is_scikit_learns_and_what_train_lacks_weighs_nothing():
    train = csr_array(np.array([[2, 0, 1, 0], [1, 0, 0, 0], [3, 0, 0, 5]], np.float32))
    assert fit_idf(train).tolist() == pytest.approx([1.0, 0.0, np.log(4 / 2) + 1, np.log(4 / 2) + 1])
    assert fit_idf(train).dtype == np.float32


def test_one_sample_by_hand():
    made = encoder([1.0, 2.0, 3.0, 0.0])  # words 1 and 2, characters 3 and 4
    ids, value = made.weights(torch.tensor([[[1, 1], [2, 2], [3, 9], [4, 1], [0, 0]]]))
    second = 2 * (1 + np.log(2))
    length = np.hypot(1, second)
    assert ids.tolist() == [[1, 2, 3, 4, 0]]
    assert value[0].tolist() == pytest.approx([1 / length, second / length, 1, 0, 0])
    assert made(ids) is ids


def test_as_a_union_of_scikit_learns_vectorizers_fitted_on_train_only(tmp_path):
    union = FeatureUnion([
        ("words", TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)),
        ("characters", TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True))])
    expected = union.fit(TRAIN).transform(TRAIN + OTHER)
    counts = column(tmp_path, TRAIN + OTHER)
    made = encoder(fit_idf(counts.csr(np.arange(len(TRAIN)), BUCKETS)))
    found = made.transform(counts.csr(np.arange(len(TRAIN + OTHER)), BUCKETS))
    assert found.dtype == np.float32 and found.nnz == expected.nnz
    assert (found @ found.T).toarray() == pytest.approx((expected @ expected.T).toarray(), abs=1e-5)
    names = union.get_feature_names_out()
    for k in range(3):  # each n-gram in its own bucket
        own = {name.partition("__")[2] for name in names[expected[[k]].indices] if name.startswith("words")}
        assert sorted(found[[k]].indices[found[[k]].indices < BUCKETS // 2]) == sorted(
            ngrams._bucket(name, BUCKETS // 2) for name in own)
    assert found[[5]].nnz == found[[6]].nnz == 0  # nothing that train knows


def test_the_two_forms_of_a_sample_weigh_the_same(tmp_path):
    counts = column(tmp_path, TRAIN + OTHER)
    rows = np.arange(len(TRAIN + OTHER))
    made = encoder(fit_idf(counts.csr(rows[:4], BUCKETS)))
    ids, value = made.weights(torch.from_numpy(counts.gather(rows).astype(np.int64)))
    spread = torch.zeros(len(rows), BUCKETS + 1).scatter_add_(1, ids, value)
    assert not spread[:, 0].any()
    assert np.abs(spread[:, 1:].numpy() - made.transform(counts.csr(rows, BUCKETS)).toarray()).max() < 1e-6
