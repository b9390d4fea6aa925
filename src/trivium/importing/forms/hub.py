"""A data set of the Hugging Face hub: its Parquet files, fetched by huggingface_hub. None of its code is run."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from trivium.importing import cells, shards
from trivium.importing.asked import Asked, Rows
from trivium.settings.errors import UserError

WORDS = "a data set of the Hugging Face hub"
ID = re.compile(r"(?:hf://datasets/)?(?P<name>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*?)"
                r"(?:@(?P<revision>[\w./-]+?))?(?::(?P<part>[\w.-]+))?")
CONVERTED = "refs/convert/parquet"  # where the hub keeps what it made of other forms


def knows(asked: Asked) -> bool:
    if asked.source.startswith("hf://"):
        return True
    return bool(ID.fullmatch(asked.source)) and not asked.path.exists() and not asked.path.parent.is_dir()


def rows(asked: Asked) -> Rows:
    """Raises: UserError (no such data set, no answer, no Parquet files, several configurations)."""
    found = ID.fullmatch(asked.source)
    if not found:
        raise UserError(f"`{asked.source}` is no data set: write hf://datasets/OWNER/NAME, or OWNER/NAME.")
    name, revision = found["name"], found["revision"]
    commit, listed = _listed(name, revision)
    if not listed and not revision:
        commit, listed = _listed(name, CONVERTED, must=False)
    if not listed:
        raise UserError(f"{name} has no Parquet files on the hub, and its code is not run here. Load it with "
                        "`datasets`, save it with `save_to_disk`, and import that folder.")
    chosen = _part(name, listed, found["part"])
    home = _fetched(name, commit, chosen)
    asked.note(f"{name} at commit {commit[:12]}: {len(chosen):,} Parquet files. `{name}@{commit[:12]}` is always this "
               "one.")
    return cells.resolved(shards.rows([(file, home / file) for file in chosen]), home, replace(asked, foreign=True))


def _listed(name: str, revision: str | None, must: bool = True) -> tuple[str, list[str]]:
    """The commit, and its Parquet files."""
    from huggingface_hub import HfApi

    try:
        about: Any = HfApi().dataset_info(name, revision=revision)
    except Exception as error:  # of the hub, of what asks it, of the network
        if not must:
            return "", []
        raise _lost(name, error) from None
    files = sorted(one.rfilename for one in about.siblings or ())
    return str(about.sha), [file for file in files if file.endswith(".parquet")]


def _part(name: str, files: list[str], part: str | None) -> list[str]:
    """Those of one configuration: files lie in a folder for each, or in `data` or at the top where there is one."""
    found = defaultdict(list)
    for file in files:
        parts = PurePosixPath(file).parts
        found[parts[0] if len(parts) > 1 else ""].append(file)
    if part and part in found:
        return found[part]
    if part or len(found) > 1:
        known = ", ".join(sorted(one for one in found if one))
        raise UserError(f"{name} has " + (f"no configuration `{part}`" if part else "several configurations")
                        + f": name one of {known}, as in `{name}:{sorted(found)[-1]}`.")
    return files


def _fetched(name: str, commit: str, files: list[str]) -> Path:
    """The folder of the hub's own cache that they are in, which goes on where it was stopped."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, repo_type="dataset", revision=commit, allow_patterns=files))
    except Exception as error:
        raise _lost(name, error) from None


def _lost(name: str, error: Exception) -> UserError:
    from huggingface_hub import errors

    here = f"There is no file or folder `{name}` here"
    if isinstance(error, errors.GatedRepoError):
        return UserError(f"{name} is a data set that its owners show to those whom they know: ask on its page, then "
                         "log in with `hf auth login`.")
    if isinstance(error, (errors.RepositoryNotFoundError, errors.RevisionNotFoundError)):
        return UserError(f"{here}, and no data set of that name on the Hugging Face hub (or it is private: log in "
                         "with `hf auth login`).")
    if isinstance(error, errors.OfflineModeIsEnabled):
        return UserError(f"{here}, and HF_HUB_OFFLINE forbids to ask the Hugging Face hub for it: unset it, or check "
                         "the path.")
    return UserError(f"{here}, and the Hugging Face hub does not answer ({type(error).__name__}): try again when there "
                     "is a network, or check the path.")
