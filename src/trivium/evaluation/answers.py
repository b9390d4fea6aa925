"""`explained.json` and `explained.safetensors`: what a strategy's answers to the same few test samples rest on, as
`evaluate` leaves it and `compare` reads it, side by side for all strategies.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from trivium.data.out import Out, Part
from trivium.drawing.lanes import Channel
from trivium.evaluation.metrics import Words
from trivium.evaluation.pictures import Panel
from trivium.modalities.spec import Spec

Arrays = dict[str, np.ndarray]


class Answer(Part):
    """To one sample: `prediction` in words, and as `told` with its support (see `Task.support`, 0-1); truth: the
    support of the label, and how people say it where the answer is another one (`missed`).

    nats: per stream, the sum of its attributions;  tokens, rollout: the attribution of each token, and the encoder's
    attention to it
    """

    sample: str
    label: str
    prediction: str
    told: str
    support: float
    truth: float
    missed: str
    nats: dict[str, float]
    tokens: Words
    rollout: Words


class Explained(Out):
    """specs: of each stream whose attributions were affordable (`Spec.plain`);  channels, steps: see `Panel`, of the
    streams that have some.
    """

    specs: dict[str, dict[str, Any]]
    answers: list[Answer]
    channels: dict[str, tuple[Channel, ...]] | None = None
    steps: dict[str, float] | None = None


def write(folder: Path, about: Explained, arrays: Arrays) -> None:
    """arrays: `STREAM.input`, `STREAM.nats` and maybe `STREAM.rollout`, float32 [B, 1, *axes] of `B` answers, for the
    streams that are not drawn as lists. The same values, the same bytes.
    """
    from safetensors.numpy import save_file

    about.write(folder / "explained.json")
    save_file(arrays, folder / "explained.safetensors")


def read(folder: Path) -> tuple[Explained, Arrays]:
    """What `write` left."""
    from safetensors.numpy import load_file

    return Explained.read(folder / "explained.json"), load_file(folder / "explained.safetensors")


def panels(about: Explained, arrays: Arrays, k: int, what: str = "nats") -> dict[str, Panel]:
    """A panel per stream of the answer `k`; `what`: nats, or rollout where encoders attend."""
    answer, shares = about.answers[k], what == "rollout"
    words, found = answer.rollout if shares else answer.tokens, dict[str, Panel]()
    for stream, plain in about.specs.items():
        spec, name = Spec.of(stream, plain), f"{stream}.{what}"
        if stream in words:
            values = np.array([value for _, value in words[stream]], np.float32)
            x = np.ones((len(values), 2)[: len(spec.shape)])  # what is padding, or missing, was not kept
            found[stream] = Panel(spec, x, values, [token for token, _ in words[stream]], shares)
        elif name in arrays:
            found[stream] = Panel(spec, arrays[f"{stream}.input"][k], arrays[name][k], [], shares,
                                  (about.channels or {}).get(stream, ()), (about.steps or {}).get(stream, 0.0))
    return found
