"""Any encoder of the Hugging Face hub, or of a local folder, with its pretrained weights.

Text models read token ids of their own tokenizer; image models read pixels; audio models read log-mel frames (AST and
the like) or a waveform (wav2vec 2.0 and the like), as their own feature extractor makes them: see `brought`. Compute
that went into the published weights is not part of the budget, and the report says so.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from trivium.encoders import brought, stored
from trivium.encoders.base import PAD, Encoder, unpadded
from trivium.encoders.published import adapter
from trivium.machine import packages
from trivium.settings import parts
from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from trivium.encoders import Described
    from trivium.modalities.spec import Spec


class Hub(Encoder):
    published = True

    def __init__(self, body: nn.Module, spec: Spec) -> None:
        super().__init__()
        self.spec, self.body = spec, body
        config = body.config
        side = getattr(config, "patch_size", 16)
        sides = tuple(side) if isinstance(side, list | tuple) else (side, side)
        self.patch = () if spec.kind == "tokens" else sides[: len(spec.shape) - 1]
        steps = (getattr(config, "frequency_stride", None), getattr(config, "time_stride", None))  # AST's overlap
        self.count = math.prod(
            (n - p) // (step or p) + 1 for n, p, step in zip(spec.shape[1:], self.patch, steps, strict=False))
        self.width = getattr(config, "hidden_size", None) or config.hidden_sizes[-1]
        if spec.kind == "tokens":
            self.register_buffer("native", torch.from_numpy(spec.native_ids()), persistent=False)

    @property
    def words(self) -> Tensor | None:  # type: ignore[override]
        return self.body.get_input_embeddings().weight if self.spec.kind == "tokens" else None

    def tokens(self, x: Tensor) -> Tensor:
        if self.spec.kind == "tokens":
            ids = unpadded(x)
            states = self.body(input_ids=self.native[ids], attention_mask=(ids != PAD).long()).last_hidden_state
            return nn.functional.pad(states, (0, 0, 0, x.shape[1] - ids.shape[1]))
        elif self.spec.kind == "image":
            states = self.body(pixel_values=x).last_hidden_state
        elif self.spec.kind == "waveform":
            states = self.body(x[:, 0]).last_hidden_state
        else:
            states = self.body(x[:, 0].transpose(1, 2)).last_hidden_state  # [B, frames, bins]
        if states.dim() == 4:  # convolutional bodies: [B, D, H, W]
            states = states.flatten(2).transpose(1, 2)
        first = max(0, states.shape[1] - self.count) if self.patch else 0  # class tokens, registers
        return states[:, first:]

    def pool(self, tokens: Tensor, x: Tensor) -> Tensor:
        """[B, T, D] -> [B, D]: the mean, padding left out (Reimers & Gurevych 2019)."""
        if self.spec.kind != "tokens":
            return tokens.mean(1)
        real = (x != PAD).unsqueeze(-1).to(tokens.dtype)
        return (tokens * real).sum(1) / real.sum(1).clamp(min=1)

    def described(self) -> dict[str, Any]:
        """What `empty` needs to build it without the hub, or the folder, that it came from: a JSON value."""
        about = json.loads(self.body.config.to_json_string(use_diff=False))
        return {key: value for key, value in about.items() if key not in ("_name_or_path", "transformers_version")}


def empty(about: Mapping[str, Any], spec: Spec) -> Hub:
    """The encoder that `Hub.described` told of, without its weights."""
    from transformers import AutoConfig, AutoModel
    from transformers.initialization import no_init_weights

    with no_init_weights():  # which takes seconds, for weights that are about to be read
        body = AutoModel.from_config(AutoConfig.for_model(**about), dtype=torch.float32, trust_remote_code=False)
    encoder = Hub(body, spec)
    with torch.no_grad():
        _fit_positions(encoder)
    return encoder


def spelt(where: str, modality: str, weights: str, processor: Mapping[str, Any]) -> Described:
    """What an entry with `weights` says by itself, without a look at what the model brings.

    Raises: UserError (settings of a processor that no model has, or that are out of range).
    """
    from trivium import modalities
    from trivium.encoders import Described

    own = dict(processor)
    if part := adapter(weights):
        settings = modalities.get(modality).Settings
        pictures = (part.MODALITY, modality) == ("image", "video")  # its frames
        if part.MODALITY != modality and not pictures:
            raise UserError(f"params.yaml: `{where}`: `{weights}` reads {part.MODALITY}, not {modality}.")
        free = (*part.FREE, *(("frames", "frames_per_second") if pictures else ()))
        if fixed := [key for key in own if key not in free and key in settings.model_fields]:
            raise UserError(f"params.yaml: `{where}.processor.{fixed[0]}` comes with the weights `{weights}`: "
                            f"leave it out. An entry may set {', '.join(free)}.")
        chosen = parts.typed(settings, part.PROCESSOR | own, f"{where}.processor")
        return Described(modality, "hub", weights, (modality, chosen.model_dump(mode="json")))
    if modality not in brought.READ:
        raise UserError(f"params.yaml: `{where}`: published weights read {', '.join(brought.READ)}, not {modality}.")
    parts.typed(modalities.get(modality).Settings, own, f"{where}.processor")
    return Described(modality, "hub", weights, (modality, own))


def describe(where: str, modality: str, weights: str, processor: Mapping[str, Any]) -> Described:
    """What an entry with `weights` says: the model brings its processor.

    Raises: UserError (what the model brings and the entry says do not fit; files that are not there).
    """
    from trivium import modalities
    from trivium.encoders import Described

    if adapter(weights):
        return spelt(where, modality, weights, processor)
    own = dict(processor)
    _refuse_pickles(packages.folder(weights), weights)
    if Path(weights).is_dir():  # a package was whole when it was installed
        stored.check(where, weights, Path(weights))
    name, own = brought.READ[modality](where, weights, own)
    chosen = parts.typed(modalities.processor(name).Settings, own, f"{where}.processor")
    return Described(modality, "hub", weights, (name, chosen.model_dump(mode="json")))


def width(weights: str) -> int | None:
    """D, where the model's config or its file here says it."""
    if part := adapter(weights):
        return getattr(part, "WIDTH", None)
    try:
        found = brought.width(weights)
    except UserError:  # it is not here: loading it tells
        return None
    return found if isinstance(found, int) else None


def build(described: Described, spec: Spec) -> Encoder:
    """Raises: UserError when the weights are neither on the hub, nor in a folder; or do not fit."""
    from huggingface_hub.utils import enable_progress_bars
    from safetensors import SafetensorError
    from transformers import AutoModel
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # of reading weights into the model, which happens again and again
    enable_progress_bars()  # of downloads
    name = described.weights
    if part := adapter(name):
        return part.build(spec)
    folder = packages.folder(name)
    _refuse_pickles(folder, name)
    try:
        body, about = AutoModel.from_pretrained(folder, dtype=torch.float32, output_loading_info=True,  # not half
                                                use_safetensors=True, trust_remote_code=False)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        if "mismatch" in str(error):
            raise UserError(stored.unlike(name, "transformers compared them")) from None
        if "trust_remote_code" in str(error):
            raise UserError(packages.brings_code(name)) from None
        raise UserError(
            f"params.yaml: the weights `{name}` could not be loaded from the Hugging Face hub or as a local folder "
            f"({str(error).splitlines()[0]}). Check the spelling, or, off line, give a folder with config.json and "
            "model.safetensors."
        ) from None
    probe = torch.full((1, *spec.shape), 3) if spec.kind == "tokens" else torch.zeros(1, *spec.shape)
    try:
        if spec.kind == "tokens" and spec.vocab > (known := body.get_input_embeddings().num_embeddings):
            raise UserError(f"params.yaml: the tokenizer of `{name}` knows {spec.vocab:,} tokens and the model "
                            f"{known:,}: it is the tokenizer of another model. Save the model's own tokenizer beside "
                            "its weights.")
        encoder = Hub(body, spec)
        with torch.no_grad():
            _fit_positions(encoder)
            encoder.tokens(probe)
            lacking = _lacking(encoder, sorted(about["missing_keys"]), probe)
    except (RuntimeError, ValueError, TypeError, AttributeError, LookupError) as error:
        raise UserError(f"params.yaml: the weights `{name}` do not take inputs of shape {spec.shape} "
                        f"({str(error).splitlines()[0]}). Change the encoder's `processor` to what the model expects."
                        ) from None
    if lacking:
        raise UserError(f"params.yaml: the weights `{name}` lack {len(lacking)} tensors that the model needs, such as "
                        f"{lacking[0]}: they are not whole. Copy or save the model again.")
    return encoder


def _lacking(encoder: Hub, missing: list[str], probe: Tensor) -> list[str]:
    """Those of the tensors `missing` from the files that a vector depends on (a pooler's, which we do not use, may be
    missing): without numbers in them there is none in the vector.
    """
    weights = encoder.body.state_dict()
    for key in (absent := [key for key in missing if key in weights and weights[key].is_floating_point()]):
        kept = weights[key].clone()
        weights[key].fill_(torch.nan)
        needed = not encoder.tokens(probe).isfinite().all()
        weights[key].copy_(kept)
        if needed:
            return [key, *(other for other in absent if other != key)]
    return []


def _refuse_pickles(folder: str, name: str) -> None:
    """Raises: UserError (a local folder whose weights could run code when they are loaded, or that has none)."""
    if not Path(folder).is_dir() or list(Path(folder).glob("*.safetensors")):
        return
    pickles = [file.name for kind in ("*.bin", "*.pt", "*.pth", "*.pkl") for file in Path(folder).glob(kind)]
    raise UserError(f"params.yaml: the weights `{name}` are " + (
        f"in {pickles[0]}, a pickle, which can run any code when it is loaded: convert it to model.safetensors "
        "(safetensors.torch.save_file), and name that folder." if pickles else
        "a folder without model.safetensors: there are no weights in it."))


def _fit_positions(encoder: Hub) -> None:
    """Position embeddings for the images we have, of models that interpolate theirs in every pass (DINOv2 has 37 x 37).

    Once is cheaper; and a GPU has no deterministic gradient of this (bicubic) interpolation.
    """
    part: Any = getattr(encoder.body, "embeddings", None)
    table, fitted = (getattr(part, name, None) for name in ("position_embeddings", "interpolate_pos_encoding"))
    if encoder.spec.kind != "image" or fitted is None or not isinstance(table, nn.Parameter):
        return
    _, height, width = encoder.spec.shape
    count = (height // encoder.patch[0]) * (width // encoder.patch[1])
    part.position_embeddings = nn.Parameter(fitted(table.new_zeros(1, 1 + count, table.shape[2]), height, width))
