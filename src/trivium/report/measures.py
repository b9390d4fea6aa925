"""How the values of a metric are written in tables, on axes and in sentences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from trivium.drawing import numbers
from trivium.tasks.metric import Metric


def said(metric: Metric, value: Any) -> str:
    """A value with its unit."""
    return metric.value(value).replace(" ", numbers.SPACE) if numbers.known(value) else numbers.NONE


def cell(metric: Metric, value: Any) -> str:
    """The same below a heading that names the unit, see `heading`."""
    return said(metric, value) if percent(metric) or not numbers.known(value) else metric.number(value)


def span(metric: Metric, low: float, high: float) -> str:
    """`79.8 to 83.4 %`."""
    return f"{metric.number(low)} to {said(metric, high)}"


def percent(metric: Metric) -> bool:
    return metric.sign == " %"


def sign(metric: Metric) -> str:
    """The unit behind its values where that is not percent: `nats`, `EUR`, or nothing."""
    return "" if percent(metric) else metric.sign.strip()


def heading(metric: Metric) -> str:
    """Of a column: `macro F1`, `NLL, nats`."""
    return ", ".join(filter(None, [metric.head or metric.words, sign(metric)]))


def axis(metric: Metric, before: str = "") -> str:
    """The title of an axis; before: `test`, `validation`."""
    return ", ".join(filter(None, [f"{before} {metric.words}".strip(), sign(metric)]))


def unit(metric: Metric) -> str:
    """What differences are counted in: `points`, `nats`, `EUR`, or the metric itself where it has no unit."""
    return metric.short or metric.words


def amount(metric: Metric) -> str:
    """The same with what it is of: `points of accuracy`, `R²`."""
    return metric.unit if metric.short else metric.words


def tick(metric: Metric) -> Callable[[float], str]:
    """The numbers along an axis."""
    return numbers.tick if percent(metric) else numbers.plain


def whole(text: str) -> str:
    """Numbers with their units, as a list, that breaks between them alone."""
    return ", ".join(part.replace(" ", numbers.SPACE) for part in text.split(", "))


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]
