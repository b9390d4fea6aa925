"""What code an entry runs: the parts that it names, and none of the others."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import networks
from tests.helpers import ROOT
from trivium import strategies
from trivium.modalities.spec import Spec
from trivium.tasks.classification import Classification
from trivium.training import code

TEXT = networks.described(Spec("text", "tokens", (8,), vocab=20))
IMAGE = networks.described(Spec("image", "image", (1, 8, 8)), "resnet")
ENTRY = strategies.entry("one", {"start": "scratch", "strategy": "dgl", "fusion": "hybrid"})


def test_a_strategy_runs_the_parts_that_it_names_and_what_these_import() -> None:
    found = code.files(code.of_strategy([TEXT, IMAGE], Classification, ENTRY))
    parts = {"strategies/dgl.py", "fusion/hybrid.py", "fusion/stacked.py", "fusion/sequences.py",
             "objectives/network/dgl.py", "objectives/network/unimodal_losses.py", "encoders/cnn.py",
             "encoders/resnet.py", "modalities/text.py", "modalities/image.py", "tasks/classification.py",
             "training/loop.py", "data/store.py", "machine/device.py"}
    others = {"strategies/lpft.py", "fusion/film.py", "objectives/network/distil.py", "objectives/masked.py",
              "encoders/textcnn.py", "modalities/table.py", "tasks/regression.py", "evaluation/evaluate.py",
              "comparison/verdict.py", "training/pretrain.py", "machine/progress.py", "settings/errors.py"}
    assert parts <= set(found) and not others & set(found)
    assert all(len(one) == len(next(iter(found.values()))) for one in found.values())


def test_what_fuses_nothing_runs_no_fusion() -> None:
    ensemble = strategies.entry("one", {"start": "scratch", "strategy": "ensemble"})
    found = code.files(code.of_strategy([TEXT, IMAGE], Classification, ensemble))
    assert "strategies/ensemble.py" in found and "fusion/concat.py" not in found


def test_a_recipe_runs_its_objective_and_no_strategy() -> None:
    found = code.files(code.of_recipe([TEXT], Classification, ["masked"]))
    assert {"objectives/masked.py", "training/pretrain.py", "encoders/cnn.py"} <= set(found)
    assert not {"objectives/align.py", "strategies/dgl.py", "encoders/resnet.py"} & set(found)


def test_evaluation_runs_the_same_parts() -> None:
    found = code.files(code.of_strategy([TEXT, IMAGE], Classification, ENTRY, code.EVALUATION))
    assert {"evaluation/analyse.py", "fusion/hybrid.py", "encoders/resnet.py", "drawing/svg.py"} <= set(found)
    assert "training/fused.py" not in found


@pytest.mark.slow
@pytest.mark.parametrize("module", [code.STRATEGY, code.RECIPE, code.EVALUATION])
def test_nothing_is_loaded_that_was_not_found(module: str) -> None:
    """In a process of its own, with every module that is imported late imported now."""
    parts = code.of_strategy([TEXT, IMAGE], Classification, ENTRY, module)
    known = code.files(parts)
    late = [".".join(Path(file).with_suffix("").parts).removesuffix(".__init__") for file in known]
    script = ("import importlib, json, sys\n"
              f"for one in {late!r}: importlib.import_module('trivium' if one == '__init__' else f'trivium.{{one}}')\n"
              "print(json.dumps([m.__file__ for n, m in sys.modules.items() if n.split('.')[0] == 'trivium']))")
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True,
                          env={"PYTHONPATH": "src", "PATH": ""})
    loaded = {Path(file).relative_to(ROOT / "src/trivium").as_posix() for file in json.loads(done.stdout)}
    assert {one for one in loaded - set(known) if not one.startswith(code.SAME) or one in code.BUT} == set()
    assert set(known) <= loaded
