"""The facts about a database, read from its card: licence, citation, frozen splits, protocols."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from biosig_lstm.errors import DataError, ParameterError, options

__all__ = ["Card", "Protocol", "card_folder", "read_card"]

_PACKAGE = Path(__file__).resolve().parents[1]
_NO_SPLIT, _SIDES = (None, "all"), ("train", "test")
_REQUIRED = ("title", "licence", "citation", "address", "version")


@dataclass(frozen=True)
class Protocol:
    """Who trains and who tests: a frozen split of a database, with all that two scores need to be comparable.

    Parameters
    ----------
    name : str
        Name of the protocol, unique over all databases.
    dataset : str
        Name of the database.
    train, test : tuple of str
        Records on each side; both empty where the field has no frozen split (``"all"`` in the card): whatever is at
        the root may train, and whoever a model has not seen tests it. `train` alone is empty where nothing trains.
    val : tuple of str
        Records that a model may be validated on, to choose its epoch and thresholds; none in most protocols.
    folds : mapping of str to tuple of int or str
        Folds of each side, ``train``, ``val`` and ``test``, by number or name, where a table or the folders of the
        database split it and not its card: `Dataset.resolve` gives the records.
    task : str
        What is asked: ``beats``, ``rhythm`` and so on.
    settings : mapping of str
        How the database is opened for it, as `biosig_lstm.datasets.get` takes it.
    classes : tuple of str
        Classes that are told apart.
    mapping : str
        Name of the mapping from the database's symbols to `classes`.
    positions : str
        Where the scored events come from: ``"reference"`` for the experts' annotations.
    merged : mapping of str to mapping of str to str
        By a name, what each class becomes where answers are scored in fewer classes as well.
    shared_subjects : tuple of str
        Subjects that the protocol, as the field uses it, has on both sides: a known flaw, stated in `notes`.
    notes : str
        What a reader of a score must know.
    """

    name: str
    dataset: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    classes: tuple[str, ...]
    val: tuple[str, ...] = ()
    folds: Mapping[str, tuple[int | str, ...]] = field(default_factory=dict)
    task: str = "beats"
    settings: Mapping[str, Any] = field(default_factory=dict)
    mapping: str = ""
    positions: str = "reference"
    merged: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    shared_subjects: tuple[str, ...] = ()
    notes: str = ""

    @property
    def open(self) -> bool:
        """Whether the protocol splits no records: it is scored on subjects that the model has not seen."""
        return not self.train and not self.test and not self.folds

    def __repr__(self) -> str:
        shared = f"; on both sides: {', '.join(self.shared_subjects)}" if self.shared_subjects else ""
        return f"Protocol({self.name!r}: {self._sides()}; classes {' '.join(self.classes)}{shared})"

    def _sides(self) -> str:
        if self.open:
            return "unseen subjects"
        if not self.train and not self.test:
            return ", ".join(
                f"{side} fold{'s' * (len(n) > 1)} {' '.join(map(str, n))}" for side, n in self.folds.items()
            )
        val = f", val {len(self.val)}" if self.val else ""
        train = f"train {len(self.train)} records{val}, " if self.train else ""
        return f"{train}test {len(self.test)}"


@dataclass(frozen=True)
class Card:
    """What is known about a database before a single file of it is there.

    Parameters
    ----------
    name : str
        Name of the database in this package.
    title, licence, version, address, doi : str
        As its publisher gives them; `doi` is empty where there is none.
    citation : tuple of str
        What to cite, one work each.
    checksums : str
        Name of the file of SHA-256 sums that lies beside the card, empty where there is none.
    files : str
        Address of the folder that its files are published in, empty where there is none; on PhysioNet it follows
        from `address`.
    include : tuple of str
        Which of the files there belong to the database, as patterns such as ``"training/*.csv"``, a pattern without
        ``/`` being of the last part of a path; empty for all.
    records : tuple of str
        Every record of the database; empty where any record may come.
    classes : tuple of str
        Classes that its protocols tell apart.
    symbols : dict of str to str
        Every label that its annotations may carry, with its meaning.
    splits : dict of str to tuple of str
        Frozen splits: records by the split's name.
    same_person : tuple of tuple of str
        Records that show one person.
    protocols : dict of str to Protocol
        Frozen protocols by name.
    notes : str
        What else a user must know.
    folder : Path
        Where the card lies.
    """

    name: str
    title: str
    licence: str
    citation: tuple[str, ...]
    address: str
    version: str
    doi: str = ""
    checksums: str = ""
    files: str = ""
    include: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    symbols: Mapping[str, str] = field(default_factory=dict)
    splits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    same_person: tuple[tuple[str, ...], ...] = ()
    protocols: Mapping[str, Protocol] = field(default_factory=dict)
    notes: str = ""
    folder: Path = Path()

    def subject_of(self, record: str) -> str:
        """Return whose record it is: the record itself, or the joined names of all records of one person."""
        return next(("+".join(group) for group in self.same_person if record in group), record)

    def split(self, name: str) -> tuple[str, ...]:
        """Return the records of a frozen split.

        Raises
        ------
        ParameterError
            When the card has no split of that name.
        """
        if name not in self.splits:
            raise ParameterError(f"{self.name}: split {options(name, self.splits)}")
        return self.splits[name]

    def sha256(self) -> dict[str, str]:
        """Return the SHA-256 sum of each file of the database, by file name; empty where the card names none."""
        if not self.checksums:
            return {}
        lines = (self.folder / self.checksums).read_text(encoding="utf-8").splitlines()
        pairs = (line.split(maxsplit=1) for line in lines if line.strip())
        return {name.strip().lstrip("*"): digest for digest, name in pairs}


def card_folder(name: str, *, package: Path = _PACKAGE) -> Path:
    """Return the folder of a database's card: inside an installed package, else beside it in a source tree.

    Parameters
    ----------
    name : str
        Name of the database.
    package : Path
        Folder of the package `biosig_lstm`.

    Raises
    ------
    DataError
        When neither place has the card.
    """
    places = (package / "_datasets" / name, package.parent / "datasets" / name)
    for place in places:
        if (place / "card.toml").is_file():
            return place
    raise DataError(f"database {name!r} has no card.toml; looked in {' and '.join(str(p) for p in places)}")


def read_card(folder: str | Path) -> Card:
    """Return the card that lies in a folder, which has the database's name.

    Raises
    ------
    DataError
        When the file is not TOML, lacks a licence, citation, address, version or title, has a key that no
        card has, or splits off a record that the database does not hold.
    """
    path = Path(folder) / "card.toml"
    try:
        facts = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise DataError(f"{path}: no readable card: {error}") from error
    missing = [key for key in _REQUIRED if not facts.get(key)]
    if missing:
        raise DataError(f"{path}: the card lacks {', '.join(missing)}; every card has {', '.join(_REQUIRED)}")
    return _card(path, facts)


def _card(path: Path, facts: dict[str, Any]) -> Card:
    unknown = sorted(set(facts) - set(Card.__dataclass_fields__))
    if unknown:
        raise DataError(f"{path}: key {options(unknown[0], Card.__dataclass_fields__)}")
    bare: dict[str, Any] = {
        **facts,
        "name": path.parent.name,
        "folder": path.parent,
        "citation": _strings(facts["citation"]),
        "files": facts.get("files") or _files_of(facts["address"]),
        "include": tuple(facts.get("include", ())),
        "records": tuple(facts.get("records", ())),
        "classes": tuple(facts.get("classes", ())),
        "splits": {name: tuple(records) for name, records in facts.get("splits", {}).items()},
        "same_person": tuple(tuple(group) for group in facts.get("same_person", ())),
        "protocols": {},
    }
    card = Card(**bare)
    _check_records(path, card)
    tables = facts.get("protocols", {})
    return Card(**{**bare, "protocols": {key: _protocol(card, key, table) for key, table in tables.items()}})


def _files_of(address: str) -> str:
    """Return the folder of files that belongs to a page of PhysioNet, nothing for another address."""
    page = re.fullmatch(r"https://physionet\.org/content/([^/]+)/([^/]+)/?", address)
    return f"https://physionet.org/files/{page[1]}/{page[2]}/" if page else ""


def _strings(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _check_records(path: Path, card: Card) -> None:
    named = {record for group in (*card.splits.values(), *card.same_person) for record in group}
    foreign = sorted(named - set(card.records))
    if card.records and foreign:
        raise DataError(f"{path}: splits or same_person name records that the database lacks: {', '.join(foreign)}")


def _protocol(card: Card, name: str, table: dict[str, Any]) -> Protocol:
    folds = {side: tuple(numbers) for side, numbers in table.get("folds", {}).items()}
    train, test = (() if folds or table.get(side) in _NO_SPLIT else card.split(table[side]) for side in _SIDES)
    shared = {card.subject_of(record) for record in train} & {card.subject_of(record) for record in test}
    return Protocol(
        name=name,
        dataset=card.name,
        train=train,
        test=test,
        classes=tuple(table.get("classes", card.classes)),
        val=card.split(table["val"]) if "val" in table else (),
        folds=folds,
        task=table.get("task", "beats"),
        settings=table.get("settings", {}),
        mapping=table.get("mapping", ""),
        positions=table.get("positions", "reference"),
        merged=table.get("merged", {}),
        shared_subjects=tuple(sorted(shared)),
        notes=" ".join(table.get("notes", "").split()),
    )
