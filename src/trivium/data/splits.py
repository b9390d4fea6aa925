"""Train, validation and test per seed: stratified and grouped, or by time; a domain may be held out of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trivium import tasks
from trivium.data import chronology, joined, tables, unlabelled
from trivium.data.assignment import assign
from trivium.data.chronology import BARE, FREE
from trivium.data.held_out import DOMAIN, UNUSED, are, hold_out
from trivium.data.linked_rows import codes, components, partners
from trivium.data.meta import Meta
from trivium.data.settings import Split
from trivium.modalities import is_prose
from trivium.settings.errors import UserError

TRAIN, VAL, TEST, UNLABELLED, *_ = range(len(tables.SPLITS))
OUT = (UNUSED, DOMAIN)  # what no seed trains, validates or tests on
DRAW, LABELS, FOLDS = range(3)  # which random stream of a seed
SEED = "\0"  # stands in a warning for the seeds that it is about


def split(aligned: str | Path, out: str | Path, settings: Split, seeds: int,
          tied: Mapping[str, np.ndarray] | None = None, known: Sequence[str] = ()) -> dict[str, Any]:
    """Write `splits.parquet` (sample, seed_0 ..., group) and `splits.json` to `out`; returns what `splits.json` says.

    A group is what shares `group`, `duplicate_group`, (if asked for) a text, or a code of `tied` (modality -> codes of
    near-duplicates, see `components`); it has a number and is never on two sides. A sample without a label is
    `unlabelled` at every seed, or `unused` where its group is in val, test or a held-out domain, or where the data
    names one of these for it. Where the data names a split it holds for every seed; what it does not name is drawn from
    its train rows. The samples of `settings.held_out_domain` are in the split `domain` of every seed, whatever split
    the data names for them.
    With the method `time`, see `chronology.place`. known: warnings that there are already

    Raises:
        UserError: too few groups, shares that leave nothing to train on, a domain that the data does not have, or a
            class without a training row, where the task needs one of each.
    """
    meta = Meta.read(Path(aligned) / "meta.json")
    samples = _read(Path(aligned) / "samples.parquet", settings, meta.streams or {})
    task = tasks.of(meta.task or {})
    targets = unlabelled.numbers(task, samples["y"])
    bare = samples["y"].is_null().to_numpy()
    y = np.zeros(len(targets), np.int64)
    y[~bare] = task.strata(targets[~bare])
    apart, near = shared(samples, settings, meta.streams or {}), tied or {}
    groups = components(len(y), [*apart, *near.values()])
    twins = joined.found(groups, apart, near, settings.near_duplicates)
    fixed = np.where(bare, BARE, FREE).astype(np.int8)
    warnings, time = [*known, *hold_out(fixed, samples, groups, settings.held_out_domain)], None
    if settings.method == "time":
        said, time = chronology.place(fixed, samples, groups, settings)
        samples, warnings = samples.drop_columns("split"), warnings + chronology.ignored(samples) + said
    warnings += as_named(fixed, samples, groups) + _drop(fixed, samples, bare)
    missing = [s for s in (VAL, TEST) if not (fixed == s).any()]
    method = settings.method if TEST in missing or time else "named"
    if not time:
        with joined.named(twins):
            _check(settings, seeds, method, missing, fixed, groups, Path(aligned) / "samples.parquet")
    del samples, apart, near  # of every row, as much as all that is still needed
    pa.default_memory_pool().release_unused()

    free = fixed == FREE
    folds = np.full(len(y), -1, np.int16)
    if method == "kfold":
        folds[free] = assign(y[free], groups[free], np.full(seeds, 1 / seeds), np.random.default_rng([0, FOLDS]))
    columns, reports, odd = [], [], dict[str, list[int]]()
    for seed in range(seeds):
        sides = fixed.copy()
        sides[folds == seed] = TEST
        draw(sides, y, groups, settings, np.random.default_rng([seed, DRAW]))
        if settings.labels != 1:
            _hide_labels(sides, y, settings.labels, np.random.default_rng([seed, LABELS]))
        _place_bare(sides, groups)
        counts = np.bincount(sides, minlength=len(tables.SPLITS))
        told = np.bincount(sides[~bare], minlength=len(tables.SPLITS))
        tally = np.stack([task.tally(targets[(sides == side) & ~bare]) for side in range(len(tables.SPLITS))])
        with joined.named(twins):
            said = _judge_categories(seed, tally, task, method, settings)
            said += _judge(seed, told, method == "holdout" and len(missing) == 2, settings)
        if (tested := len(np.unique(groups[sides == TEST]))) < min(tables.GROUPS, counts[TEST]):
            said.append(f"The test set of {SEED} is of {tested} group{'s' * (tested != 1)}, which cannot tell how much "
                        "groups differ: intervals take its samples for independent, and are too narrow.")
        for words in said:
            odd.setdefault(words, []).append(seed)
        columns.append(sides.astype(np.int8))
        reports.append({
            "seed": seed,
            "counts": dict(zip(tables.SPLITS, counts.tolist(), strict=True)),
            "categories": {name: dict(zip(tables.SPLITS, tally[:, k].tolist(), strict=True))
                           for k, name in enumerate(task.categories)},
        })
    warnings += [twins.advice] if twins and odd else []
    warnings += [words.replace(SEED, _named(of)) for words, of in odd.items()]
    start = 0
    with tables.Writer(Path(out) / "splits.parquet") as file:
        for piece in tables.pieces(Path(aligned) / "samples.parquet", ["sample"]):
            here = slice(start, start := start + len(piece))
            drawn = {f"seed_{k}": pa.array(tables.SPLITS).take(pa.array(own[here])) for k, own in enumerate(columns)}
            file.add(pa.table({"sample": piece["sample"], **drawn, "group": pa.array(groups[here])}))
    sizes = np.bincount(groups, minlength=1)
    report: dict[str, Any] = {
        "method": method, "samples": len(y), "unlabelled": int(bare.sum()), "seeds": reports,
        "warnings": list(dict.fromkeys(warnings)), "groups": {"count": len(sizes), "largest": int(sizes.max())}}
    report |= {"time": time.plain()} if time else {}
    if twins:
        report["joined"] = twins.said
    tables.write_json(report, Path(out) / "splits.json")
    return report


def _read(path: Path, settings: Split, streams: dict[str, str]) -> pa.Table:
    """The columns that splits depend on: of texts, those alone that keep rows on one side."""
    texts = [s for s, modality in streams.items() if settings.group_identical_text and is_prose(modality)]
    wanted = ("y", "group", "duplicate_group", "split", "domain", *texts,
              *(("sample", "time") if settings.method == "time" else ()))
    there = tables.names(path)
    return tables.read(path, [name for name in wanted if name in there])


def shared(samples: pa.Table, settings: Split, streams: dict[str, str]) -> list[np.ndarray]:
    """What keeps rows on one side, as codes for `components`: a text counts in whatever stream it stands."""
    shared = [codes(samples[name]) for name in ("group", "duplicate_group") if name in samples.column_names]
    written = [samples[s] for s, modality in streams.items() if settings.group_identical_text and is_prose(modality)]
    if written:
        texts = pa.chunked_array([chunk for column in written for chunk in column.chunks], pa.string())
        text = pc.utf8_lower(pc.utf8_trim_whitespace(pc.utf8_normalize(texts, "NFC")))
        shared.append(codes(pc.if_else(pc.equal(text, ""), None, text)).reshape(len(written), -1).T)
    return shared


def as_named(fixed: np.ndarray, samples: pa.Table, groups: np.ndarray) -> list[str]:
    """Put FREE rows where the data's own split column says, in place: VAL, TEST or UNUSED; returns warnings.

    A group that it puts on two sides stays in the one nearer to the test, so that test figures compare with other
    people's; its other rows are unused.
    """
    if "split" not in samples.column_names:
        return []
    free = fixed == FREE
    for side in (VAL, TEST):
        fixed[free & are(samples["split"], tables.SPLITS[side])] = side
    nearest = np.full(int(groups.max(initial=-1)) + 1, FREE)
    np.maximum.at(nearest, groups[free], fixed[free])
    torn = free & (fixed < nearest[groups])
    fixed[torn] = UNUSED
    if not torn.any():
        return []
    return [f"{torn.sum():,} rows are unused: the data's split column puts them on another side than rows of the same "
            "group or with the same content, which are nearer to the test."]


def _drop(fixed: np.ndarray, samples: pa.Table, bare: np.ndarray) -> list[str]:
    """Rows without a label that the data names for val or test, or that are of the held-out domain, are UNUSED, in
    place; returns warnings.
    """
    held = bare & (fixed == DOMAIN)
    fixed[held] = UNUSED
    if "split" not in samples.column_names:
        return []
    named = bare & (are(samples["split"], "val") | are(samples["split"], "test"))
    fixed[named] = UNUSED
    return [f"{named.sum():,} rows are unused: they have no label, and the data's split column names val or test for "
            "them, which nothing may learn from."] if named.any() else []


def _place_bare(sides: np.ndarray, groups: np.ndarray) -> None:
    """Rows without a label are UNLABELLED, or UNUSED where a row of their group is judged by, in place."""
    judged = np.zeros(int(groups.max(initial=-1)) + 1, dtype=bool)
    judged[groups[np.isin(sides, (VAL, TEST, DOMAIN))]] = True
    bare = sides == BARE
    sides[bare] = np.where(judged[groups[bare]], UNUSED, UNLABELLED)


def _check(settings: Split, seeds: int, method: str, missing: list[int], fixed: np.ndarray, groups: np.ndarray,
           samples: Path) -> None:
    free = len(np.unique(groups[fixed == FREE]))
    test = 1 / seeds if method == "kfold" else settings.test
    if method != "named" and settings.val + test >= 1:
        raise UserError(f"split.val ({settings.val:g}) and the test share ({test:g}) leave nothing to train on: "
                        "lower them in params.yaml until their sum is well below 1.")
    if not free and not settings.held_out_domain:
        torn = np.flatnonzero(fixed == UNUSED)
        if not len(torn):
            raise UserError("No sample is left to train on: the data's own split column puts all of them into val or "
                            "test. Move rows to train, or draw the splits (data.manifest.split: \"\" in params.yaml).")
        names = tables.read(samples, ["sample"])["sample"].to_pylist()
        others = partners(groups, torn[:3], np.isin(fixed, (VAL, TEST)))
        pairs = ", ".join(f"`{names[row]}` and `{names[other]}`" for row, other in zip(torn, others, strict=False))
        raise UserError(f"The data's own split column leaves nothing to train on: each of the {len(torn):,} rows that "
                        f"it puts into train has the same content as a row in val or test, or is of its group ({pairs}"
                        f"{', ...' if len(torn) > 3 else ''}), so that a model could know the answers by heart. Take "
                        "one of the two out, or draw the splits (data.manifest.split: \"\" in params.yaml).")
    needed = 1 + len(missing) if method != "kfold" else max(seeds, 3)
    if free < needed:
        raise UserError(
            f"The {len(groups):,} samples form {free} group{'s' * (free != 1)} that may be split (rows that share a "
            f"`group` or content), but {needed} are needed so that no "
            "group is on two sides. Give a finer `group` column or none (data.manifest.group: \"\" in params.yaml), "
            "look for content that many rows share (duplicates in reports/validation.json; parts of one file are one "
            "group, so cut it into several files), "
            + ("hold out another domain (split.held_out_domain), " if settings.held_out_domain else "")
            + ("take fewer rows for twins (split.near_duplicates), " if settings.near_duplicates else "")
            + ("or use fewer seeds or split.method: holdout." if method == "kfold" else "or add data."))


def draw(sides: np.ndarray, y: np.ndarray, groups: np.ndarray, settings: Split, rng: np.random.Generator) -> None:
    """Fill FREE rows of `sides` in place with TRAIN and with those of VAL and TEST that nothing names."""
    free = np.flatnonzero(sides == FREE)
    drawn = [s for s in (VAL, TEST) if not (sides == s).any()]
    # Shares are of all samples in use; where a test is named already, what is left must still train.
    share = {VAL: settings.val, TEST: settings.test}
    scale = int((~np.isin(sides, (*OUT, BARE))).sum()) / max(len(free), 1)
    wanted = np.array([share[s] * scale for s in drawn])
    wanted *= min(1.0, 0.5 / wanted.sum()) if len(drawn) == 1 else 1.0
    shares = np.array([1 - wanted.sum(), *wanted])
    sides[free] = np.array([TRAIN, *drawn])[assign(y[free], groups[free], shares, rng, first=True)]


def _hide_labels(sides: np.ndarray, y: np.ndarray, share: float, rng: np.random.Generator) -> None:
    """Make all but a stratified `share` of train UNLABELLED, in place; at least one row per stratum stays. share: above
    1, so many rows.

    Which rows go first depends on the seed alone, so a smaller budget is part of every larger one.
    """
    train = np.flatnonzero(sides == TRAIN)
    train = train[rng.permutation(len(train))]
    train = train[np.argsort(y[train], kind="stable")]
    count = np.bincount(y[train])
    share = min(1.0, share / max(len(train), 1)) if share > 1 else share
    rank = np.arange(len(train)) - (np.cumsum(count) - count)[y[train]]
    keep = np.maximum(1, np.floor(share * count + 0.5))
    sides[train[rank >= keep[y[train]]]] = UNLABELLED


def _named(seeds: Sequence[int]) -> str:
    """For people: "seed 3", "seeds 0 and 3", "seeds 0 to 4"."""
    if len(seeds) > 2 and seeds[-1] - seeds[0] == len(seeds) - 1:
        return f"seeds {seeds[0]} to {seeds[-1]}"
    *most, last = map(str, seeds)
    return f"seeds {', '.join(most)} and {last}" if most else f"seed {last}"


def _judge(seed: int, counts: np.ndarray, compare: bool, settings: Split) -> list[str]:
    """Warnings about the sizes of one seed's split; counts [splits], of rows with a label. Raises: UserError (nothing
    to choose weights by or to test on).
    """
    for side in (VAL, TEST):
        if counts[side] == 0:
            name = tables.SPLITS[side]
            raise UserError(f"No row is left for {name} with seed {seed}: the groups are too few or too large for "
                            f"split.{name}. Give a finer `group`, raise the share, or add data.")
    shares = counts / np.delete(counts, OUT).sum()
    return [f"{tables.SPLITS[side]} of {SEED} holds {shares[side]:.0%} of the samples instead of {want:.0%}: few, "
            "large groups." for side, want in ((VAL, settings.val), (TEST, settings.test))
            if compare and abs(shares[side] - want) > 0.05]


def _judge_categories(seed: int, tally: np.ndarray, task: tasks.Task, method: str, settings: Split) -> list[str]:
    """Warnings about what one seed cannot learn or test; tally [splits, categories]. Raises: UserError (a class
    without a training row, where the task needs one of each).
    """
    def named(flags: np.ndarray) -> str:
        found = np.flatnonzero(flags)
        return ", ".join(f"`{task.categories[k]}`" for k in found[:5]) + (" ..." if len(found) > 5 else "")

    total = tally.sum(axis=0)
    untrained, untested = ((total > 0) & (tally[side] == 0) for side in (TRAIN, TEST))
    if not task.needs_every_category:
        return [f"{named(flags)}: no {side} row with {SEED}, so that {what}." for flags, side, what in (
            (untrained, "training", "no model can learn this"),
            (untested & ~untrained & (method != "kfold"), "test", "nothing is known of how well models tell this"))
            if flags.any()]
    apart = untrained & (tally[list(OUT)].sum(axis=0) == total)
    if settings.held_out_domain and apart.any():
        raise UserError(f"No training row is left for {named(apart)}: all such rows are in the held-out domain "
                        f"`{settings.held_out_domain}`, or share a group with rows of it. Hold out another domain, or "
                        "leave these classes out of the data.")
    if untrained.any():
        why = {"named": "The data's own split column names none: move rows to train, or leave out these classes.",
               "kfold": "Each class must be in two groups or more (three with validation) for k folds: use "
                        "split.method: holdout, or a finer `group`.",
               "time": "It begins later than train ends: lower split.val and split.test, or leave it out.",
               "holdout": "Give a finer `group`, or lower split.val and split.test in params.yaml."}[method]
        raise UserError(f"No training row is left for {named(untrained)} with seed {seed}. {why}")
    if untested.any() and method != "kfold":
        return [f"{named(untested)}: trained but not tested with {SEED}; too few groups hold this class."]
    return []
