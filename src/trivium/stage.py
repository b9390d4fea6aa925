"""What every stage of the pipeline shares: quiet libraries, people's errors, measured cost, nothing half-written."""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from trivium.machine import files, signals, vault
from trivium.machine.energy import energy
from trivium.machine.engines import elsewhere
from trivium.machine.measured import PLACE, Measured
from trivium.machine.system import Sampler
from trivium.params import Params, load
from trivium.settings import told
from trivium.settings.errors import UserError, of_damage, of_gpu
from trivium.settings.failures import at, of_machine

PLACES = (Path("data"), Path("models"), Path("reports"), PLACE)  # in which stages write single files
LOWER = {  # what takes memory, by stage
    "pretrain": "`loop.batch` or `loop.workers`", "train": "`loop.batch` or `loop.workers`",
    "evaluate": "`evaluate.batch` or `loop.workers`", "compare": "`compare.bootstrap`",
    "preprocess": "the sizes of `processor` under `encoder`",
}

LOCK, KEPT = "dvc.lock", ".cache/dvc.lock"  # DVC's, and as it was when the last stage began


def run(name: str, work: Callable[[Params], None]) -> None:
    """Run one stage as a command: `work(params)`; exit code 1 and one paragraph on a user's mistake.

    Writes what it took, see `trivium.machine.measured`.
    """
    quiet()
    _keep_lock()
    gc.set_threshold(50_000, 20, 100)  # else a fifth of a short stage looks for garbage in what libraries load
    signals.heed()
    with signals.ended():
        _run(name, work)
    gc.freeze()  # what the libraries made dies with the process: at exit, looking for garbage in it takes up to 0.5 s


def _run(name: str, work: Callable[[Params], None]) -> None:
    started = time.perf_counter()
    for place in PLACES:
        files.sweep(place)
    try:
        with Sampler(PLACE / f"{name}.system.json"), energy() as joules:
            params = load()
            with vault.opened(params.encryption, vault.of_stage(name)):
                work(params)
        measure(name, Measured(seconds=time.perf_counter() - started, cpu_seconds=cpu_seconds(),
                               peak_memory_bytes=peak_memory_bytes(),
                               joules=None if elsewhere.there else joules()))  # other machines do not tell
    except UserError as error:
        sys.exit(f"\n{name} stopped: {error}\n")
    except Exception as error:
        batch = "evaluate.batch" if name.startswith("evaluate") else "loop.batch"
        lower = LOWER.get(name.partition("@")[0], "")
        if (mine := of_gpu(error, batch) or of_machine(error, lower) or of_damage(error)) is None:
            raise
        sys.exit(f"\n{name} stopped: {mine}\n")


def _keep_lock() -> None:
    """DVC writes its lock in place, behind each stage: what it says now is there once more, see `trivium repair`."""
    with suppress(OSError):
        files.write(KEPT, Path(LOCK).read_bytes())


def quiet() -> None:
    """Mute other libraries' chatter; ours goes to standard output, where no word of the data moves the cursor."""
    told.guard()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    warnings.filterwarnings("ignore")


def warn(warnings: Iterable[str]) -> None:
    """Print them, unless the command that runs the stage says them itself when all is done."""
    if not os.environ.get(told.LATER):
        for words in warnings:
            print(f"warning: {words}")


def measure(name: str, found: Measured) -> None:
    """Keep what was `found` of the stage `name`, beside what is there and can be read."""
    both = Measured.of(name).model_copy(update={key: getattr(found, key) for key in found.model_fields_set})
    told = json.dumps(both.model_dump(exclude_defaults=True), indent=1, sort_keys=True)
    files.write(PLACE / f"{name}.json", told + "\n")


def peak_memory_bytes() -> int:
    """Resident bytes of the largest process so far: this one, a finished child, or one on a node of a cluster."""
    unit = 1 if sys.platform == "darwin" else 1024
    mine = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return max(unit * mine, elsewhere.peak_memory_bytes)


def cpu_seconds() -> float:
    """What this process and its ended children have computed, on all cores together; imports included. Children of a
    fork server are nobody's.
    """
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return round(sum(one.ru_utime + one.ru_stime for one in used), 2)


@contextmanager
def fresh(folder: str | Path) -> Iterator[Path]:
    """A new empty folder that takes the place of `folder` when the block ends, with all that is in it on the disk, and
    vanishes when it fails.
    """
    final = Path(folder)
    scratch, old = final.with_name(final.name + ".part"), final.with_name(final.name + ".old.part")
    with signals.scratch(scratch, old):
        try:
            scratch.mkdir(parents=True)
            yield scratch
            files.all_on_disk(scratch)
            if there := final.is_dir() and not final.is_symlink():
                final.rename(old)  # a signal or a kill while it is removed leaves no half of it
            try:
                scratch.rename(final)
            except OSError:
                if there:
                    old.rename(final)
                raise
        except BaseException as error:
            at(error, final)
            raise
