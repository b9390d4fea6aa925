"""Damage: a file that a kill, a full disk, a power cut or a bad disk has left empty, cut, full of zeros, or with a bit
turned; of every sort of file that is kept. Each must be mended, or named in a sentence and then mended by what the
sentence says, and what comes out must be the bytes of the undisturbed run.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import yaml

from benchmarks.faults import Kind, Tally, project
from benchmarks.faults.forks import Warm
from benchmarks.faults.project import Stage
from tests import damage
from tests.helpers import command, digests
from trivium.cli.repair import repair, torn
from trivium.cli.verify import verify
from trivium.settings.errors import UserError

FULL = 9  # of each kind: every way to damage a file
WHAT = "empty, cut, zeros, other content or a bit turned: mended, or named and then mended, to the same bytes"
HARMLESS = "without its last byte"  # of a text: the end of its last line

Trial = Callable[["World", str], str]  # world, way to damage -> what was lost, in words; "" where nothing was


class World:
    """A copy of the finished project, mended after each trial."""

    def __init__(self, warm: Warm, folder: Path) -> None:
        self.warm, self.root, self.log = warm, folder / "project", folder / "said"
        project.copy(self.root, cache=True)
        self.whole = self.state()

    def state(self) -> dict[str, str]:
        return digests(self.root, "data", "models", "reports/evaluate", "export")

    def stage(self, name: str) -> Stage:
        return next(one for one in project.stages() if one.name == name)

    def run(self, name: str) -> tuple[int | None, str]:
        """A stage, as DVC starts it; exit code, and what it said."""
        code = self.warm.start(self.stage(name).words, self.root, self.log).wait(900)
        return code, self.log.read_text("utf-8", "replace")

    def again(self, name: str, said: str = "") -> str:
        """The stage from the start, which has to come to the same bytes and to have `said` something."""
        self.stage(name).forget(self.root, cache=False)
        code, words = self.run(name)
        if code or "Traceback" in words:
            return f"{name} ended with {code}: {words[-300:]}"
        if said not in words:
            return f"{name} did not say `{said}`: {words[-300:]}"
        return self.same()

    def refused(self, name: str) -> str:
        """The stage ends with a sentence, or comes to the same bytes; then `verify --repair` mends what it read."""
        code, words = self.run(name)
        if "Traceback" in words or code not in (0, 1) or (code == 1 and f"{name} stopped: " not in words):
            return f"{name} ended with {code}: {words[-300:]}"
        return self.mended()

    def mended(self) -> str:
        said, well = self.verified()
        if not well and "`dvc repro` makes it again" in said:  # the cache had the same file, by a link
            command(self.root, "dvc", "repro")
            said, well = self.verified()
        if not well:
            return f"verify --repair did not mend it: {said[-300:]}"
        return self.same()

    def verified(self) -> tuple[str, bool]:
        with contextlib.redirect_stderr(io.StringIO()):
            return verify(self.root, mend=True)

    def same(self) -> str:
        found = self.state()
        other = sorted(path for path in self.whole.keys() | found.keys() if self.whole.get(path) != found.get(path))
        return f"other bytes: {', '.join(other[:3])}" if other else ""

    def one(self, pattern: str) -> Path:
        """The first file of that name, largest first."""
        return max(self.root.glob(pattern), key=lambda path: (path.stat().st_size, str(path)))

    def units(self, path: Path) -> list[Path]:
        """The folders of finished units with the weights at `path`: one, or more where older code left some."""
        content = path.read_bytes()
        return [other.parents[1] for other in sorted((self.root / ".cache/units").glob(f"*/model/{path.name}"))
                if other.read_bytes() == content and (other.parents[1] / "record.json").exists()]

    def cached(self, path: Path) -> Path:
        """Where DVC keeps what is in `path`."""
        import hashlib

        md5 = hashlib.md5(path.read_bytes()).hexdigest()
        return self.root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]


def lock(more: Callable[[bytes], bytes] | None = None) -> Trial:
    """more: another damage than the one that is drawn"""
    def trial(world: World, way: str) -> str:
        path = world.root / "dvc.lock"
        good = path.read_bytes()
        try:
            path.write_bytes((more or damage.KINDS[way])(good))
            broken = torn(world.root)
            said = repair(world.root)
            if broken and not said:
                return "it is not mended"
            found = yaml.safe_load(path.read_bytes())
            if found["schema"] != "2.0" or torn(world.root):
                return "it is not whole after that"
            if found != yaml.safe_load(good) and more is not None:
                return "other entries than before"
            return "" if found["stages"].keys() <= yaml.safe_load(good)["stages"].keys() else "entries of nothing"
        finally:
            path.write_bytes(good)
    return trial


def merged(content: bytes) -> bytes:
    """Both sides of a merge, of which the other one has other hashes of the last stage."""
    at = content.rindex(b"\n  ", 0, content.rindex(b"    cmd:")) + 1
    ours = content[at:]
    theirs = ours.replace(b"size: ", b"size: 1")
    return content[:at] + b"<<<<<<< HEAD\n" + ours + b"=======\n" + theirs + b">>>>>>> other\n"


def rwlock(world: World, way: str) -> str:
    path = world.root / ".dvc/tmp/rwlock"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(damage.KINDS[way](b'{"/somewhere/models": {"write": {"pid": 1, "cmd": "dvc repro"}}}'))
    repair(world.root)
    left = torn(world.root)
    path.unlink(missing_ok=True)
    return f"{left[0]} is still torn" if left else ""


def of_a_stage(pattern: str, stage: str, said: str = "") -> Trial:
    """A file that the stage makes again when it runs."""
    def trial(world: World, way: str) -> str:
        path = world.one(pattern)
        damage.do(path, "cut in half" if way == HARMLESS and path.suffix == ".json" else way)
        return world.again(stage, said)
    return trial


def of_a_unit(name: str) -> Trial:
    """A file that training keeps of what is finished: all of it is trained again."""
    def trial(world: World, way: str) -> str:
        for unit in world.units(world.one("models/end_to_end/seed_0/model.safetensors")):
            damage.do(unit / name, way)
        return world.again("train@end_to_end", "" if name == "record.json" else
                           "is damaged: its content is not what training wrote")
    return trial


def read_by(pattern: str, stage: str) -> Trial:
    """A file that the stage reads."""
    def trial(world: World, way: str) -> str:
        damage.do(world.one(pattern), way)
        return world.refused(stage)
    return trial


def in_the_cache(pattern: str) -> Trial:
    def trial(world: World, way: str) -> str:
        damage.do(world.cached(world.one(pattern)), way)
        return world.mended()
    return trial


def listed(world: World, way: str) -> str:
    damage.do(max((world.root / ".dvc/cache/files/md5").rglob("*.dir"), key=lambda path: path.stat().st_size), way)
    return world.mended()


def everywhere(pattern: str, stage: str) -> Trial:
    """In the workspace, in DVC's cache and in the unit that it was linked from: the stage trains again."""
    def trial(world: World, way: str) -> str:
        path = world.one(pattern)
        places = [path, world.cached(path), *(unit / "model" / path.name for unit in world.units(path))]
        for each in {one.stat().st_ino: one for one in places}.values():  # links of one file: a bit turns once
            damage.do(each, way)
        said, well = world.verified()
        if well or "lost, what was damaged is removed" not in said:
            return f"verify did not name it: {said[-300:]}"
        if lost := world.again(stage, "is damaged: its content is not what training wrote"):
            return lost
        command(world.root, "dvc", "commit", "--force", "--quiet", stage)
        return world.mended()
    return trial


def checkpoint(world: World, way: str) -> str:
    """Of a run that was killed in its middle."""
    from tests.training.test_loop import Line, train
    from trivium.training import loop

    path, every = world.root.parent / "checkpoint.pt", loop.CHECKPOINT_EVERY
    killed, steps = Line(), list[int]()
    whole = killed.loss
    loop.CHECKPOINT_EVERY = 0.0
    try:
        def dies(*some: object) -> object:
            steps.append(1)
            if len(steps) == 25:
                raise KeyboardInterrupt
            return whole(*some)  # type: ignore[arg-type]

        killed.loss = dies  # type: ignore[method-assign, assignment]
        with contextlib.suppress(KeyboardInterrupt):
            train(killed, path)
    finally:
        loop.CHECKPOINT_EVERY = every
    damage.do(path, way)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        found = train(Line(), path)
    if "is damaged" not in said.getvalue():
        return "nobody noticed"
    return "" if found == train(Line()) else "another history"


def exported(world: World, way: str) -> str:
    from trivium.runtime.runner import Runner

    path = world.root / "export/model.onnx"
    damage.do(path, way)
    try:
        Runner(world.root / "export")
    except UserError:
        return world.mended()
    return "it answers all the same"


TRIALS: dict[str, Trial] = {
    "dvc.lock": lock(),
    "dvc.lock, zeros behind it": lock(lambda content: content + bytes(4096)),
    "dvc.lock, a merge": lock(merged),
    "dvc.lock, empty": lock(lambda content: b""),
    ".dvc/tmp/rwlock": rwlock,
    "what a stage measured": of_a_stage("reports/measured/split.json", "split"),
    "a checkpoint": checkpoint,
    "the weights of a finished unit": of_a_unit("model/model.safetensors"),
    "what a finished unit is": of_a_unit("model/model.json"),
    "the record of a finished unit": of_a_unit("record.json"),
    "kept tensors": of_a_stage(".cache/features/*/x.arrow", "preprocess"),
    "what says that they are whole": of_a_stage(".cache/features/*/whole", "preprocess"),
    "the raw table": read_by("data/raw/labels.parquet", "validate"),
    "the quarantine": read_by("data/valid/quarantine.parquet", "align"),
    "the sample table": read_by("data/aligned/samples.parquet", "split"),
    "the splits": read_by("data/splits/splits.parquet", "preprocess"),
    "features": read_by("data/features/*/*/x.arrow", "train@end_to_end"),
    "what recipes read": read_by("data/reads/scratch.json", "pretrain@scratch"),
    "a component": read_by("models/pretrain/scratch/*/seed_0/model.safetensors", "train@end_to_end"),
    "the weights of a model": read_by("models/end_to_end/seed_0/model.safetensors", "evaluate@end_to_end"),
    "what a model is": read_by("models/end_to_end/seed_0/model.json", "evaluate@end_to_end"),
    "what training recorded": read_by("models/end_to_end/training.json", "evaluate@end_to_end"),
    "predictions": read_by("reports/evaluate/end_to_end/predictions.parquet", "compare"),
    "an exported model": exported,
    "a model in DVC's cache": in_the_cache("models/end_to_end/seed_1/model.safetensors"),
    "a list of files in DVC's cache": listed,
    "a model, here and in every cache": everywhere("models/end_to_end/seed_0/model.safetensors", "train@end_to_end"),
}


def campaign(repetitions: int, folder: Path, seed: int) -> dict[str, Kind]:
    """repetitions: of each kind of file, each damaged in another way"""
    draw = random.Random(seed)
    os.environ["DVC_SITE_CACHE_DIR"] = str(folder / "site")
    ways = list(damage.KINDS)
    found = {}
    with Warm() as warm:
        world = World(warm, folder)
        for name, trial in TRIALS.items():
            tally = Tally(f"damage: {name}", WHAT)
            for way in (ways[k % len(ways)] for k in draw.sample(range(repetitions), repetitions)):
                try:
                    lost = trial(world, way)
                except Exception as error:
                    lost = f"{type(error).__name__}: {error}"
                tally.add(lost, way)
                if lost:
                    shutil.rmtree(world.root)
                    world = World(warm, folder)
            found[tally.name] = tally.kind()
    return found
