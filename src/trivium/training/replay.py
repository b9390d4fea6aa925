"""Batches of new samples with old ones among them: a fixed share of each batch comes from the rows that were kept."""

from __future__ import annotations

from collections.abc import Iterator

from trivium.data.store import Batch
from trivium.training.feed import Feed


class Replay:
    """What `fit` asks of a feed of train rows. share: of each batch that `old` gives, 0-1; a sample at least."""

    def __init__(self, new: Feed, old: Feed, share: float) -> None:
        self.new, self.old, self.share = new, old, share

    def __len__(self) -> int:
        """Samples that are seen while the new ones are seen once."""
        return round(len(self.new) / (1 - self.share))

    def training(self, batch: int, start: int, stop: int) -> Iterator[Batch]:
        kept = self._kept(batch)
        both = zip(self.new.training(batch - kept, start, stop), self.old.training(kept, start, stop), strict=True)
        return (Batch.joined(parts) for parts in both)

    def named(self, batch: int, step: int) -> list[str]:
        kept = self._kept(batch)
        return [*self.new.named(batch - kept, step), *self.old.named(kept, step)]

    def _kept(self, batch: int) -> int:
        return min(max(1, round(self.share * batch)), batch - 1)
