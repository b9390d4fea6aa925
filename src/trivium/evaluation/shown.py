"""`explained.json` and `explained.safetensors`: what a strategy's answers to the same few test samples rest on, as
`evaluate` leaves it and `compare` reads it, side by side for all strategies.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydantic import BaseModel

from trivium.data.tables import read_json, write_json
from trivium.evaluation.pictures import Panel

Words = dict[str, list[tuple[str, float]]]  # stream of tokens -> (token, value) of each
Arrays = dict[str, np.ndarray]


class Answer(BaseModel):
    """To one sample; probabilities 0-1: of the answer, and of the true label (`truth`).

    nats: per stream, the sum of its attributions;  tokens, rollout: the attribution of each token, and the encoder's
    attention to it
    """

    sample: str
    label: str
    prediction: str
    probability: float
    truth: float
    nats: dict[str, float]
    tokens: Words
    rollout: Words


class Explained(BaseModel):
    """kinds: of the tensors of each stream whose attributions were affordable;  rows: of how many of `answers`, the
    first ones.
    """

    kinds: dict[str, str]
    rows: dict[str, int]
    answers: list[Answer]


def write(folder: Path, about: Explained, arrays: Arrays) -> None:
    """arrays: `STREAM.input`, `STREAM.nats` and maybe `STREAM.rollout`, float32 [rows, 1, *axes], for what is not
    tokens. The same values, the same bytes.
    """
    from safetensors.numpy import save_file

    write_json(about.model_dump(), folder / "explained.json")
    save_file(arrays, folder / "explained.safetensors")


def read(folder: Path) -> tuple[Explained, Arrays]:
    """What `write` left."""
    from safetensors.numpy import load_file

    return Explained.model_validate(read_json(folder / "explained.json")), load_file(folder / "explained.safetensors")


def panels(about: Explained, arrays: Arrays, k: int, what: str = "nats") -> dict[str, Panel]:
    """A panel per stream of the answer `k`; `what`: nats, or rollout where encoders attend."""
    answer, shares = about.answers[k], what == "rollout"
    words = answer.rollout if shares else answer.tokens
    found = {}
    for stream, kind in about.kinds.items():
        name = f"{stream}.{what}"
        if stream in words:
            tokens = [token for token, _ in words[stream]]
            values = np.array([value for _, value in words[stream]], np.float32)
            found[stream] = Panel(kind, np.ones(len(tokens), np.int64), values, tokens, shares)
        elif name in arrays and k < about.rows[stream]:
            found[stream] = Panel(kind, arrays[f"{stream}.input"][k], arrays[name][k], [], shares)
    return found
