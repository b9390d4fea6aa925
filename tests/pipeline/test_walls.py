"""What runs again when one entry of params.yaml changes: only what uses it. With DVC, for real."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import command, digests, set_params, tiny_project

pytestmark = pytest.mark.slow

SMALL = {"modality": "text", "architecture": "transformer", "width": 16, "depth": 1,
         "processor": {"length": 18, "vocab": 64}}
FIRST = {"text": "words", "image": "patches"}
CHEAP = {"preprocess", "budget"}  # whose outs are the same for all others


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recipes that share an encoder, three strategies; the pipeline has run. Read only."""
    project = tiny_project(tmp_path_factory.mktemp("walls"), budget__epochs=4,
                           data__streams={s: {"modality": s} for s in FIRST})
    set_params(project, {
        "encoder.other": SMALL, "compare.reference": "", "evaluate.analysis_rows": 32,
        "pretrain": {"scratch": {"encoders": FIRST},
                     "taught": {"encoders": FIRST | {"text": "other"}, "objective": "supervised", "share": 0.5}},
        "train": {"end_to_end": {"start": "scratch", "strategy": "joint"},
                  "frozen": {"start": "taught", "strategy": "frozen"},
                  "ensemble": {"start": "taught", "strategy": "ensemble"}}})
    command(project, "dvc", "repro", "compare")
    return project


@pytest.fixture
def project(reference: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(reference, tmp_path / "project", symlinks=True))


def repro(project: Path) -> tuple[set[str], str]:
    """The stages that ran, and what was said; what is exported is no matter here."""
    said = command(project, "dvc", "repro", "compare")
    return set(re.findall(r"Running stage '([^']+)'", said)), said


def rename(project: Path, section: str, old: str, new: str) -> None:
    path = project / "params.yaml"
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 10_000
    params = yaml.load(path)
    params[section] = {(new if name == old else name): value for name, value in params[section].items()}
    yaml.dump(params, path)


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def test_a_new_encoder_and_a_recipe_that_uses_it_run_alone_and_one_that_is_not_used_runs_nothing(project: Path) -> None:
    before = digests(project, "models", "reports/evaluate", "data/features/text", "data/features/image", "data/reads")
    spare = {"modality": "text", "architecture": "cnn", "width": 32, "processor": {"length": 7, "vocab": 64}}
    set_params(project, {"encoder.wide": SMALL | {"width": 24}, "encoder.spare": spare,
                         "pretrain.wide": {"encoders": FIRST | {"text": "wide"}, "objective": "masked"},
                         "train.wide": {"start": "wide", "strategy": "joint"}})
    assert repro(project)[0] == CHEAP | {"pretrain@wide", "train@wide", "evaluate@wide", "latency", "compare"}
    after = digests(project, "models", "reports/evaluate", "data/features/text", "data/features/image", "data/reads")
    assert {path: after.get(path) for path in before} == before
    # The transformer of another width reads what there is already; what nothing uses is not made.
    reads = {name: read(project / f"data/reads/{name}.json")["streams"]["text"]
             for name in ("scratch", "taught", "wide")}
    assert reads["wide"]["features"] == reads["taught"]["features"] != reads["scratch"]["features"]
    assert len(list((project / "data/features/text").glob("*/x.arrow"))) == 2


def test_a_changed_encoder_runs_what_starts_from_its_recipes(project: Path) -> None:
    before = digests(project, "models/end_to_end", "models/pretrain/scratch", "data/reads")
    set_params(project, {"encoder.other.depth": 2})
    assert repro(project)[0] == CHEAP | {"pretrain@taught", "train@frozen", "evaluate@frozen", "train@ensemble",
                                         "evaluate@ensemble", "latency", "compare"}
    after = digests(project, "models/end_to_end", "models/pretrain/scratch", "data/reads")
    assert {path for path in before if after[path] != before[path]} == {"data/reads/taught.json"}


def test_a_changed_recipe_runs_what_starts_from_it(project: Path) -> None:
    set_params(project, {"pretrain.taught.lr": 0.002})
    said = command(project, "dvc", "repro", "pretrain@taught")
    assert set(re.findall(r"Running stage '([^']+)'", said)) - CHEAP == {"pretrain@taught"}
    waiting = json.loads(command(project, "dvc", "status", "--json"))  # what follows them: see the test above
    del waiting["latency"], waiting["compare"], waiting["export"]  # which wait for all
    assert {name: [change["changed deps"] for change in changes] for name, changes in waiting.items()} == {
        f"train@{name}": [{"models/pretrain/taught": "modified"}] for name in ("frozen", "ensemble")}


def test_a_variant_is_an_entry_and_no_file_and_a_new_name_of_one_trains_nothing(project: Path) -> None:
    before = digests(project, "models/frozen")
    frozen = read(project / "models/frozen/training.json")
    rename(project, "train", "frozen", "renamed")
    set_params(project, {"train.slow": {"start": "taught", "strategy": "frozen", "lr": 0.0003}})
    ran, said = repro(project)
    assert ran == {"budget", "latency", "compare", *(f"{stage}@{name}" for stage in ("train", "evaluate")
                                                     for name in ("renamed", "slow"))}
    assert "renamed: 2 of 2 were finished before" in said and said.count("were finished before") == 1
    after = digests(project, "models/renamed")
    changed = {path for path, value in before.items() if after[path.replace("frozen", "renamed")] != value}
    assert changed == {"models/frozen/training.json"}  # which says the name
    assert read(project / "models/renamed/training.json")["entry"] == "renamed"
    slow = read(project / "models/slow/training.json")
    assert slow["title"] == "Frozen components from taught (slow)"
    assert slow["seeds"][0]["history"] != frozen["seeds"][0]["history"]


def test_new_names_of_a_recipe_and_of_an_encoder_train_nothing(project: Path) -> None:
    before = digests(project, "models/frozen", "models/pretrain/taught")
    rename(project, "pretrain", "taught", "school")
    rename(project, "encoder", "other", "letters")
    set_params(project, {"pretrain.school.encoders.text": "letters",
                         "train.frozen.start": "school", "train.ensemble.start": "school"})
    said = repro(project)[1]
    assert "pretrain school: 4 of 4 were finished before" in said
    assert "frozen: 2 of 2 were finished before" in said and "ensemble: 2 of 2 were finished before" in said
    after = digests(project, "models/frozen", "models/pretrain/school")
    changed = {path for path, value in before.items() if after[path.replace("taught", "school")] != value}
    assert changed == {"models/frozen/training.json", "models/pretrain/taught/training.json"}
    assert command(project, "trivium", "predict", "frozen", "--text", "k01 w40").strip()


def test_a_new_part_and_an_edit_of_one_that_nobody_names_run_the_new_entry_alone(project: Path) -> None:
    room = project / "src/trivium/fusion"
    (room / "mine.py").write_text((room / "concat.py").read_text())
    with (room / "film.py").open("a") as film:
        film.write("\n# another thought\n")
    set_params(project, {"train.mine": {"start": "scratch", "strategy": "joint", "fusion": "mine"}})
    assert repro(project)[0] == {"budget", "train@mine", "evaluate@mine", "latency", "compare"}
    with (room / "concat.py").open("a") as concat:
        concat.write("\n# another thought\n")
    assert repro(project)[0] == {"budget", *(f"{stage}@{name}" for stage in ("train", "evaluate")
                                            for name in ("end_to_end", "frozen")), "latency", "compare"}
