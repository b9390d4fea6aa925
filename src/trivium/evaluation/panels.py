"""What is drawn of samples, with its names: words, cells, channels and times, as the store knows them.

Legend: `B` samples, `T` tokens, `K` columns, `C` channels.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from trivium import modalities
from trivium.drawing.lanes import Channel
from trivium.evaluation.pictures import Panel

if TYPE_CHECKING:
    from torch import Tensor

    from trivium.data.store import Batch, Store


def panels(store: Store, seed: int, batch: Batch, arrays: Mapping[str, Tensor], shares: bool = False,
           ) -> list[dict[str, Panel]]:
    """For each sample of `batch` a panel per stream of `arrays` [B, ...]."""
    texts = {m: [told(store, m, seed, one) for one in batch.inputs[m].cpu().numpy()]
             for m in arrays if (told := _TEXTS.get(store.specs[m].kind))}
    beside = {m: (channels(store, m, seed), step(store, m)) for m in arrays}
    return [{m: Panel(store.specs[m], batch.inputs[m][k].cpu().numpy(), array[k].cpu().numpy(),
                      texts[m][k] if m in texts else [], shares, *beside[m])
             for m, array in arrays.items()} for k in range(len(batch))]


def channels(store: Store, stream: str, seed: int) -> tuple[Channel, ...]:
    """[C] of a series; of all else none. The settings may name none: then it is the first one of each file."""
    statistics = store.reads.streams[stream].statistics[seed]
    if store.specs[stream].kind != "series" or statistics is None:
        return ()
    names = _settings(store, stream).channels or ("",)
    return tuple(Channel(*one) for one in zip(names, statistics["mean"], statistics["deviation"], strict=False))


def step(store: Store, stream: str) -> float:
    """Seconds from one frame of a video, or one column or number of a sound, to the next; 0 where that is not known,
    and of all else.
    """
    spec = store.specs[stream]
    if spec.kind == "frames":
        rate = _settings(store, stream).frames_per_second
        return 1 / rate if rate else 0.0
    if spec.kind == "waveform":
        return float(_settings(store, stream).seconds / spec.shape[1])
    return getattr(_settings(store, stream), "hop_ms", 0.0) / 1000 if spec.kind == "spectrogram" else 0.0


def _settings(store: Store, stream: str) -> Any:
    name, settings = store.encoders[stream].processor
    return modalities.processor(name).Settings.model_validate(settings)


def cell_texts(store: Store, stream: str, seed: int, x: np.ndarray) -> list[str]:
    """What each column of `x` [K, 2] that is not missing says: `area 61.2`."""
    from trivium.modalities.table import load

    return [said for said in load(store.tokenizer(stream, seed).read_text(encoding="utf-8")).said(x) if said]


def token_texts(store: Store, stream: str, seed: int, ids: np.ndarray) -> list[str]:
    """What each id of `ids` [T] stands for, padding left out."""
    spec = store.specs[stream]
    tokenizer = _tokenizer(str(store.tokenizer(stream, seed)))
    native = spec.native_ids()
    return [tokenizer.decode([int(native[i])], skip_special_tokens=False).strip() or "␣" for i in ids if i != 0]


@functools.lru_cache(maxsize=8)
def _tokenizer(path: str) -> Any:
    from tokenizers import Tokenizer, decoders

    tokenizer = Tokenizer.from_file(path)
    if tokenizer.decoder is None:  # one of our own: bytes
        tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


_TEXTS = {"tokens": token_texts, "columns": cell_texts}
