"""Models that ship with the package: small weights, each with its card, in the folder ``pretrained``."""

from __future__ import annotations

from pathlib import Path

from biosig_lstm.errors import ParameterError, options
from biosig_lstm.estimators import Estimator, load

__all__ = ["find", "names", "pretrained"]

_FOLDER = Path(__file__).parent / "pretrained"
_SUFFIX = ".biosig"


def names() -> list[str]:
    """Return the names of the models that ship with the package."""
    return sorted(path.stem for path in _FOLDER.glob(f"*{_SUFFIX}"))


def find(name: str) -> Path:
    """Return the file of a shipped model.

    Raises
    ------
    ParameterError
        When there is none of that name.
    """
    if name not in names():
        raise ParameterError(f"pretrained model {options(name, names())}")
    return _FOLDER / f"{name}{_SUFFIX}"


def pretrained(name: str) -> Estimator:
    """Return a model that ships with the package, ready to predict; its `card` says what it was made from.

    Examples
    --------
    >>> pretrained("ecg-beats").classes
    ('N', 'S', 'V', 'F', 'Q')
    """
    return load(find(name))
