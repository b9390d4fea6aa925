"""Where the key is, and where files lie in the clear while somebody works on them (`encryption` in params.yaml)."""

from __future__ import annotations

from pathlib import Path

from trivium.settings.base import Section
from trivium.settings.parts import typed


class Encryption(Section):
    """key_file: with the key that `trivium key` made; TRIVIUM_KEY and TRIVIUM_KEY_FILE come before it.
    key_id: of the key that this project is encrypted with; a stage without that key stops. "": none is asked for.
    folder: where files lie in the clear while a stage runs; "": in memory (/dev/shm), or else among temporary files.
    """

    key_file: str = ""
    key_id: str = ""
    folder: str = ""


def read(root: Path) -> Encryption:
    """Those of params.yaml below `root`, of which nothing else is looked at. Raises: UserError."""
    from ruamel.yaml import YAML, YAMLError

    try:
        found = YAML(typ="safe").load((root / "params.yaml").read_text(encoding="utf-8"))
    except (OSError, YAMLError):  # what is wrong with it, says who reads all of it
        return Encryption()
    given = found.get("encryption") if isinstance(found, dict) else None
    return typed(Encryption, given if isinstance(given, dict) else {}, "encryption")
