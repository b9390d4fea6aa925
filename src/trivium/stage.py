"""What every stage of the pipeline shares: quiet libraries, people's errors, measured cost, nothing half-written."""

from __future__ import annotations

import gc
import json
import os
import resource
import shutil
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from trivium.machine import files
from trivium.machine.energy import energy
from trivium.machine.engines import elsewhere
from trivium.machine.measured import PLACE, Measured
from trivium.machine.system import Sampler
from trivium.params import Params, load
from trivium.settings.errors import UserError, of_damage, of_gpu

LOCK, KEPT = "dvc.lock", ".cache/dvc.lock"  # DVC's, and as it was when the last stage began


def run(name: str, work: Callable[[Params], None]) -> None:
    """Run one stage as a command: `work(params)`; exit code 1 and one paragraph on a user's mistake.

    Writes what it took, see `trivium.machine.measured`.
    """
    quiet()
    _keep_lock()
    gc.set_threshold(50_000, 20, 100)  # else a fifth of a short stage looks for garbage in what libraries load
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    started = time.perf_counter()
    try:
        with Sampler(PLACE / f"{name}.system.json"), energy() as joules:
            work(load())
    except UserError as error:
        sys.exit(f"\n{name} stopped: {error}\n")
    except RuntimeError as error:
        if (mine := of_gpu(error, "evaluate.batch" if name.startswith("evaluate") else "loop.batch")) is None:
            raise
        sys.exit(f"\n{name} stopped: {mine}\n")
    except OSError as error:
        if mine := of_damage(error):  # as pyarrow has it
            sys.exit(f"\n{name} stopped: {mine}\n")
        if error.errno != 28:  # ENOSPC
            raise
        sys.exit(f"\n{name} stopped: no space is left on the disk ({error.filename or 'writing its outputs'}). "
                 "Free some (`dvc gc --workspace` drops old versions from the cache), then run it again.\n")
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if (mine := of_damage(error)) is None:
            raise
        sys.exit(f"\n{name} stopped: {mine}\n")
    measure(name, Measured(seconds=time.perf_counter() - started, peak_memory_bytes=peak_memory_bytes(),
                           joules=None if elsewhere.there else joules()))  # other machines do not tell
    gc.freeze()  # what the libraries made dies with the process: at exit, looking for garbage in it takes up to 0.5 s


def _keep_lock() -> None:
    """DVC writes its lock in place, behind each stage: what it says now is there once more, see `trivium repair`."""
    with suppress(OSError):
        files.write(KEPT, Path(LOCK).read_bytes())


def quiet() -> None:
    """Mute other libraries' chatter; ours goes to standard output."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    warnings.filterwarnings("ignore")


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


@contextmanager
def fresh(folder: str | Path) -> Iterator[Path]:
    """A new empty folder that takes the place of `folder` when the block ends, with all that is in it on the disk, and
    vanishes when it fails.
    """
    final = Path(folder)
    scratch = final.with_name(final.name + ".part")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        yield scratch
        files.all_on_disk(scratch)
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    if final.is_dir() and not final.is_symlink():
        shutil.rmtree(final)
    scratch.rename(final)
    files.on_disk(final.parent)
