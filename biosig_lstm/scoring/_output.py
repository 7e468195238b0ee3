"""Where results go, and what is said of recordings that gave none."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

from biosig_lstm.errors import BiosigError, ParameterError

__all__ = ["Announce", "Failure", "each_or_why", "output_folder", "reason", "some"]

Announce = Callable[[str], None]
Made = TypeVar("Made")

_SHOWN = 60


class Failure(NamedTuple):
    """A recording that could not be used, and why."""

    path: str
    reason: str


def reason(error: Exception) -> str:
    """Return what to say about a recording that raised `error`: the kind of error too where it was not foreseen."""
    foreseen = isinstance(error, BiosigError | OSError)
    return str(error) if foreseen else f"unforeseen {type(error).__name__}: {error}"


def each_or_why(
    jobs: Iterable[tuple[str, str, Callable[[], Made]]], failed: list[Failure], *, announce: Announce | None
) -> Iterator[tuple[str, Made]]:
    """Yield the name of each recording and what is made of it; what fails goes to `failed`, the others are done.

    Parameters
    ----------
    jobs : iterable of (str, str, callable)
        Name of a recording, what it is called where it fails, and what makes something of it.
    failed : list of Failure
        Added to.
    announce : callable or None
        Called with the name of each recording before it is read.
    """
    for name, where, work in jobs:
        if announce:
            announce(name)
        try:
            made = work()
        except Exception as error:  # whatever is wrong with one recording, the others are done
            failed.append(Failure(where, reason(error)))
            continue
        yield name, made


def some(names: Iterable[str], *, between: str = " ", most: int = _SHOWN) -> str:
    """Return names as text, and how many more there are: a database may hold thousands."""
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return between.join(every[:most]) + more


def output_folder(path: str | Path) -> Path:
    """Return a folder that results can be written to, made where it is not there.

    Raises
    ------
    ParameterError
        When it is a file, or cannot be made or written.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = "it is a file" if folder.is_file() else str(error.strerror)
        raise ParameterError(f"cannot write results to {folder}: {what}; name a folder") from error
    if not os.access(folder, os.W_OK):
        raise ParameterError(f"cannot write results to {folder}: permission denied; name another folder")
    return folder
