"""Lists of SHA-256 sums, as ``sha256sum`` writes them and PhysioNet publishes them: read, checked, fetched."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import urlsplit

from biosig_lstm.errors import DownloadError
from biosig_lstm.transfer._server import BrokenError, RefusedError, Server
from biosig_lstm.transfer._store import KEPT
from biosig_lstm.transfer._wait import patiently

__all__ = ["SUMS", "fetch_sums", "format_sums", "parse_sums"]

SUMS = "SHA256SUMS.txt"
"""Name of the list, in the folder of the files or in one above it."""

_LINE = re.compile(r"(?P<digest>[0-9a-fA-F]{64})\s+\*?(?P<name>\S.*?)\s*$")
_MOST_BYTES = 1 << 28
_MOST_CLIMBS = 3


def parse_sums(text: str, *, source: str) -> dict[str, str]:
    """Return the sum of each file of a list.

    Parameters
    ----------
    text : str
        Lines of a sum and a path.
    source : str
        Where it is from, for messages.

    Returns
    -------
    dict of str to str
        Sum, in lower case, by path; paths are relative and have ``/``.

    Raises
    ------
    DownloadError
        When a line is none of these, or names a file outside of the folder.

    Examples
    --------
    >>> parse_sums(f"{'0' * 64} *a/100.dat", source="list")["a/100.dat"][:3]
    '000'
    """
    found = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        match = _LINE.match(line.strip())
        if match is None:
            raise DownloadError(f"{source}: line {number} is no SHA-256 sum and file name: {line[:80]!r}")
        name = match["name"].removeprefix("./")
        if not _is_inside(name):
            raise DownloadError(f"{source}: line {number} names a file outside of the folder, refused: {name[:80]!r}")
        found[name] = match["digest"].lower()
    return found


def format_sums(sums: Mapping[str, str]) -> str:
    """Return the list that `parse_sums` reads, sorted by path."""
    return "".join(f"{sums[name]} {name}\n" for name in sorted(sums))


def fetch_sums(server: Server) -> dict[str, str] | None:
    """Return the sums published for a folder: beside the files, or in a folder above, cut to this one.

    Parameters
    ----------
    server : Server
        The folder of the files.

    Returns
    -------
    dict of str to str or None
        Sum by path in this folder; None where no list is published.

    Raises
    ------
    DownloadError
        When the list cannot be fetched, or what came is none.

    Notes
    -----
    PhysioNet publishes one list for a version of a database, at its top. Where the files of interest are in a folder
    below, the list is looked for at most three folders up.
    """
    here: Server | None = server
    for _ in range(_MOST_CLIMBS + 1):
        if here is None:
            return None
        below = _path_below(server, here)
        try:
            text = patiently(lambda at=here: _text(at), server.settings)  # type: ignore[misc]
        except RefusedError as error:
            if not str(error).startswith(("HTTP 404", "HTTP 410")):
                raise DownloadError(f"{here.address}{SUMS}: {error}") from error
            here = here.parent
            continue
        except BrokenError as error:
            raise DownloadError(f"{here.address}{SUMS}: {error}") from error
        sums = parse_sums(text, source=here.address + SUMS)
        return {name.removeprefix(below): digest for name, digest in sums.items() if name.startswith(below)}
    return None


def _text(server: Server) -> str:
    with server.get(SUMS) as response:
        body = bytearray()
        for chunk in server.read(response, SUMS):
            body += chunk
            if len(body) > _MOST_BYTES:
                raise RefusedError(f"the list has more than {_MOST_BYTES} bytes")
    return body.decode("utf-8", "surrogateescape")


def _path_below(server: Server, above: Server) -> str:
    path, top = urlsplit(server.address).path, urlsplit(above.address).path
    return path[len(top) :]


def _is_inside(name: str) -> bool:
    windows = PureWindowsPath(name)
    harmless = not windows.is_absolute() and not windows.drive and not windows.root and "\\" not in name
    parts = PurePosixPath(name).parts
    return harmless and bool(parts) and ".." not in parts and parts[0] != KEPT and name.isprintable()
