"""Files at an address (`s3://`, `gs://`, `https://`, `memory://`, ...), read by fsspec.

Who asks for them, and where the server is, says fsspec's own configuration (environment, `~/.config/fsspec`, `~/.aws`):
no key stands in params.yaml. A row is to blame for an address without a file, and for one that the server does not give
in time. A server or a bucket that is not there is nobody's row: one error, at the first of them.
"""

from __future__ import annotations

import functools
import os
import re
import time
from collections.abc import Callable
from typing import Any

from trivium.modalities.media import place
from trivium.settings.errors import UserError

TIMEOUT = 60.0  # seconds for one read
PAUSES = (1.0,)  # seconds before a read that failed is tried again
WEB = ("http", "https")
HERE = ("local", "dir", "data", "git", "generic", "reference", "libarchive", "filecache", "blockcache", "simplecache",
        "cached", "asyncwrapper")  # of fsspec, which would read this disk past the checks of paths
NOBODY = "No row is to blame: mend that, and run again."
FINAL = {"TooManyRedirects": "the server leads on and on, from one address to the next",
         **dict.fromkeys(("NonHttpUrlRedirectClientError", "InvalidUrlRedirectClientError", "NonHttpUrlClientError"),
                         "the server leads on to what is no http or https address")}  # by aiohttp's names of errors
BROKE = ("ClientPayloadError", "ServerDisconnectedError")
ASIDE = " `trivium import TABLE` fetches addresses once, and sets aside the rows whose files it cannot have."


def whole(address: str) -> bytes:
    """The content. Raises: ValueError (why there is none), UserError (nothing there can be read)."""
    return _asked(address, lambda system, path, limit: system.cat_file(path, **limit))


def exists(address: str) -> bool:
    """Raises: UserError."""
    try:
        return bool(_asked(address, lambda system, path, limit: system.info(path, **limit)))
    except ValueError:
        return False


class Far:
    """A file that is read piece by piece, see `archive.File`."""

    piece = 1 << 22  # a request takes as long as some megabytes

    def __init__(self, address: str) -> None:
        self.address = address
        about = _asked(address, lambda system, path, limit: system.info(path, **limit))
        self.size = int(about.get("size") or 0)
        self.state = f"{address} {sorted((key, str(value)) for key, value in about.items())}"

    def read(self, offset: int, count: int) -> bytes:
        until = min(offset + count, self.size)
        if until <= offset:
            return b""
        found: bytes = _asked(self.address, lambda system, path, limit: system.cat_file(path, start=offset, end=until,
                                                                                       **limit))
        if len(found) > until - offset:
            raise ValueError("its server sends files whole, and not the part that is asked for")
        return found


def _asked(address: str, call: Callable[[Any, str, dict[str, float]], Any]) -> Any:
    system, path = _system(address)
    limit = {"timeout": TIMEOUT} if getattr(system, "async_impl", False) else {}
    for pause in (*PAUSES, None):
        try:
            return call(system, path, limit)
        except TimeoutError:
            why, asked = f"the server did not give it within {TIMEOUT:g} s", _lost
            break
        except Exception as error:  # every server has its own
            if why := _definite(error):
                asked = functools.partial(_lost_before, os.getpid())
                break
            why, asked = _broken(error), _lost
            time.sleep(pause or 0)
    home = _home(address)
    if home != address and (lost := asked(home)):
        raise UserError(f"{home} cannot be read: {lost}. {NOBODY}{ASIDE if place.scheme(home) in WEB else ''}")
    raise ValueError(why)


def _definite(error: Exception) -> str:
    """Why another try is of no use; "" where it may be."""
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, PermissionError):
        return "the server does not let us read it"
    if isinstance(error, IsADirectoryError):
        return "this is a folder, not a file"
    if why := FINAL.get(type(error).__name__, ""):
        return why
    status = getattr(error, "status", 0) if not _no_http(error) else 0
    return f"the server answers {status}" if isinstance(status, int) and 400 <= status < 500 else ""


@functools.lru_cache(100)
def _lost_before(process: int, home: str) -> str:
    """As `_lost`, asked once in a process: a million files may be missing."""
    return _lost(home)


def _lost(home: str) -> str:
    """Why nothing can be read at `home`, a bucket or a server; "" where it answers, whatever it says."""
    system, path = _system(home)
    limit = {"timeout": TIMEOUT} if getattr(system, "async_impl", False) else {}
    try:
        if place.scheme(home) in WEB:
            system.cat_file(path, **limit)
        else:
            system.info(path, **limit)  # `exists` of s3fs says no where nobody answers
    except FileNotFoundError:
        return "" if place.scheme(home) in WEB else "there is no such bucket or folder"
    except TimeoutError:
        return f"the server did not answer within {TIMEOUT:g} s"
    except Exception as error:
        return "" if _definite(error) or hasattr(error, "status") else _said(error)  # what has one is an answer
    return ""


def _broken(error: Exception) -> str:
    """Of a server that answers, and of which another try may get the file."""
    if type(error).__name__ in BROKE or _no_http(error):
        return "the server broke off, or sent other than it said"
    if isinstance(status := getattr(error, "status", 0), int) and status >= 500:
        return f"the server answers {status}"
    return f"the server answers, and did not give it ({_said(error)})"


def _no_http(error: Exception) -> bool:
    """Whether what the server sent is no answer; aiohttp gives such errors a status of its own."""
    return type(error.__cause__).__module__ == "aiohttp.http_exceptions"


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _home(address: str) -> str:
    """`s3://bucket` of `s3://bucket/a/b.png`."""
    start, mark, rest = address.partition("://")
    return f"{start}{mark}{'/' if rest.startswith('/') else ''}{rest.lstrip('/').partition('/')[0]}"


def _system(address: str) -> tuple[Any, str]:
    """fsspec's file system, of this process and thread, and the path in it. Raises: UserError (a package is missing),
    ValueError (no such address).
    """
    try:
        import fsspec
    except ImportError:
        raise UserError(f"`{address}` is an address, and the package that reads these is missing: `pip install "
                        "fsspec`.") from None
    kind = place.scheme(address)
    if kind in HERE:  # a path says it, and is judged as one
        raise ValueError(f"nothing here can read addresses that begin with {kind}://")
    try:
        found = fsspec.get_filesystem_class(kind)
    except ImportError as error:
        named = re.search(r"install `?([a-z][\w.-]*\w)", str(error), re.IGNORECASE)
        how = f"`.venv/bin/pip install {named[1]}`" if named else str(error).rstrip(".")
        raise UserError(f"Files at {kind}:// need a package that is not installed here: {how}.") from None
    except ValueError:
        raise ValueError(f"nothing here can read addresses that begin with {kind}://") from None
    try:
        return fsspec.filesystem(kind, **found._get_kwargs_from_urls(address)), str(found._strip_protocol(address))
    except (TypeError, ValueError, KeyError) as error:
        raise ValueError(f"this address cannot be understood: {_said(error)}") from None
    except Exception as error:  # some connect at once
        raise UserError(f"{_home(address)} cannot be read: {_said(error)}. {NOBODY}") from None
