"""A file in its encrypted form. The same content under the same name with the same key gives the same bytes.

    header   8 bytes  b"TRIVENC1", the version
             8        id of the key
             32       tag: HMAC-SHA256 of name and content
             2        length of the name;  then the name: the path in the project, UTF-8
    chunks   1 MiB of content each, the last one shorter or empty, encrypted with AES-256-GCM, 16 bytes longer

Each file has a key of its own, derived from the project's key and the tag, so that no pair of key and nonce serves two
contents (the idea of SIV). A nonce is the number of the chunk and whether it is the last one; the header goes into
every chunk. So a bit that flips, a chunk that moves, a part that is cut off and a file under another name are found.
Memory stays flat however large a file is.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from trivium.machine.vault.keys import Key
from trivium.settings.errors import UserError

MAGIC = b"TRIVENC1"
CHUNK, EXTRA = 1 << 20, 16  # bytes of content; bytes that AES-GCM adds
FIXED = len(MAGIC) + 8 + 32 + 2


class Unreadable(UserError):
    """A sealed file that is damaged, or of another key."""


@dataclass(frozen=True)
class Header:
    key_id: str
    tag: bytes
    name: str

    def packed(self) -> bytes:
        name = _bytes(self.name)
        return MAGIC + bytes.fromhex(self.key_id) + self.tag + len(name).to_bytes(2, "big") + name


def is_sealed(path: Path) -> bool:
    """Whether the file begins as sealed ones do; False where there is none."""
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def seal(source: Path, target: Path, key: Key, name: str) -> None:
    """Write `target`, the sealed form of `source`. name: its path in the project.

    Raises: OSError; RuntimeError where `source` changes meanwhile: two contents under one tag would share a key.
    """
    try:
        with source.open("rb") as file, target.open("wb") as out:
            for piece in _form(file, source, key, name):
                out.write(piece)
    except RuntimeError:
        target.unlink()
        raise


def is_form(path: Path, source: Path, key: Key, name: str) -> bool:
    """Whether the file at `path` has the bytes that `seal` would write. Raises: as `seal`."""
    with source.open("rb") as file, path.open("rb") as there:
        return all(there.read(len(piece)) == piece for piece in _form(file, source, key, name)) and not there.read(1)


def _form(file: IO[bytes], source: Path, key: Key, name: str) -> Iterator[bytes]:
    """The sealed form of `file`, piece by piece."""
    header = Header(key.id, _tag(key, name, _content(file)), name)
    cipher, packed, check = _cipher(key, header), header.packed(), _begun(key, name)
    file.seek(0)
    yield packed
    for number, (chunk, last) in enumerate(_with_last(file, CHUNK)):
        check.update(chunk)
        yield cipher.encrypt(_nonce(number, last), chunk, packed)
    if check.digest() != header.tag:
        raise RuntimeError(f"{source} changed while it was encrypted")


def unseal(source: Path, target: Path, key: Key, name: str | None = None) -> str:
    """Write `target`, the content of `source`; returns its name. name: that it must have; None: any.

    Raises: OSError; Unreadable (not sealed, another key, damaged, cut off, or another file's content): nothing is left.
    """
    with source.open("rb") as file:
        header = read_header(file, source)
        if header.key_id != key.id:
            raise Unreadable(f"{source} is encrypted with the key {header.key_id}, and the key that is given is "
                             f"{key.id}. Set TRIVIUM_KEY_FILE to the file of the first.")
        if name is not None and header.name != name:
            raise Unreadable(f"{source} holds what belongs to {header.name}: files were swapped. {_again(name)}")
        cipher, packed = _cipher(key, header), header.packed()
        try:
            with target.open("wb") as out:
                for number, (chunk, last) in enumerate(_with_last(file, CHUNK + EXTRA)):
                    out.write(_open(cipher, _nonce(number, last), chunk, packed, source))
        except BaseException:
            target.unlink(missing_ok=True)
            raise
    return header.name


def read_header(file: IO[bytes], path: Path) -> Header:
    """Raises: Unreadable."""
    fixed = file.read(FIXED)
    if fixed[: len(MAGIC)] != MAGIC:
        raise Unreadable(f"{path} is not encrypted, and this project is: `trivium encrypt` encrypts what is here.")
    size = int.from_bytes(fixed[-2:], "big")
    name = file.read(size)
    if len(fixed) < FIXED or len(name) < size:
        raise Unreadable(_damaged(path))
    return Header(fixed[8:16].hex(), fixed[16:48], name.decode("utf-8", "surrogateescape"))


def _open(cipher: Any, nonce: bytes, chunk: bytes, packed: bytes, path: Path) -> bytes:
    from cryptography.exceptions import InvalidTag

    try:
        content: bytes = cipher.decrypt(nonce, chunk, packed)
    except (InvalidTag, ValueError):  # ValueError: shorter than a tag
        raise Unreadable(_damaged(path)) from None
    return content


def _damaged(path: Path) -> str:
    return f"{path} is damaged: it was changed or cut off after it was encrypted. {_again(path)}"


def _again(path: Path | str) -> str:
    return "Remove it; `dvc checkout` brings it back from the cache, `dvc pull` from the remote."


def _cipher(key: Key, header: Header) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key.derive(b"file", header.tag))


def _begun(key: Key, name: str) -> hmac.HMAC:
    packed = _bytes(name)
    return hmac.new(key.derive(b"tag"), len(packed).to_bytes(2, "big") + packed, hashlib.sha256)


def _tag(key: Key, name: str, content: Iterator[bytes]) -> bytes:
    found = _begun(key, name)
    for chunk in content:
        found.update(chunk)
    return found.digest()


def _content(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _with_last(file: IO[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """Chunks of `size` bytes, and whether each is the last one; an empty file has one."""
    chunk = file.read(size)
    while True:
        following = file.read(size)
        yield chunk, not following
        if not following:
            return
        chunk = following


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")  # a name of Linux need not be text
