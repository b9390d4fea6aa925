"""What the analyses of a model, and of all of them together, leave behind; made up. See tests.report.project."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.evaluated import analyses
from trivium.drawing.svg import drawing

STREAMS = ("text", "image", "audio")
PIECES = {"text": 0.55, "image": 0.35, "audio": 0.9}  # share of the skill that a stream brings


def analysis(root: Path, name: str, seed: int, test: np.ndarray, y: np.ndarray, classes: list[str]) -> dict[str, Any]:
    """Of one seed of one strategy, as trivium.evaluation.analyse gives it."""
    samples = []
    for k, why in enumerate(("confident", "wrong", "same") if seed == 0 else ()):
        label = classes[y[test[k]]]
        picture = f"pictures/{k}_{why}.svg"
        path = root / "reports/evaluate" / name / picture
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(drawing(918, 288))
        samples.append(
            {
                "sample": f"d{test[k]:05}",
                "why": why,
                "label": label,
                "support": 0.97,
                "picture": picture,
                "prediction": label if why != "wrong" else classes[0],
                "tokens": {"text": [["seven", 0.8]]},
            }
        )
    return analyses(
        contribution={
            "score": {m: PIECES[m] / 2 for m in STREAMS},
            "log_probability": {m: PIECES[m] / 2 for m in STREAMS},
            "parts": {c: {m: PIECES[m] / 2 - 0.01 * k for m in STREAMS} for k, c in enumerate(classes)},
            "subsets": {},
        },
        counterfactual={
            "streams": {m: {"pairs": 40, "moved": PIECES[m], "moved_error": 0.05, "unlike": 36, "error": 0.05,
                            "follows": PIECES[m]} for m in STREAMS},
            "samples": [swap(test, y, classes, m, follows) for m, follows in (("audio", 1.0), ("text", 0.0))]
            if seed == 0 else [],
        },
        attribution={"deletion": {m: {"area": 0.4, "random": 0.6} for m in STREAMS}, "samples": samples},
    )


def swap(test: np.ndarray, y: np.ndarray, classes: list[str], stream: str, follows: float) -> dict[str, Any]:
    """See `trivium.evaluation.metrics.Swap`."""
    own, other = (classes[y[test[k]]] for k in (0, 1))
    return {"stream": stream, "sample": f"d{test[0]:05}", "other": f"d{test[1]:05}",
            "label": own, "other_label": other, "before": f"{own} (97 %)",
            "after": f"{other if follows else own} (64 %)", "other_answer": f"{other} (88 %)",
            "follows": follows}


def additions(order: list[str]) -> dict[str, Any]:
    """What is found out about all strategies `order` together, as the comparison gives it."""

    def span(mean: float) -> dict[str, float]:
        return {"mean": mean, "low": mean - 0.02, "high": mean + 0.02}

    def gained(better: bool) -> dict[str, Any]:
        return {"by": 0.2, "span": span(0.2), "area": 0.4, "random": 0.6, "better": better}

    places = list(enumerate(order))
    square = [[1.0 if a == b else round(0.4 + 0.4 / (1 + abs(a - b)), 2) for a, _ in places] for b, _ in places]
    subsets = ["+".join(subset) for size in (1, 2, 3) for subset in itertools.combinations(STREAMS, size)]

    def falls(slope: float, steps: tuple[float, ...]) -> dict[str, Any]:
        return {name: [{"level": x, "score": span(0.9 - 0.02 * k - slope * x)} for x in steps] for k, name in places}

    learned = {m: {"before": 0.2, "after": PIECES[m] - 0.1, "alone": PIECES[m]} for m in STREAMS}
    return {
        "robustness": {
            "corruption": {m: falls(PIECES[m] * 0.5, (0, 0.2, 0.4, 0.6, 0.8, 1)) for m in STREAMS},
            "misalignment": {m: falls(PIECES[m] * 0.4, (0, 0.25, 0.5, 1)) for m in STREAMS},
            "shift": {"audio": falls(0.2, (0, 0.1, 0.25))},
            "attacks": {
                "FGSM on image": falls(1.5, (0, 0.05, 0.1, 0.25)),
                "PGD on image": falls(2, (0, 0.05, 0.1, 0.25)),
            },
            "summary": {name: {m: {"relative": 0.7, "effective": -0.02} for m in STREAMS} for name in order},
            "reference": "end_to_end",
            "sentence": "Noise on audio costs most.",
        },
        "laziness": {
            "strategies": {name: learned for name in order},
            "unlearned": {},
            "sentence": "No strategy left image or audio unlearned.",
        },
        "information": {
            "entropy": 3.32,
            "bits": {
                subset: {"mean": 0.75 + 0.45 * subset.count("+"), "seeds": [], "strategy": order[0]}
                for subset in subsets
            },
            "pairs": {
                "text+audio": {
                    "redundant": 0.8,
                    "unique": {"text": 0.1, "audio": 0.6},
                    "synergistic": 0.1,
                    "net": -0.7,
                },
                "text+image": {"redundant": None, "unique": None, "synergistic": None, "net": -0.1},
            },
            "encoders": {"text": {"words": 0.75}},
            "sentence": "Most of what was found in text was found in audio too.",
            "training": "Each stream can be learned alone, and they overlap.",
        },
        "attribution": {
            "gains": {"area": {name: {m: gained(m != "text") for m in STREAMS} for name in order}, "rollout": {}},
            "rest": {"text": 0.02, "image": 0.11},
            "sentence": "To take away what spoke most first costs the answer more.",
        },
        "counterfactual": {
            "strategies": {name: {m: {"follows": span(PIECES[m]), "moved": PIECES[m], "pairs": 120}
                                  for m in STREAMS[1:]} for name in order},
            "sentence": "With one stream of another sample, the answers follow audio most.",
        },
        "similarity": {
            "sentence": "The audio encoders are the most alike.",
            "maps": [{"title": "Audio encoders (CKA)", "names": order, "values": square, "caption": "Debiased CKA."}],
            "ensemble": {"members": [order[0], order[-1]], "joint_errors": 1.9, "score": span(0.905), "gain": 0.012},
        },
    }


def explain(root: Path) -> None:
    """Two samples that changed, as trivium.comparison.explained leaves them."""
    samples = []
    for k, label in enumerate(("7", "<b>")):
        answers = {"end_to_end": answer(k, label, "1", 0.9, 0.04), "ensemble": answer(k, label, label, 0.875, 0.875)}
        samples.append({"sample": f"d{k:05}", "label": label, "spread": 0.4, "picture": f"changed_{k}.svg",
                        "strategies": answers})
    folder = root / "reports/explained"
    folder.mkdir()
    for sample in samples:
        (folder / sample["picture"]).write_text(drawing(900, 1000))
    (folder / "explained.json").write_text(json.dumps({"seed": 0, "among": 32, "samples": samples}))


def answer(k: int, label: str, prediction: str, support: float, truth: float) -> dict[str, Any]:
    """See `trivium.evaluation.answers.Answer`."""
    return {"sample": f"d{k:05}", "label": label, "prediction": prediction, "told": prediction, "support": support,
            "truth": truth, "missed": f"wrong: {label}", "nats": {}, "tokens": {}, "rollout": {}}
