"""One file: asked for, gone on with where it broke off, verified, put in its place."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import Any, BinaryIO

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
    work = _Work(name, digest, part=store.part(name), server=server, meter=meter, stop=stop)
    work.get_right()
    store.finish(name, digest)
    return work.received


@dataclass
class _Work:
    """What is being done for one file, over all attempts; `received` counts bytes that came, kept or not."""

    name: str
    digest: str
    part: Part
    server: Server
    meter: Meter
    stop: threading.Event
    received: int = 0
    wrong: int = 0

    def get_right(self) -> None:
        """Fetch until the part's sum is right."""
        if self.part.note.get("digest") != self.digest:
            self.part.discard()
        while True:
            self._get_whole()
            got = sha256_of(self.part.path)
            if got == self.digest:
                return
            self.part.discard()
            self.wrong += 1
            if self.wrong > self.server.settings.refetches:
                times = f"{self.wrong} times" if self.wrong > 1 else "once"
                said = f"SHA-256 {got}, published {self.digest}"
                raise DownloadError(f"other bytes came than were published, {times}: {said}")

    def _get_whole(self) -> None:
        """Fetch until as many bytes are here as the server promised, through broken connections."""
        settings = self.server.settings
        failures, best = 0, self.part.n_bytes
        while True:
            try:
                if self._receive():
                    return
            except BrokenError as error:
                failures = 1 if self.part.n_bytes > best else failures + 1
                best = max(best, self.part.n_bytes)
                if failures >= settings.attempts:
                    raise DownloadError(f"{error}; {failures} attempts in a row brought nothing new") from error
                if self.stop.wait(wait_s(error, failures, settings)):
                    raise Stopped from error

    def _receive(self) -> bool:
        """Receive what is missing; return whether the part may be whole now."""
        held, note = self.part.n_bytes, self.part.note
        self.meter.at(self.name, held)
        if held and held == note.get("total"):
            return True
        fresh = {"Cache_Control": "no-cache"} if self.wrong else {}
        with self.server.get(self.name, **_conditions(note, held), **fresh) as response:
            if response.status_code != 200:
                first, total = _range(response)
                if response.status_code == 416 and total == held > 0:
                    return True
                if not held:
                    raise BrokenError(f"HTTP {response.status_code} came to a request for the whole file")
                if response.status_code == 416 or first != held or not _same_file(note, response, total):
                    self.part.discard()
                    return False
            self.meter.expect(self.name, _total(response))
            self._append(response)
        return True

    def _append(self, response: requests.Response) -> None:
        """Write the body behind the part, or in its stead where the server begins anew."""
        note = _note(response, self.digest) if response.status_code == 200 else None
        file = None
        try:
            for chunk in self.server.read(response, self.name):
                if self.stop.is_set():
                    raise Stopped
                if file is None:
                    file = _opened(self.part, note)
                file.write(chunk)
                self.received += len(chunk)
                self.meter.at(self.name, file.tell())
            if file is None and note is not None:
                self.part.begin(note)
        finally:
            if file is not None:
                file.close()


def _opened(part: Part, note: dict[str, Any] | None) -> BinaryIO:
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
