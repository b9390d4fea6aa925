"""What a stream's inputs become when they get worse: noise over images and sounds, strange words in texts, other rows'
cells in tables.

Words are replaced before any processor sees them, by words of the train texts, and the text is processed again: so each
encoder meets the same broken text, whatever it cuts it into.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from trivium import modalities
from trivium.data.store import Store
from trivium.evaluation.sampling import draw, generator, some

TEXTS = 1024  # of train whose words, or cells, are drawn from


class Noise:
    """`noise(part, severity)` are the inputs of `stream` of a part of `rows`, from clean (0) to nothing else (1).

    The noise of a sample is the same at every severity, but for its strength, and whatever other rows there are.
    """

    def __init__(self, store: Store, seed: int, stream: str, rows: np.ndarray) -> None:
        self.store, self.seed, self.stream, self.rows = store, seed, stream, rows
        self.corrupt = modalities.get(store.specs[stream].modality).corrupt

    def __call__(self, part: slice, severity: float) -> Tensor:
        names = [self.store.samples[row] for row in self.rows[part].tolist()]
        if self.store.reads.streams[self.stream].values is not None:
            said = [self.corrupt(text, severity, self.words, draw(name, self.stream))
                    for name, text in zip(names, self.texts[part], strict=True)]
            return self.store.encode(self.stream, self.seed, said)
        x, spec = self.store.batch(self.rows[part], self.seed, [self.stream]).inputs[self.stream], self.store.specs
        others = (self.cells,) if spec[self.stream].kind == "columns" else ()
        return torch.cat([self.corrupt(one, severity, generator(name, self.stream), spec[self.stream], *others)
                          for name, one in zip(names, x.split(1), strict=True)])

    @cached_property
    def texts(self) -> list[str]:
        return self.store.texts(self.stream, self.rows)

    @cached_property
    def words(self) -> list[str]:
        """Of train, each as often as it stands there."""
        return [word for text in self.store.texts(self.stream, self.known) for word in text.split()] or [""]

    @cached_property
    def cells(self) -> Tensor:
        """Rows of train as they are."""
        return self.store.batch(self.known, self.seed, [self.stream]).inputs[self.stream]

    @cached_property
    def known(self) -> np.ndarray:
        """Some rows of train that have the stream."""
        train = self.store.rows(self.seed, "train")
        return some(self.store.samples, train[self.store.has(self.stream)[train]], TEXTS, self.seed)
