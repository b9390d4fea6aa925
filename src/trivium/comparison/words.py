"""What the bits of `information` mean, in plain words. Each rule is one function; its threshold stands beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trivium.data.out import Part

Bits = Mapping[str, float]
Encoders = Mapping[str, Mapping[str, float | None]]  # stream -> encoder -> bits, best first; None: not measured

SILENT = 0.05  # of the label's entropy: fewer bits than this are none
TOGETHER = 0.3  # of all bits that only a pair together has: the answer needs both
OUTWEIGH = 0.15  # of all bits by which these must exceed what the two share
SHARED = 0.7  # of a stream's bits that a better one has too: "most of what it knows"
SPARE = 0.02  # of all bits that are lost without a stream: it adds nothing
OWN = 0.7  # of a stream's bits that are lost without it: nobody else knows them


class Shared(Part):
    """The bits of a pair of streams. net: synergistic less redundant;  the others are None where classes are too many
    for tables;  unique: by stream.
    """

    redundant: float | None = None
    unique: dict[str, float] | None = None
    synergistic: float | None = None
    net: float


Pairs = Mapping[str, Shared]  # by "a+b"


def sentence(entropy: float, bits: Bits, pairs: Pairs, encoders: Encoders | None = None) -> str:
    """What the encoders found in the streams. `bits`, `pairs`, `encoders`: as in `information.summary`, the set of all
    streams last."""
    streams, asked = _streams(bits), {s: _measured(of) for s, of in (encoders or {}).items()}
    total = bits["+".join(streams)]
    if total <= SILENT * entropy:
        return f"No encoder found the label in {_all(streams)}: {total:.2f} of {entropy:.2f} bits."
    apart = [one for s in streams if (one := _better(s, entropy, asked.get(s, {})))]
    if len(streams) == 1:
        return _capital("; ".join([f"{total:.2f} of {entropy:.2f} bits were found in {streams[0]}", *apart])) + "."
    said, pair = [], together(bits, pairs)
    if pair:
        said.append(f"the answer needs {_all(pair)} together: {_joint(pairs, pair):.2f} of {entropy:.2f} bits were "
                    "found in neither alone")
    lost = {m: total - _without(bits, m) for m in streams}
    silent = _silent(entropy, bits, pair)
    speaking = [m for m in streams if m not in silent and m not in pair]
    own = [m for m in speaking if lost[m] >= OWN * bits[m]]
    if own:
        said.append(f"what was found in {_all(own)} was found nowhere else")
    for better, members in _shared(bits, pairs, pair + speaking).items():
        said.append(f"most of what was found in {_all(members)} was found in {better} too")
    spare = [m for m in speaking if lost[m] <= SPARE * total]
    if len(spare) == 1:
        said.append(f"{spare[0]} added nothing to the others")
    said += [f"{_reader(s, asked.get(s, {}))} found little" for s in silent]
    if not said:
        best = max(streams, key=lambda m: bits[m])
        said.append(f"most was found in {best}, {bits[best]:.2f} of {entropy:.2f} bits, and the others add to it")
    return _capital("; ".join([*said, *apart])) + "."


def training(entropy: float, bits: Bits, pairs: Pairs) -> str:
    """What follows from that for how to train; empty where nothing does."""
    streams = _streams(bits)
    if len(streams) == 1 or bits["+".join(streams)] <= SILENT * entropy:
        return ""
    pair = together(bits, pairs)
    if pair:
        return (f"What {_all(pair)} say together cannot be learned from either and the label alone: components that "
                "are pretrained without labels, or trained together, can find it; components trained alone on the "
                "label are not taught it.")
    speaking = [m for m in streams if m not in _silent(entropy, bits, pair)]
    if len(speaking) == 1:
        return (f"These encoders found little outside {speaking[0]}: a model of {speaking[0]} alone may come close, "
                "and another encoder for the rest may find more.")
    if _shared(bits, pairs, speaking):
        return ("Each stream can be learned alone, and they overlap: in joint training the quickest one can do the "
                "work while the others stay unlearned, which does not happen to components that are trained alone.")
    return ("The streams know different things: every encoder must be trained well, and any strategy that does so "
            "will do.")


def _measured(encoders: Mapping[str, float | None]) -> dict[str, float]:
    return {name: found for name, found in encoders.items() if found is not None}


def _better(stream: str, entropy: float, encoders: Mapping[str, float]) -> str:
    """Where one encoder found much more in a stream than another: what is said of a stream is said of its encoder."""
    names = list(encoders)
    if len(names) < 2 or encoders[names[0]] - encoders[names[-1]] <= SILENT * entropy:
        return ""
    best, worst = encoders[names[0]], encoders[names[-1]]
    little = "little" if worst <= SILENT * entropy else f"{worst:.2f}"
    return f"in {stream} the encoder `{names[-1]}` found {little}, `{names[0]}` {best:.2f} of {entropy:.2f} bits"


def _reader(stream: str, encoders: Mapping[str, float]) -> str:
    named = _all([f"`{name}`" for name in encoders]) if encoders else ""
    return f"the {stream} encoder{'s' * (len(encoders) > 1)} {named}".rstrip()


def together(bits: Bits, pairs: Pairs) -> list[str]:
    """The pair with the most bits that neither has alone, where these matter; else empty."""
    total = bits["+".join(_streams(bits))]
    needed = [name for name, parts in pairs.items()
              if parts.net >= OUTWEIGH * total > 0 and _joint(pairs, name.split("+")) >= TOGETHER * total]
    return max(needed, key=lambda name: _joint(pairs, name.split("+"))).split("+") if needed else []


def _joint(pairs: Pairs, pair: Sequence[str]) -> float:
    parts = pairs["+".join(pair)]
    return parts.net if parts.synergistic is None else parts.synergistic


def _silent(entropy: float, bits: Bits, pair: Sequence[str]) -> list[str]:
    """Streams that tell nothing, neither alone nor on top of the others."""
    streams = _streams(bits)
    total = bits["+".join(streams)]
    return [m for m in streams
            if m not in pair and max(bits[m], total - _without(bits, m)) <= SILENT * entropy]


def _shared(bits: Bits, pairs: Pairs, streams: Sequence[str]) -> dict[str, list[str]]:
    """Stream -> those of which it knows most. Each is named once, after those that are needed or know more."""
    found: dict[str, list[str]] = {}
    needed = together(bits, pairs)
    ranked = sorted(streams, key=lambda m: (m not in needed, -bits[m]))
    for place, m in enumerate(ranked):
        for better in ranked[:place]:
            parts = pairs.get(f"{better}+{m}") or pairs[f"{m}+{better}"]
            # net = synergistic - redundant, so at least -net bits are redundant where the parts are not known
            redundant = -parts.net if parts.redundant is None else parts.redundant
            if bits[m] > 0 and redundant >= SHARED * bits[m]:
                found.setdefault(better, []).append(m)
                break
    return {better: [m for m in streams if m in members] for better, members in found.items()}


def _streams(bits: Bits) -> list[str]:
    return [name for name in bits if "+" not in name]


def _without(bits: Bits, stream: str) -> float:
    return bits["+".join(m for m in _streams(bits) if m != stream)]


def _all(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
