"""What a published model brings along, beside its weights: its tokenizer, the size and scale of its pictures, what
makes numbers of a sound. An entry of `encoder` says what the model's files leave open, and cannot say otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trivium.machine import packages
from trivium.modalities import audio as sounds
from trivium.modalities.processors import extracted
from trivium.settings import parts
from trivium.settings.errors import UserError

Processor = tuple[str, dict[str, Any]]  # its name, and settings that are not yet checked

CONFIG, PROCESSOR, OLDER = "config.json", "processor_config.json", "preprocessor_config.json"
LENGTH = 128  # tokens that a text model reads, where the entry does not say
# models that count positions from the padding's id on
BEHIND_PADDING = ("roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "roberta-prelayernorm", "longformer",
                  "mpnet", "xmod", "data2vec-text", "ibert")
VOCABULARIES = ("tokenizer.json", "vocab*", "*.model", "*.vocab", "*.tiktoken")
# what some image processors do to the colours, and ours does not
COLOURS = ("rescale_offset", "include_top", "do_flip_channel_order", "do_color_quantize", "do_grayscale")
EXTRACTORS = {  # by model_type, for those whose config does not name the class
    **dict.fromkeys(("wav2vec2", "wav2vec2-conformer", "hubert", "wavlm", "unispeech", "unispeech-sat", "sew", "sew-d",
                     "data2vec-audio"), "Wav2Vec2FeatureExtractor"),
    "audio-spectrogram-transformer": "ASTFeatureExtractor",
}
NO_SETTING = ("auto_map", "processor_class", "transformers_version", "_name_or_path")  # notes in a config


def text(where: str, weights: str, own: Mapping[str, Any]) -> Processor:
    """Raises: UserError (an entry that names a tokenizer, or more tokens than the model has positions; a tokenizer that
    is not there, or knows more tokens than the model).
    """
    if "tokenizer" in own or "vocab" in own:
        raise UserError(f"params.yaml: `{where}.processor`: published weights bring their own tokenizer: leave out "
                        "`tokenizer` and `vocab`.")
    about = _json(where, weights, CONFIG) or {}
    most = _positions(about)
    length = own.get("length", min(LENGTH, most) if most > 0 else LENGTH)
    if isinstance(length, int) and 0 < most < length:
        raise UserError(f"params.yaml: `{where}.processor.length`: {length} tokens are more than `{weights}` can read: "
                        f"{most} at most.")
    known, there = about.get("vocab_size"), _vocabulary(where, weights)
    if known and there > known:
        raise UserError(f"params.yaml: `{where}`: the tokenizer of `{weights}` knows {there:,} tokens and the model "
                        f"{known:,}: it is the tokenizer of another model. Save the model's own beside it "
                        f"({_save('Tokenizer', weights)}).")
    return "text", {"length": length} | dict(own) | {"tokenizer": weights}


def most_tokens(weights: str) -> int:
    """That a text model reads; 0: any number. Raises: UserError (its config is not to be had)."""
    return _positions(_json("encoder", weights, CONFIG) or {})


def width(weights: str) -> Any:
    """`hidden_size` of its config; null where that has none. Raises: UserError (its config is not to be had)."""
    return (_json("encoder", weights, CONFIG) or {}).get("hidden_size")


def brings_size(weights: str) -> bool:
    """Whether the files of an image model say how large its pictures are. Raises: UserError (not to be had)."""
    return bool(_side(_nested("encoder", weights, "image_processor") or {}))


def _positions(about: Mapping[str, Any]) -> int:
    most = about.get("max_position_embeddings") or 0
    if most > 0 and about.get("model_type") in BEHIND_PADDING:
        most -= (about.get("pad_token_id") or 0) + 1
    return max(0, most)


def image(where: str, weights: str, own: Mapping[str, Any]) -> Processor:
    """Raises: UserError (an entry that sets what the model says, or does not set what it leaves open; colours that
    another processor makes).
    """
    about = _nested(where, weights, "image_processor")
    if about is None and any(next(Path(weights).glob(name), None) for name in VOCABULARIES):
        raise UserError(f"params.yaml: `{where}`: `{weights}` reads text, since it has a tokenizer, and not image.")
    if about and (strange := [key for key in COLOURS if about.get(key)]):
        raise UserError(f"params.yaml: `{where}`: `{weights}` was trained on pictures whose processor does "
                        f"`{strange[0]}`, which Trivium does not: name another model.")
    brought = _side(about or {}) | _scale(about or {})
    if fixed := [key for key in ("mean", "deviation", "channels") if key in own and key in ("channels", *brought)]:
        raise UserError(f"params.yaml: `{where}.processor.{fixed[0]}` comes with the weights `{weights}`: leave it "
                        "out.")
    if open_ := [key for key in ("size", "mean", "deviation") if key not in brought and key not in own]:
        lacks = f"has no {OLDER}, which would say" if about is None else f"has a {OLDER} that does not say"
        raise UserError(
            f"params.yaml: `{where}`: {_place(weights)} {lacks} the {' and '.join(open_)} of the pictures that the "
            f"model was trained on. Save the model's image processor beside it ({_save('ImageProcessor', weights)}), "
            f"or set {', '.join(open_)} under `{where}.processor`, e.g. {{size: 224, mean: [0.5, 0.5, 0.5], deviation: "
            "[0.5, 0.5, 0.5]}.")
    made = brought | dict(own)
    colours = made["mean"]
    return "image", made | {"channels": 1 if isinstance(colours, list | tuple) and len(colours) == 1 else 3}


def audio(where: str, weights: str, own: Mapping[str, Any]) -> Processor:
    """Raises: UserError (no feature extractor, or one that Trivium does not know; an entry that sets what comes with
    it).
    """
    about = _nested(where, weights, "feature_extractor")
    if about is None:
        raise UserError(f"params.yaml: `{where}`: {_place(weights)} has no {OLDER}, which says how the model hears a "
                        "sound: rate, length and features. Save the model's feature extractor beside it "
                        f"({_save('FeatureExtractor', weights)}).")
    model = _json(where, weights, CONFIG) or {}
    kind = about.get("feature_extractor_type") or EXTRACTORS.get(model.get("model_type", ""), "unknown")
    if kind not in extracted.KINDS:
        raise UserError(f"params.yaml: `{where}`: `{weights}` hears with the feature extractor `{kind}`, which Trivium "
                        f"does not know. Name a model with {' or '.join(extracted.KINDS)} (wav2vec 2.0, HuBERT, WavLM, "
                        "AST and the like).")
    extractor = extracted.DEFAULTS[kind] | {key: value for key, value in about.items() if key not in NO_SETTING}
    extractor["feature_extractor_type"] = kind
    for key in extracted.DEFAULTS[kind]:
        if not isinstance(extractor[key], int) or extractor[key] < 1:
            raise UserError(f"params.yaml: `{where}`: `{key}` in the {OLDER} of `{weights}` is {extractor[key]!r}, not "
                            "a whole number above 0.")
        if extractor[key] != model.get(key, extractor[key]):
            raise UserError(f"params.yaml: `{where}`: the feature extractor of `{weights}` makes `{key}` "
                            f"{extractor[key]}, and the model reads {model[key]}: it is that of another model. Save "
                            f"the model's own beside it ({_save('FeatureExtractor', weights)}).")
    seconds = extracted.fixed_seconds(extractor)
    free = () if seconds else ("seconds",)
    for key in own:
        if key not in free and key in (*sounds.Settings.model_fields, "extractor"):
            may = f" An entry may set {', '.join(free)}." if free else ""
            raise UserError(f"params.yaml: `{where}.processor.{key}` comes with the weights `{weights}`: leave it out."
                            + may)
        if key not in free:
            raise UserError(f"params.yaml: unknown key `{where}.processor.{key}`; {parts.nearest(key, free)}")
    return "extracted", {"extractor": extractor, "seconds": seconds or extracted.SECONDS} | dict(own)


def tokenizer(where: str, name: str) -> None:
    """Raises: UserError (a tokenizer for an encoder of ours: a folder that is not there, or has none in it)."""
    folder = Path(packages.folder(name))
    if not folder.is_dir() and name.startswith(("/", ".")):
        raise UserError(f"params.yaml: `{where}`: there is no folder {name}. It is `trained`, a Hugging Face hub id, "
                        "or a local folder with a tokenizer.json.")
    if folder.is_dir() and not any(next(folder.glob(one), None) for one in VOCABULARIES):
        raise UserError(f"params.yaml: `{where}`: the folder {name} has no tokenizer (tokenizer.json). Save one there "
                        f"({_save('Tokenizer', name)}), or say `trained`.")


def video(where: str, weights: str, own: Mapping[str, Any]) -> Processor:
    """Of its frames, which are pictures. Raises: as `image`."""
    return "video", image(where, weights, own)[1]


READ: dict[str, Callable[[str, str, Mapping[str, Any]], Processor]] = {
    "text": text, "image": image, "audio": audio, "video": video}


def _side(about: Mapping[str, Any]) -> dict[str, Any]:
    """{"size"} in pixels that the model was trained with; nothing where its processor says none, or no square."""
    found = about.get("crop_size") if about.get("do_center_crop") else None
    found = found or about.get("size")
    if isinstance(found, Mapping):
        sides = {found.get(key) for key in ("height", "width", "shortest_edge")} - {None}
        found = sides.pop() if len(sides) == 1 else None
    return {"size": found} if isinstance(found, int) else {}


def _scale(about: Mapping[str, Any]) -> dict[str, Any]:
    """{"mean", "deviation"} of colours 0-1, as one step of what the model's processor does in two: colours 0-255 times
    a factor, then normalised. Nothing where it does not say.
    """
    mean, deviation = about.get("image_mean"), about.get("image_std")
    if about.get("do_normalize") is False:
        mean, deviation = [0.0] * 3, [1.0] * 3
    if mean is None or deviation is None:
        return {}
    factor = 255 * (about.get("rescale_factor") or 1 / 255) if about.get("do_rescale", True) else 255
    factor = 1.0 if abs(factor - 1) < 1e-6 else factor
    each = [[value] * 3 if isinstance(value, int | float) else value for value in (mean, deviation)]
    return {key: [number / factor for number in value] for key, value in zip(("mean", "deviation"), each, strict=True)}


def _vocabulary(where: str, weights: str) -> int:
    """How many tokens the tokenizer knows; 0 where only a loaded one could tell.

    Raises: UserError (a local folder without one: transformers would make an empty one up).
    """
    folder = Path(packages.folder(weights))
    if folder.is_dir() and not any(next(folder.glob(name), None) for name in VOCABULARIES):
        raise UserError(f"params.yaml: `{where}`: {_place(weights)} has no tokenizer (tokenizer.json). Save the "
                        f"model's tokenizer beside it ({_save('Tokenizer', weights)}).")
    about = _json(where, weights, "tokenizer.json")
    if about is None:
        return 0
    vocabulary = about.get("model", {}).get("vocab", {})
    ids = vocabulary.values() if isinstance(vocabulary, Mapping) else range(len(vocabulary))
    return 1 + max([*ids, *(one["id"] for one in about.get("added_tokens", []))], default=-1)


def _nested(where: str, weights: str, part: str) -> dict[str, Any] | None:
    """The `part` of processor_config.json, or preprocessor_config.json of an older model; None without either."""
    return (_json(where, weights, PROCESSOR) or {}).get(part) or _json(where, weights, OLDER)


def _json(where: str, weights: str, name: str) -> dict[str, Any] | None:
    """One file of the model; None where it has none. Raises: UserError (not JSON; the hub cannot be reached)."""
    path = _file(where, weights, name)
    if path is None:
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise UserError(f"params.yaml: `{where}`: {name} of `{weights}` cannot be read ({error}).") from None
    if not isinstance(found, dict):
        raise UserError(f"params.yaml: `{where}`: {name} of `{weights}` is no JSON object.")
    return found


def _file(where: str, weights: str, name: str) -> Path | None:
    folder = packages.folder(weights)
    if Path(folder).is_dir():
        return path if (path := Path(folder) / name).is_file() else None
    if Path(folder).is_file():
        raise UserError(f"params.yaml: `{where}.weights`: {weights} is a file: name the folder that it is in.")
    if weights.startswith(("/", ".", "~")):
        hint = " Write the path in full, without `~`." if weights.startswith("~") else ""
        raise UserError(f"params.yaml: `{where}.weights`: there is no folder {weights}.{hint}")
    from huggingface_hub import hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    try:
        cached = try_to_load_from_cache(folder, name)  # first: every stage asks, and off line a request takes long
        if cached is not None:
            return Path(cached) if isinstance(cached, str) else None  # which is known to be missing
        return Path(hf_hub_download(folder, name))
    except (OSError, ValueError) as error:
        off_line = isinstance(error, LocalEntryNotFoundError)
        if isinstance(error, EntryNotFoundError) and not (off_line and _is_new(folder)):
            return None
        raise UserError(f"params.yaml: `{where}`: what `{weights}` was trained to read could not be looked up on the "
                        f"Hugging Face hub ({str(error).splitlines()[0]}). Check the spelling, or, off line, name a "
                        "local folder.") from None


def _is_new(name: str) -> bool:
    """Whether the hub's cache has nothing of a model."""
    from huggingface_hub import try_to_load_from_cache

    return not isinstance(try_to_load_from_cache(name, CONFIG), str)


def _place(weights: str) -> str:
    local = Path(packages.folder(weights)).is_dir()
    return f"the folder {weights}" if local else f"`{weights}` (on the hub, or off line in its cache)"


def _save(what: str, weights: str) -> str:
    """The command that writes what is missing."""
    folder = f'"{weights}"' if Path(weights).is_dir() else "folder"
    return f"Auto{what}.from_pretrained(...).save_pretrained({folder})"
