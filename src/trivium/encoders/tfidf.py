"""TF-IDF of hashed n-grams: the weights by which `linear` reads a text. Nothing in it is trained by gradients.

As scikit-learn's TfidfVectorizer with `sublinear_tf`, once for words and once for characters, side by side: a count c
weighs (1 + ln c) * idf, and the words of a sample, as well as its characters, have length 1 together. What train never
saw weighs nothing, as if it were not there.

Legend: `B` samples, `L` n-grams of the longest, `V` buckets (ids 1 to V, the first half words; 0 is padding).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from trivium.encoders.base import Encoder
from trivium.modalities.spec import Spec
from trivium.settings.base import Section

if TYPE_CHECKING:
    from scipy.sparse import csr_array

PROCESSOR = {"text": "ngrams"}  # modality -> what it reads with
GIVES: frozenset[str] = frozenset()


class Settings(Section):
    pass


class TfIdf(Encoder):
    """`idf`: float32 [V], see `fit_idf`. It gives no dense vectors: only `linear` starts from it."""

    gives = GIVES

    def __init__(self, buckets: int, spec: Spec | None = None) -> None:
        super().__init__()
        self.spec = spec or Spec("text", "counts", (buckets,))
        self.buckets, self.width, self.patch = buckets, 0, ()
        self.register_buffer("idf", torch.zeros(buckets))

    def forward(self, x: Tensor) -> Tensor:
        """x as it is, int64 [B, L, 2]: as wide as V, the vector is never written out."""
        return x

    def weights(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Ids and counts int64 [B, L, 2] -> ids [B, L] and their TF-IDF, float32 [B, L]; 0 at padding."""
        ids, counts = x.unbind(-1)
        raw = (1 + counts.clamp(min=1).float().log()) * nn.functional.pad(self.idf, (1, 0))[ids]
        words = ids <= self.buckets // 2
        value = torch.zeros_like(raw)
        for family in (words, ~words):
            own = torch.where(family, raw, 0.0)
            value = value + own / own.square().sum(1, keepdim=True).sqrt().clamp(min=1e-12)
        return ids, value

    def transform(self, counts: csr_array) -> csr_array:
        """The same of counts [B, V] (id i in column i - 1), float32 [B, V] without explicit zeros."""
        from scipy.sparse import csr_array, diags_array, hstack

        idf, half = self.idf.cpu().numpy(), self.buckets // 2
        raw = csr_array((np.log(counts.data) + 1, counts.indices, counts.indptr), shape=counts.shape)
        parts = []
        for family in (slice(0, half), slice(half, None)):
            part = raw[:, family] @ diags_array(idf[family].astype(np.float64))
            length = np.sqrt(part.power(2).sum(1))
            parts.append(diags_array(1 / np.maximum(length, 1e-12)) @ part)
        found = csr_array(hstack(parts, format="csr", dtype=np.float32))
        found.eliminate_zeros()
        return found


def fit_idf(train: csr_array) -> np.ndarray:
    """float32 [V] of the train rows' counts [N, V]: ln((1 + N) / (1 + n)) + 1 where n > 0 rows have it (scikit-learn's
    `smooth_idf`), else 0.
    """
    rows = np.bincount(train.indices, minlength=train.shape[1])
    idf = np.log((1 + train.shape[0]) / (1 + rows)) + 1
    return np.where(rows > 0, idf, 0.0).astype(np.float32)


def build(spec: Spec, settings: Settings) -> TfIdf:
    """Without an IDF: `fit_idf` makes it, of the train rows of a seed."""
    return TfIdf(spec.shape[0], spec)
