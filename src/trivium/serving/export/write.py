"""`trivium export`: a trained strategy as a folder that stands alone."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from trivium import models
from trivium.comparison import together
from trivium.data.store import Store
from trivium.data.tables import read_json
from trivium.drawing import numbers
from trivium.machine import digests, files, source
from trivium.modalities import anonymised
from trivium.runtime.folder import GRAPH, INT8, PROCESSORS
from trivium.runtime.runner import Runner
from trivium.serving.export import card, graph, int8, processors, reference, smoke
from trivium.serving.export.record import NAME, Exported
from trivium.serving.predictor import PREPARED, Predictor, best, preparation
from trivium.settings.errors import UserError
from trivium.training.records import Trained

NEEDS = ("numpy", "onnxruntime", "pillow", "pyarrow", "pydantic", "scipy", "soundfile", "tokenizers", "tqdm")
RECORDED = ("av",)  # besides, of a model that reads video
ROOMS = ("modalities", "tasks")  # whose parts are found by their names
RUNNER, SERVER = "trivium.runtime.__main__", "trivium.runtime.server.__main__"
SERVING = ("fastapi", "prometheus-client", "python-multipart", "uvicorn")
PAGES = Path("trivium/runtime/server/files")
DOCKERFILE = """\
# docker build -t MODEL . && docker run --rm -e TRIVIUM_TOKEN=... -p 127.0.0.1:8000:8000 MODEL
FROM python:3.11-slim
WORKDIR /model
COPY requirements.txt requirements-serve.txt ./
RUN pip install --no-cache-dir -r requirements.txt -r requirements-serve.txt
COPY . .
USER nobody
EXPOSE 8000
CMD ["python", "-m", "trivium.runtime.server", ".", "--host", "0.0.0.0", "--port", "8000"]
"""


def said(made: Exported, folder: Path) -> str:
    """What is in the folder, in words."""
    if made.smoke is None or made.bytes is None:
        return made.note
    lines = [f"{folder} holds {made.title}, seed {made.seed}: {numbers.memory(made.bytes)}; on {made.smoke.rows} rows "
             f"its answers differ from those of the trained model by {made.smoke.difference:.1e} at most."]
    if made.int8:
        worse = f"{abs(made.int8.loss):.3g} {made.int8.unit} {'worse' if made.int8.loss >= 0 else 'better'}"
        lines.append(f"With 8 bits: {numbers.memory(made.int8.bytes)}, and {worse} on {made.int8.rows:,} test rows.")
    return "\n".join([*lines, *([made.refused] if made.refused else []),
                      f"`python -m trivium.runtime {folder}` answers, without torch."])


def write(root: Path, strategy: str, folder: Path, small: bool, here: bool = True, docker: bool = False) -> Exported:
    """Fill the empty `folder` with the best seed of `strategy`. small: whether a graph of 8 bits stands beside it

    docker: whether a Dockerfile does

    here: whether the card says what is of this machine and run (seconds, energy, the commit), as no stage's out may

    Raises: UserError (no such strategy; what is exported says something else than what was trained); graph.Unsayable.
    """
    if strategy == together.NAME and not (root / "models" / strategy).exists():
        raise UserError(f"`{strategy}` weighs the answers of several strategies, and an export is of one: name one of "
                        "them.")
    if (root / "models" / strategy / PREPARED).exists():
        raise UserError(f"`{strategy}` is an update, which is in MLflow's registry already: take that model "
                        "(docs/updating.md).")
    place, seed = best(root, strategy)
    trained, prepared = Trained.read(place.parent / "training.json"), preparation(root, seed, place)
    written = graph.write(models.load(place), folder / GRAPH)
    model = models.load(place)  # the other one was changed
    about = processors.of(model, prepared, strategy, trained.title, written.short)
    files.write(folder / PROCESSORS, about.text())
    made = Exported(strategy=strategy, title=trained.title, seed=seed, bytes=(folder / GRAPH).stat().st_size,
                    smoke=smoke.check(Runner(folder), Predictor(model, prepared), root, seed))
    if small:
        try:
            found = int8.write(folder, Store(trained.start, root), seed, written.exact)
            made = made.model_copy(update={"int8": found})
        except UserError as error:
            made = made.model_copy(update={"refused": str(error)})
    about = about.model_copy(update={"sha256": {name: digests.of(folder / name) for name in (GRAPH, INT8)
                                                if (folder / name).exists()}})
    files.write(folder / PROCESSORS, about.text())
    reference.made(Runner(folder), root, seed).write(folder / reference.NAME)
    made.write(folder / NAME)
    code(folder)
    recorded = any(one["spec"]["modality"] == "video" for one in prepared["streams"].values())
    files.write(folder / "requirements.txt", requirements(NEEDS + RECORDED * recorded + (
        anonymised.NEEDS if any(one.anonymised for one in about.streams.values()) else ())))
    files.write(folder / "requirements-serve.txt", requirements(SERVING))
    if docker:
        files.write(folder / "Dockerfile", DOCKERFILE)
        files.write(folder / ".dockerignore", "venv\n__pycache__\n")
    files.write(folder / "README.md", card.text(root, made, about.read, read_json(place / "model.json"), here))
    return made


def note(folder: Path, why: str) -> Exported:
    """The folder where there is no model to export, which says why."""
    made = Exported(note=why)
    made.write(folder / NAME)
    files.write(folder / "README.md", f"# No model\n\n{why}\n")
    return made


def code(folder: Path) -> None:
    """The runner, the server, and all that they may run, as `trivium` in `folder`."""
    home = source.HOME / "trivium"
    parts = [".".join(file.relative_to(source.HOME).with_suffix("").parts) for room in ROOMS
             for file in sorted((home / room).rglob("*.py"))]
    pages = sorted((source.HOME / PAGES).iterdir())
    for file in [*source.files([RUNNER, SERVER, *parts]), *pages]:
        target = folder / file.relative_to(source.HOME)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)


def requirements(names: Sequence[str]) -> str:
    """What is needed, in the versions that were tried."""
    return "".join(f"{name}=={version(name).partition('+')[0]}\n" for name in names)
