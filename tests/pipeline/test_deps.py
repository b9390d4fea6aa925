"""A stage of dvc.yaml depends on the code that it runs: else an edit of it would change nothing."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.helpers import ROOT
from trivium.machine import source

STAGES = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
# The roof, whose values DVC follows in params.yaml; and what moves no result: machines, messages, files, views.
ROOF = ("src/trivium/params.py", "src/trivium/stage.py", "src/trivium/tracking", "src/trivium/serving")
SAME = ("src/trivium/machine", "src/trivium/settings", "src/trivium/data/tables.py")


def within(file: str, places: tuple[str, ...] | list[str]) -> bool:
    return any(file == place or file.startswith(f"{place}/") for place in places)


def code(stage: str) -> set[str]:
    """Files below src that the stage runs, but for the roof and what moves no result."""
    todo, seen = [ROOT / f"pipeline/{stage}.py"], set[str]()
    while todo:
        path = todo.pop()
        file = path.relative_to(ROOT).as_posix()
        if file in seen or within(file, ROOF) or within(file, SAME):
            continue
        seen.add(file)
        todo += source.imported(path)
    return {file for file in seen if Path(file).name not in ("__init__.py", "settings.py") and file.startswith("src/")}


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_the_code_that_it_runs(stage: str) -> None:
    deps = STAGES[stage].get("do", STAGES[stage])["deps"]
    if any(dep.startswith("data/code/") for dep in deps):
        deps = STAGES["budget"]["deps"]  # which looked: see tests/training/test_code.py
    assert sorted(file for file in code(stage) if not within(file, deps)) == []


def test_every_file_that_is_named_is_there() -> None:
    for stage in STAGES.values():
        for dep in stage.get("do", stage)["deps"]:
            assert "$" in dep or not dep.startswith(("src/", "pipeline/")) or (ROOT / dep).exists(), dep


def test_what_code_is_found() -> None:
    assert {"src/trivium/data/splits.py", "src/trivium/data/assignment.py"} <= code("split")
    assert "src/trivium/models/network.py" in code("evaluate") and "src/trivium/params.py" not in code("evaluate")
    assert "src/trivium/data/store.py" not in code("split")
