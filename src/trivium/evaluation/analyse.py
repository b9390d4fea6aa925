"""What is asked of one trained model besides its predictions: what it uses, what breaks it, why it answers so.

`evaluate.analysis_rows` (N) bounds the work: N test samples for contributions, information and counterfactual streams,
N/4 for noise and N/40 for attacks (32 and 8 at least, where there are as many), N/2 train and N/2 test samples for
probes, 6 for attributions, and at seed 0 the same 32 of every strategy. Where an encoder is so large that they cost
more than `evaluate.analysis_flops`, there are fewer of them, and with too few an analysis of a stream is absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from trivium.data.store import Batch, Store
from trivium.data.tables import rounded
from trivium.encoders.base import vector
from trivium.evaluation import (
    affordable,
    attribution,
    counterfactual,
    encoded,
    explained,
    information,
    panels,
    pictures,
    probes,
    robustness,
)
from trivium.evaluation.affordable import LEAST, Wish
from trivium.evaluation.contribution import contribution
from trivium.evaluation.metrics import (
    Analyses,
    Attacks,
    Attribution,
    Corruption,
    Levels,
    Probe,
    Robustness,
    Sample,
)
from trivium.evaluation.noise import Noise
from trivium.evaluation.sampling import some
from trivium.evaluation.settings import Settings
from trivium.models import build
from trivium.models.network import Model

ALIKE = 256  # samples whose vectors are kept: the same for all strategies and seeds, so that encoders can be compared

Counts = dict[str, dict[str, int]]  # analysis -> stream -> samples


@dataclass(frozen=True)
class Asked:
    """A model and the test samples that it is asked about.

    rows: int64 [B], in the order of their hashes, so that the first of them are a fair part;  test: the same, encoded
    explained: positions in `rows` of the samples whose answers are explained, and why these
    size: samples that pass an encoder at a time
    """

    model: Model
    store: Store
    seed: int
    rows: np.ndarray
    test: Batch
    explained: dict[int, str]
    size: int


@torch.no_grad()
def analyse(model: Model, store: Store, seed: int, rows: np.ndarray, test: Batch, settings: Settings, out: Path,
            ) -> Analyses:
    """Of `model` on the test samples `rows` of `seed`; with six decimals, since more are noise.

    test: the samples of `rows` (ascending), encoded;  settings: `analysis_flops` is what this seed may spend.

    Writes `<out>/vectors/seed_<k>.safetensors` ([n, D] per stream) and, for seed 0, `<out>/pictures/*.svg`
    and what `explained` writes.
    """
    count, size = settings.analysis_rows, settings.batch
    asked = _asked(model, store, seed, rows, test, settings)
    chosen, test = asked.rows, asked.test
    val = encoded.encode_rows(model, store, some(store.samples, store.rows(seed, "val"), count, seed), seed, size)
    _keep_vectors(model, store, seed, size, out)
    counts, _ = _counts(asked, settings)
    if seed == 0:
        explained.write(model, store, seed, chosen, test, [s for s, n in counts["explained"].items() if n], size, out)
    found = Analyses(
        contribution=contribution(model, test),
        information=information.measure(model, val, test) if model.task.categorical else None,
        robustness=_robustness(asked, counts),
        probes=_probes(asked, counts["probes"]),
        attribution=_attribution(asked, counts["attribution"], out if seed == 0 else None),
        counterfactual=counterfactual.measure(model, test, [store.samples[row] for row in chosen.tolist()]),
        rows=counts | {"probes": {s: min(n, len(chosen)) for s, n in counts["probes"].items()}},
    )
    return Analyses.model_validate(rounded(found.plain()))


@torch.no_grad()
def flops(model: Model, store: Store, seed: int, rows: np.ndarray, test: Batch, settings: Settings,
          ) -> dict[str, float]:
    """What `analyse` would spend on its passes through each encoder, with the same arguments."""
    return _counts(_asked(model, store, seed, rows, test, settings), settings)[1]


def _asked(model: Model, store: Store, seed: int, rows: np.ndarray, test: Batch, settings: Settings) -> Asked:
    chosen = some(store.samples, rows, settings.analysis_rows, seed)
    test = test[torch.from_numpy(np.searchsorted(rows, chosen)).to(test.y.device)]
    return Asked(model, store, seed, chosen, test, attribution.choose(model.task, encoded.answer(model, test), test.y),
                 settings.batch)


def _counts(asked: Asked, settings: Settings) -> tuple[Counts, dict[str, float]]:
    """Samples of each analysis; and by stream the FLOPs of all that passes its encoder."""
    whole = len(asked.rows)
    everyone = dict.fromkeys(asked.model.streams, whole)
    unread = [s for s in asked.model.streams if s not in encoded.readers(asked.model)]  # noise on these costs nothing
    found: Counts = {"contribution": everyone, "information": everyone, "misalignment": everyone,
                     "counterfactual": {s: whole for s in encoded.readers(asked.model)},
                     "corruption": dict.fromkeys(unread, _few(asked)[0]),
                     "shift": {}, "attacks": {}, "probes": {}, "attribution": {}, "explained": {}}
    allowance, spent = settings.analysis_flops / len(encoded.readers(asked.model)), dict[str, float]()
    for s in encoded.readers(asked.model):
        wishes = _wishes(asked, s, settings.analysis_rows)
        granted = affordable.grant(wishes, allowance)
        for name, count in granted.items():
            found[name][s] = count
        spent[s] = sum(count * wishes[name].cost for name, count in granted.items())
    return found, spent


def _wishes(asked: Asked, stream: str, most: int) -> dict[str, Wish]:
    """What each analysis that means something for `stream` would like, the most telling for its price first."""
    model, encoder, spec = asked.model, encoded.encoder(asked.model, stream), asked.store.specs[stream]
    few, fewer = _few(asked)
    cost = affordable.per_pass(encoder, spec)
    usual = cost(_tokens(asked, stream, asked.rows[:few]).mean())
    sounds, moves = spec.kind in robustness.TIMED, encoded.gives(model, stream, "gradients")
    found = {"corruption": Wish.of(few, robustness.PASSES["corruption"] * usual)}
    if sounds:
        found["shift"] = Wish.of(few, robustness.PASSES["shift"] * usual)
    if encoded.gives(model, stream, "dense"):
        before = 2 if _begins_at_random(asked, stream) else 0  # train and test samples through a fresh encoder
        found["probes"] = Wish.of(max(1, most // 2), (before + (stream not in model.kept)) * usual)
    column = asked.store.streams.index(stream)
    seen = [k for k in asked.explained if asked.test.present[k, column]]
    if attribution.shows(encoder) and seen:
        each = attribution.PASSES * cost(_tokens(asked, stream, asked.rows[seen]).max())
        found["attribution"] = Wish(len(seen), each, len(seen))
    if moves and not spec.discrete:
        found["attacks"] = Wish.of(fewer, robustness.PASSES["attacks"] * usual)
    if attribution.shows(encoder) and asked.seed == 0:
        same = asked.rows[: explained.ROWS]
        each = attribution.ATTRIBUTE * cost(_tokens(asked, stream, same).max())
        found["explained"] = Wish(len(same), each, len(same))
    return found


def _few(asked: Asked) -> tuple[int, int]:
    """Samples for noise, and for attacks: of a small test set more of it, since one answer tells nothing."""
    count = len(asked.rows)
    return max(count // 4, min(count, LEAST)), max(count // 40, min(count, LEAST // 4))


def _begins_at_random(asked: Asked, stream: str) -> bool:
    """Whether there is a start to compare with: weights that were drawn here, and that training can move."""
    return encoded.gives(asked.model, stream, "gradients") and not encoded.encoder(asked.model, stream).published


def _tokens(asked: Asked, stream: str, rows: np.ndarray) -> np.ndarray:
    """int64 [B]: tokens of each sample; 0 for what is not text."""
    if asked.store.specs[stream].kind != "tokens":
        return np.zeros(len(rows), np.int64)
    x = asked.store.batch(rows, asked.seed, [stream]).inputs[stream]
    return encoded.lengths(x).cpu().numpy()


def _robustness(asked: Asked, counts: Counts) -> Robustness:
    model, store, seed, test, size = asked.model, asked.store, asked.seed, asked.test, asked.size
    corruption, shift, attacks = dict[str, Corruption](), dict[str, Levels](), dict[str, Attacks]()
    for s in model.streams:
        if n := counts["corruption"][s]:
            noise = Noise(store, seed, s, asked.rows[:n])
            corruption[s] = robustness.corruption(model, test[:n], s, noise, size)
        if n := counts["shift"].get(s, 0):
            inputs = store.batch(asked.rows[:n], seed, [s])
            shift |= robustness.shift(model, inputs, test[:n], store.specs, size)
        if n := counts["attacks"].get(s, 0):
            inputs = store.batch(asked.rows[:n], seed, [s])
            attacks |= robustness.attacks(model, inputs, test[:n], store.specs, size)
    return Robustness(corruption=corruption, misalignment=robustness.misalignment(model, test), shift=shift,
                      attacks=attacks)


def _probes(asked: Asked, counts: dict[str, int]) -> dict[str, Probe]:
    model, store, seed, size = asked.model, asked.store, asked.seed, asked.size
    found = {}
    for s, n in [(s, n) for s, n in counts.items() if n]:
        train_rows = some(store.samples, store.rows(seed, "train"), n, seed)
        train, unseen, column = encoded.encode_rows(model, store, train_rows, seed, size, [s]), asked.test[:n], (
            store.streams.index(s))
        has, has_test = train.present[:, column], unseen.present[:, column]
        if not has.any() or not has_test.any():
            continue
        vectors = {"after": [vector(batch.inputs[s]) for batch in (train, unseen)]}
        if _begins_at_random(asked, s):
            fresh = build.encoder(store.encoders[s], store.specs[s], seed).eval().to(store.device)
            vectors = {"before": [encoded.rows_through(fresh, store, s, rows, seed, size)
                                  for rows in (train_rows, asked.rows[:n])]} | vectors
        found[s] = Probe.model_validate({
            kind: probes.probe(store.task_at(seed), x[has], train.y[has], z[has_test], unseen.y[has_test])
            for kind, (x, z) in vectors.items()})
    return found


def _attribution(asked: Asked, counts: dict[str, int], out: Path | None) -> Attribution:
    """out: where pictures go, if they are drawn."""
    store, seed = asked.store, asked.seed
    streams = [s for s, n in counts.items() if n]
    if not streams:
        return Attribution(deletion={}, samples=[])
    places = list(asked.explained)
    batch, clean = encoded.cut(asked.model, store, store.batch(asked.rows[places], seed, streams)), asked.test[places]
    told = attribution.explain(asked.model, batch, clean, store.specs, asked.size)
    shown = panels.panels(store, seed, batch, told.nats)
    attended = panels.panels(store, seed, batch, told.looked, shares=True)
    samples = []
    for k, (place, why) in enumerate(asked.explained.items()):
        task, prediction, support = asked.model.task, told.prediction[k], told.support[k]
        label, picture = task.words(clean.y[k].tolist()), f"pictures/{k}_{why}.svg"
        if out is not None:
            title = f"{task.told(prediction, support)}, in truth {label}"
            pictures.draw(out / picture, title, [pictures.Row("", shown[k], attended[k])])
        samples.append(Sample(
            sample=store.samples[asked.rows[place]], why=why, label=label, prediction=task.words(prediction),
            support=support, tokens=pictures.words(shown[k]),
            rollout=pictures.words(attended[k]) if told.looked else None,
            attention={m: shares[k] for m, shares in told.attention.items()} if told.attention else None,
            picture=None if out is None else picture,
        ))
    return Attribution(deletion=told.deletion, complete=told.complete, samples=samples)


def _keep_vectors(model: Model, store: Store, seed: int, size: int, out: Path) -> None:
    from safetensors.torch import save_file

    dense = [s for s in encoded.readers(model) if encoded.gives(model, s, "dense")]
    alike = encoded.encode_rows(model, store, some(store.samples, store.rows(0, "test"), ALIKE, 0), seed, size, dense)
    (out / "vectors").mkdir(parents=True, exist_ok=True)
    found = {s: vector(alike.inputs[s]).contiguous().cpu() for s in dense}
    save_file(found, str(out / "vectors" / f"seed_{seed}.safetensors"))
