"""Databases by name: `get("mitdb")` opens one, `names()` lists them, `get_protocol("mitdb-aami")` freezes a comparison.

A database is one module in this folder and one card in the top-level ``datasets/<name>/card.toml``: both are found
by their name, nothing is registered by hand.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from biosig_lstm.datasets._base import Dataset, cache_folder
from biosig_lstm.datasets._card import Card, Protocol, card_folder, read_card
from biosig_lstm.errors import ParameterError, options
from biosig_lstm.steps import names_in

__all__ = ["Card", "Dataset", "Protocol", "cache_folder", "card", "get", "get_protocol", "names", "protocol_names"]


def names() -> list[str]:
    """Return the names of all databases, sorted.

    Examples
    --------
    >>> "mitdb" in names() and "sample" in names()
    True
    """
    return names_in(__name__)


def get(name: str, root: str | Path | None = None, **settings: Any) -> Dataset:
    """Return a database by name.

    Parameters
    ----------
    name : str
        One of `names()`.
    root : str or Path, optional
        Folder that holds its files; ``$BIOSIG_LSTM_DATA/<name>`` by default, or the folder `<name>` in the
        system's folder for caches. The sample lies in the package.
    **settings
        What this database offers besides, such as ``lead_order`` of mitdb.

    Raises
    ------
    ParameterError
        When there is no database, or no setting, of that name.
    DataError
        When its folder is not there; the message says where to get it.

    Examples
    --------
    >>> sample = get("sample")
    >>> len(sample), sample.classes
    (8, ('N', 'S', 'V', 'F', 'Q'))
    """
    _check_name(name)
    kind: type[Dataset] = importlib.import_module(f"{__name__}.{name}").DATASET
    own = set(kind.__dataclass_fields__) - set(Dataset.__dataclass_fields__)
    unknown = sorted(set(settings) - own)
    if unknown:
        raise ParameterError(f"{name}: setting {options(unknown[0], own)}")
    return kind.open(name, root, **settings)


def card(name: str) -> Card:
    """Return the facts about a database; none of its files need be there.

    Raises
    ------
    ParameterError
        When there is no database of that name.

    Examples
    --------
    >>> card("mitdb").licence
    'Open Data Commons Attribution License v1.0'
    """
    _check_name(name)
    return read_card(card_folder(name))


def protocol_names() -> list[str]:
    """Return the names of the frozen protocols of all databases, sorted."""
    return sorted(_protocols())


def get_protocol(name: str) -> Protocol:
    """Return a frozen protocol by name; no file of its database need be there.

    Raises
    ------
    ParameterError
        When no database has a protocol of that name.

    Examples
    --------
    >>> get_protocol("mitdb-aami")
    Protocol('mitdb-aami': train 22 records, test 22; classes N S V F Q; on both sides: 201+202)
    """
    found = _protocols()
    if name not in found:
        raise ParameterError(f"protocol {options(name, found)}")
    return found[name]


def _protocols() -> dict[str, Protocol]:
    return {key: protocol for name in names() for key, protocol in card(name).protocols.items()}


def _check_name(name: str) -> None:
    if name not in names():
        raise ParameterError(f"database {options(name, names())}")
