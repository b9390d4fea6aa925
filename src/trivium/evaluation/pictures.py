"""Attributions as SVG: words and the columns of a table as bars; images, spectrograms and series with a veil of
colour. The same numbers, the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from trivium.drawing import numbers
from trivium.drawing.lanes import Channel, axis
from trivium.drawing.montage import montage
from trivium.drawing.svg import bitmap, drawing, tag
from trivium.drawing.veiled_series import veiled
from trivium.evaluation.metrics import Words
from trivium.modalities.spec import Spec

# ColorBrewer's PuOr (Brewer 2003), -1 to 1: violet speaks against the answer, orange for it; told apart by colour-blind
# eyes too.
COLOURS = np.array([list(bytes.fromhex(colour)) for colour in (
    ["2d004b", "542788", "8073ac", "b2abd2", "d8daeb", "f7f7f7", "fee0b6", "fdb863", "e08214", "b35806", "7f3b08"])])
LOOKED = "#009e73"  # the green of Okabe & Ito: where an encoder looks, which speaks neither for nor against
MOST_TOKENS = 24
FEW_TOKENS = 10  # where rows are named, and drawn smaller
FRAMES = 9  # of a video that are drawn
LONGEST, LONGEST_CELL = 12, 20  # letters of a token, and of a column with its value


class Panel(NamedTuple):
    """One stream of one sample: x of spec.shape, its attribution in nats (or, with `shares`, the encoder's attention
    to it, 0-1), and its tokens, or cells that are not missing, as text (else empty). channels: of a series;  step:
    seconds from one frame of a video, or one column or number of a sound, to the next; 0 where that is not known.
    """

    spec: Spec
    x: np.ndarray
    values: np.ndarray
    tokens: list[str]
    shares: bool = False
    channels: tuple[Channel, ...] = ()
    step: float = 0.0

    @property
    def absent(self) -> bool:
        """Whether the sample has nothing of the stream: its tensor is 0 then, and normalised values are not."""
        return not self.x.any()

    @property
    def listed(self) -> bool:
        """Whether it is drawn as a list."""
        return self.spec.kind in ("tokens", "columns")

    @property
    def real(self) -> np.ndarray:
        """bool, of each token or column: whether it is one of `tokens`."""
        return (self.x if self.spec.kind == "tokens" else self.x[..., 1]) != 0


class Row(NamedTuple):
    """What an answer rests on, per stream; below it, where the encoders attend, what they look at."""

    label: str
    panels: dict[str, Panel]
    attended: dict[str, Panel]


class Box(NamedTuple):
    """Where something is drawn, in pixels from the upper left corner of the picture."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def middle(self) -> tuple[float, float]:
        return self.left + self.width / 2, self.top + self.height / 2


def words(panels: Mapping[str, Panel]) -> Words:
    return {m: list(zip(panel.tokens, panel.values[panel.real].tolist(), strict=True))
            for m, panel in panels.items() if panel.listed}


def draw(path: Path, title: str, rows: Sequence[Row]) -> None:
    """One picture of one sample (SVG), its streams side by side, `rows` below one another."""
    lines = [(row.label if own else "", panels) for row in rows
             for own, panels in ((True, row.panels), (False, row.attended)) if panels]
    streams = list(dict.fromkeys(m for _, panels in lines for m in panels))
    small = any(label for label, _ in lines)
    left, pitch, side, gap = (170, 243, 112, 54) if small else (0, 306, 193, 90)
    width, height = left + pitch * len(streams), 95 + side * len(lines) + gap * (len(lines) - 1)
    most = FEW_TOKENS if small else MOST_TOKENS
    last = {m: max(k for k, (_, panels) in enumerate(lines) if m in panels) for m in streams}
    parts = [_text(title, width / 2, 17, size=13)]
    for k, (label, panels) in enumerate(lines):
        top = 52 + k * (side + gap)
        words = label.split("\n") if label else []
        parts += [_text(word, 12, top + side / 2 + 4 + 15 * (n - (len(words) - 1) / 2), "start")
                  for n, word in enumerate(words)]
        for column, m in enumerate(streams):
            listed = [line[m].spec.kind for _, line in lines if m in line and line[m].listed]
            lanes = any(line[m].channels for _, line in lines if m in line)
            room = (28, 85, 125)[1 + ("columns" in listed) if listed or lanes else 0]  # for names
            box = Box(left + pitch * column + room, top, pitch - room - 13 - 34 * lanes, side)
            if m in panels and panels[m].absent:
                parts.append(_text(f"no {m}", *box.middle, fill="#666666"))
            elif m in panels:
                alike = [other[m] for _, other in lines if m in other and _same(other[m], panels[m])]
                parts += _panel(box, m, panels[m], _kept(alike, most), units=k == last[m])
            elif label:
                parts.append(_text("not shown", *box.middle, fill="#666666"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(drawing(width, height, parts), encoding="utf-8")


def _same(one: Panel, other: Panel) -> bool:
    """Whether both are the same tokens: what was cut by another tokenizer, or earlier, has them at other places."""
    return one.tokens == other.tokens and np.array_equal(one.real, other.real)


def _kept(panels: Sequence[Panel], most: int) -> np.ndarray:
    """Places of the at most `most` tokens that count most in any of `panels`, which have the same ones, in reading
    order.
    """
    if not panels[0].listed:
        return np.arange(0)
    real = np.flatnonzero(panels[0].real)
    counts = np.max([np.abs(panel.values[real]) / np.abs(panel.values).max(initial=1e-9) for panel in panels], axis=0)
    return real[np.sort(np.argsort(-counts, kind="stable")[:most])]


def _panel(box: Box, stream: str, panel: Panel, kept: np.ndarray, units: bool) -> list[Markup]:
    total = float(panel.values.sum())  # of attention, less than 1 where the fusion has shares for other streams too
    looked = "attention" if total > 0.9995 else f"attention {total:.0%}"
    title = f"{stream}: {looked if panel.shares else f'{numbers.decimal(total, 2, True)} nats'}"
    if panel.listed:
        each = "" if title.endswith("%") else " tokens" if panel.spec.kind == "tokens" else " cells"  # too long
        title += f" ({len(kept)} of {len(panel.tokens)}{each})" if len(kept) < len(panel.tokens) else ""
        places = np.cumsum(panel.real)[kept] - 1
        panel = panel._replace(values=panel.values[kept], tokens=[panel.tokens[k] for k in places])
    return [_text(title, box.middle[0], box.top - 7), *_KINDS[panel.spec.kind](box, panel, units)]


def _words(box: Box, panel: Panel, units: bool) -> list[Markup]:
    """A bar per token from the line of 0; below, the values at the ends of the longest ones."""
    values, count = panel.values.astype(float), len(panel.values)
    low, high = min(values.min(initial=0), 0), max(values.max(initial=0), 0)
    scale = 0.94 * box.width / max(high - low, 1e-9)
    zero = box.left + 0.03 * box.width - low * scale
    step = box.height / max(count, 6)  # a few are no wider than many
    parts = []
    for k, (value, token) in enumerate(zip(values, panel.tokens, strict=True)):
        mixed = bytes(np.round(_colours(value / max(high, -low, 1e-9))).astype(np.uint8)).hex()
        colour = LOOKED if panel.shares else f"#{mixed}"
        top = box.top + step * k
        parts.append(tag("rect", x=zero + min(value, 0) * scale, y=top + 0.1 * step, width=abs(value) * scale,
                         height=0.8 * step, fill=colour))
        longest = LONGEST if panel.spec.kind == "tokens" else LONGEST_CELL
        short = token if len(token) <= longest else token[: longest - 1] + "…"
        parts.append(_text(short, box.left - 5, top + step / 2 + 3.5, "end", size=min(10, step + 1)))
    for value, anchor in ((low, "start"), (high, "end")):
        if value:
            parts.append(_text(f"{value:+.2g}", zero + value * scale, box.bottom + 11, anchor, size=9))
    if units:
        each = "token" if panel.spec.kind == "tokens" else "column"
        words = "share of the attention" if panel.shares else f"nats for the answer, per {each}"
        parts.append(_text(words, box.middle[0], box.bottom + 26, size=10))
    line = tag("path", d=f"M{zero:.1f} {box.top:.1f}V{box.bottom:.1f}", stroke="#555555", stroke_width=0.8)
    return [*parts, line, _frame(box)]


def _fitted(box: Box, high: int, wide: int) -> Box:
    """The largest one in the middle of `box` that has the shape of a picture."""
    width = min(box.width, box.height * wide / high)
    height = width * high / wide
    return Box(box.middle[0] - width / 2, box.middle[1] - height / 2, width, height)


def _picture(box: Box, panel: Panel, units: bool) -> list[Markup]:
    box = _fitted(box, *panel.x.shape[1:])
    return _veiled(box, panel, panel.x.mean(0), _blurred(panel.values.sum(0)))


def _film(box: Box, panel: Panel, units: bool) -> list[Markup]:
    """Up to `FRAMES` moments in rows, with a line between two; each with what all frames of its time say."""
    count = min(FRAMES, panel.x.shape[1])
    firsts = np.arange(count) * panel.x.shape[1] // count
    pictures = panel.x.mean(0)[firsts]
    said = [_blurred(each) for each in np.add.reduceat(panel.values.sum(0), firsts, 0)]
    below = montage(pictures)
    down, across = (whole // one for whole, one in zip(below.shape, pictures.shape[1:], strict=True))
    box = _fitted(box, *below.shape)
    seams = [f"M{box.left + box.width * k / across:.1f} {box.top:.1f}V{box.bottom:.1f}" for k in range(1, across)]
    seams += [f"M{box.left:.1f} {box.top + box.height * k / down:.1f}H{box.right:.1f}" for k in range(1, down)]
    lines = tag("path", d="".join(seams), stroke="#ffffff", stroke_width=1.5)
    words = f"{count} moments{_times(firsts, panel.step)}, row by row"
    return [*_veiled(box, panel, below, montage(np.stack(said))), lines,
            *([_text(words, box.middle[0], box.bottom + 14, size=10)] if units else [])]


def _times(frames: np.ndarray, step: float) -> str:
    """Each frame is from the middle of its `step`."""
    first, last = (float(frames[k] + 0.5) * step for k in (0, -1))
    return f" from {first:.3g} s to {last:.3g} s" if step else ""


def _spectrogram(box: Box, panel: Panel, units: bool) -> list[Markup]:
    x, y = box.left - 5, box.middle[1]
    name = tag("text", "frequency", text_anchor="middle", font_size=10, transform=f"translate({x:g} {y:g}) rotate(-90)")
    said = _blurred(panel.values.sum(0))
    return [*_veiled(box, panel, panel.x[0], said, upwards=True), name, *_time(box, panel, units)]


def _wave(box: Box, panel: Panel, units: bool) -> list[Markup]:
    """The sound in grey, and over it, on a scale of its own, what its samples say."""
    parts = []
    for line, colour in ((panel.x[0], "#999999"), (panel.values[0], LOOKED if panel.shares else "#b35806")):
        heights = box.middle[1] - 0.48 * box.height * line / np.abs(line).max(initial=1e-9)
        step = box.width / max(len(heights) - 1, 1)
        points = " ".join(f"{box.left + step * k:.1f},{y:.1f}" for k, y in enumerate(heights.tolist()))
        parts.append(tag("polyline", points=points, fill="none", stroke=colour, stroke_width=0.8))
    return [*parts, _frame(box), *_time(box, panel, units)]


def _series(box: Box, panel: Panel, units: bool) -> list[Markup]:
    seconds = panel.spec.seconds if units else 0.0
    return [*veiled(box, panel.x, panel.values, panel.shares, seconds, _colours, panel.channels), _frame(box)]


def _time(box: Box, panel: Panel, units: bool) -> list[Markup]:
    if not units:
        return []
    return axis(box.left, box.bottom, box.width, panel.step * panel.x.shape[-1]) if panel.step else [
        _text("time", box.middle[0], box.bottom + 14, size=10)]


def _veiled(box: Box, panel: Panel, below: np.ndarray, smooth: np.ndarray, upwards: bool = False) -> list[Markup]:
    """`below` [H, W] in grey, and over it the colours of what was said there, `smooth` [H, W]."""
    if panel.shares:
        smooth = smooth - smooth.min()  # attention is nowhere 0: from the least to the most
    strength = smooth / np.abs(smooth).max(initial=1e-9)
    span = below.max() - below.min()
    grey = 255 * ((below - below.min()) / (span if span > 0 else 1))[..., None]
    veil = np.array([0, 158, 115]) if panel.shares else _colours(strength)  # LOOKED
    opacity = 0.8 * np.abs(strength)[..., None]
    pixels = np.round(grey * (1 - opacity) + veil * opacity).astype(np.uint8)
    return [bitmap(np.ascontiguousarray(pixels[::-1] if upwards else pixels), *box), _frame(box)]


def _frame(box: Box) -> Markup:
    return tag("rect", x=box.left, y=box.top, width=box.width, height=box.height, fill="none", stroke="#555555",
               stroke_width=0.8)


def _text(words: str, x: float, y: float, anchor: str = "middle", size: float = 11, fill: str | None = None) -> Markup:
    return tag("text", words, x=x, y=y, text_anchor=anchor, font_size=size, fill=fill)


def _blurred(values: np.ndarray) -> np.ndarray:
    """Single pixels flicker; what the eye wants to know is where. A Gaussian with a deviation of one pixel, mirrored at
    the edges.
    """
    weights = np.exp(-0.5 * np.arange(-4, 5) ** 2)
    for side in (0, 1):
        padded = np.pad(values, [(4, 4) if k == side else (0, 0) for k in (0, 1)], "symmetric")
        values = np.lib.stride_tricks.sliding_window_view(padded, 9, side) @ (weights / weights.sum())
    return values


def _colours(strength: np.ndarray | float) -> np.ndarray:
    """[...] in -1..1 -> [..., 3] in 0..255."""
    places = np.linspace(-1, 1, len(COLOURS))
    return np.stack([np.interp(strength, places, channel) for channel in COLOURS.T], -1)


_KINDS = {"tokens": _words, "columns": _words, "image": _picture, "frames": _film, "spectrogram": _spectrogram,
          "waveform": _wave, "series": _series}
