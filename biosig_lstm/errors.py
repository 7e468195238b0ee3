"""What can go wrong, by kind: every error the package raises on purpose derives from `BiosigError`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "BiosigError",
    "BiosigWarning",
    "DataError",
    "DownloadError",
    "LeakageError",
    "ParameterError",
    "options",
]

_MOST_NAMED = 60

_MOST_SHOWN, _FEW_SHOWN = 100, 8


class BiosigError(Exception):
    """Base of every error raised by this package."""


class DataError(BiosigError, ValueError):
    """A file or a recording is not what it must be: missing, cut short, wrong unit, wrong rate."""


class ParameterError(BiosigError, ValueError):
    """An argument is outside what is allowed."""


class LeakageError(BiosigError):
    """What is scored has been seen in training, or would be."""


class DownloadError(BiosigError, OSError):
    """A file could not be fetched whole and verified."""


class BiosigWarning(UserWarning):
    """Something legal that is probably wrong, or was left out; the message says which."""


def options(got: str, allowed: Iterable[str]) -> str:
    """Return the tail of a message about a name that is not known: the guess, then what is allowed.

    Parameters
    ----------
    got : str
        The name that came.
    allowed : iterable of str
        The names that exist; the first sixty are shown.

    Returns
    -------
    str
        ``"'x'; did you mean 'y'? possible: a, b, y"``; of more than a hundred names the first few.

    Examples
    --------
    >>> options("Bandpas", ["Bandpass", "Notch"])
    "'Bandpas'; did you mean 'Bandpass'? possible: Bandpass, Notch"
    """
    names = sorted(allowed)
    close = difflib.get_close_matches(got, names, n=1)
    guess = f"; did you mean {close[0]!r}?" if close else ";"
    shown = names if len(names) <= _MOST_NAMED else [*names[:_MOST_NAMED], f"... ({len(names)} in all)"]
    return f"{got!r}{guess} possible: {', '.join(shown) or 'none'}"
