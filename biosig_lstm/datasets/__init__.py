"""Databases by name: `get("mitdb")` opens one, `names()` lists them, `get_protocol("mitdb-aami")` freezes a comparison.

A database is one module in this folder and one card in the top-level ``datasets/<name>/card.toml``: both are found
by their name, nothing is registered by hand.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from biosig_lstm.datasets._base import Dataset, cache_folder
from biosig_lstm.datasets._bids import BidsDataset, open_bids
from biosig_lstm.datasets._card import Card, Protocol, card_folder, read_card
from biosig_lstm.errors import ParameterError, options
from biosig_lstm.steps import names_in

if TYPE_CHECKING:
    from biosig_lstm.transfer import Report

__all__ = [
    "BidsDataset",
    "Card",
    "Dataset",
    "Protocol",
    "cache_folder",
    "card",
    "download",
    "get",
    "get_protocol",
    "names",
    "open_bids",
    "protocol_names",
    "read_card",
]


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
    kind = _kind(name)
    own = set(kind.__dataclass_fields__) - set(Dataset.__dataclass_fields__)
    unknown = sorted(set(settings) - own)
    if unknown:
        raise ParameterError(f"{name}: setting {options(unknown[0], own)}")
    return kind.open(name, root, **settings)


def download(
    name: str,
    root: str | Path | None = None,
    *,
    records: str | Iterable[str] | None = None,
    mirror: str = "",
    connections: int = 4,
    progress: bool = True,
) -> Report:
    """Fetch a database, or some records of it, from where it is published, and verify every file.

    Parameters
    ----------
    name : str
        One of `names()`.
    root : str or Path, optional
        Folder for its files; where `get` looks by default.
    records : str or iterable of str, optional
        Name of a frozen split, or of a record, or several; everything by default. The files of a record are those
        that bear its name and those that its header names; tables, lists and licence come with them.
    mirror : str
        Address of another folder that holds the same files.
    connections : int [1 to 32]
        Files that are fetched at the same time.
    progress : bool
        Whether the size, and then a bar, are shown on stderr.

    Returns
    -------
    Report
        What was fetched, and what was there already.

    Raises
    ------
    ParameterError
        When there is no database of that name, it needs no download, it has no such record, or another database was
        downloaded to that folder.
    DownloadError
        When files cannot be fetched or verified: the message names each, all others are in their places. When the
        list of sums cannot be fetched, or the folder cannot be written to.

    Notes
    -----
    The published ``SHA256SUMS.txt`` is fetched first; sums that come with the card go before it. A file is put in its
    place once its sum is right, so what lies there is whole. What was interrupted is gone on with at the byte where it
    stopped. Several processes may fetch to one folder: they share the work. When all is there, no server is asked:
    a file counts as verified while its size and time of change are those it had when it was last hashed, which
    ``.download/verified.txt`` in the folder keeps.
    """
    from biosig_lstm.datasets._download import download_records

    kind, facts = _kind(name), card(name)
    return download_records(
        facts,
        kind.folder_for(facts, root),
        records=records,
        stems_of=kind.stems_of,
        mirror=mirror,
        connections=connections,
        progress=progress,
    )


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


def _kind(name: str) -> type[Dataset]:
    _check_name(name)
    found: type[Dataset] = importlib.import_module(f"{__name__}.{name}").DATASET
    return found


def _check_name(name: str) -> None:
    if name not in names():
        raise ParameterError(f"database {options(name, names())}")
