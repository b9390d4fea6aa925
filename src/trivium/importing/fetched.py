"""Files at http(s) addresses, fetched once and kept in `.cache/urls` under the digest of their content.

Several are fetched at a time. Each has a limit of bytes, of seconds without a byte, and a least rate in each minute, so
that a server which drips holds nothing up; one that breaks off goes on where it stopped, and what fails is tried again,
each time after a longer pause. An address that resolves to a private network is refused, after redirects too: a table
from elsewhere must not make this machine ask its neighbours.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import random
import re
import socket
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from trivium.importing.asked import Asked
from trivium.machine import files, progress
from trivium.machine.progress import Progress
from trivium.settings import told
from trivium.settings.errors import UserError

TIMEOUT = 30.0  # seconds without a byte
MOST = 4 << 30  # bytes of one file that somebody names; of one in a cell, see `Fetched`
SLOWEST, GRACE = 1000, 60.0  # bytes a second that come at least, in each of so many seconds
TRIES = 4
PAUSE = 0.5  # seconds before the second try; twice as long before each further one
REDIRECTS = 5
THREADS = 16
BLOCK = 1 << 16
SEVERAL = re.compile(r"[;|,\s]\s*(?=https?://)", re.IGNORECASE)


class Refused(Exception):
    """Why an address cannot be fetched; another try is of no use."""


class Fetched:
    """The files of many addresses. count: addresses asked for so far;  spared: those that a look does not ask for."""

    most = 256 << 20  # bytes of one file

    def __init__(self, asked: Asked) -> None:
        self.asked, self.count, self.spared, self.bad = asked, 0, 0, list[tuple[str, str]]()
        self._bar: Progress | None = None

    def all(self, addresses: Sequence[str]) -> dict[str, Path | str]:
        """Address -> its file, or why it cannot be fetched."""
        if not addresses:
            return {}
        self._bar = self._bar or Progress("fetching", float("inf"), "file")
        found: dict[str, Path | str] = {}
        with ThreadPoolExecutor(THREADS) as threads:
            under_way = [threads.submit(self._one, address) for address in addresses]
            left = set(under_way)
            while left:
                done, left = wait(left, progress.EVERY, FIRST_COMPLETED)
                self._bar.add(len(done), "" if done else f"waiting for {min(len(left), THREADS)} that are slow")
        for address, one in zip(addresses, under_way, strict=True):
            found[address] = got = one.result()
            if isinstance(got, str):
                self.bad.append((address, got))
        self.count += len(addresses)
        return found

    def _one(self, address: str) -> Path | str:
        try:
            return fetch(address, self.asked.cache, self.asked.private, self.most)
        except Refused as error:
            return str(error)

    def close(self) -> None:
        """Say what is missing. Raises: UserError (all of it)."""
        if self._bar:
            self._bar.close()
        if self.spared:
            self.asked.note(f"for this look, {self.count:,} of {self.count + self.spared:,} addresses were asked.")
        if not self.bad:
            return
        address, why = self.bad[0]
        words = f"the first is {address} ({why})"
        if len(self.bad) == self.count:
            raise UserError(f"None of the {self.count:,} addresses in {self.asked.source} could be fetched: {words}.")
        self.asked.note(f"{len(self.bad):,} of {self.count:,} addresses could not be fetched: {words}. Their cells "
                        "keep the address, and their rows go to quarantine. Import again to try them again.")


def source(address: str, asked: Asked) -> Path:
    """The file at the address that somebody names. Raises: UserError."""
    try:
        with Progress("fetching", float("inf"), "B") as bar:
            return fetch(address, asked.cache, asked.private, MOST, bar)
    except Refused as error:
        raise UserError(f"{address} cannot be fetched: {error}.") from None


def fetch(address: str, cache: Path, private: bool, most: int, bar: Progress | None = None) -> Path:
    """The kept file of an address, which is asked for where there is none. Raises: Refused (why there is none)."""
    known = cache / "addresses" / f"{hashlib.blake2b(address.encode(), digest_size=16).hexdigest()}.json"
    digest = str(files.read_json_or(known, {}).get("digest", ""))
    if digest and (kept := cache / digest).exists():
        return kept
    cache.mkdir(parents=True, exist_ok=True)
    part = cache / f"{known.stem}.part"
    for again in range(TRIES):
        try:
            _get(address, part, private, most, bar)
            break
        except OSError as error:  # those of requests are, too
            why = _said(error)
        if again + 1 == TRIES:
            raise Refused(why)
        time.sleep(PAUSE * 2**again * (1 + random.random() / 4))
    with part.open("rb") as content:
        digest = hashlib.file_digest(content, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    part.replace(cache / digest)
    part.with_suffix(".tag").unlink(missing_ok=True)
    files.write(known, json.dumps({"address": told.masked(address), "digest": digest}))
    return cache / digest


def _get(address: str, part: Path, private: bool, most: int, bar: Progress | None) -> None:
    """Write the content into `part`, going on where an earlier try broke off if the server has the same file still.

    Raises: OSError (another try may help), Refused.
    """
    tag = part.with_suffix(".tag")
    begun = part.stat().st_size if part.exists() and tag.exists() else 0
    headers = {"Accept-Encoding": "identity"}
    if begun:
        headers |= {"Range": f"bytes={begun}-", "If-Range": tag.read_text()}
    with _answer(address, headers, private) as answer:
        if answer.status_code == 416:  # what is there is no beginning of it
            part.unlink(missing_ok=True)
            raise OSError("the server has another file now")
        if answer.status_code >= 500 or answer.status_code in (408, 429):
            raise OSError(f"the server answers {answer.status_code}")
        if answer.status_code not in (200, 206):
            raise Refused(f"the server answers {answer.status_code}")
        begun = begun if answer.status_code == 206 else 0
        length = answer.headers.get("Content-Length", "")
        size = begun + int(length) if length.isdigit() else None
        if size is not None and size > most:
            raise Refused(f"it holds {size:,} bytes, and {most:,} are fetched at most")
        if marked := answer.headers.get("ETag") or answer.headers.get("Last-Modified"):
            tag.write_text(marked)
        answer.raw.enforce_content_length = False  # else what came before it broke off is lost
        with part.open("ab" if begun else "wb") as file:
            for block in _blocks(answer):
                if file.tell() + len(block) > most:
                    raise Refused(f"it holds more than {most:,} bytes, which are fetched at most")
                file.write(block)
                if bar:
                    bar.add(len(block))
        if size is not None and part.stat().st_size != size:
            raise OSError(f"the server sent {part.stat().st_size:,} of {size:,} bytes")


def _blocks(answer: Any) -> Iterator[bytes]:
    """What has come, as it comes: a whole block is not waited for. Raises: OSError, Refused (it is too slow)."""
    from urllib3.exceptions import HTTPError, ReadTimeoutError

    since, count = time.monotonic(), 0
    try:
        while block := answer.raw.read1(BLOCK, decode_content=True):
            count += len(block)
            if (seconds := time.monotonic() - since) > GRACE:
                if count < SLOWEST * seconds:
                    raise Refused(f"the server sends too slowly: less than {SLOWEST:,} bytes a second for a minute")
                since, count = time.monotonic(), 0
            yield block
    except ReadTimeoutError:
        raise OSError(f"the server sent nothing for {TIMEOUT:g} s") from None
    except HTTPError:
        raise OSError("the server broke off") from None


def _answer(address: str, headers: dict[str, str], private: bool) -> Any:
    import requests

    for _ in range(REDIRECTS + 1):
        _allow(address, private)
        answer = requests.get(address, headers=headers, stream=True, timeout=TIMEOUT, allow_redirects=False)
        if not answer.is_redirect:
            return answer
        answer.close()
        address = urljoin(address, answer.headers["Location"])
    raise Refused(f"it leads on more than {REDIRECTS} times")


def _allow(address: str, private: bool) -> None:
    """Raises: Refused (no http address, or one of a private network)."""
    if len(found := SEVERAL.split(address)) > 1:
        raise Refused(f"these look like {len(found)} addresses, and a cell has room for one")
    parts = urlsplit(address)
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        raise Refused(f"`{urlunsplit(parts)[:200]}` is no http or https address")
    if private:
        return
    try:
        hosts = {str(found[4][0]) for found in socket.getaddrinfo(parts.hostname, None)}
    except (OSError, UnicodeError):  # a proxy may know it; else the request says what is wrong
        return
    if any(not ipaddress.ip_address(host.partition("%")[0]).is_global for host in hosts):
        raise Refused(f"{parts.hostname} is in a private network, which is asked with --private-addresses only")


def _said(error: Exception) -> str:
    import requests

    if isinstance(error, requests.exceptions.Timeout):
        return f"the server sent nothing for {TIMEOUT:g} s"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the server broke off"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "the server does not answer, or broke off"
    return " ".join(str(error).split())[:200] or type(error).__name__
