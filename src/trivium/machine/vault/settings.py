"""Where the key is, and where files lie in the clear while somebody works on them (`encryption` in params.yaml)."""

from __future__ import annotations

from trivium.settings.base import Section


class Encryption(Section):
    """key_file: with the key that `trivium key` made; TRIVIUM_KEY and TRIVIUM_KEY_FILE come before it.
    key_id: of the key that this project is encrypted with; a stage without that key stops. "": none is asked for.
    folder: where files lie in the clear while a stage runs; "": in memory (/dev/shm), or else among temporary files.
    """

    key_file: str = ""
    key_id: str = ""
    folder: str = ""
