"""`clock.json`: what was matched on the common clock, and when, as the report draws it."""

from __future__ import annotations

from pathlib import Path

from trivium.data.cut import Cut
from trivium.data.out import Out, Part

PATH = Path("data/aligned/clock.json")
Piece = tuple[float, float, bool]  # from, to (seconds), whether anything met it


class Line(Part):
    """name: of a stream, or `samples`."""

    name: str
    pieces: list[Piece]


class Recording(Part):
    key: str
    lines: list[Line]


class Counts(Part):
    """Of a stream: rows, those that a sample takes up, and samples that have it; seconds that its times were moved by.
    """

    rows: int
    matched: int
    offset: float


class Offset(Part):
    """What has to be added to the times of `stream` so that it matches `other`, in seconds.

    low, high: its 95 % interval over the stretches that agree, whose mean it is, where there are three or more
    peak: the highest correlation, 0-1;  ratio: the peak by the next highest
    stretches: of the recordings, `agree` of them have their own peak near by
    drift: seconds that this grows by in a second, with its interval;  sure: whether the peak stands out, and most agree
    """

    stream: str
    other: str
    seconds: float
    low: float | None = None
    high: float | None = None
    peak: float
    ratio: float
    stretches: int
    agree: int
    drift: tuple[float, float, float] | None = None
    sure: bool

    @property
    def drifts(self) -> bool:
        """Whether it surely grows or shrinks."""
        return self.drift is not None and (self.drift[1] > 0 or self.drift[2] < 0)

    @property
    def said(self) -> str:
        """In words."""
        if not self.sure:
            better = f"{self.ratio:.2g} times as good as" if self.ratio >= 1.05 else "no better than"
            return (f"how far {self.stream} is off {self.other} cannot be told: the best lag, {self.seconds:+.3f} s, "
                    f"is {better} the next, and {self.agree} of {self.stretches} stretches "
                    "agree.")
        within = f" ({self.low:+.3f} to {self.high:+.3f})" if self.low is not None else ""
        grows = (f" It changes by {60_000 * self.drift[0]:+.1f} ms a minute ({60_000 * self.drift[1]:+.1f} to "
                 f"{60_000 * self.drift[2]:+.1f}).") if self.drift and self.drifts else ""
        return (f"{self.stream} matches {self.other} best when {self.seconds:+.3f} s{within} are added to its times: "
                f"{self.ratio:.2g} times as good as the next lag, and {self.agree} of {self.stretches} stretches "
                f"agree.{grows}")


class Timeline(Out):
    """dates: whether times are seconds since 1970 (UTC).  ticks: whether samples are ticks of the clock.
    alone: samples that met nothing.  cut: None where recordings are whole.
    """

    dates: bool
    ticks: bool
    samples: int
    alone: int
    streams: dict[str, Counts]
    recordings: list[Recording]
    offsets: list[Offset]
    cut: Cut | None = None


def cut_of(root: Path) -> Cut | None:
    """How a project's recordings were cut; None where they are whole, or there is no clock. Raises: UserError (see
    `Out.read`).
    """
    found = Timeline.found(root / PATH)
    return found.cut if found else None
