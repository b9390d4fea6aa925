"""Attributions as PNG: words as bars, images and spectrograms under a colour veil. The same numbers, the same bytes."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from torch import Tensor

    from trivium.data.store import Batch, Spec, Store

COLOURS = "PuOr_r"  # orange speaks for the answer, violet against it; told apart by colour-blind eyes too
LOOKED = "#009e73"  # the green of Okabe & Ito: where an encoder looks, which speaks neither for nor against
MOST_TOKENS = 24
FEW_TOKENS = 10  # where rows are named, and drawn smaller


class Panel(NamedTuple):
    """One modality of one sample: x of spec.shape, its attribution in nats (or, with `shares`, the encoder's attention
    to it, 0-1), and its tokens as text (else empty).
    """

    spec: Spec
    x: np.ndarray
    values: np.ndarray
    tokens: list[str]
    shares: bool = False


class Row(NamedTuple):
    """What an answer rests on, per modality; below it, where the encoders attend, what they look at."""

    label: str
    panels: dict[str, Panel]
    attended: dict[str, Panel]


def panels(store: Store, seed: int, batch: Batch, arrays: Mapping[str, Tensor], shares: bool = False,
           ) -> list[dict[str, Panel]]:
    """For each sample of `batch` a panel per modality of `arrays` [B, ...]."""
    texts = {m: [token_texts(store, m, seed, ids) for ids in batch.inputs[m].cpu().numpy()]
             for m in arrays if store.specs[m].kind == "tokens"}
    return [{m: Panel(store.specs[m], batch.inputs[m][k].cpu().numpy(), array[k].cpu().numpy(),
                      texts[m][k] if m in texts else [], shares) for m, array in arrays.items()}
            for k in range(len(batch))]


def words(panels: Mapping[str, Panel]) -> dict[str, list[list[Any]]]:
    """[token, value] of every token, per modality of text."""
    return {m: [list(pair) for pair in zip(panel.tokens, panel.values[panel.x != 0].tolist(), strict=True)]
            for m, panel in panels.items() if panel.spec.kind == "tokens"}


def draw(path: Path, title: str, rows: Sequence[Row]) -> None:
    """One picture of one sample, its modalities side by side, `rows` below one another."""
    from matplotlib.figure import Figure

    lines = [(row.label if own else "", panels) for row in rows
             for own, panels in ((True, row.panels), (False, row.attended)) if panels]
    modalities = list(dict.fromkeys(m for _, panels in lines for m in panels))
    small = any(label for label, _ in lines)
    side, gap, left, width = (1.25, 0.6, 1.9, 1.9 + 2.7 * len(modalities)) if small else (
        2.144, 1.0, 0.272 * len(modalities), 3.4 * len(modalities))  # inches
    height = 1.056 + side * len(lines) + gap * (len(lines) - 1)
    figure = Figure(figsize=(width, height), dpi=90)
    grid = figure.subplots(len(lines), len(modalities), squeeze=False)
    kept = {m: _kept([panels[m] for _, panels in lines if m in panels], FEW_TOKENS if small else MOST_TOKENS)
            for m in modalities}
    # A layout engine would take half of the time.
    figure.subplots_adjust(left / width, 0.48 / height, 0.97, 1 - 0.576 / height, wspace=0.25, hspace=gap / side)
    for k, ((label, panels), line) in enumerate(zip(lines, grid, strict=True)):
        if label:
            place = line[0].get_position()
            figure.text(0.15 / width, (place.y0 + place.y1) / 2, label, va="center", fontsize=9, parse_math=False)
        for m, axes in zip(modalities, line, strict=True):
            if m in panels:
                _panel(axes, m, panels[m], kept[m])
            else:
                axes.axis("off")
                if label:
                    axes.text(0.5, 0.5, "not read", ha="center", va="center", fontsize=9, color="#666666")
            if small:
                _smaller(axes, panels.get(m), k == len(lines) - 1)
    figure.suptitle(title, y=1 - 0.064 / height, fontsize=10, parse_math=False)
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


def _kept(panels: Sequence[Panel], most: int) -> np.ndarray:
    """Places of the at most `most` tokens that count most in any of `panels`, in reading order."""
    if panels[0].spec.kind != "tokens":
        return np.arange(0)
    real = np.flatnonzero(panels[0].x)
    counts = np.max([np.abs(panel.values[real]) / np.abs(panel.values).max(initial=1e-9) for panel in panels], axis=0)
    return real[np.sort(np.argsort(-counts, kind="stable")[:most])]


def _panel(axes: Axes, modality: str, panel: Panel, kept: np.ndarray) -> None:
    title = f"{modality}: " + ("attention" if panel.shares else f"{panel.values.sum():+.2f} nats")
    if panel.spec.kind == "tokens":
        title += f" ({len(kept)} of {len(panel.tokens)} tokens)" if len(kept) < len(panel.tokens) else ""
        places = np.cumsum(panel.x != 0)[kept] - 1
        panel = panel._replace(values=panel.values[kept], tokens=[panel.tokens[k] for k in places])
    axes.set_title(title, fontsize=9, parse_math=False)
    _KINDS[panel.spec.kind](axes, panel)


def _smaller(axes: Axes, panel: Panel | None, last: bool) -> None:
    """Where many panels stand below one another: one label for all of them, images in their own shape."""
    if not last:
        axes.set_xlabel("")
    if panel is not None and panel.spec.kind == "image":
        axes.set_aspect("equal")


def _words(axes: Axes, panel: Panel) -> None:
    values, count = panel.values, len(panel.values)
    largest = np.abs(values).max(initial=1e-9)
    axes.barh(range(count), values, color=LOOKED if panel.shares else _colours((values / largest + 1) / 2))
    axes.set_yticks(range(count), panel.tokens, fontsize=8, parse_math=False)
    axes.set_ylim(max(count, 6) - 0.5, -0.5)  # the first on top, a few no wider than many
    axes.axvline(0, color="#555555", linewidth=0.6)
    axes.tick_params(axis="x", labelsize=7)
    axes.locator_params(axis="x", nbins=4)  # small numbers are long
    axes.set_xlabel("share of the attention" if panel.shares else "nats for the answer, per token", fontsize=8)


def _picture(axes: Axes, panel: Panel) -> None:
    _veiled(axes, panel, panel.x.mean(0), "upper")


def _spectrogram(axes: Axes, panel: Panel) -> None:
    _veiled(axes, panel, panel.x[0], "lower")
    axes.set_xlabel("time", fontsize=8)
    axes.set_ylabel("frequency", fontsize=8)


def _wave(axes: Axes, panel: Panel) -> None:
    axes.plot(panel.x[0], color="#999999", linewidth=0.6)
    spoke = axes.twinx()
    spoke.plot(panel.values[0], color=LOOKED if panel.shares else "#b35806", linewidth=0.8)
    axes.set_yticks([])
    spoke.set_yticks([])
    axes.set_xlabel("time", fontsize=8)


def _veiled(axes: Axes, panel: Panel, below: np.ndarray, origin: Any) -> None:
    from matplotlib.colors import ListedColormap

    smooth = _blurred(panel.values.sum(0))
    if panel.shares:
        smooth -= smooth.min()  # attention is nowhere 0: from the least to the most
    largest = np.abs(smooth).max(initial=1e-9)
    colours = ListedColormap([LOOKED]) if panel.shares else COLOURS
    axes.imshow(below, cmap="gray", origin=origin, aspect="auto")
    axes.imshow(smooth, cmap=colours, vmin=-largest, vmax=largest, alpha=np.abs(smooth) / largest * 0.8, origin=origin,
                aspect="auto")
    axes.set_xticks([])
    axes.set_yticks([])


def _blurred(values: np.ndarray) -> np.ndarray:
    """Single pixels flicker; what the eye wants to know is where. A Gaussian with a deviation of one pixel, mirrored at
    the edges.
    """
    weights = np.exp(-0.5 * np.arange(-4, 5) ** 2)
    for axis in (0, 1):
        padded = np.pad(values, [(4, 4) if k == axis else (0, 0) for k in (0, 1)], "symmetric")
        values = np.lib.stride_tricks.sliding_window_view(padded, 9, axis) @ (weights / weights.sum())
    return values


def _colours(values: np.ndarray) -> np.ndarray:
    import matplotlib

    return matplotlib.colormaps[COLOURS](values)


_KINDS = {"tokens": _words, "image": _picture, "spectrogram": _spectrogram, "waveform": _wave}
