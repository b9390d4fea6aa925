"""`trivium key`, `trivium encrypt` and `trivium decrypt`: encryption at rest."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable
from pathlib import Path

from trivium.machine.vault import convert, folder, keys, settings
from trivium.settings.errors import UserError

CLEAR = """Older versions of these files are still in the clear in .dvc/cache, and at the remote where they were pushed:
"""
UNDER = """The key {} still opens older versions of these files in .dvc/cache, and at the remote where they were pushed;
what is older than the first key is in the clear there:
"""
REMOVE = """\
  dvc gc --workspace            removes those of the cache (of other branches and commits, too)
  dvc gc --workspace --cloud    removes those of the remote as well"""


def commands(command: Callable[[str, object, str], argparse.ArgumentParser]) -> None:
    """Add the three. command: see `main.parser`."""
    key = command("key", lambda given: print(make_key(given.file.expanduser())), "make a key for encryption at rest")
    key.add_argument("file", type=Path, metavar="FILE", help="a new one, outside of the project")
    every = command("encrypt", lambda given: print(encrypt(Path("."), given.before)),
                    "encrypt data, features, models and reports with the key that TRIVIUM_KEY_FILE names, from now on")
    every.add_argument("--from", dest="before", type=Path, metavar="FILE", help="of the key that this one replaces")
    one = command("decrypt", lambda given: print(decrypt(Path("."), given.source, given.target.expanduser())),
                  "what is in an encrypted file or folder, in the clear")
    one.add_argument("source", type=Path, metavar="OUT", help="e.g. reports/report.html")
    one.add_argument("target", type=Path, metavar="TARGET", help="a new file or folder, outside of the project")


def make_key(path: Path) -> str:
    """Write a new key; what to do with it, in words. Raises: UserError (inside the project; there already)."""
    if Path("params.yaml").exists() and path.absolute().is_relative_to(Path.cwd()):
        raise UserError(f"{path} is inside the project, where a key may get into git or to the remote. Name a file "
                        "elsewhere, such as ~/.config/trivium.key.")
    key = keys.made()
    keys.write(path, key)
    return (f"{path} holds the new key {key.id}. Keep a copy of it in a safe place: without it, nothing that is "
            f"encrypted can be read again.\n  export {keys.FILE}={path.absolute()}\n  trivium encrypt")


def encrypt(root: Path, before: Path | None) -> str:
    """Encrypt what is here, and let params.yaml ask for the key from now on; what was done, in words.

    before: the file of the key that this replaces. Where it was interrupted, the same call goes on.
    Raises: UserError (no key; another one than that of the files; DVC cannot read the project).
    """
    from trivium.cli import converted, edit
    from trivium.cli.measured import changed
    from trivium.cli.repair import mend
    from trivium.experiments.dvc import dvc

    known = settings.read(root)
    old = keys.read(before, "`--from`") if before else None
    key = keys.given(known.model_copy(update={"key_id": ""}) if old else known, root)
    if key is None:
        raise UserError(f"No key is given. `trivium key FILE` makes one; then set {keys.FILE} to that file, or name it "
                        "as `encryption.key_file` in params.yaml.")
    if old and known.key_id not in ("", old.id, key.id):
        raise UserError(f"{before} holds the key {old.id}, and this project is encrypted with {known.key_id}.")
    mend(root)
    if not (said := changed(root)):
        raise UserError("DVC cannot say what has changed here, and would take every file for changed that is encrypted "
                        "now. `dvc status` tells why: mend that first.")
    private = folder.made(folder.parent(known.folder))
    try:
        late = converted.stages(root, said, key, old, private)  # an interrupted call has left them
        ready = late | {stage for stage, changes in said.items() if not changes}
        converted.begin(root)
        count = convert.encrypt(root, key, private, old)
    finally:
        shutil.rmtree(private, ignore_errors=True)
    forgotten = _forget_runs(root) if count or late else []
    yaml, params = edit.load(root / "params.yaml")
    edit.put(params, "encryption.key_id", key.id)
    edit.save(root / "params.yaml", yaml, params)
    if (count or late) and ready and dvc(root, "commit", "--force", "--quiet", *sorted(ready)):
        raise UserError("The files are encrypted, and DVC could not take note of that: what it says stands above. "
                        "Mend it and give the same command again.")
    converted.end(root)
    done = f"{count} files are encrypted with the key {key.id}, which params.yaml asks for from now on."
    if not (count or late):
        return done
    other = sorted(said.keys() - ready)
    more = [f"More than the key has changed of {', '.join(other)}: `dvc repro` runs these stages."] if other else []
    stays = (UNDER.format(old.id) if old else CLEAR) + REMOVE
    return "\n".join([done, *more, stays, *forgotten])


def _forget_runs(root: Path) -> list[str]:
    """MLflow's local store holds models and pictures in the clear; it is a view, which `trivium sync` makes again."""
    found = [path for path in (root / "mlruns").glob("*") if path.name != "README.md"]
    for path in found:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return ["mlruns/ held models and rows in the clear, and is empty now: `trivium sync` writes the present runs, "
            "without them."] if found else []


def decrypt(root: Path, source: Path, target: Path) -> str:
    """Write what is in `source` to `target`, in the clear. Raises: UserError."""
    key = keys.given(settings.read(root), root)
    if key is None:
        raise UserError(f"No key is given. Set {keys.FILE} to the file that holds it.")
    there = target.absolute()
    if there.is_relative_to(root.absolute()):
        raise UserError(f"{target} is inside the project, where DVC or git may take it up. Name a place elsewhere.")
    count = convert.decrypt(source, target, key)
    return f"{target} holds {source} in the clear" + ("." if count == 1 else f", {count} files.")
