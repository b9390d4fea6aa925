"""Pictures of what an answer rests on.

Reads `reports/attributions/index.json`, when it exists:
    [{"sample", "strategy", "title", "caption", "picture": path relative to reports/attributions,
      "tokens": [[token, weight -1..1], ...]}]; `picture` and `tokens` are both optional.
"""

from __future__ import annotations

from typing import Any

from trivium.report.inputs import Inputs
from trivium.report.markup import Html, h, join
from trivium.report.parts import lead, name

FOLDER = "reports/attributions"


def body(inputs: Inputs) -> Html | None:
    found = inputs.json(f"{FOLDER}/index.json") or []
    cards = [card for item in found if (card := _card(inputs, item))]
    if not cards:
        return None
    return join(
        [
            lead("What an answer rests on: the marked parts raise the probability of the answer most."),
            h("div", cards, class_="cards"),
        ]
    )


def _card(inputs: Inputs, item: dict[str, Any]) -> Html | None:
    picture = (
        inputs.media.image(str((inputs.root / FOLDER / item["picture"]).absolute())) if item.get("picture") else None
    )
    tokens = [
        h("span", token, " ", class_=f"q{round(10 * min(abs(weight), 1))}" if weight > 0 else None)
        for token, weight in item.get("tokens") or []
    ]
    if not picture and not tokens:
        return None
    title = item.get("title") or item.get("sample", "")
    return h(
        "article",
        h("h3", title),
        h("p", name(inputs, item["strategy"])) if item.get("strategy") else None,
        h("img", src=picture, alt=f"Attribution: {title}", class_="wide") if picture else None,
        h("p", tokens, class_="tokens") if tokens else None,
        h("p", item["caption"], class_="note") if item.get("caption") else None,
        class_="card",
    )
