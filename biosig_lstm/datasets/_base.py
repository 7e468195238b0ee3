"""A database as a whole: where its files are, whose they are, and its recordings one after the other."""

from __future__ import annotations

import hashlib
import html
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from biosig_lstm.containers import Recording
from biosig_lstm.datasets._card import Card, Protocol, card_folder, read_card
from biosig_lstm.errors import DataError, ParameterError, options

if TYPE_CHECKING:
    from biosig_lstm.transfer import Report

__all__ = ["Dataset", "cache_folder", "choose_channels"]

Channels = Sequence[str | int]


def cache_folder() -> Path:
    """Return where databases are kept: ``$BIOSIG_LSTM_DATA``, else the system's folder for caches.

    The latter is the folder that ``pooch.os_cache("biosig_lstm")`` gives.
    """
    chosen = os.environ.get("BIOSIG_LSTM_DATA")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
        return Path(local) / "biosig_lstm" / "biosig_lstm" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "biosig_lstm"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "biosig_lstm"


@dataclass(frozen=True, repr=False)
class Dataset:
    """A database on disk.

    Each database is a subclass with a `read` of its own; `biosig_lstm.datasets.get` opens one by name.

    Parameters
    ----------
    card : Card
        The facts about the database.
    root : Path
        Folder that holds its files.
    """

    card: Card
    root: Path

    @classmethod
    def open(cls, name: str, root: str | Path | None = None, **settings: str) -> Self:
        """Return the database of that name at `root`, in its folder `name` below it, or where databases are kept.

        Raises
        ------
        DataError
            When its folder is not there; the message says where it was looked for and where to get it.
        """
        card = read_card(card_folder(name))
        folder = cls.folder_for(card, root)
        if not folder.is_dir():
            to = "" if root is None else f" --to {folder}"
            command = f" (`biosig-lstm download {name}{to}` does that)" if card.files else ""
            raise DataError(
                f"{card.title} is not in {folder}; download version {card.version} from {card.address} to that "
                f"folder{command}, or say where it is (root=, --data), or set BIOSIG_LSTM_DATA to the folder that "
                f"holds {name}/"
            )
        return cls(card, folder, **settings)

    @classmethod
    def folder_for(cls, card: Card, root: str | Path | None = None) -> Path:
        """Return the folder of the database: `root`, its folder of that name below it, or where databases are kept."""
        folder = cls.default_root(card) if root is None else Path(root).expanduser()
        below = folder / card.name
        return below if below.is_dir() and not any(folder.glob("*.hea")) else folder

    @classmethod
    def default_root(cls, card: Card) -> Path:
        """Return where the database is looked for when no root is given."""
        return cache_folder() / card.name

    @property
    def name(self) -> str:
        """Name of the database in this package."""
        return self.card.name

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes that the protocols of this database tell apart."""
        return self.card.classes

    @property
    def record_names(self) -> tuple[str, ...]:
        """Records that are at the root, sorted."""
        found = self.find_records()
        known = set(self.card.records) or found
        return tuple(sorted(found & known))

    @property
    def absent(self) -> tuple[str, ...]:
        """Records of the database that are not at the root, sorted."""
        return tuple(sorted(set(self.card.records) - self.find_records()))

    @property
    def subjects(self) -> dict[str, str]:
        """Who each record at the root shows; records of one person share a subject."""
        return {record: self.subject_of(record) for record in self.record_names}

    def __len__(self) -> int:
        return len(self.record_names)

    def __repr__(self) -> str:
        absent = f", {len(self.absent)} absent" if self.absent else ""
        held = f"{len(self)} records{absent}, {len(set(self.subjects.values()))} subjects"
        splits = f"; splits {', '.join(self.card.splits)}" if self.card.splits else ""
        return f"{type(self).__name__}({self.name!r}: {held}{splits}; {self.card.licence}; {self.root})"

    def _repr_html_(self) -> str:
        card = self.card
        facts = {
            "records": f"{len(self)} at {self.root}" + (f", {len(self.absent)} absent" if self.absent else ""),
            "subjects": str(len(set(self.subjects.values()))),
            "classes": " ".join(self.classes),
            "splits": ", ".join(f"{name} ({len(records)})" for name, records in card.splits.items()),
            "protocols": ", ".join(card.protocols),
            "licence": card.licence,
            "version": card.version,
            "address": card.address,
            "cite": " ".join(card.citation),
            "notes": card.notes,
        }
        rows = "".join(f"<tr><th>{key}</th><td>{html.escape(value)}</td></tr>" for key, value in facts.items() if value)
        return f"<div><b>{html.escape(card.title)}</b><table>{rows}</table></div>"

    def protocols(self) -> dict[str, Protocol]:
        """Return the frozen protocols of this database by name."""
        return dict(self.card.protocols)

    def resolve(self, protocol: Protocol) -> Protocol:
        """Return the protocol with the records of its sides, where it is a table at the root that names them."""
        return protocol

    def records_of(self, protocol: Protocol, side: Literal["train", "val", "test"]) -> tuple[str, ...]:
        """Return the records of one side of a protocol that are at the root; all of them where it splits none."""
        if protocol.open:
            return () if side == "val" else self.record_names
        held = set(self.record_names)
        named: tuple[str, ...] = getattr(self.resolve(protocol), side)
        return tuple(record for record in named if record in held)

    def recordings(
        self, which: str | Iterable[str] | None = None, *, channels: Channels | None = None
    ) -> Iterator[Recording]:
        """Return the recordings one after the other, each read when its turn comes.

        Parameters
        ----------
        which : str or iterable of str, optional
            Name of a frozen split, or of a record, or several names of records; all that are at the root
            by default.
        channels : sequence of str or int, optional
            Channels to keep, by name or place, in that order; all by default.

        Returns
        -------
        iterator of Recording
            With subject and the database's own symbols as labels.

        Raises
        ------
        ParameterError
            When the database knows no such split or record.
        DataError
            When records that were asked for are not at the root, at once; when a record cannot be read or
            lacks a channel, at its turn. The message names the record.
        """
        chosen = self._chosen(which)
        return (self._recording(record, channels) for record in chosen)

    def read(self, record: str) -> Recording:
        """Return one record as its files hold it.

        Parameters
        ----------
        record : str
            Name of the record.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how a record is read")

    def find_records(self) -> set[str]:
        """Return the names of the records at the root, by the headers that lie in it."""
        return {path.stem for path in self.root.glob("*.hea")}

    def subject_of(self, record: str) -> str:
        """Return whom a record shows."""
        return self.card.subject_of(record)

    @classmethod
    def stems_of(cls, record: str) -> tuple[str, ...]:
        """Return what the files of a record begin with, as published: its name, unless a database says otherwise."""
        return (record,)

    def download(
        self,
        records: str | Iterable[str] | None = None,
        *,
        mirror: str = "",
        connections: int = 4,
        progress: bool = True,
    ) -> Report:
        """Fetch what is missing at the root, or differs from what was published: see `biosig_lstm.datasets.download`.

        Parameters
        ----------
        records : str or iterable of str, optional
            Name of a frozen split, or of a record, or several; everything by default.
        mirror : str
            Address of another folder that holds the same files.
        connections : int [1 to 32]
            Files that are fetched at the same time.
        progress : bool
            Whether the size, and then a bar, are shown on stderr.
        """
        from biosig_lstm.datasets._download import download_records

        return download_records(
            self.card,
            self.root,
            records=records,
            stems_of=self.stems_of,
            mirror=mirror,
            connections=connections,
            progress=progress,
        )

    def verify(self) -> tuple[str, ...]:
        """Hash the files at the root and compare them with the SHA-256 sums of the card, or of the download.

        Returns
        -------
        tuple of str
            The files that were checked.

        Raises
        ------
        DataError
            When a file differs from what was published; the message names each.

        Notes
        -----
        The sums are those of ``SHA256SUMS.txt`` at the root; where the card has its own, they go before.
        """
        from biosig_lstm.datasets._download import known_sums

        sums = known_sums(self.card, self.root)
        present = sorted(name for name in sums if (self.root / name).is_file())
        changed = [name for name in present if _sha256(self.root / name) != sums[name]]
        if changed:
            raise DataError(f"{self.name}: differs from version {self.card.version} as published: {', '.join(changed)}")
        return tuple(present)

    @property
    def _source(self) -> str:
        command = f" (`biosig-lstm download {self.name}`)" if self.card.files else ""
        return self.card.address + command

    def _chosen(self, which: str | Iterable[str] | None) -> tuple[str, ...]:
        held = self.record_names
        if not held:
            example = f", such as {self.card.records[0]}" if self.card.records else ""
            raise DataError(
                f"{self.name}: no record lies in {self.root} itself{example}; its files come from {self._source}"
            )
        if which is None:
            return held
        wanted = self._named(which) if isinstance(which, str) else tuple(which)
        if not set(wanted).difference(held):
            return wanted
        known = set(held) | set(self.card.records)
        unknown = [record for record in wanted if record not in known]
        if unknown:
            raise ParameterError(f"{self.name}: record {options(unknown[0], known)}")
        gone = [record for record in wanted if record not in held]
        if gone:
            raise DataError(f"{self.name}: not at {self.root}: {', '.join(gone)}; get them from {self._source}")
        return wanted

    def _named(self, which: str) -> tuple[str, ...]:
        if which in self.card.splits:
            return self.card.splits[which]
        known = (*self.card.splits, *self.card.records, *self.record_names)
        if which not in known:
            raise ParameterError(f"{self.name}: split or record {options(which, set(known))}")
        return (which,)

    def _recording(self, record: str, channels: Channels | None) -> Recording:
        try:
            recording = replace(self.read(record), id=record, subject=self.subject_of(record))
        except (DataError, OSError) as error:
            raise DataError(f"{self.name}: record {record} cannot be read: {error}") from error
        return recording if channels is None else choose_channels(recording, channels)


def choose_channels(recording: Recording, channels: Channels) -> Recording:
    """Return the recording with these channels only, in this order.

    Raises
    ------
    DataError
        When the recording lacks one; the message names the recording and what it has.
    """
    names = recording.channels
    missing = [c for c in channels if (c not in names if isinstance(c, str) else not 0 <= c < len(names))]
    if missing:
        raise DataError(f"{recording.id}: channel {options(str(missing[0]), names)}")
    rows = [names.index(c) if isinstance(c, str) else c for c in channels]
    return replace(
        recording,
        signals=recording.signals[rows],
        channels=[names[row] for row in rows],
        units=[recording.units[row] for row in rows],
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
