"""What an MLflow server answers when something is wrong, in words that say what to do about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trivium.settings.errors import UserError

if TYPE_CHECKING:
    from requests import Response

NEEDED = 3  # the first MLflow that keeps models beside runs
ASKING = 10  # seconds for the first question
PASSWORD = re.compile(r"//[^/\s]*@")  # that stands in an address
STATUS = re.compile(r"too many (\d{3}) error|error code (\d{3})|(\d{3}) (?:Client|Server) Error")
FULL = r"No space left|ENOSPC|disk is full|disk full|could not extend file|Disk quota exceeded"
REFUSED = ("it refuses you. Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, to "
           "those of somebody who may write there.")
FULL_DISK = "its disk is full. Free some space there."
SAID = (  # what the client's error has in it -> what that means
    (FULL, FULL_DISK),
    (r"CERTIFICATE_VERIFY_FAILED|certificate verify failed",
     "its certificate is not trusted here. Name the file of who signed it in MLFLOW_TRACKING_SERVER_CERT_PATH."),
    (r"WRONG_VERSION_NUMBER|record layer failure|packet length too long|HTTP_REQUEST|SSLError|SSL:",
     "it does not speak TLS there. Is its address http://, not https://?"),
    (r"plain HTTP request was sent to|BadStatusLine|Client sent an HTTP request to an HTTPS",
     "it does not speak plain HTTP there. Is its address https://, not http://?"),
    (r"Failed to resolve|NameResolutionError|Name or service not known|name resolution|nodename nor servname",
     "it does not answer: there is no machine of that name. Look for a typing error in MLFLOW_TRACKING_URI."),
    (r"Connection refused|NewConnectionError|No route to host|unreachable",
     "it does not answer. Does it run, and is the port right?"),
    (r"[Tt]imed out|timeout exception",
     "it does not answer in time. If it is only slow, raise MLFLOW_HTTP_REQUEST_TIMEOUT (seconds)."),
    (r"Invalid Host header",
     "it refuses the name in its address. Start it with --allowed-hosts and that name."),
)
STATUSES = {
    401: REFUSED, 403: REFUSED,
    404: "it does not know what is asked of it. Is the address that of an MLflow server, with all of its path?",
    408: "it does not answer in time.",
    413: "it takes no file of this size. The proxy before it has a limit, which must be raised.",
    429: "it is asked too often. Try again later.",
    502: "the proxy before it does not reach it.",
    503: "it is busy, or has just been started.",
    504: "the proxy before it waits in vain for it.",
    507: FULL_DISK,
}
BROKEN = r"Connection aborted|RemoteDisconnected|Connection reset|Broken pipe|IncompleteRead|ChunkedEncoding"


def shown(words: str) -> str:
    """`words` without the password that may stand in an address."""
    return PASSWORD.sub("//", words)


def why(error: Exception) -> str:
    """One or two sentences about what went wrong, whose subject is the server."""
    words = str(error).strip() or type(error).__name__
    for pattern, said in SAID:
        if re.search(pattern, words):
            return said
    status = _status(error, words)
    if status in STATUSES and (status != 404 or STATUS.search(words)):  # else it is one thing that is not there
        return STATUSES[status]
    if re.search(BROKEN, words):
        return "it broke off in the middle."
    if status == 500 and "mlflow-artifacts" in words:  # MLflow does not say why, and this is the usual reason
        return "it could not store a file (500). Is its disk full? Its own log says why."
    if status == 500 or "too many" in words:
        return "it failed (500). Its own log says why."
    return f"it answered with an error ({shown(words.splitlines()[0])[:300]})."


def _status(error: Exception, words: str) -> int | None:
    """Of HTTP. MLflow calls each failed connection a 500, so that only what the server said itself is asked."""
    if found := STATUS.search(words):
        return int(next(filter(None, found.groups())))
    from mlflow.exceptions import RestException

    return error.get_http_status_code() if isinstance(error, RestException) else None


def version(where: str) -> str | None:
    """That of the server at `where`; None where it keeps that to itself.

    The first question to a server, so that one that is not there is known after seconds. Raises: UserError (there is
    none, it refuses, it is something else, it is too old); what `requests` and MLflow raise.
    """
    from mlflow.utils.credentials import get_default_host_creds
    from mlflow.utils.rest_utils import http_request

    answer: Response = http_request(get_default_host_creds(where), "/version", "GET", timeout=ASKING, max_retries=1,
                                    raise_on_status=False)
    status, words = answer.status_code, answer.text.strip()
    if status in (404, 405):  # a proxy that lets only the programming interface through
        return None
    if "Invalid Host header" in words or status >= 400:
        raise UserError(why(RuntimeError(words if "Invalid Host" in words else f"error code {status}")))
    found = re.fullmatch(r"v?(\d+)\.\d+\S*", words)
    if found is None:
        raise UserError("what answers there is no MLflow server.")
    if int(found[1]) < NEEDED:
        raise UserError(f"it is MLflow {words}, which is too old. It has to be MLflow {NEEDED} or newer.")
    return words
