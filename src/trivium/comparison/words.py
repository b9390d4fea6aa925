"""What the bits of `information` mean, in plain words. Each rule is one function; its threshold stands beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Bits = Mapping[str, float]
Pairs = Mapping[str, Mapping[str, Any]]

SILENT = 0.05  # of the label's entropy: fewer bits than this are none
TOGETHER = 0.3  # of all bits that only a pair together has: the answer needs both
OUTWEIGH = 0.15  # of all bits by which these must exceed what the two share
SHARED = 0.7  # of a modality's bits that a better one has too: "most of what it knows"
SPARE = 0.02  # of all bits that are lost without a modality: it adds nothing
OWN = 0.7  # of a modality's bits that are lost without it: nobody else knows them


def sentence(entropy: float, bits: Bits, pairs: Pairs) -> str:
    """What the modalities know. `bits`, `pairs`: as in `information.summary`, the subset of all modalities last."""
    modalities = _modalities(bits)
    total = bits["+".join(modalities)]
    if total <= SILENT * entropy:
        return f"No model found the label in {_all(modalities)}: {total:.2f} of {entropy:.2f} bits."
    if len(modalities) == 1:
        return f"{modalities[0]} tells {total:.2f} of {entropy:.2f} bits.".capitalize()
    said, pair = [], together(bits, pairs)
    if pair:
        said.append(f"the answer needs {_all(pair)} together: {_joint(pairs, pair):.2f} of {entropy:.2f} bits are in "
                    "neither alone")
    lost = {m: total - _without(bits, m) for m in modalities}
    silent = _silent(entropy, bits, pair)
    speaking = [m for m in modalities if m not in silent and m not in pair]
    own = [m for m in speaking if lost[m] >= OWN * bits[m]]
    if own:
        said.append(f"nobody else knows what {_all(own)} {_verb('know', own)}")
    for better, members in _shared(bits, pairs, pair + speaking).items():
        said.append(f"most of what {_all(members)} {_verb('know', members)}, {better} knows too")
    spare = [m for m in speaking if lost[m] <= SPARE * total]
    if len(spare) == 1:
        said.append(f"{spare[0]} adds nothing that the others don't know")
    if silent:
        said.append(f"the models found little about the label in {_all(silent)}")
    if not said:
        best = max(modalities, key=lambda m: bits[m])
        said.append(f"{best} knows most, {bits[best]:.2f} of {entropy:.2f} bits, and the others add to it")
    return _capital("; ".join(said)) + "."


def training(entropy: float, bits: Bits, pairs: Pairs) -> str:
    """What follows from that for how to train; empty where nothing does."""
    modalities = _modalities(bits)
    if len(modalities) == 1 or bits["+".join(modalities)] <= SILENT * entropy:
        return ""
    pair = together(bits, pairs)
    if pair:
        return (f"What {_all(pair)} say together cannot be learned from either and the label alone: components that "
                "are pretrained without labels, or trained together, can find it; components trained alone on the "
                "label are not taught it.")
    speaking = [m for m in modalities if m not in _silent(entropy, bits, pair)]
    if len(speaking) == 1:
        return f"The models found little outside {speaking[0]}: a model of {speaking[0]} alone may come close."
    if _shared(bits, pairs, speaking):
        return ("Each modality can be learned alone, and they overlap: in joint training the quickest one can do the "
                "work while the others stay unlearned, which does not happen to components that are trained alone.")
    return ("The modalities know different things: every encoder must be trained well, and any strategy that does so "
            "will do.")


def together(bits: Bits, pairs: Pairs) -> list[str]:
    """The pair with the most bits that neither has alone, where these matter; else empty."""
    total = bits["+".join(_modalities(bits))]
    needed = [name for name, parts in pairs.items()
              if parts["net"] >= OUTWEIGH * total > 0 and _joint(pairs, name.split("+")) >= TOGETHER * total]
    return max(needed, key=lambda name: _joint(pairs, name.split("+"))).split("+") if needed else []


def _joint(pairs: Pairs, pair: Sequence[str]) -> float:
    parts = pairs["+".join(pair)]
    return parts["net"] if parts["synergistic"] is None else parts["synergistic"]


def _silent(entropy: float, bits: Bits, pair: Sequence[str]) -> list[str]:
    """Modalities that tell nothing, neither alone nor on top of the others."""
    modalities = _modalities(bits)
    total = bits["+".join(modalities)]
    return [m for m in modalities
            if m not in pair and max(bits[m], total - _without(bits, m)) <= SILENT * entropy]


def _shared(bits: Bits, pairs: Pairs, modalities: Sequence[str]) -> dict[str, list[str]]:
    """Modality -> those of which it knows most. Each is named once, after those that are needed or know more."""
    found: dict[str, list[str]] = {}
    needed = together(bits, pairs)
    ranked = sorted(modalities, key=lambda m: (m not in needed, -bits[m]))
    for place, m in enumerate(ranked):
        for better in ranked[:place]:
            parts = pairs.get(f"{better}+{m}") or pairs[f"{m}+{better}"]
            # net = synergistic - redundant, so at least -net bits are redundant where the parts are not known
            redundant = -parts["net"] if parts["redundant"] is None else parts["redundant"]
            if bits[m] > 0 and redundant >= SHARED * bits[m]:
                found.setdefault(better, []).append(m)
                break
    return {better: [m for m in modalities if m in members] for better, members in found.items()}


def _modalities(bits: Bits) -> list[str]:
    return [name for name in bits if "+" not in name]


def _without(bits: Bits, modality: str) -> float:
    return bits["+".join(m for m in _modalities(bits) if m != modality)]


def _all(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _verb(verb: str, subjects: Sequence[str]) -> str:
    return verb + ("s" if len(subjects) == 1 else "")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
