"""Models that ship with the package: small weights, each with its card, in the folder ``pretrained``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from biosig_lstm.errors import ParameterError, options

if TYPE_CHECKING:
    from biosig_lstm.estimators import Estimator

__all__ = ["SUFFIX", "find", "names", "pretrained"]

SUFFIX = ".biosig"
"""What the names of model files end with."""

_FOLDER = Path(__file__).parent / "pretrained"


def names() -> list[str]:
    """Return the names of the models that ship with the package."""
    return sorted(path.stem for path in _FOLDER.glob(f"*{SUFFIX}"))


def find(name: str) -> Path:
    """Return the file of a shipped model.

    Raises
    ------
    ParameterError
        When there is none of that name.
    """
    if name not in names():
        raise ParameterError(f"pretrained model {options(name, names())}")
    return _FOLDER / f"{name}{SUFFIX}"


def pretrained(name: str) -> Estimator:
    """Return a model that ships with the package, ready to predict; its `card` says what it was made from.

    Examples
    --------
    >>> pretrained("ecg-beats").classes
    ('N', 'S', 'V', 'F', 'Q')
    """
    from biosig_lstm.estimators import load

    return load(find(name))
