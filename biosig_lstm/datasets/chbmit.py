"""CHB-MIT Scalp EEG Database: days of EEG of 23 people with epilepsy, their seizures marked."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets._card import Protocol
from biosig_lstm.datasets._challenge import LargeDataset, find_file, names_below
from biosig_lstm.datasets._written_edf import EdfChannel, write_edf
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError, options
from biosig_lstm.filters.bipolar import Bipolar
from biosig_lstm.formats.eeg import EdfRecord, open_edf
from biosig_lstm.transfer import Report

__all__ = ["CHANNELS", "DATASET", "SAME_PERSON", "ChbMit", "parse_summary", "write_sample"]

CHANNELS = (
    "FP1-F7", "F7-T7", "T7-P7", "P7-O1", "FP1-F3", "F3-C3", "C3-P3", "P3-O1", "FP2-F4", "F4-C4", "C4-P4", "P4-O2",
    "FP2-F8", "F8-T8", "T8-P8", "P8-O2", "FZ-CZ", "CZ-PZ",
)  # fmt: skip
"""The bipolar channels of the double banana, as the files name them."""

SAME_PERSON: Mapping[str, str] = MappingProxyType({"chb01": "chb01+chb21", "chb21": "chb01+chb21"})
"""Cases that are one person, and the subject that they are."""

_RECORD = re.compile(r"(chb\d\d)([a-z]?)_(\d+)(\+?)")
_FILE = re.compile(r"File\s*Name\s*:\s*(\S+?)(?:\.edf)?$", re.IGNORECASE)
_COUNT = re.compile(r"Number\s+of\s+Seizures\s+in\s+File\s*:\s*(\d+)", re.IGNORECASE)
_TIME = re.compile(r"Seizure\s*\d*\s*(Start|End)\s*Time\s*:\s*(\d+(?:\.\d+)?)", re.IGNORECASE)
_MONTAGES = ("double banana", "as recorded")
_EMPTY = re.compile(r"[-.]( \(\d+\))?")
_REFERENCE, _ALIASES = re.compile(r"-CS2$"), {"01": "O1"}
_SEIZURE, _BACKGROUND = "seizure", "background"

Seizures = tuple[tuple[float, float], ...]


@dataclass(frozen=True, repr=False)
class ChbMit(LargeDataset):
    """The database as PhysioNet gives it: ``chb01/chb01_03.edf``, and ``chb01/chb01-summary.txt`` beside it.

    The root may also be the folder of one case.

    Parameters
    ----------
    montage : str
        ``"double banana"``, the 18 channels of `CHANNELS` in this order, from every file; ``"as recorded"``, what the
        file has, without its empty channels.

    Raises
    ------
    ParameterError
        When the setting is none of these.

    Notes
    -----
    Each seizure is an annotation ``seizure``, and each stretch between them ``background``, so that the whole of a
    recording is labelled. Of two channels of one name the first is taken. Where a file holds electrodes against a
    common reference (``FP1-CS2``), or their bare names (``FP1``, whose reference is taken to be one for all), bipolar
    channels are their differences. Files that the summary does not name, and that no ``.seizures`` file is of, are read
    as without seizures, under a `BiosigWarning`.
    """

    montage: str = "double banana"

    def __post_init__(self) -> None:
        if self.montage not in _MONTAGES:
            raise ParameterError(f"{self.card.name}: montage {options(self.montage, _MONTAGES)}")

    @property
    def absent(self) -> tuple[str, ...]:
        """Records that a summary at the root names and that are not there, sorted."""
        named = {record for said in self._summaries.values() for record in said}
        return tuple(sorted(named - set(self.record_names)))

    def find_records(self) -> set[str]:
        """Return the names of the records at the root and in the folders below it."""
        return {name for name in names_below(self.root, ".edf") if _RECORD.fullmatch(name)}

    def subject_of(self, record: str) -> str:
        """Return whom a record shows: its case, or that of chb01 and chb21 together."""
        return SAME_PERSON.get(record[:5], record[:5])

    @classmethod
    def stems_of(cls, record: str) -> tuple[str, ...]:
        """Return what the files of a record begin with: its own, and the summary of its case."""
        return (record, f"{record[:5]}-summary") if _RECORD.fullmatch(record) else (record,)

    def download(self, *args: Any, **settings: Any) -> Report:
        """Fetch what is missing at the root: see `Dataset.download`."""
        try:
            return super().download(*args, **settings)
        finally:
            self.__dict__.pop("_summaries", None)

    def seizures(self, record: str) -> Seizures:
        """Return onset and end of each seizure of a record in seconds, as the summary of its case says.

        Raises
        ------
        DataError
            When there is no summary, or it does not name the record although a ``.seizures`` file does.
        """
        case = record[:5]
        if case not in self._summaries:
            raise DataError(f"no {case}-summary.txt in {self.root} or the folders below it: it says where seizures are")
        if record in self._summaries[case]:
            return self._summaries[case][record]
        if find_file(self.root, f"{record}.edf.seizures"):
            raise DataError(f"{case}-summary.txt does not name it, although there is a file {record}.edf.seizures")
        what = f"{record}: not named in {case}-summary.txt and without a .seizures file, read as without seizures"
        warnings.warn(what, BiosigWarning, stacklevel=2)
        return ()

    def read(self, record: str) -> Recording:
        """Return one record with its seizures.

        Raises
        ------
        DataError
            When the file or its summary is not there or damaged, or a channel can neither be found nor made.
        """
        path = self.root / record[:5] / f"{record}.edf"
        opened = open_edf(path if path.is_file() else find_file(self.root, path.name) or path)
        if self.montage == "as recorded":
            names = [name for name in opened.default_channels() if not _EMPTY.fullmatch(name)]
            recording = opened.read(names, annotations=False)
        else:
            recording = _double_banana(opened)
        marks = _labelled(self.seizures(record), fs=recording.fs, n_samples=recording.n_samples)
        return recording.with_annotations(marks)

    def resolve(self, protocol: Protocol) -> Protocol:
        """Return the protocol with the records of its sides: earlier and later files of each case."""
        if not protocol.folds:
            return protocol
        halves = {case: _halves(said) for case, said in self._summaries.items()}
        left_out = sorted(case for case, (_, later) in halves.items() if not later)
        if left_out:
            what = f"{protocol.name}: seizures in fewer than two files, no part of it: {', '.join(left_out)}"
            warnings.warn(what, BiosigWarning, stacklevel=2)
        sides = {
            "earlier": tuple(record for earlier, _ in halves.values() for record in earlier),
            "later": tuple(record for _, later in halves.values() for record in later),
        }
        train, test = (sum((sides[str(name)] for name in protocol.folds[side]), ()) for side in ("train", "test"))
        shared = {self.subject_of(record) for record in train} & {self.subject_of(record) for record in test}
        return replace(protocol, train=train, test=test, shared_subjects=tuple(sorted(shared)))

    @cached_property
    def _summaries(self) -> dict[str, dict[str, Seizures]]:
        cases = sorted({record[:5] for record in self.record_names})
        paths = {case: find_file(self.root, f"{case}-summary.txt") for case in cases}
        return {case: parse_summary(path) for case, path in paths.items() if path}


DATASET = ChbMit


def parse_summary(path: str | Path) -> dict[str, Seizures]:
    """Return onset and end in seconds of each seizure of each file that a ``chbNN-summary.txt`` names.

    Parameters
    ----------
    path : path
        The file; times stand in it as ``Seizure Start Time: 2996 seconds`` or ``Seizure 1 Start Time: 2996 seconds``.

    Returns
    -------
    dict of str to tuple of (float, float)
        By record, in the order of the file.

    Raises
    ------
    DataError
        When a file has more or fewer seizures than it is said to have, or a seizure ends before it begins.
    """
    blocks: dict[str, _Block] = {}
    for line in Path(path).read_text(encoding="utf-8", errors="replace").splitlines():
        if named := _FILE.match(line.strip()):
            blocks[named[1]] = _Block([], [], [])
        elif blocks and (count := _COUNT.match(line.strip())):
            blocks[list(blocks)[-1]].counts.append(int(count[1]))
        elif blocks and (time := _TIME.match(line.strip())):
            blocks[list(blocks)[-1]].times(time[1]).append(float(time[2]))
    return {record: block.seizures(f"{path}: {record}") for record, block in blocks.items()}


class _Block(NamedTuple):
    """What a summary says of one file."""

    counts: list[int]
    onsets: list[float]
    ends: list[float]

    def times(self, which: str) -> list[float]:
        return self.onsets if which.lower() == "start" else self.ends

    def seizures(self, where: str) -> Seizures:
        """Return onset and end of each."""
        n = self.counts[-1] if self.counts else len(self.onsets)
        if not len(self.onsets) == len(self.ends) == n:
            raise DataError(
                f"{where}: {n} seizures announced, {len(self.onsets)} onsets and {len(self.ends)} ends given"
            )
        found = tuple(sorted(zip(self.onsets, self.ends, strict=True)))
        for onset_s, end_s in found:
            if end_s <= onset_s:
                raise DataError(f"{where}: a seizure from {onset_s:g} to {end_s:g} s ends before it begins")
        return found


def _halves(said: Mapping[str, Seizures]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the earlier and the later records of a case; neither has any where fewer than two hold seizures."""
    order = sorted((record for record in said if _RECORD.fullmatch(record)), key=_place)
    held = [k for k, record in enumerate(order) if said[record]]
    if len(held) < 2:
        return (), ()
    reached = np.cumsum([len(said[record]) for record in order])
    half = int(np.searchsorted(reached, reached[-1] / 2))
    cut = min(half, held[-1] - 1) + 1
    return tuple(order[:cut]), tuple(order[cut:])


def _place(record: str) -> tuple[str, int, str]:
    said = _RECORD.fullmatch(record)
    return (said[2], int(said[3]), said[4]) if said else ("", 0, "")


def _double_banana(opened: EdfRecord) -> Recording:
    names: dict[str, str] = {}
    for name in opened.channels:
        label = _REFERENCE.sub("", name.upper())
        names.setdefault(_ALIASES.get(label, label), name)
    if all(channel in names for channel in CHANNELS):
        return replace(opened.read([names[channel] for channel in CHANNELS], annotations=False), channels=CHANNELS)
    units = [opened.units[opened.channels.index(name)] for name in names.values()]
    empty = Recording(np.zeros((len(names), 0), np.float32), 1.0, list(names), units, id=opened.header.path.stem)
    montage = Bipolar(CHANNELS, keep_others=False)
    needed = list(dict.fromkeys(label for parts in montage.sources(empty).values() for label in parts))
    read = opened.read([names[label] for label in needed], annotations=False)
    return montage(replace(read, channels=needed))


def _labelled(seizures: Seizures, *, fs: float, n_samples: int) -> Annotations:
    """Return the seizures, and the background before, between and after them."""
    edges = np.rint(np.array(seizures, dtype=np.float64).reshape(-1, 2) * fs).astype(np.int64)
    if len(edges) and (edges[:, 0].max() >= n_samples or (edges[1:, 0] < edges[:-1, 1]).any()):
        said = ", ".join(f"{onset:g}-{end:g}" for onset, end in seizures)
        raise DataError(f"seizures must lie one after the other within its {n_samples / fs:g} s, got {said}")
    places = np.concatenate([[0], edges.ravel(), [n_samples]]).clip(0, n_samples)
    labels = np.resize([_BACKGROUND, _SEIZURE], len(places) - 1)
    held = places[1:] > places[:-1]
    return Annotations(places[:-1][held], places[1:][held], labels[held])


_FS_HZ = 256
_SAMPLE_S = 120
_SAMPLE: Mapping[str, Seizures] = {
    "chb01_01": (),
    "chb01_03": ((40, 70),),
    "chb01_04": ((10, 32), (80, 110)),
    "chb02_16": ((50, 80),),
    "chb02_16+": (),
    "chb02_19": ((20, 44),),
    "chb12_06": ((60, 95),),
    "chb12_27": ((30, 58),),
    "chb12_28": ((70, 100),),
    "chb17a_03": ((64, 100),),
    "chb17b_63": ((12, 40),),
    "chb21_19": ((44, 84),),
    "chb21_20": ((26, 60),),
}
_RECORDED = (*CHANNELS, "P7-T7", "T7-FT9", "FT9-FT10", "FT10-T8", "T8-P8")
_ELECTRODES = tuple(dict.fromkeys(name for pair in _RECORDED for name in pair.split("-")))


def write_sample(root: str | Path) -> None:
    """Write thirteen generated records of two minutes, of five cases and four people, in the layout of the database.

    Seizures are waves of 3 Hz that grow. chb17a and chb17b have empty channels between the others; chb12_27 has its
    electrodes against one reference, chb12_28 their bare names, one of them misspelt.

    Parameters
    ----------
    root : str or Path
        Folder to write to; made if need be.
    """
    folder = Path(root)
    for seed, (record, seizures) in enumerate(_SAMPLE.items()):
        place = folder / record[:5]
        place.mkdir(parents=True, exist_ok=True)
        write_edf(place / f"{record}.edf", _channels(record, _electrodes(seizures, seed)))
    cases = sorted({record[:5] for record in _SAMPLE})
    for case in cases:
        said = {record: seizures for record, seizures in _SAMPLE.items() if record[:5] == case}
        (folder / case / f"{case}-summary.txt").write_text(_summary(said, times=case != "chb02"), encoding="utf-8")
    for name, held in (("RECORDS", list(_SAMPLE)), ("RECORDS-WITH-SEIZURES", [r for r, s in _SAMPLE.items() if s])):
        (folder / name).write_text("".join(f"{r[:5]}/{r}.edf\n" for r in held), encoding="utf-8")


def _electrodes(seizures: Seizures, seed: int) -> dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    rng = np.random.default_rng(seed)
    seconds = np.arange(_SAMPLE_S * _FS_HZ) / _FS_HZ
    size = np.zeros(len(seconds))
    for onset_s, end_s in seizures:
        grown = (seconds - onset_s) / (end_s - onset_s)
        size += np.where((grown >= 0) & (grown < 1), 40 + 160 * grown, 0)
    wave = size * np.sin(2 * np.pi * 3 * seconds) ** 3
    alpha = 8 * np.sin(2 * np.pi * 10 * seconds)
    gains = rng.uniform(-1, 1, (len(_ELECTRODES), 2))
    return {
        name: rng.normal(0, 12, len(seconds)) + gain[0] * wave + gain[1] * alpha
        for name, gain in zip(_ELECTRODES, gains, strict=True)
    }


def _channels(record: str, held: Mapping[str, np.ndarray[tuple[int], np.dtype[np.float64]]]) -> list[EdfChannel]:
    if record in ("chb12_27", "chb12_28"):
        suffix = "-CS2" if record == "chb12_27" else ""
        names = {name: ("01" if name == "O1" and not suffix else name) + suffix for name in _ELECTRODES}
        return [EdfChannel(label, held[name], _FS_HZ) for name, label in names.items()]
    made = [EdfChannel(name, held[a] - held[b], _FS_HZ) for name in _RECORDED for a, b in [name.split("-")]]
    if record[:5] == "chb17":
        empty = EdfChannel("-", np.zeros(_SAMPLE_S * _FS_HZ), _FS_HZ)
        return [*made[:4], empty, *made[4:8], empty, *made[8:]]
    return made


def _summary(said: Mapping[str, Seizures], *, times: bool) -> str:
    head = [f"Data Sampling Rate: {_FS_HZ} Hz", "*" * 25, "", "Channels in EDF Files:", "*" * 22]
    lines = [*head, *(f"Channel {k}: {name}" for k, name in enumerate(_RECORDED, start=1)), ""]
    for k, (record, seizures) in enumerate(said.items()):
        lines.append(f"File Name: {record}.edf")
        lines += [f"File Start Time: {k + 10}:00:00", f"File End Time: {k + 10}:02:00"] * times
        lines.append(f"Number of Seizures in File: {len(seizures)}")
        lines += _seizure_lines(seizures)
        lines.append("")
    return "\n".join(lines)


def _seizure_lines(seizures: Sequence[tuple[float, float]]) -> list[str]:
    """Return the lines as the database has them, of which there are two kinds."""
    if len(seizures) == 1:
        return [f"Seizure {edge} Time: {at} seconds" for edge, at in zip(("Start", "End"), seizures[0], strict=True)]
    return [
        f"Seizure {k} {edge} Time: {at} seconds"
        for k, seizure in enumerate(seizures, start=1)
        for edge, at in zip(("Start", "End"), seizure, strict=True)
    ]
