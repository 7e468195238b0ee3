"""Where results go, and what is said of recordings that gave none."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from biosig_lstm.errors import BiosigError, ParameterError

__all__ = ["Failure", "output_folder", "reason", "some"]

_SHOWN = 60


class Failure(NamedTuple):
    """A recording that could not be used, and why."""

    path: str
    reason: str


def reason(error: Exception) -> str:
    """Return what to say about a recording that raised `error`: the kind of error too where it was not foreseen."""
    foreseen = isinstance(error, BiosigError | OSError)
    return str(error) if foreseen else f"unforeseen {type(error).__name__}: {error}"


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
