"""Attributions as PNG: words as bars, images and spectrograms under a colour veil. The same numbers, the same bytes."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from trivium.data.store import Spec, Store

COLOURS = "PuOr_r"  # orange speaks for the answer, violet against it; told apart by colour-blind eyes too
MOST_TOKENS = 24


class Panel(NamedTuple):
    """One modality of one sample: x of spec.shape, its attribution, and its tokens as text (else empty)."""

    spec: Spec
    x: np.ndarray
    attribution: np.ndarray
    tokens: list[str]


def draw(path: Path, title: str, panels: dict[str, Panel]) -> None:
    """One picture of one sample, its modalities side by side."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.4 * len(panels), 3.2), dpi=90)
    for axes, (m, panel) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        axes.set_title(f"{m}: {panel.attribution.sum():+.2f} nats", fontsize=9, parse_math=False)
        _KINDS[panel.spec.kind](axes, panel)
    figure.subplots_adjust(0.08, 0.15, 0.97, 0.82, wspace=0.25)  # a layout engine would take half of the time
    figure.suptitle(title, fontsize=10, parse_math=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None})


def token_texts(store: Store, modality: str, seed: int, ids: np.ndarray) -> list[str]:
    """What each id of `ids` [T] stands for, padding left out."""
    spec = store.specs[modality]
    tokenizer = _tokenizer(str(store.tokenizer(modality, seed)))
    native = spec.native_ids()
    return [tokenizer.decode([int(native[i])], skip_special_tokens=False).strip() or "␣" for i in ids if i != 0]


@functools.lru_cache(maxsize=8)
def _tokenizer(path: str) -> Any:
    from tokenizers import Tokenizer, decoders

    tokenizer = Tokenizer.from_file(path)
    if tokenizer.decoder is None:  # one of our own: bytes
        tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _words(axes: Axes, panel: Panel) -> None:
    values = panel.attribution[panel.x != 0][:MOST_TOKENS]
    largest = np.abs(values).max(initial=1e-9)
    axes.barh(range(len(values)), values, color=_colours((values / largest + 1) / 2))
    axes.set_yticks(range(len(values)), panel.tokens[:MOST_TOKENS], fontsize=8, parse_math=False)
    axes.set_ylim(max(len(values), 6) - 0.5, -0.5)  # the first on top, a few no wider than many
    axes.axvline(0, color="#555555", linewidth=0.6)
    axes.tick_params(axis="x", labelsize=7)
    axes.set_xlabel("nats for the answer, per token", fontsize=8)


def _picture(axes: Axes, panel: Panel) -> None:
    _veiled(axes, panel.x.mean(0), panel.attribution.sum(0), "upper")


def _spectrogram(axes: Axes, panel: Panel) -> None:
    _veiled(axes, panel.x[0], panel.attribution[0], "lower")
    axes.set_xlabel("time", fontsize=8)
    axes.set_ylabel("frequency", fontsize=8)


def _wave(axes: Axes, panel: Panel) -> None:
    axes.plot(panel.x[0], color="#999999", linewidth=0.6)
    spoke = axes.twinx()
    spoke.plot(panel.attribution[0], color="#b35806", linewidth=0.8)
    axes.set_yticks([])
    spoke.set_yticks([])
    axes.set_xlabel("time", fontsize=8)


def _veiled(axes: Axes, below: np.ndarray, attribution: np.ndarray, origin: Any) -> None:
    smooth = _blurred(attribution)
    largest = np.abs(smooth).max(initial=1e-9)
    axes.imshow(below, cmap="gray", origin=origin, aspect="auto")
    axes.imshow(smooth, cmap=COLOURS, vmin=-largest, vmax=largest, alpha=np.abs(smooth) / largest * 0.8, origin=origin,
                aspect="auto")
    axes.set_xticks([])
    axes.set_yticks([])


def _blurred(values: np.ndarray) -> np.ndarray:
    """Single pixels flicker; what the eye wants to know is where."""
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(values, 1.0)


def _colours(values: np.ndarray) -> np.ndarray:
    import matplotlib

    return matplotlib.colormaps[COLOURS](values)


_KINDS = {"tokens": _words, "image": _picture, "spectrogram": _spectrogram, "waveform": _wave}
