"""One file: asked for, gone on with where it broke off, verified, put in its place."""

from __future__ import annotations

import re
import threading
from typing import Any

import requests

from biosig_lstm.errors import DownloadError
from biosig_lstm.transfer._hash import sha256_of
from biosig_lstm.transfer._progress import Meter
from biosig_lstm.transfer._server import BrokenError, Server
from biosig_lstm.transfer._store import Part, Store
from biosig_lstm.transfer._wait import wait_s

__all__ = ["Stopped", "fetch_file"]

_CONTENT_RANGE = re.compile(r"bytes\s+(?:(?P<first>\d+)-\d+|\*)/(?P<total>\d+|\*)$")


class Stopped(Exception):  # noqa: N818 - an event, nothing went wrong
    """The whole download is being stopped."""


def fetch_file(name: str, digest: str, *, server: Server, store: Store, meter: Meter, stop: threading.Event) -> int:
    """Fetch a file and put it in its place once its sum is right.

    Parameters
    ----------
    name, digest : str
        Path of the file, and its SHA-256 sum.
    server, store : Server, Store
        Where it is from, where it goes.
    meter : Meter
        Is told what has come.
    stop : threading.Event
        Ends the work soon after it is set; what has come is kept.

    Returns
    -------
    int [unit=bytes]
        What was received.

    Raises
    ------
    DownloadError
        When it is refused, the connection breaks too often, or its bytes are wrong each time.
    Stopped
        When `stop` was set.

    Notes
    -----
    A part is gone on with by a ``Range`` request under ``If-Range`` (RFC 9110, 13.1.5), so a server that has another
    file by now sends it whole. A server that ignores either, and any other slip, is caught by the sum.
    """
    part, settings = store.part(name), server.settings
    if part.note.get("digest") != digest:
        part.discard()
    received = failures = wrong = 0
    best = part.n_bytes
    while True:
        try:
            came, whole = _receive(name, digest, part=part, server=server, meter=meter, stop=stop, fresh=wrong > 0)
            received += came
        except BrokenError as error:
            failures = 1 if part.n_bytes > best else failures + 1
            best = max(best, part.n_bytes)
            if failures >= settings.attempts:
                raise DownloadError(f"{error}; {failures} attempts in a row brought nothing new") from error
            if stop.wait(wait_s(error, failures, settings)):
                raise Stopped from error
            continue
        if not whole:
            continue
        got = sha256_of(part.path)
        if got == digest:
            store.finish(name, digest)
            return received
        part.discard()
        wrong += 1
        if wrong > settings.refetches:
            times = f"{wrong} times" if wrong > 1 else "once"
            raise DownloadError(f"other bytes came than were published, {times}: SHA-256 {got}, published {digest}")


def _receive(
    name: str, digest: str, *, part: Part, server: Server, meter: Meter, stop: threading.Event, fresh: bool
) -> tuple[int, bool]:
    """Receive what is missing; return the bytes that came, and whether the part may be whole now."""
    held, note = part.n_bytes, part.note
    meter.at(name, held)
    if held and held == note.get("total"):
        return 0, True
    with server.get(name, **_conditions(note, held), **({"Cache_Control": "no-cache"} if fresh else {})) as response:
        if response.status_code != 200:
            first, total = _range(response)
            if response.status_code == 416 and total == held > 0:
                return 0, True
            if not held:
                raise BrokenError(f"HTTP {response.status_code} came to a request for the whole file")
            if response.status_code == 416 or first != held or not _same_file(note, response, total):
                part.discard()
                return 0, False
        meter.expect(name, _total(response))
        came = _append(name, digest, part=part, response=response, server=server, meter=meter, stop=stop)
    return came, True


def _append(
    name: str,
    digest: str,
    *,
    part: Part,
    response: requests.Response,
    server: Server,
    meter: Meter,
    stop: threading.Event,
) -> int:
    """Write the body behind the part, or in its stead where the server begins anew."""
    begin = response.status_code == 200
    came, file = 0, None
    try:
        for chunk in server.read(response, name):
            if stop.is_set():
                raise Stopped
            if file is None:
                file = _opened(part, _note(response, digest) if begin else None)
            file.write(chunk)
            came += len(chunk)
            meter.at(name, file.tell())
        if file is None and begin:
            part.begin(_note(response, digest))
    finally:
        if file is not None:
            file.close()
    return came


def _opened(part: Part, note: dict[str, Any] | None) -> Any:
    if note is not None:
        part.begin(note)
    return part.path.open("ab")


def _conditions(note: dict[str, Any], held: int) -> dict[str, str]:
    if not held:
        return {}
    same = note.get("etag") or note.get("modified")
    return {"Range": f"bytes={held}-", **({"If_Range": same} if same else {})}


def _note(response: requests.Response, digest: str) -> dict[str, Any]:
    etag = response.headers.get("ETag", "")
    return {
        "digest": digest,
        "etag": "" if etag.startswith("W/") else etag,  # weak: says nothing about bytes
        "modified": response.headers.get("Last-Modified", ""),
        "total": _total(response),
    }


def _total(response: requests.Response) -> int | None:
    if response.status_code == 206:
        return _range(response)[1]
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def _range(response: requests.Response) -> tuple[int | None, int | None]:
    """Return the first byte of a partial answer and the length of the whole file, None where it does not say."""
    match = _CONTENT_RANGE.match(response.headers.get("Content-Range", "").strip())
    if match is None:
        return None, None
    first, total = match["first"], match["total"]
    return (int(first) if first else None), (int(total) if total != "*" else None)


def _same_file(note: dict[str, Any], response: requests.Response, total: int | None) -> bool:
    now = _note(response, "")
    differs = [note.get(key) != now[key] for key in ("etag", "modified") if note.get(key) and now[key]]
    return not any(differs) and (total is None or note.get("total") in (None, total))
