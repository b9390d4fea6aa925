"""What turns one stream's tensors into tokens [B, T, D] and a vector [B, D].

An entry of `encoder` in params.yaml names an `architecture`, a file of this room (random weights), or `weights` that
were published: a Hugging Face hub id, a local folder, or `package:NAME`. It owns its `processor`, so that the two
cannot disagree.

To add an architecture, write `encoders/<name>.py` with a `Settings` and `build(spec, settings)`. `PROCESSOR` there
names the processor that it reads with; without it, that is the modality's own. `KINDS` there names the sorts of tensor
that it reads, where that is not each of `spec.PATCHED`. `GIVES` there names what it has for objectives, fusions and
strategies, where that is not everything (see `base.Encoder`).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from trivium import modalities
from trivium.modalities.spec import PATCHED
from trivium.settings import parts
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from trivium.encoders.base import Encoder
    from trivium.modalities.spec import Spec

SHARED = ("base", "brought", "columns", "hub", "over_time", "published", "stored")
COMMON = ("modality", "architecture", "weights", "processor")  # keys of every entry; the others are the architecture's


@dataclass(frozen=True)
class Described:
    """An entry of `encoder`, checked, with every default filled in: all that makes two encoders the same.

    weights: where published weights come from, "" for random ones.  processor: its name and its settings.
    """

    modality: str
    architecture: str
    weights: str
    processor: tuple[str, dict[str, Any]]
    settings: dict[str, Any] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """A JSON value."""
        return {"modality": self.modality, "architecture": self.architecture, "weights": self.weights,
                "processor": {"name": self.processor[0]} | self.processor[1], "settings": self.settings}

    @classmethod
    def of(cls, about: Mapping[str, Any]) -> Described:
        """From what `plain` gave."""
        processor = dict(about["processor"])
        return cls(about["modality"], about["architecture"], about["weights"], (processor.pop("name"), processor),
                   dict(about["settings"]))


def names() -> tuple[str, ...]:
    """The architectures there are, sorted."""
    return parts.names(sys.modules[__name__])


def describe(name: str, entry: Mapping[str, Any]) -> Described:
    """The entry `name` of `encoder`.

    Raises: UserError (an unknown key, modality or architecture; settings out of range; files that are not there).
    """
    return _read(name, entry, files=True)


def check_spelling(name: str, entry: Mapping[str, Any]) -> None:
    """As `describe`, without a look at any file: what no recipe uses need not be here. Raises: UserError."""
    _read(name, entry, files=False)


def _read(name: str, entry: Mapping[str, Any], files: bool) -> Described:
    where = f"encoder.{name}"
    if not isinstance(entry, Mapping):
        raise UserError(f"params.yaml: `{where}` is a mapping such as {{modality: text, architecture: cnn}}.")
    parts.look_for("modality", entry, where)
    if "weights" not in entry:
        parts.look_for("architecture", entry, where)
    if "architecture" not in entry:
        parts.look_for("weights", entry, where)
    modality = entry.get("modality")
    if modality is None:
        raise UserError(f"params.yaml: `{where}.modality` is missing: {', '.join(modalities.names())}.")
    if modality not in modalities.names():
        raise UserError(f"params.yaml: `{where}.modality`: there is no modality `{modality}`; "
                        f"{parts.nearest(str(modality), modalities.names())}")
    architecture, weights = entry.get("architecture"), entry.get("weights")
    if (architecture is None) == (weights is None):
        raise UserError(f"params.yaml: `{where}` names either an `architecture` ({', '.join(names())}; random weights) "
                        "or published `weights` (a Hugging Face hub id, a local folder, or package:NAME).")
    if not isinstance(entry.get("processor") or {}, Mapping):
        raise UserError(f"params.yaml: `{where}.processor` is a mapping of settings (got {entry['processor']!r}).")
    own = {key: value for key, value in entry.items() if key not in COMMON}
    over, common = dict[str, Any](), tuple[str, ...](COMMON)
    if modality == "video":
        over, common = _over_time(own, where), (*COMMON, "over_time")
    if weights is not None:
        from trivium.encoders import hub

        if own:
            key = next(iter(own))
            raise UserError(f"params.yaml: unknown key `{where}.{key}`; {parts.nearest(str(key), common)}")
        read = hub.describe if files else hub.spelt
        found = read(where, modality, str(weights), entry.get("processor") or {})
        return replace(found, settings=found.settings | over)
    part = parts.get(sys.modules[__name__], str(architecture), "architecture", f"{where}.architecture")
    unknown = [key for key in own if key not in part.Settings.model_fields]
    if unknown:
        known = (*common, *part.Settings.model_fields)
        rest = parts.nearest(str(unknown[0]), known, cutoff=0.7)  # `depth`, which others have, is no `width`
        raise UserError(f"params.yaml: unknown key `{where}.{unknown[0]}`; {rest}")
    settings = parts.typed(part.Settings, own, where)
    made = getattr(part, "PROCESSOR", {}).get(modality, "" if hasattr(part, "PROCESSOR") else modality)
    if not made:
        raise UserError(f"params.yaml: `{where}`: `{architecture}` reads {' or '.join(part.PROCESSOR)}, "
                        f"not {modality}.")
    chosen = parts.typed(modalities.processor(made).Settings, entry.get("processor") or {}, f"{where}.processor")
    kind = modalities.processor(made).spec(chosen).kind
    if kind == "frames":
        kind = "image"  # each of them
    else:
        over = {}
    kinds = getattr(part, "KINDS", PATCHED)
    if kind in PATCHED and kind not in kinds and not hasattr(part, "PROCESSOR"):
        what = modality if kind in ("tokens", modality) else f"{modality} as {kind}"
        raise UserError(f"params.yaml: `{where}`: `{architecture}` reads "
                        f"{' or '.join(kinds).replace('tokens', 'text')}, not {what}.")
    if kind not in PATCHED and not hasattr(part, "PROCESSOR"):
        able = [one for one in names() if modality in getattr(parts.get(sys.modules[__name__], one, "", ""),
                                                              "PROCESSOR", ())]
        raise UserError(f"params.yaml: `{where}`: `{architecture}` cannot read {modality}; {' or '.join(able)} can.")
    tokenizer = getattr(chosen, "tokenizer", "trained")
    if files and tokenizer != "trained":
        from trivium.encoders import brought

        brought.tokenizer(f"{where}.processor.tokenizer", tokenizer)
    return Described(modality, str(architecture), "", (made, chosen.model_dump(mode="json")),
                     settings.model_dump(mode="json") | over)


def _over_time(own: dict[str, Any], where: str) -> dict[str, Any]:
    """Takes out of `own` what an entry says of how frames become a vector, and gives it checked. Raises: UserError."""
    from trivium.encoders import over_time

    said = {key: own.pop(key) for key in over_time.Settings.model_fields if key in own}
    return parts.typed(over_time.Settings, said, where).model_dump(mode="json")


def gives(described: Described) -> frozenset[str]:
    """What it has for objectives, fusions and strategies: see `base.Encoder`. Nothing is built or loaded."""
    from trivium.encoders.base import GIVES

    if described.weights:
        return GIVES
    return getattr(parts.get(sys.modules[__name__], described.architecture, "encoder", "encoder"), "GIVES", GIVES)


def width(described: Described) -> int | None:
    """D, where it is known before anything is built."""
    if described.weights:
        from trivium.encoders import hub

        return hub.width(described.weights)
    if "width" in described.settings:
        return int(described.settings["width"])
    name, own = described.processor
    part = modalities.processor(name)
    spec = part.spec(part.Settings.model_validate(own)) if gives(described) == {"dense"} else None
    return spec.shape[0] if spec and spec.kind == "features" else None


def narrower(described: Described, share: float) -> Described:
    """The same with `share` of its width, in whole eights, at least 8; what has no width of its own stays as it is."""
    if "width" not in described.settings or share == 1:
        return described
    width = int(described.settings["width"])
    return replace(described, settings=described.settings | {"width": min(width, max(8, 8 * round(share * width / 8)))})


def reads_plainly(entry: Mapping[str, Any]) -> bool:
    """Whether an entry of `encoder` has random weights and its modality's own processor, which it may size."""
    return "architecture" in entry and not hasattr(
        parts.get(sys.modules[__name__], str(entry["architecture"]), "encoder", "encoder"), "PROCESSOR")


def build(described: Described, spec: Spec) -> Encoder:
    """The encoder, D as it says; from published weights with these.

    Raises: UserError for weights that cannot be loaded, or do not take inputs of `spec`.
    """
    if spec.kind == "frames":
        from trivium.encoders.over_time import OverTime, frame

        own = dict(described.settings)
        how = own.pop("over_time")
        return OverTime(build(replace(described, settings=own), frame(spec)), spec, how)
    if described.weights:
        from trivium.encoders import hub

        return hub.build(described, spec)
    part = parts.get(sys.modules[__name__], described.architecture, "encoder", "encoder")
    return part.build(spec, part.Settings.model_validate(described.settings))
