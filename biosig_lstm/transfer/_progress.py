"""What is shown of a download: its size before it starts, then a bar, on stderr."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

__all__ = ["Meter", "Plan", "human", "progress_bar"]


@dataclass(frozen=True)
class Plan:
    """What is about to be fetched.

    Parameters
    ----------
    n_files : int
        Files that are missing or unfinished.
    n_bytes : int or None
        Bytes still to come; None where the server does not say.
    exact : bool
        Whether the server was asked for the size of each file; else `n_bytes` goes by some of each kind.
    expected : dict of str to float
        Whole size of each file, as known or guessed.
    source, target : str
        Where they are from, where they go.
    """

    n_files: int
    n_bytes: int | None
    exact: bool
    expected: dict[str, float]
    source: str
    target: str

    def __str__(self) -> str:
        files = f"{self.n_files} file{'s' if self.n_files != 1 else ''}"
        size = "of unknown size" if self.n_bytes is None else ("" if self.exact else "about ") + human(self.n_bytes)
        return f"{files}, {size}, from {self.source} to {self.target}"


class Meter:
    """Is told how a download goes; this one shows nothing."""

    def begin(self, plan: Plan) -> None:
        """Learn what is about to be fetched."""

    def expect(self, name: str, n_bytes: int | None) -> None:
        """Learn the whole size of a file, where the server says it."""

    def at(self, name: str, n_bytes: int) -> None:
        """Learn how many bytes of a file are here."""


class _Bar(Meter):
    """A bar of bytes on stderr; safe to tell from several threads."""

    def __init__(self, bar: Any, title: str) -> None:
        self._bar = bar
        self._title = title
        self._lock = threading.Lock()
        self._expected: dict[str, float] = {}
        self._held: dict[str, int] = {}
        self._total = 0.0
        self._task: Any = None

    def begin(self, plan: Plan) -> None:
        from rich.markup import escape

        self._bar.console.print(escape(f"{self._title}: {plan}"), soft_wrap=True, highlight=False)
        self._expected = dict(plan.expected)
        self._total = sum(plan.expected.values())
        self._task = self._bar.add_task(escape(self._title), total=self._total or None)
        self._bar.start()

    def expect(self, name: str, n_bytes: int | None) -> None:
        if n_bytes is not None and self._task is not None:
            with self._lock:
                self._total += n_bytes - self._expected.get(name, 0.0)
                self._expected[name] = n_bytes
            self._bar.update(self._task, total=self._total)

    def at(self, name: str, n_bytes: int) -> None:
        with self._lock:
            gained = n_bytes - self._held.get(name, 0)
            self._held[name] = n_bytes
        if self._task is not None:
            self._bar.update(self._task, advance=gained)


@contextmanager
def progress_bar(title: str) -> Iterator[Meter]:
    """Show the size and then a bar on stderr while the context is open.

    Parameters
    ----------
    title : str
        What is fetched.
    """
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=Console(stderr=True))
    try:
        yield _Bar(bar, title)
    finally:
        bar.stop()


def human(n_bytes: float) -> str:
    """Return a size as people write it, in powers of 1,000.

    Examples
    --------
    >>> human(980), human(104_300_000)
    ('980 bytes', '104.3 MB')
    """
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= scale:
            return f"{n_bytes / scale:.1f} {unit}"
    return f"{n_bytes:.0f} bytes"
