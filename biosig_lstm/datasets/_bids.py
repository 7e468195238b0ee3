"""Any BIDS tree of EEG as a database: subjects by its folders, labels by a column of its tables."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from biosig_lstm.containers import Annotations, Recording, canonical_unit
from biosig_lstm.datasets._base import Channels, Dataset, choose_channels
from biosig_lstm.datasets._card import Card
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError, options
from biosig_lstm.formats import channels_wanted, list_channels, open_recording
from biosig_lstm.formats._bids import (
    BidsEvent,
    parse_bids_name,
    read_bids_events,
    read_bids_json,
    read_bids_sidecar,
    read_bids_table,
    sidecars_of,
)

__all__ = ["BidsDataset", "open_bids"]

_SIGNALS = (".edf", ".bdf", ".vhdr", ".set", ".fif", ".fif.gz")
_DESCRIPTION, _PEOPLE = "dataset_description.json", "participants.tsv"
_TIMES = {"onset", "duration", "sample"}
_TRIGGERS = ("TRIG", "SYSCLOCK")
_VOLTS_UV = {"V": 1e6, "mV": 1e3, "uV": 1.0, "nV": 1e-3}
_ENTITIES = {
    "task": "task", "ses": "ses", "session": "ses", "run": "run", "acq": "acq", "acquisition": "acq", "proc": "proc",
}  # fmt: skip
_RATE_TOLERANCE = 1e-3
_MOST_NAMED = 8


class _Event(NamedTuple):
    record: str
    line: int
    onset_s: float
    duration_s: float
    label: str


@dataclass(frozen=True, repr=False)
class BidsDataset(Dataset):
    """A BIDS tree of EEG recordings; `open_bids` opens one.

    Records are named as their files, without ``_eeg`` and the extension. The subject is the folder's, as in
    ``sub-01``, in every session.

    Parameters
    ----------
    card : Card
        What ``dataset_description.json`` says.
    root : Path
        The folder that holds the ``sub-*`` folders.
    label : str
        What labels are: a column of ``events.tsv`` or ``participants.tsv``, or an entity of the names, such as
        ``task``.
    types : tuple of str
        Types of channels that are kept, as ``channels.tsv`` has them; all but triggers where there is none.
    """

    label: str = "trial_type"
    types: tuple[str, ...] = ()

    @property
    def record_names(self) -> tuple[str, ...]:
        """Records of the tree, sorted."""
        return tuple(sorted(self._files))

    @property
    def classes(self) -> tuple[str, ...]:
        """Labels that occur, sorted."""
        if self.source == "events":
            return tuple(sorted({event.label for event in self.events()}))
        return tuple(sorted({label for label in map(self.label_of, self.record_names) if label}))

    @property
    def participants(self) -> Mapping[str, Mapping[str, str]]:
        """Rows of ``participants.tsv`` by subject; empty where there is none. What is missing is empty."""
        return MappingProxyType({who: row for who, (_, row) in self._people.items()})

    @property
    def line_hz(self) -> float | None:
        """Frequency of the mains that the recordings' sidecars agree on; None where they do not, or do not say."""
        said = {self.sidecar(record).get("PowerLineFrequency") for record in self.record_names}
        value = said.pop() if len(said) == 1 else None
        return float(value) if isinstance(value, int | float) else None

    @cached_property
    def source(self) -> str:
        """Where labels come from: ``events``, ``participants`` or ``names``.

        Raises
        ------
        ParameterError
            When no table has such a column and it is no entity; the message lists what there is.
        """
        events = {name for columns in self._event_columns.values() for name in columns} - _TIMES
        people = {name for row in self.participants.values() for name in row}
        for source, known in (("events", events), ("participants", people - {"participant_id"}), ("names", _ENTITIES)):
            if self.label in known:
                return source
        if not events and self.label == "trial_type":
            return "events"
        known = events | (people - {"participant_id"}) | set(_ENTITIES)
        raise ParameterError(f"{self.root}: label {options(self.label, known)}")

    def find_records(self) -> set[str]:
        """Return the names of the records of the tree."""
        return set(self._files)

    def file_of(self, record: str) -> Path:
        """Return the file that holds a record's signals."""
        if record not in self._files:
            raise ParameterError(f"{self.name}: record {options(record, self._files)}")
        return self._files[record]

    def subject_of(self, record: str) -> str:
        """Return whom a record shows: the name of its ``sub-*`` folder."""
        return self.file_of(record).relative_to(self.root).parts[0]

    def select(self, **entities: str) -> tuple[str, ...]:
        """Return the records whose names have these entities, as in ``select(task="rest", ses="1")``."""
        wanted = {_ENTITIES.get(key, key): value for key, value in entities.items()}
        return tuple(name for name in self.record_names if wanted.items() <= self._entities(name).items())

    def sidecar(self, record: str) -> dict[str, Any]:
        """Return what the ``*_eeg.json`` files that hold for a record say."""
        return read_bids_sidecar(self.file_of(record), root=self.root)

    def label_of(self, record: str) -> str:
        """Return the label of a record as a whole; empty where it has none, or labels are events."""
        if self.source == "names":
            return self._entities(record).get(_ENTITIES[self.label], "")
        row = self.participants.get(self.subject_of(record), {})
        return row.get(self.label, "") if self.source == "participants" else ""

    def line_of(self, record: str) -> int:
        """Return the line of ``participants.tsv`` that a record's subject stands on; 0 where there is none."""
        return self._people.get(self.subject_of(record), (0, {}))[0]

    def events(self, record: str | None = None) -> list[_Event]:
        """Return the labelled events of a record, or of all: record, line of its table, onset, duration, label."""
        names = self.record_names if record is None else (record,)
        held = {name: self._event_files[name] for name in names}
        if record is not None and held[record] not in (None, *self._events):
            raise DataError(f"{held[record]}: cannot be read, as a warning said when the tree was opened")
        return [_Event(name, *event) for name, path in held.items() if path for event in self._events.get(path, ())]

    def read(
        self,
        record: str,
        *,
        channels: Sequence[str] | None = None,
        start_s: float | None = None,
        stop_s: float | None = None,
    ) -> Recording:
        """Return one record, or a stretch of it, with its labels; channels that are marked bad are left out.

        Parameters
        ----------
        record : str
            Its name.
        channels : sequence of str, optional
            Channels that will be used: of a file that mixes rates these are opened.
        start_s, stop_s : float [unit=s], optional
            The stretch; all of it by default.

        Raises
        ------
        DataError
            When the file is not there or damaged, or every channel is marked bad.
        """
        path = self.file_of(record)
        if path.is_symlink() and not path.exists():
            raise DataError(f"{path}: is a link to what has not been fetched; `datalad get` or `git annex get` does it")
        table, rows = self._channel_rows(path)
        wanted = list(channels) if channels else [name for name, row in rows.items() if row.get("type") in self.types]
        chosen = channels_wanted(path, wanted) if wanted else None
        opened = open_recording(path, channels=chosen, start_s=start_s, stop_s=stop_s, annotator=None)
        _warn_of_strange(table, rows, path, opened)
        kept = self._without_bad(_in_units(opened, rows), rows)
        self._check_rate(record, kept)
        marks = self._annotations(record, kept, start_s or 0.0, whole=start_s is None and stop_s is None)
        return replace(kept, id=record, subject=self.subject_of(record), annotations=marks)

    def _recording(self, record: str, channels: Channels | None) -> Recording:
        names = [name for name in channels or () if isinstance(name, str)]
        try:
            recording = self.read(record, channels=names if names and len(names) == len(channels or ()) else None)
        except (DataError, OSError) as error:
            raise DataError(f"{self.name}: record {record} cannot be read: {error}") from error
        return recording if channels is None else choose_channels(recording, channels)

    @cached_property
    def _files(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for path in sorted([*self.root.glob("sub-*/eeg/*_eeg.*"), *self.root.glob("sub-*/ses-*/eeg/*_eeg.*")]):
            named = parse_bids_name(path.name)
            if named is None or named.suffix != "eeg" or named.extension.lower() not in _SIGNALS:
                continue
            folder = path.relative_to(self.root).parts[0]
            if f"sub-{named.entities.get('sub', '')}" != folder:
                raise DataError(f"{path}: lies in the folder of {folder} and is named for another subject")
            found.setdefault(path.name.partition("_eeg.")[0], path)
        return found

    @cached_property
    def _people(self) -> dict[str, tuple[int, dict[str, str]]]:
        path = self.root / _PEOPLE
        rows = read_bids_table(path) if path.is_file() else []
        if rows and "participant_id" not in rows[0][1]:
            raise DataError(f"{path}: column {options('participant_id', rows[0][1])}")
        named = [(_subject(row["participant_id"]), line, row) for line, row in rows]
        twice = {who for who, *_ in named if [one[0] for one in named].count(who) > 1}
        if twice:
            raise DataError(f"{path}: stand twice: {', '.join(sorted(twice))}")
        return {who: (line, row) for who, line, row in named}

    @cached_property
    def _event_files(self) -> dict[str, Path | None]:
        found = {
            name: sidecars_of(path, root=self.root, suffix="events", extension=".tsv")
            for name, path in self._files.items()
        }
        return {name: paths[0] if paths else None for name, paths in found.items()}

    @cached_property
    def _event_columns(self) -> dict[Path, tuple[str, ...]]:
        """Columns of each table of events that can be read."""
        found = {}
        for path in sorted({path for path in self._event_files.values() if path}):
            try:
                found[path] = tuple(_columns(path))
            except DataError as error:
                _warn(f"{error}: the events of its recordings are not known")
        return found

    @cached_property
    def _events(self) -> dict[Path, list[BidsEvent]]:
        known = {path: self.label in columns for path, columns in self._event_columns.items()}
        lacking = [str(path) for path, has in known.items() if not has]
        if lacking and len(lacking) < len(known):
            _warn(f"no column {self.label} in {_some(lacking)}: their recordings have no label")
        return {path: read_bids_events(path, column=self.label) if has else [] for path, has in known.items()}

    def _entities(self, record: str) -> dict[str, str]:
        named = parse_bids_name(self.file_of(record).name)
        return named.entities if named else {}

    def _channel_rows(self, path: Path) -> tuple[Path | None, dict[str, dict[str, str]]]:
        tables = sidecars_of(path, root=self.root, suffix="channels", extension=".tsv")
        rows = read_bids_table(tables[0]) if tables else []
        if rows and "name" not in rows[0][1]:
            raise DataError(f"{tables[0]}: column {options('name', rows[0][1])}")
        if self.types and not rows:
            raise DataError(f"{path}: no channels.tsv says which channels are of type {' '.join(self.types)}")
        return (tables[0] if tables else None), {row["name"]: row for _, row in rows}

    def _without_bad(self, recording: Recording, rows: Mapping[str, Mapping[str, str]]) -> Recording:
        of = {name: rows.get(name, {}) for name in recording.channels}
        bad = [name for name, row in of.items() if row.get("status", "").lower() == "bad"]
        foreign = [name for name, row in of.items() if self.types and row.get("type") not in self.types]
        triggers = [name for name, row in of.items() if not self.types and row.get("type") in _TRIGGERS]
        dropped = {*bad, *foreign, *triggers}
        kept = [name for name in recording.channels if name not in dropped]
        notes = [f"left out {_some(bad)}: marked as bad in channels.tsv"] if bad else []
        notes += [f"left out {_some(foreign)}: not of type {' '.join(self.types)}"] if foreign else []
        notes += [f"left out {_some(triggers)}: triggers"] if triggers else []
        if not kept:
            raise DataError(f"{recording.id}: no channel is left of {len(of)}: {'; '.join(notes)}")
        for note in notes[: len(bad[:1])]:
            _warn(f"{recording.id}: {note}")
        return replace(recording.pick(kept), history=(*recording.history, *notes))

    def _check_rate(self, record: str, recording: Recording) -> None:
        said = self.sidecar(record).get("SamplingFrequency")
        if isinstance(said, int | float) and abs(recording.fs - said) > _RATE_TOLERANCE * recording.fs:
            _warn(f"{record}: the file has {recording.fs:g} Hz, its sidecar says {said:g} Hz: the file's is taken")

    def _annotations(self, record: str, recording: Recording, start_s: float, *, whole: bool) -> Annotations:
        n, fs = recording.n_samples, recording.fs
        if self.source != "events":
            label = self.label_of(record)
            return Annotations([0], [n], [label]) if label else Annotations()
        events = self.events(record)
        starts = np.rint((np.array([event.onset_s for event in events]) - start_s) * fs)
        stops = starts + np.rint(np.array([event.duration_s for event in events]) * fs)
        first, last = (np.clip(edge, -1, n + 1).astype(np.int64) for edge in (starts, stops))
        inside = Annotations(first, last, [event.label for event in events]).crop(start=0, stop=n)
        if whole and len(inside) < len(events):
            _warn(f"{record}: {len(events) - len(inside)} events before its beginning or beyond its end left out")
        return inside


def open_bids(root: str | Path, label: str = "trial_type", *, types: Sequence[str] = ()) -> BidsDataset:
    """Return a BIDS tree of EEG as a database.

    Parameters
    ----------
    root : path
        The folder that holds ``dataset_description.json``, ``participants.tsv`` and the ``sub-*`` folders.
    label : str
        What labels are. A column of ``events.tsv`` (``trial_type``, ``value``): each event is an annotation. A column
        of ``participants.tsv`` (``group``, ``sex``), or an entity of the names (``task``, ``session``, ``run``,
        ``acquisition``): one annotation over the whole recording.
    types : sequence of str, optional
        Types of channels to keep, as in ``("EEG", "EOG")``; all but triggers by default.

    Returns
    -------
    BidsDataset
        With `recordings`, `subjects`, `classes` and the rest of a `Dataset`.

    Raises
    ------
    DataError
        When there is no such folder, no EEG in it, or the table of participants cannot be read.
    ParameterError
        When no table has the column.

    Warns
    -----
    BiosigWarning
        When the folder has no ``dataset_description.json``; when subjects have no row in ``participants.tsv`` although
        labels stand there; when a table of events cannot be read: its recordings are refused at their turn where
        labels are events. At its turn: tables of events that lack the column although others have it, channels that
        are marked bad, events outside of the recording, a rate that is not the sidecar's.

    Notes
    -----
    BIDS 1.10, "Electroencephalography": EDF, BDF, BrainVision and EEGLAB files in ``sub-*/[ses-*/]eeg``; FIF is read
    too. Tables and sidecars are inherited from the folders above. ``derivatives``, ``sourcedata`` and ``code`` are not
    looked at. Annotations inside the files are not read: those of BIDS are in ``events.tsv``.

    Examples
    --------
    >>> data = open_bids("ds004504", label="Group")  # doctest: +SKIP
    >>> train, test = bl.split_by_subject(prepare(data.recordings()), (0.8, 0.2), seed=0)  # doctest: +SKIP
    """
    folder = Path(root).expanduser()
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder")
    named = (types,) if isinstance(types, str) else types
    data = BidsDataset(_card(folder), folder, label, tuple(kind.upper() for kind in named))
    if not len(data):
        raise DataError(
            f"{folder}: holds no EEG of BIDS: wanted sub-*/[ses-*/]eeg/*_eeg with one of {' '.join(_SIGNALS)}"
        )
    lacking = sorted({who for who in data.subjects.values() if who not in data.participants})
    if data.source == "participants" and lacking:
        _warn(f"{folder / _PEOPLE}: no row for {_some(lacking)}: their recordings have no label")
    return data


def _card(folder: Path) -> Card:
    path = folder / _DESCRIPTION
    if not path.is_file():
        _warn(f"{folder}: has no {_DESCRIPTION}: is it the root of a BIDS tree?")
    said = read_bids_json(path) if path.is_file() else {}
    links = said.get("ReferencesAndLinks") or []
    cite = [str(said.get("HowToAcknowledge") or ""), *(map(str, links) if isinstance(links, list) else [str(links)])]
    return Card(
        name=folder.absolute().name,
        title=str(said.get("Name") or folder.absolute().name),
        licence=str(said.get("License") or "licence not stated"),
        citation=tuple(text for text in cite if text),
        address=str(said.get("DatasetDOI") or folder),
        version=str(said.get("BIDSVersion") or ""),
        folder=folder,
    )


def _warn_of_strange(table: Path | None, rows: Mapping[str, Mapping[str, str]], path: Path, opened: Recording) -> None:
    unseen = [name for name, row in rows.items() if name not in opened.channels and row.get("type") not in _TRIGGERS]
    held = {channel.name for channel in list_channels(path)} if unseen else set()
    strange = [name for name in unseen if name not in held]
    if strange:
        _warn(f"{table}: not among the channels of {path.name}: {_some(strange)}")


def _columns(path: Path) -> Iterator[str]:
    rows = read_bids_table(path)
    yield from rows[0][1] if rows else ()


def _subject(text: str) -> str:
    return text if text.startswith("sub-") else f"sub-{text}"


def _in_units(recording: Recording, rows: Mapping[str, Mapping[str, str]]) -> Recording:
    """Return the recording with the unit of ``channels.tsv`` where the file itself has none."""
    said = [canonical_unit(rows.get(name, {}).get("units", "")) for name in recording.channels]
    units = [unit or _canonical(other) for unit, other in zip(recording.units, said, strict=True)]
    if units == list(recording.units):
        return recording
    new = [not unit and other in _VOLTS_UV for unit, other in zip(recording.units, said, strict=True)]
    scales = [_VOLTS_UV[other] if is_new else 1.0 for other, is_new in zip(said, new, strict=True)]
    signals = recording.signals * np.array(scales, dtype=np.float32)[:, None]
    return replace(recording, signals=signals, units=units)


def _canonical(unit: str) -> str:
    return "uV" if unit in _VOLTS_UV else unit


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _warn(text: str) -> None:
    warnings.warn(text, BiosigWarning, stacklevel=4)
