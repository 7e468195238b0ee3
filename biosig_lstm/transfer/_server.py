"""One folder on a web server: requests for its files, and what the answers mean."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import PurePosixPath
from urllib.parse import quote, urlsplit

import requests
import urllib3

from biosig_lstm import __version__
from biosig_lstm.errors import DownloadError, ParameterError

__all__ = ["BrokenError", "RefusedError", "Server", "TransferSettings"]

_CHUNK_BYTES = 1 << 16
_SIZE_TIMEOUT_S = 5.0
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_TITLE = re.compile(rb"<title[^>]*>\s*(.*?)\s*</title>", re.IGNORECASE | re.DOTALL)
_PAGE_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html)", re.IGNORECASE | re.DOTALL)
_ACCESS = (
    "credentialed or restricted access? sign the data use agreement on the database's page, then put the user name and "
    "password of the site into ~/.netrc ('machine {host} login NAME password WORD')"
)


class RefusedError(DownloadError):
    """The server has answered, and asking again would not help."""


class BrokenError(DownloadError):
    """The connection broke, stalled, or the server is busy: asking again may help.

    Parameters
    ----------
    reason : str
        What happened.
    wait_s : float or None [unit=s]
        How long the server asks to be left alone; None where it does not say.
    """

    def __init__(self, reason: str, *, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


@dataclass(frozen=True)
class TransferSettings:
    """How a server is asked, and how patiently.

    Parameters
    ----------
    connections : int [1 to 32]
        Files that are fetched at the same time.
    timeout_s : float [> 0, unit=s]
        How long the server may say nothing before the connection counts as stalled.
    attempts : int [>= 1]
        Attempts at one file in a row that bring no byte beyond those held.
    refetches : int [>= 0]
        How often a file whose bytes are wrong is fetched anew.
    first_wait_s, longest_wait_s : float [>= 0, unit=s]
        Wait before the second attempt, doubled for each further one; and what no wait exceeds, whatever the
        server asks for.

    Raises
    ------
    ParameterError
        When one is out of its range.
    """

    connections: int = 4
    timeout_s: float = 30.0
    attempts: int = 5
    refetches: int = 2
    first_wait_s: float = 0.5
    longest_wait_s: float = 60.0

    def __post_init__(self) -> None:
        if not 1 <= self.connections <= 32:
            raise ParameterError(f"connections must be from 1 to 32, got {self.connections}")
        if self.attempts < 1 or self.refetches < 0:
            raise ParameterError(f"attempts >= 1 and refetches >= 0 are allowed: {self.attempts}, {self.refetches}")
        if not self.timeout_s > 0 or self.first_wait_s < 0 or self.longest_wait_s < 0:
            raise ParameterError(f"a timeout must be positive, a wait not negative: {self}")


class Server:
    """The folder of a database on a web server.

    Parameters
    ----------
    address : str
        ``http://`` or ``https://`` address of the folder.
    settings : TransferSettings

    Raises
    ------
    ParameterError
        When the address is of another kind.

    Notes
    -----
    Proxies come from the environment, and names and passwords from ``~/.netrc``, as `requests` reads them. A
    server on this machine is never asked through a proxy.
    """

    def __init__(self, address: str, settings: TransferSettings | None = None) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ParameterError(f"the address of a folder begins with http:// or https:// and a host, got {address!r}")
        self.address = parts._replace(query="", fragment="").geturl().rstrip("/") + "/"
        self.host = parts.hostname
        self.settings = settings or TransferSettings()
        self._threads = threading.local()
        self._sessions: list[requests.Session] = []

    def __repr__(self) -> str:
        return f"Server({self.address!r})"

    @cached_property
    def parent(self) -> Server | None:
        """The folder above, None where this is the server's root."""
        above, _, last = self.address.rstrip("/").rpartition("/")
        return Server(above, self.settings) if urlsplit(self.address).path.strip("/") and last else None

    def get(self, name: str, **headers: str) -> requests.Response:
        """Return the answer to a request for a file, its body not yet read.

        Parameters
        ----------
        name : str
            Path of the file in the folder.
        **headers : str
            Headers of the request, ``_`` for ``-``.

        Raises
        ------
        RefusedError
            When there is no such file, access is denied, or a web page came in its stead.
        BrokenError
            When the connection fails or the server is busy.
        """
        response = self._ask("GET", name, {key.replace("_", "-"): value for key, value in headers.items()})
        try:
            self._check(name, response)
        except DownloadError:
            response.close()
            raise
        return response

    def size(self, name: str) -> int | None:
        """Return the bytes of a file by a HEAD request, None where the server does not say, or not soon."""
        try:
            with self._ask("HEAD", name, {}, timeout_s=min(self.settings.timeout_s, _SIZE_TIMEOUT_S)) as response:
                response.raw.drain_conn()  # the connection can be used again
                told = response.status_code == 200 and not _is_page(name, response)
                return _natural(response.headers.get("Content-Length")) if told else None
        except BrokenError:
            return None

    def read(self, response: requests.Response, name: str) -> Iterator[bytes]:
        """Yield the body of an answer as it comes.

        Raises
        ------
        BrokenError
            When the connection breaks or stalls before the end.
        RefusedError
            When the body is a web page and the file is none.
        """
        first = True
        try:
            while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=False):
                if first and response.status_code == 200 and not _named_page(name) and _PAGE_START.match(chunk):
                    raise RefusedError(self._page(response, chunk))
                first = False
                yield chunk
        except (urllib3.exceptions.HTTPError, OSError) as error:
            if isinstance(error, DownloadError):
                raise
            raise BrokenError(_reason(error, self.settings.timeout_s)) from error

    def close(self) -> None:
        """Close the connections that are idle."""
        while self._sessions:
            self._sessions.pop().close()

    def _ask(self, method: str, name: str, headers: dict[str, str], timeout_s: float = 0.0) -> requests.Response:
        timeout = timeout_s or self.settings.timeout_s
        address = self.address + quote(name)
        try:
            return self._session.request(
                method, address, headers=headers, stream=True, timeout=(timeout, timeout), allow_redirects=True
            )
        except requests.RequestException as error:
            raise BrokenError(_reason(error, timeout)) from error

    @property
    def _session(self) -> requests.Session:
        """One session, and so one open connection, for each thread."""
        if not hasattr(self._threads, "session"):
            session = requests.Session()
            session.trust_env = self.host not in _LOOPBACK
            session.headers.update({"User-Agent": f"biosig_lstm/{__version__}", "Accept-Encoding": "identity"})
            self._threads.session = session
            self._sessions.append(session)
        session_of_thread: requests.Session = self._threads.session
        return session_of_thread

    def _check(self, name: str, response: requests.Response) -> None:
        status = response.status_code
        if status in (200, 206, 416):
            if _is_page(name, response):
                raise RefusedError(self._page(response, response.raw.read(4096, decode_content=False)))
            return
        said = f"HTTP {status} {response.reason or ''}".strip()
        if status in (401, 403):
            raise RefusedError(f"{said}: the server does not give it out ({_ACCESS.format(host=self.host)})")
        if status in (404, 410):
            raise RefusedError(f"{said}: the server does not have it")
        if status in _PASSING:
            raise BrokenError(said, wait_s=_retry_after(response.headers.get("Retry-After")))
        raise RefusedError(said)

    def _page(self, response: requests.Response, body: bytes) -> str:
        title = _TITLE.search(body)
        called = f" {title[1].decode('utf-8', 'replace')[:80]!r}" if title else ""
        moved = f" from {urlsplit(response.url)._replace(query='').geturl()}" if response.history else ""
        return f"a web page{called} came instead of the file{moved} ({_ACCESS.format(host=self.host)})"


def _named_page(name: str) -> bool:
    suffix = PurePosixPath(name.lower()).suffix
    return "htm" in suffix or suffix in (".svg", ".xml")


def _is_page(name: str, response: requests.Response) -> bool:
    return "html" in response.headers.get("Content-Type", "").lower() and not _named_page(name)


def _natural(text: str | None) -> int | None:
    return int(text) if text is not None and text.strip().isdecimal() else None


def _retry_after(text: str | None) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks for, which may also name a date (RFC 9110, 10.2.3)."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def _reason(error: Exception, timeout_s: float) -> str:
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError) or "timed out" in str(error):
        return f"the server said nothing for {timeout_s:g} s"
    if isinstance(error, urllib3.exceptions.IncompleteRead | urllib3.exceptions.ProtocolError):
        return "the connection broke off"
    return f"no connection: {_innermost(error)}"


def _innermost(error: BaseException) -> str:
    """Return what the system said, without the layers of wrapping around it."""
    while isinstance(error.__context__, Exception):
        error = error.__context__
    return str(error) or type(error).__name__
