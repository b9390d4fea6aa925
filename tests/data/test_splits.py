from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from trivium.data import splits, tables
from trivium.data.settings import Near, Split
from trivium.data.splits import split
from trivium.settings.errors import UserError
from trivium.tasks.classification import Classification

SETTINGS = Split(method="holdout", val=0.15, test=0.35, labels=1.0, group_identical_text=False,
                 held_out_domain="")


def run(folder: Path, y: list[str | None], seeds: int = 3, columns: dict | None = None, streams: dict | None = None,
        tied: dict | None = None, **settings):
    """(what splits.json says, {seed: array of split names})"""
    n = len(y)
    classes = sorted({label for label in y if label})
    given = {name: pa.nulls(n, pa.string()) for name in ("group", "duplicate_group", "split", "text")}
    given |= {name: pa.array(values, pa.string()) for name, values in (columns or {}).items()}
    samples = pa.table({"sample": [f"s{i:06}" for i in range(n)], "label": y,
                        "y": pa.array([label and classes.index(label) for label in y], pa.int32()), **given})
    tables.write(samples, folder / "aligned/samples.parquet")
    tables.write_json({"task": Classification(classes).plain(), "root": "",
                       "streams": {"text": "text", "photo": "image"} | (streams or {})}, folder / "aligned/meta.json")
    report = split(folder / "aligned", folder / "splits", SETTINGS.model_copy(update=settings), seeds, tied)
    made = tables.read(folder / "splits/splits.parquet")
    assert made["sample"].to_pylist() == samples["sample"].to_pylist()
    return report, {seed: np.array(made[f"seed_{seed}"].to_pylist()) for seed in range(seeds)}


def letters(rng: np.random.Generator, n: int, prefix: str, count: int, missing: float = 0.0) -> list[str | None]:
    return [None if rng.random() < missing else f"{prefix}{v}" for v in rng.integers(0, count, n)]


def share(sides: np.ndarray, name: str) -> float:
    return float((sides == name).mean())


def test_single_rows_have_the_shares_in_every_class(tmp_path):
    report, seeds = run(tmp_path, list("aaab") * 100)
    for sides in seeds.values():
        assert [(sides == name).sum() for name in ("train", "val", "test")] == [200, 60, 140]
        of_b = sides[3::4]
        assert [(of_b == name).sum() for name in ("train", "val", "test")] == pytest.approx([50, 15, 35], abs=1)
    assert (seeds[0] != seeds[1]).any()
    assert report["warnings"] == []
    assert report["seeds"][1]["counts"] == {"train": 200, "val": 60, "test": 140, "unlabelled": 0, "unused": 0,
                                            "domain": 0}
    assert report["groups"] == {"count": 400, "largest": 1}


@pytest.mark.parametrize("method", ["holdout", "kfold"])
def test_nothing_leaks_whatever_shares_what(tmp_path, method):
    for trial in range(25):
        rng = np.random.default_rng(trial)
        n = 300
        columns = {"group": letters(rng, n, "g", 60, 0.3), "duplicate_group": letters(rng, n, "d", 200, 0.8),
                   "text": letters(rng, n, "t", 400, 0.1)}
        _, seeds = run(tmp_path, [f"c{v}" for v in rng.integers(0, 3, n)], columns=columns, method=method,
                       group_identical_text=True)
        for sides in seeds.values():
            assert set(sides) == {"train", "val", "test"}
            for values in columns.values():
                on: dict[str, set] = {}
                for value, side in zip(values, sides, strict=True):
                    if value is not None:
                        on.setdefault(value, set()).add(side)
                assert all(len(found) == 1 for found in on.values())


def test_text_keeps_rows_together_only_if_asked(tmp_path):
    text = [" Same  ".strip() if i % 2 else "same" for i in range(100)] + [f"other {i}" for i in range(100)]
    labels = list("ab") * 100
    _, apart = run(tmp_path, labels, columns={"text": text})
    assert len(set(apart[0][:100])) == 3
    _, together = run(tmp_path, labels, columns={"text": text}, group_identical_text=True)
    assert len(set(together[0][:100])) == 1


def test_a_text_counts_in_whatever_stream_it_stands(tmp_path):
    title = [f"same {i // 2}" if i % 2 else f"title {i}" for i in range(200)]
    body = [f"Same {i // 2} " if i % 2 == 0 else None for i in range(200)]
    streams = {"title": "text", "body": "text", "photo": "image"}
    columns = {"title": title, "body": body, "photo": ["p.png"] * 200}
    _, apart = run(tmp_path, list("ab") * 100, columns=columns, streams=streams)
    assert (apart[0][::2] != apart[0][1::2]).any()
    report, together = run(tmp_path, list("ab") * 100, columns=columns, streams=streams, group_identical_text=True)
    assert all((sides[::2] == sides[1::2]).all() for sides in together.values())
    assert report["groups"] == {"count": 100, "largest": 2}


def test_pools_of_the_default_data(tmp_path):
    rng = np.random.default_rng(0)
    labels = [f"c{v}" for v in rng.integers(0, 10, 3000)]
    report, seeds = run(tmp_path, labels, seeds=5, columns={"group": [f"pool{i % 20}" for i in range(3000)]})
    for sides in seeds.values():
        assert [(sides == name).sum() for name in ("train", "val", "test")] == [1500, 450, 1050]
    assert report["groups"] == {"count": 20, "largest": 150}
    assert len({sides.tobytes() for sides in seeds.values()}) == 5


def test_kfold_tests_every_sample_once(tmp_path):
    labels = list("aab") * 100
    groups = [f"g{i // 3}" for i in range(300)]
    report, seeds = run(tmp_path, labels, seeds=5, method="kfold", columns={"group": groups})
    tested = sum((sides == "test").astype(int) for sides in seeds.values())
    assert (tested == 1).all()
    for sides in seeds.values():
        assert share(sides, "test") == pytest.approx(0.2, abs=0.01)
        assert share(sides, "val") == pytest.approx(0.15, abs=0.015)
    assert report["method"] == "kfold"


def test_a_named_split_holds_for_every_seed(tmp_path):
    named = ["train"] * 60 + ["val"] * 10 + ["test"] * 20 + [None] * 10
    report, seeds = run(tmp_path, list("ab") * 50, columns={"split": named})
    for sides in seeds.values():
        assert sides.tolist() == ["train"] * 60 + ["val"] * 10 + ["test"] * 20 + ["train"] * 10
    assert report["method"] == "named"


def test_groups_are_numbered_and_two_in_a_test_set_are_warned_of(tmp_path):
    columns = {"group": [f"g{i % 12}" for i in range(600)], "split": ["train", "val", "test"] * 200}
    report, _ = run(tmp_path / "four", list("ab") * 300, columns=columns)
    assert report["warnings"] == []  # groups 2, 5, 8 and 11
    group = tables.read(tmp_path / "four/splits/splits.parquet")["group"].to_pylist()
    assert group[:12] == group[12:24] and len(set(group)) == 12
    columns = {"group": [f"g{i % 6}" for i in range(600)], "split": ["train", "val", "test"] * 200}
    report, _ = run(tmp_path / "two", list("ab") * 300, seeds=1, columns=columns)
    assert report["warnings"] == [
        "The test set of seed 0 is of 2 groups, which cannot tell how much groups differ: intervals take its samples "
        "for independent, and are too narrow."]


def test_a_warning_names_all_seeds_that_it_is_about() -> None:
    assert [splits._named(seeds) for seeds in ([3], [0, 3], [0, 1], [0, 2, 5], [0, 1, 2, 3])] == [
        "seed 3", "seeds 0 and 3", "seeds 0 and 1", "seeds 0, 2 and 5", "seeds 0 to 3"]


def test_what_near_duplicates_joined_is_said_where_a_split_suffers(tmp_path):
    """Sounds chain eight groups of ten into three, of 60, 10 and 10; pictures join the last two of these."""
    columns = {"group": [f"g{i // 10}" for i in range(80)]}
    sounds, pictures = np.full((80, 1), -1), np.full((80, 1), -1)
    sounds[0:60:10] = 0
    pictures[[65, 75]] = 0
    near = {"near_duplicates": Near(), "val": 0.1, "test": 0.1}
    report, _ = run(tmp_path / "three", list("ab") * 40, columns=columns, tied={"audio": sounds}, **near)
    assert report["joined"] == "near-duplicates joined 8 groups into 3"
    assert report["warnings"][0] == (
        "near-duplicates joined 8 groups into 3: `split.near_duplicates: {audio: null}` compares no sounds, and a "
        "higher figure than 0.9 takes fewer for twins.")
    assert len(report["warnings"]) == 2 and report["warnings"][1].startswith("The test set of seeds 0 to 2 is of 1 gr")
    with pytest.raises(UserError, match=r"Near-duplicates joined 8 groups into 2: .*\{audio: null\}` compares no so"):
        run(tmp_path / "two", list("ab") * 40, columns=columns, tied={"image": pictures, "audio": sounds}, **near)
    columns = {"group": [f"g{i}" for i in range(80)]}
    report, _ = run(tmp_path / "many", list("ab") * 40, columns=columns, tied={"image": pictures}, **near)
    assert report["joined"] == "near-duplicates joined 80 groups into 79" and report["warnings"] == []
    report, _ = run(tmp_path / "none", list("ab") * 40, columns=columns, tied={"image": pictures * 0 - 1}, **near)
    assert "joined" not in report


def test_what_is_not_named_is_drawn_from_train(tmp_path):
    groups = [f"g{i // 2}" for i in range(200)]
    _, seeds = run(tmp_path, list("ab") * 100, columns={"split": ["train"] * 150 + ["test"] * 50, "group": groups})
    for sides in seeds.values():
        assert set(sides[150:]) == {"test"}
        assert (sides[:150] == "val").sum() == 30  # 0.15 of 200
        assert (sides[:150:2] == sides[1:150:2]).all()
    assert (seeds[0] != seeds[1]).any()
    _, seeds = run(tmp_path, list("ab") * 100, columns={"split": ["val"] * 40 + [None] * 160})
    for sides in seeds.values():
        assert set(sides[:40]) == {"val"}
        assert (sides[40:] == "test").sum() == 70


def test_a_group_on_two_named_sides_stays_with_the_test(tmp_path):
    named = ["train"] * 50 + ["val"] * 25 + ["test"] * 25
    groups = [f"g{i}" for i in range(100)]
    groups[99] = groups[74] = groups[0] = "shared"
    groups[73] = groups[1] = "near"
    report, seeds = run(tmp_path, list("ab") * 50, columns={"split": named, "group": groups})
    assert seeds[2][[0, 74, 99]].tolist() == ["unused", "unused", "test"]
    assert seeds[2][[1, 73]].tolist() == ["unused", "val"]
    assert report["warnings"] == ["3 rows are unused: the data's split column puts them on another side than rows of "
                                  "the same group or with the same content, which are nearer to the test."]


@pytest.mark.parametrize("method", ["holdout", "kfold"])
def test_a_held_out_domain_is_in_no_seed_s_train_val_or_test(tmp_path, method):
    domain = ["studio", "phone", "studio", None] * 100
    report, seeds = run(tmp_path, list("aabb") * 100, seeds=5, columns={"domain": domain}, method=method, labels=0.5,
                        held_out_domain="phone")
    for sides in seeds.values():
        assert set(sides[1::4]) == {"domain"}
        others = np.delete(sides, np.arange(1, 400, 4))
        counts = [int((others == name).sum()) for name in ("val", "test", "domain", "unused")]
        assert counts == [45, 105 if method == "holdout" else 60, 0, 0]  # shares of the 300 others
    assert (seeds[0] != seeds[1]).any()
    assert report["seeds"][0]["counts"]["domain"] == report["seeds"][4]["counts"]["domain"] == 100
    assert report["warnings"] == []


@pytest.mark.parametrize("column", ["group", "duplicate_group"])
def test_what_shares_a_group_with_a_held_out_domain_is_unused(tmp_path, column):
    domain = ["phone"] * 20 + ["studio"] * 80
    groups = [f"g{i}" for i in range(100)]
    groups[99] = groups[98] = groups[0]
    report, seeds = run(tmp_path, list("ab") * 50, columns={"domain": domain, column: groups}, held_out_domain="phone")
    for sides in seeds.values():
        assert sides[:20].tolist() == ["domain"] * 20 and sides[98:].tolist() == ["unused", "unused"]
        assert set(sides[20:98]) == {"train", "val", "test"}
    assert report["warnings"] == ["2 rows are unused: they share a group or content with rows of the held-out domain "
                                  "`phone`."]


def test_a_held_out_domain_goes_before_the_split_that_the_data_names(tmp_path):
    named = ["train"] * 50 + ["val"] * 25 + ["test"] * 25
    domain = ["phone" if i in (0, 60, 99) else "studio" for i in range(100)]
    groups = [f"g{i}" for i in range(100)]
    groups[98] = groups[97] = groups[0]  # two test rows with a row of the domain
    report, seeds = run(tmp_path, list("ab") * 50, columns={"split": named, "domain": domain, "group": groups},
                        held_out_domain="phone")
    for sides in seeds.values():
        expected = [*named[:97], "unused", "unused", "domain"]
        expected[0] = expected[60] = "domain"
        assert sides.tolist() == expected
    assert report["method"] == "named" and len(report["warnings"]) == 1


def test_a_domain_that_is_not_there_is_told_with_those_that_are(tmp_path):
    labels, domain = list("ab") * 50, ["studio", "phone"] * 50
    with pytest.raises(UserError, match=r"`fone`, but no sample has this domain. Did you mean `phone`\? The data has "
                                        r"`phone`, `studio`\."):
        run(tmp_path, labels, columns={"domain": domain}, held_out_domain="fone")
    with pytest.raises(UserError, match=r"no sample of this data has a domain: name the column .*data.manifest.domain"):
        run(tmp_path, labels, held_out_domain="phone")


def test_too_little_beside_the_held_out_domain_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"No training row is left for `b`: .* held-out domain `phone`"):
        run(tmp_path, ["a"] * 80 + ["b"] * 20, columns={"domain": ["studio"] * 80 + ["phone"] * 20},
            held_out_domain="phone")
    with pytest.raises(UserError, match="`phone`, of which all samples of this data are: nothing is left to"):
        run(tmp_path, list("ab") * 50, columns={"domain": ["phone"] * 100}, held_out_domain="phone")


def test_label_budgets_are_nested_and_stratified(tmp_path):
    labels = (["a"] * 9 + ["b"]) * 100
    kept = {}
    for budget in (0.01, 0.1, 0.5, 1.0):
        report, seeds = run(tmp_path, labels, labels=budget)
        kept[budget] = [set(np.flatnonzero(sides == "train")) for sides in seeds.values()]
        assert report["seeds"][0]["categories"]["b"]["train"] == max(1, round(budget * 50))
        assert report["seeds"][0]["counts"]["train"] + report["seeds"][0]["counts"]["unlabelled"] == 500
    for seed in range(3):
        assert kept[0.01][seed] < kept[0.1][seed] < kept[0.5][seed] < kept[1.0][seed]
    assert kept[0.1][0] != kept[0.1][1]


def test_the_same_data_gives_the_same_bytes(tmp_path):
    rng = np.random.default_rng(0)
    columns = {"group": letters(rng, 400, "g", 50, 0.5)}
    found = []
    for name in ("one", "two"):
        run(tmp_path / name, list("abcd") * 100, columns=columns, labels=0.3)
        found.append([(tmp_path / name / "splits" / file).read_bytes() for file in ("splits.parquet", "splits.json")])
    assert found[0] == found[1]


def test_more_seeds_do_not_change_the_first(tmp_path):
    _, few = run(tmp_path, list("ab") * 50, seeds=2)
    _, more = run(tmp_path, list("ab") * 50, seeds=4)
    assert (few[1] == more[1]).all()


def test_every_class_is_trained(tmp_path):
    labels = ["a"] * 90 + ["b"] * 10  # b is in one group, which must not be tested
    report, seeds = run(tmp_path, labels, seeds=10, columns={"group": [f"g{i}" for i in range(90)] + ["b"] * 10})
    for sides in seeds.values():
        assert set(sides[90:]) == {"train"}
    assert report["warnings"][0] == "`b`: trained but not tested with seeds 0 to 9; too few groups hold this class."
    _, seeds = run(tmp_path, ["a"] * 90 + ["b"], seeds=10)
    assert {sides[90] for sides in seeds.values()} == {"train"}


def test_a_split_column_without_train_is_refused(tmp_path):
    for names in (["val", "test"], ["test", "test"]):
        with pytest.raises(UserError, match="No sample is left to train on: the data's own split column"):
            run(tmp_path, list("ab") * 10, columns={"split": names * 10})
    with pytest.raises(UserError, match=r"^The data's own split column leaves nothing to train on: each of the 10 rows "
                       r"that it puts into train has the same content as a row in val or test, or is of its group "
                       r"\(`s000001` and `s000000`, `s000003` and `s000002`, `s000005` and `s000004`, "
                       r"\.\.\.\), so that a model could know"):
        run(tmp_path, list("ab") * 10, columns={"split": ["test", "train"] * 10,
                                                "group": [f"g{i // 2}" for i in range(20)]})


def test_too_few_groups_are_refused(tmp_path):
    with pytest.raises(UserError, match="form 2 groups that may be split .* but 3 are needed"):
        run(tmp_path, list("ab") * 10, columns={"group": ["x", "y"] * 10})
    with pytest.raises(UserError, match="form 4 groups .* but 5 are needed .* fewer seeds or split.method: holdout"):
        run(tmp_path, list("abcd") * 10, seeds=5, method="kfold", columns={"group": list("wxyz") * 10})
    groups = [f"g{i}" for i in range(20)] + ["b"] * 4
    with pytest.raises(UserError, match="No training row is left for `b` with seed .*Each class must be in two groups"):
        run(tmp_path, ["a"] * 20 + ["b"] * 4, method="kfold", columns={"group": groups})
    with pytest.raises(UserError, match="The data's own split column names none"):
        run(tmp_path, list("aabb"), columns={"split": ["train", "val", "test", "test"]})
    with pytest.raises(UserError, match="leave nothing to train on"):
        run(tmp_path, list("ab") * 10, val=0.6, test=0.5)


@pytest.mark.slow
def test_a_hundred_thousand_rows(tmp_path):
    rng = np.random.default_rng(0)
    n = 200_000
    labels = [f"c{v}" for v in rng.integers(0, 1000, n)]
    columns = {"group": letters(rng, n, "g", 5000, 0.7)}
    _, seeds = run(tmp_path, labels, seeds=2, columns=columns, labels=0.1)
    group = np.array([value or f"alone{i}" for i, value in enumerate(columns["group"])])
    for sides in seeds.values():
        assert share(sides, "test") == pytest.approx(0.35, abs=0.005)
        for name in ("val", "test"):
            assert not set(group[sides == name]) & set(group[sides != name])


def test_a_class_keeps_a_label_however_few_are_left(tmp_path):
    _, seeds = run(tmp_path, list("a" * 190 + "b" * 10), labels=0.02)
    for sides in seeds.values():
        kept = [label for label, side in zip("a" * 190 + "b" * 10, sides, strict=True) if side == "train"]
        assert kept.count("a") == 2 and kept.count("b") == 1


@pytest.mark.parametrize("method", ["holdout", "kfold"])
def test_rows_without_a_label_are_never_judged_by_nor_near_what_is(tmp_path, method):
    y = [None if i % 3 == 0 else "ab"[i % 2] for i in range(300)]
    group = [f"g{i // 6}" if i < 150 else None for i in range(300)]
    report, seeds = run(tmp_path, y, columns={"group": group}, method=method)
    assert report["unlabelled"] == 100
    bare = np.arange(300) % 3 == 0
    for seed, sides in seeds.items():
        assert set(sides[~bare]) == {"train", "val", "test"}
        assert (sides[bare & (np.arange(300) >= 150)] == "unlabelled").all()
        for i in np.flatnonzero(bare[:150]):
            beside = [sides[j] for j in range(150) if j // 6 == i // 6 and not bare[j]]
            assert sides[i] == ("unlabelled" if set(beside) == {"train"} else "unused")
        assert report["seeds"][seed]["categories"]["a"]["unlabelled"] == 0
    assert all("unused" in sides[bare] for sides in seeds.values())


def test_rows_without_a_label_change_no_split_of_the_others(tmp_path):
    labelled = [*"ab"] * 100
    _, alone = run(tmp_path / "alone", labelled)
    _, more = run(tmp_path / "more", [*labelled, *[None] * 500])
    for seed in alone:
        assert more[seed][:200].tolist() == alone[seed].tolist()
        assert (more[seed][200:] == "unlabelled").all()


def test_rows_without_a_label_that_the_data_names_for_test_teach_nothing(tmp_path):
    y: list[str | None] = [*"ab" * 20, None, None, None]
    where = ["train"] * 20 + ["val"] * 10 + ["test"] * 11 + ["train", None]
    report, seeds = run(tmp_path, y, seeds=1, columns={"split": where})
    assert seeds[0][40:].tolist() == ["unused", "unlabelled", "unlabelled"]
    assert report["warnings"] == ["1 rows are unused: they have no label, and the data's split column names val or "
                                  "test for them, which nothing may learn from."]


def test_rows_of_the_held_out_domain_without_a_label_teach_nothing(tmp_path):
    y: list[str | None] = [*"ab" * 50, None, None]
    domain = ["phone"] * 20 + ["web"] * 80 + ["phone", "web"]
    _, seeds = run(tmp_path, y, columns={"domain": domain}, held_out_domain="phone")
    assert seeds[0][100:].tolist() == ["unused", "unlabelled"]


def test_labels_may_be_counted_and_a_smaller_count_is_part_of_a_larger_one(tmp_path):
    y = list("aaab") * 100
    _, few = run(tmp_path, y, seeds=1, labels=20)
    _, more = run(tmp_path, y, seeds=1, labels=100)
    _, every = run(tmp_path, y, seeds=1, labels=5000)
    assert [int((found[0] == "train").sum()) for found in (few, more, every)] == [20, 100, 200]
    assert set(np.flatnonzero(few[0] == "train")) < set(np.flatnonzero(more[0] == "train"))
    assert int((few[0] == "unlabelled").sum()) == 180
