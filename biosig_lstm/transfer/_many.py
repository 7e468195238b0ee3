"""Many files at a time, in threads of one process and beside other processes that fetch to the same folder."""

from __future__ import annotations

import contextlib
import errno
import queue
import shutil
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from filelock import Timeout

from biosig_lstm.errors import DownloadError
from biosig_lstm.transfer._file import Stopped, fetch_file
from biosig_lstm.transfer._plan import plan
from biosig_lstm.transfer._progress import Meter, human
from biosig_lstm.transfer._server import Server
from biosig_lstm.transfer._store import Store

__all__ = ["Report", "fetch"]

_NO_ROOM = frozenset({errno.ENOSPC, errno.EROFS, getattr(errno, "EDQUOT", errno.ENOSPC)})
_LOCK_WAIT_S = 0.25
_LAST_WAIT_S = 0.5


@dataclass(frozen=True)
class Report:
    """What a download did.

    Parameters
    ----------
    root : Path
        Folder of the files.
    fetched, kept : tuple of str
        Files that were fetched; files that were there already, and right.
    failed : tuple of (str, str)
        Files that could not be fetched, each with the reason.
    n_bytes : int
        Bytes that were received.
    """

    root: Path
    fetched: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    n_bytes: int = 0

    def __repr__(self) -> str:
        new = f"{len(self.fetched)} fetched ({human(self.n_bytes)}), " if self.fetched else ""
        failed = f", {len(self.failed)} failed" if self.failed else ""
        return f"{self.root}: {len(self.fetched) + len(self.kept)} files verified, {new}{len(self.kept)} kept{failed}"

    def __add__(self, other: Report) -> Report:
        """Return what this download and a further one to the same folder did together."""
        fetched = dict.fromkeys((*self.fetched, *other.fetched))
        kept = [name for name in dict.fromkeys((*self.kept, *other.kept)) if name not in fetched]
        there = {*fetched, *kept}
        failed = {name: why for name, why in (*self.failed, *other.failed) if name not in there}
        return Report(self.root, tuple(fetched), tuple(kept), tuple(failed.items()), self.n_bytes + other.n_bytes)


def fetch(sums: Mapping[str, str], *, server: Server, store: Store, meter: Meter | None = None) -> Report:
    """Fetch the files that are missing or wrong, several at a time, and verify each.

    Parameters
    ----------
    sums : mapping of str to str
        SHA-256 sum by path.
    server, store : Server, Store
        Where the files are from, where they go.
    meter : Meter, optional
        Is told how much it is before it starts, and how it goes; without one the server is not asked for sizes.

    Returns
    -------
    Report
        A file that cannot be fetched is listed there, the others go on.

    Raises
    ------
    DownloadError
        When the folder cannot be written to, or has no room left. What has come is kept.
    """
    with ThreadPoolExecutor(server.settings.connections) as pool:
        held = pool.map(lambda name: store.holds(name, sums[name]), sums)
        kept = tuple(name for name, right in zip(sums, held, strict=True) if right)
    there = frozenset(kept)
    pending = [name for name in sums if name not in there]
    if not pending:
        return Report(store.root, kept=kept)
    store.prepare()
    if meter is not None:
        planned = plan(pending, server=server, store=store)
        _check_room(store.root, planned.n_bytes if planned.exact else None)
        meter.begin(planned)
    try:
        outcomes = _Crew(pending, sums, server=server, store=store, meter=meter or Meter()).work()
    finally:
        server.close()
    store.tidy()
    done = [outcome for outcome in outcomes if not outcome.failure]
    return Report(
        store.root,
        fetched=tuple(sorted(outcome.name for outcome in done if outcome.n_bytes is not None)),
        kept=tuple(sorted((*kept, *(outcome.name for outcome in done if outcome.n_bytes is None)))),
        failed=tuple(sorted((outcome.name, outcome.failure) for outcome in outcomes if outcome.failure)),
        n_bytes=sum(outcome.n_bytes or 0 for outcome in outcomes),
    )


class _Outcome(NamedTuple):
    """What became of a file: `n_bytes` is None where another process had fetched it."""

    name: str
    n_bytes: int | None = None
    failure: str = ""


class _Crew:
    """Threads that take files from one list; they end with the process, so that an interruption need not wait."""

    def __init__(
        self, names: Iterable[str], sums: Mapping[str, str], *, server: Server, store: Store, meter: Meter
    ) -> None:
        self.jobs = deque(names)
        self.n_jobs = len(self.jobs)
        self.sums = sums
        self.server = server
        self.store = store
        self.meter = meter
        self.stop = threading.Event()
        self.outcomes: queue.Queue[_Outcome | BaseException] = queue.Queue()
        self.locked: set[str] = set()

    def work(self) -> list[_Outcome]:
        n_threads = min(self.server.settings.connections, self.n_jobs)
        threads = [threading.Thread(target=self._run, daemon=True) for _ in range(n_threads)]
        try:
            for thread in threads:
                thread.start()
            return [self._next_outcome() for _ in range(self.n_jobs)]
        finally:
            self.stop.set()
            for thread in threads:
                thread.join(_LAST_WAIT_S / n_threads)

    def _next_outcome(self) -> _Outcome:
        while True:
            with contextlib.suppress(queue.Empty):  # a limit on the wait lets Ctrl-C through on every system
                outcome = self.outcomes.get(timeout=0.5)
                if isinstance(outcome, BaseException):
                    raise outcome
                return outcome

    def _run(self) -> None:
        try:
            while self.jobs and not self.stop.is_set():
                self._take()
        except Stopped:
            self.stop.set()
        except BaseException as error:  # handed to the thread that waits
            self.outcomes.put(error)

    def _take(self) -> None:
        try:
            name = self.jobs.popleft()
        except IndexError:
            return  # another thread was quicker
        try:
            with self.store.lock(name, timeout_s=_LOCK_WAIT_S if name in self.locked else 0.0):
                self.outcomes.put(self._fetch(name))
        except Timeout:  # another process is at it: see again once all else is done
            self.locked.add(name)
            self.jobs.append(name)

    def _fetch(self, name: str) -> _Outcome:
        digest = self.sums[name]
        try:
            if self.store.holds(name, digest):
                return _Outcome(name)
            n_bytes = fetch_file(name, digest, server=self.server, store=self.store, meter=self.meter, stop=self.stop)
        except DownloadError as error:
            return _Outcome(name, failure=str(error))
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise DownloadError(f"{self.store.root}: {error.strerror}; {_GOES_ON}") from error
            return _Outcome(name, failure=f"cannot be written: {error.strerror or error}")
        return _Outcome(name, n_bytes)


_GOES_ON = "what has come is kept, and the same download goes on from there"


def _check_room(root: Path, n_bytes: int | None) -> None:
    free = shutil.disk_usage(root).free
    if n_bytes is not None and n_bytes > free:
        raise DownloadError(f"{root}: no room, {human(n_bytes)} are to come and {human(free)} are free")
