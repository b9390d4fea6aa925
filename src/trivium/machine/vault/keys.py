"""The key of an encrypted project: 32 random bytes, one line of text in a file or in the environment."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from trivium.machine import files
from trivium.machine.vault.settings import Encryption
from trivium.settings.errors import UserError

VARIABLE, FILE = "TRIVIUM_KEY", "TRIVIUM_KEY_FILE"
MARK = "trivium-key-1:"  # how the line begins
LENGTH = 32  # bytes


@dataclass(frozen=True, repr=False)
class Key:
    """Never printed. Everything is derived from it (HKDF of RFC 5869 with SHA-256), for one purpose each."""

    secret: bytes

    def derive(self, purpose: bytes, salt: bytes = b"") -> bytes:
        """32 bytes."""
        fresh = hmac.digest(salt or bytes(32), self.secret, hashlib.sha256)
        return hmac.digest(fresh, b"trivium 1 " + purpose + b"\x01", hashlib.sha256)

    @cached_property
    def id(self) -> str:
        """16 hexadecimal digits that tell keys apart, and nothing of the key."""
        return self.derive(b"id")[:8].hex()

    def text(self) -> str:
        """The line that stands in a file."""
        return MARK + base64.urlsafe_b64encode(self.secret).decode()

    def __repr__(self) -> str:
        return f"Key({self.id})"


def made() -> Key:
    return Key(secrets.token_bytes(LENGTH))


def parse(text: str, where: str) -> Key:
    """Raises: UserError (it is no key; the text is not told)."""
    line = text.strip()
    try:
        secret = base64.b64decode(line.removeprefix(MARK), b"-_", validate=True) if line.startswith(MARK) else b""
    except ValueError:
        secret = b""
    if len(secret) != LENGTH:
        raise UserError(f"{where} holds no key of Trivium, which is one line that begins with `{MARK}`. "
                        "`trivium key FILE` makes one.")
    return Key(secret)


def read(path: Path, named: str) -> Key:
    """Raises: UserError (there is no such file, or no key in it). named: by what."""
    try:
        if what := files.special(path.expanduser()):
            raise UserError(f"The key file {path}, which {named} names, is {what}. Put the key into a file, or into "
                            f"{VARIABLE}.")
        return parse(path.expanduser().read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise UserError(f"The key file {path}, which {named} names, cannot be read: {why}.") from None


def write(path: Path, key: Key) -> None:
    """A new file that only its owner reads. Raises: UserError (there is one already, or it cannot be written)."""
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UserError(f"{path} is there already, and a key that is lost cannot be made again. Choose another name."
                        ) from None
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.") from None
    with os.fdopen(number, "w", encoding="utf-8") as file:
        file.write(key.text() + "\n")
        file.flush()
        os.fsync(file.fileno())


def given(settings: Encryption, root: Path) -> Key | None:
    """The key of the environment, else that of `settings`; None where there is none and none is asked for.

    root: of the project, from which a relative `key_file` is seen. Raises: UserError (a key that is no key; none where
    the project is encrypted; another one than the project's).
    """
    if text := os.environ.get(VARIABLE, "").strip():
        found: Key | None = parse(text, f"The variable {VARIABLE}")
    elif name := os.environ.get(FILE, "").strip():
        found = read(Path(name), f"the variable {FILE}")
    elif settings.key_file:
        found = read(root / Path(settings.key_file).expanduser(), "`encryption.key_file` in params.yaml")
    else:
        found = None
    if settings.key_id and found is None:
        raise UserError(f"This project is encrypted with the key {settings.key_id} (`encryption.key_id` in "
                        f"params.yaml), and no key is given. Set {FILE} to the file that holds it.")
    if settings.key_id and found and found.id != settings.key_id:
        raise UserError(f"This project is encrypted with the key {settings.key_id} (`encryption.key_id` in "
                        f"params.yaml), and the key that is given is {found.id}. Set {FILE} to the file of the first.")
    return found
