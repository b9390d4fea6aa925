"""`reports/comparison.json`: every strategy with its intervals, every pair, and the verdict.

    dataset     title, source, classes, modalities, train and test samples and test groups per seed (as many as samples
                where each is resampled alone), world (generated data only)
    settings    what the statistics were made with
    strategies  name -> rank; per metric {mean, low, high, sd}; failed_share; flops (mean over seeds); parameters;
                to_ceiling (accuracy that is missing to the best possible, where that is known); seeds -> metrics
    pairs       a, b (a is more accurate), difference a - b with low and high, p_outperform = P(a > b) with its own,
                p_value, p_value_holm, mcnemar_p (all seeds pooled), mcnemar_p_seeds, beats, verdict
    verdict     winner or null, tied, behind, recommended, sentence, reason (see `verdict.Verdict`)
    information, robustness, laziness, similarity: see `across`; robustness has `domain` where the data names domains,
                see `domain.summary`

Numbers are rounded to six significant digits. Accuracies and their differences are shares, 0-1.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trivium.comparison import domain, verdict
from trivium.comparison.across import across
from trivium.comparison.intervals import Estimate, estimate
from trivium.comparison.outcomes import Evaluated, load
from trivium.comparison.pairs import Pair, Results, Rules, compare, measure
from trivium.comparison.significance import failed
from trivium.config import Config
from trivium.data.tables import read_json
from trivium.evaluation.metrics import METRICS, RANGES

FEATURES = Path("data/features/features.json")
EVALUATED = Path("reports/evaluate")


def build(config: Config) -> dict[str, Any]:
    """The comparison of all strategies of `config`, from their outs below the working directory.

    Raises:
        UserError: see `outcomes.load`.
    """
    found = load(EVALUATED, config.strategies)
    rules = _rules(config, found)
    results = measure(found.outcomes, found.units, rules, METRICS)
    pairs = compare(found.outcomes, results, rules)
    names = list(found.outcomes)
    ranked = [names[s] for s in np.argsort(-results.points["accuracy"].mean(1), kind="stable")]
    about = _dataset(found)
    costs = {name: _cost(found, name) for name in names}
    decided = verdict.decide(ranked, pairs, costs, rules.confidence)
    ceiling = about.get("world", {}).get("bayes", {}).get("all")
    strategies = {
        name: {"rank": ranked.index(name) + 1} | _metrics(results, s, rules) | {
            "failed_share": costs[name].failed,
            "flops": costs[name].flops,
            "parameters": {key: _mean(found, name, "parameters", key) for key in ("total", "trained")},
            "seeds": {str(seed): {metric: results.points[metric][s, j] for metric in METRICS}
                      for j, seed in enumerate(found.seeds)},
        } | ({"to_ceiling": ceiling - results.points["accuracy"][s].mean()} if ceiling is not None else {})
        for s, name in enumerate(names)
    }
    parts = across(found, EVALUATED, decided.recommended)
    if shifted := domain.summary(found, EVALUATED, results, rules):
        parts["robustness"] = parts.get("robustness", {}) | {"domain": shifted}
    return _rounded({
        "dataset": about,
        "settings": {"seeds": len(found.seeds), "split": config.split.method, **config.compare.model_dump()},
        "strategies": strategies,
        "pairs": [_pair(pair, found.seeds) for pair in pairs],
        "verdict": {"winner": decided.winner, "tied": list(decided.tied), "behind": list(decided.behind),
                    "recommended": decided.recommended, "sentence": decided.sentence, "reason": decided.reason},
    } | parts)


def _rules(config: Config, found: Evaluated) -> Rules:
    overlap = None
    if config.split.method == "kfold":
        seeds = next(iter(found.metrics.values()))["seeds"]
        overlap = float(np.mean([seed["n"] / seed["n_train"] for seed in seeds]))
    chosen = config.compare
    return Rules(chosen.bootstrap, chosen.confidence, chosen.threshold, overlap, config.evaluate.calibration_bins)


def _dataset(found: Evaluated) -> dict[str, Any]:
    first = next(iter(found.metrics.values()))
    meta = read_json(FEATURES)["meta"]
    about = {"title": meta.get("title", ""), "source": meta.get("source", ""), "classes": len(first["classes"]),
             "modalities": first["modalities"],
             "train": float(np.mean([seed["n_train"] for seed in first["seeds"]])),
             "test": float(np.mean([seed["n"] for seed in first["seeds"]])),
             "test_groups": float(np.mean([len(np.unique(own)) for own in found.units]))}
    return about | ({"world": meta["world"]} if meta.get("world") else {})


def _cost(found: Evaluated, name: str) -> verdict.Cost:
    at_chance = [failed(result.correct, result.y) for result in found.outcomes[name]]
    return verdict.Cost(_mean(found, name, "flops", "total"), _mean(found, name, "parameters", "total"),
                        float(np.mean(at_chance)))


def _mean(found: Evaluated, name: str, group: str, key: str) -> float:
    return float(np.mean([seed["training"][group][key] for seed in found.metrics[name]["seeds"]]))


def _metrics(results: Results, s: int, rules: Rules) -> dict[str, dict[str, float]]:
    return {
        metric: _span(estimate(results.points[metric][s], results.replicates[metric][:, s], rules.confidence,
                               rules.overlap), *RANGES[metric])
        for metric in METRICS
    }


def _span(found: Estimate, lowest: float, highest: float) -> dict[str, float]:
    return {"mean": found.mean, "low": max(found.low, lowest), "high": min(found.high, highest), "sd": found.sd}


def _pair(pair: Pair, seeds: tuple[int, ...]) -> dict[str, Any]:
    chance, low, high = pair.outperform
    return {
        "a": pair.a, "b": pair.b, "difference": pair.difference.mean, "low": pair.difference.low,
        "high": pair.difference.high, "p_outperform": chance, "p_outperform_low": low, "p_outperform_high": high,
        "p_value": pair.difference.p, "p_value_holm": pair.p_holm, "mcnemar_p": pair.mcnemar_pooled,
        "mcnemar_p_seeds": {str(seed): p for seed, p in zip(seeds, pair.mcnemar, strict=True)},
        "beats": pair.beats, "verdict": pair.a if pair.beats else "no difference",
    }


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value
