"""The verdict in two sentences, large, and the five facts that it rests on."""

from __future__ import annotations

from typing import Any

from trivium.drawing import numbers
from trivium.drawing.markup import Html, breakable, h, join
from trivium.report.inputs import Inputs
from trivium.report.parts import name

LONG = 130  # characters of a verdict that is set smaller


def title(inputs: Inputs) -> str:
    """Of the page: the data that was compared on."""
    return str(inputs.comparison.get("dataset", {}).get("title") or inputs.meta.get("title") or "Comparison")


def body(inputs: Inputs) -> Html:
    found = inputs.verdict
    winner = found.get("winner")
    said = str(found.get("sentence") or _sentence(inputs))
    first, rest = _reason(str(found.get("reason") or ""))
    facts = [(term, value) for term, value in _facts(inputs) if value]
    return h(
        "div",
        h("p", "Trivium · which training strategy for ", h("b", title(inputs)), class_="eyebrow"),
        h(
            "p",
            _chip(inputs),
            class_=f"chip {'won' if winner else 'tie'}",
        ),
        h("h1", _names_may_break(said, inputs.order), class_="long" if len(said) > LONG else None),
        h("p", first, class_="reason") if first else None,
        h("p", rest, class_="note") if rest else None,
        h("dl", [h("div", h("dt", term), h("dd", value)) for term, value in facts], class_="facts"),
        class_="verdict",
    )


def _chip(inputs: Inputs) -> str:
    found = inputs.verdict
    if found.get("winner"):
        return "A winner"
    if len(inputs.order) == 1:
        return "One strategy: nothing to compare"
    if all(entry.get("failed_share") == 1 for entry in inputs.comparison.get("strategies", {}).values()):
        return "No winner: nothing was learned"
    alone = len(found.get("tied") or []) - len(found.get("behind") or []) == 1
    return "No winner: one is ahead, but not surely" if alone else "No winner: no difference was found"


def _reason(text: str) -> tuple[str, str]:
    """The first sentence, which is shown as large as the verdict allows, and the rest."""
    first, mark, rest = text.partition(". ")
    return (first + "." if mark else first), rest


def _sentence(inputs: Inputs) -> str:
    winner, tied = inputs.verdict.get("winner"), inputs.verdict.get("tied") or []
    if winner:
        return f"{winner} is the best strategy here"
    others = f" between {', '.join(tied[:-1])} and {tied[-1]}" if len(tied) > 1 else ""
    return f"No difference was found{others} at this budget; {inputs.recommended} is the one to take"


def _facts(inputs: Inputs) -> list[tuple[str, Any]]:
    chosen = inputs.comparison.get("strategies", {}).get(inputs.recommended, {})
    accuracy = chosen.get("accuracy") or {}
    seeds = len(chosen.get("seeds") or {}) or len(inputs.evaluations.get(inputs.recommended, {}).get("seeds", []))
    tests = [seed.get("n") for seed in inputs.evaluations.get(inputs.recommended, {}).get("seeds", [])]
    size = numbers.mean(tests)
    span = ""
    if numbers.known(accuracy.get("low")):
        span = f" ({100 * accuracy['low']:.1f} to {100 * accuracy['high']:.1f})"
    evidence = f"{seeds} paired seeds" + (f" × {numbers.whole(size)} test samples" if size else "") if seeds else ""
    if evidence and len(inputs.order) > 1:
        evidence = f"{len(inputs.order)} strategies, {evidence}"
    return [
        ("Recommended", name(inputs, inputs.recommended) if inputs.recommended else None),
        ("Its test accuracy", numbers.percent(accuracy["mean"]) + span if accuracy.get("mean") is not None else None),
        ("Training compute per seed", numbers.flops(flops(chosen)) if flops(chosen) else None),
        ("Evidence", evidence),
        ("Its model", _model(inputs)),
    ]


def _model(inputs: Inputs) -> Html | None:
    """Where the recommended strategy's best seed (validation NLL) is, on the disk and in MLflow's registry."""
    seeds = inputs.training.get(inputs.recommended, {}).get("seeds") or []
    known = [seed for seed in seeds if numbers.known((seed.get("validation") or {}).get("nll"))]
    if not known:
        return None
    best = min(known, key=lambda seed: (seed["validation"]["nll"], seed["seed"]))["seed"]
    folder = h("code", breakable(f"models/{inputs.recommended}/seed_{best}"))
    return join([folder, h("span", ", in MLflow ", class_="span"), h("code", "models:/trivium@recommended")])


def flops(entry: dict[str, Any]) -> float | None:
    """Mean training FLOPs of a strategy in comparison.json; a plain number or `{"mean": ...}`."""
    value = entry.get("flops")
    value = value.get("mean", value.get("total")) if isinstance(value, dict) else value
    return value if numbers.known(value) else None


def parameters(entry: dict[str, Any], which: str = "total") -> float | None:
    """Parameters of a strategy in comparison.json; a plain number or `{"total": ..., "trained": ...}`."""
    value = entry.get("parameters")
    value = value.get(which) if isinstance(value, dict) else value if which == "total" else None
    return value if numbers.known(value) else None


def _names_may_break(text: str, names: list[str]) -> Html | str:
    """Underscores of strategy names get a place to break, so that a phone shows the sentence whole."""
    return breakable(text) if any(name in text for name in names) else text
