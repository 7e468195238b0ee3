"""PTB-XL: 21,799 twelve-lead electrocardiograms of 10 s, each with some of 71 statements, in ten folds by patient."""

from __future__ import annotations

import ast
import csv
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

import numpy as np

from biosig_lstm.containers import Recording
from biosig_lstm.datasets._base import Dataset
from biosig_lstm.datasets._card import Protocol
from biosig_lstm.datasets._challenge import whole_recording
from biosig_lstm.datasets._scp_statements import (
    STATEMENTS,
    TASKS,
    Statement,
    read_statements,
    task_classes,
    task_labels,
    write_statements,
)
from biosig_lstm.datasets._synthetic_ecg import Float32, synthetic_ecg
from biosig_lstm.datasets._written import twelve_leads
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError, options
from biosig_lstm.filters.resample import resample
from biosig_lstm.formats.wfdb import read_wfdb, write_wfdb

__all__ = ["DATASET", "LEADS", "STATEMENTS", "TASKS", "PtbXl", "task_classes", "task_labels", "write_sample"]

LEADS = ("I", "II", "III", "AVR", "AVL", "AVF", "V1", "V2", "V3", "V4", "V5", "V6")
"""The leads in the order, and by the names, that the files have them."""

_RATES_HZ = (100, 500)
_TABLE, _STATEMENTS = "ptbxl_database.csv", "scp_statements.csv"
_NEEDED = ("ecg_id", "patient_id", "scp_codes", "strat_fold", "filename_lr", "filename_hr")
_N_FOLDS = 10
_LONGEST_CODES = 10_000
_SHOWN = 5


class _Row(NamedTuple):
    subject: str
    fold: int
    files: dict[int, str]
    codes: dict[str, float]
    cells: dict[str, str]


@dataclass(frozen=True, repr=False)
class PtbXl(Dataset):
    """The database as PhysioNet gives it: ``ptbxl_database.csv``, ``scp_statements.csv``, ``records100`` and so on.

    Parameters
    ----------
    card, root
        As of every `Dataset`.
    rate_hz : {100, 500}
        Which of the two copies of each record is read: ``records100`` or ``records500``.
    task : {"all", "diagnostic", "subdiagnostic", "superdiagnostic", "form", "rhythm"}
        Which labels records have; a record without any of them is none of this task's, as in Strodthoff et al. 2021.

    Raises
    ------
    ParameterError
        When `rate_hz` or `task` is another.

    Notes
    -----
    A record is called by its ``ecg_id`` in five digits, ``00001``, at either rate; its subject is its ``patient_id``.
    Each label is an annotation over the whole recording; the note says which statements it stands for, and how likely
    each is stated to be (``ASMI=80``), which counts for nothing: 0 means that no likelihood is stated. Labels are made
    of the codes by the published ``scp_statements.csv``, which is built in (`STATEMENTS`). Rows of
    ``ptbxl_database.csv`` that cannot be read, and codes that ``scp_statements.csv`` at the root does not explain, are
    left out under a `BiosigWarning` that names them.
    """

    rate_hz: Literal[100, 500] = 100
    task: str = "all"

    def __post_init__(self) -> None:
        if self.rate_hz not in _RATES_HZ:
            raise ParameterError(f"rate_hz must be 100 or 500, got {self.rate_hz!r}")
        if self.task not in TASKS:
            raise ParameterError(f"task {options(str(self.task), TASKS)}")

    @property
    def classes(self) -> tuple[str, ...]:
        """Labels of the task, sorted."""
        return task_classes(self.task)

    @property
    def record_names(self) -> tuple[str, ...]:
        """Records that are at the root and have a label of the task, sorted."""
        return self._held

    @property
    def absent(self) -> tuple[str, ...]:
        """Records with a label of the task that are not at the root, sorted."""
        return tuple(sorted(set(self._labels) - set(self._held)))

    @cached_property
    def statements(self) -> dict[str, Statement]:
        """What ``scp_statements.csv`` at the root says of each code."""
        found = read_statements(self.root / _STATEMENTS)
        other = sorted(code for code in found if code in STATEMENTS and found[code][1:] != STATEMENTS[code][1:])
        if other:
            warnings.warn(
                f"{self.name}: {_STATEMENTS} differs from version {self.card.version} in {_some(other)}: "
                "the published kinds and classes are used",
                BiosigWarning,
                stacklevel=2,
            )
        return found

    def fold(self, *numbers: int | str) -> tuple[str, ...]:
        """Return the records of these folds, 1 to 10, that have a label of the task, at the root or not.

        Raises
        ------
        ParameterError
            When there is no such fold.
        """
        wrong = [number for number in numbers if number not in range(1, _N_FOLDS + 1)]
        if wrong:
            raise ParameterError(f"{self.name}: folds are 1 to {_N_FOLDS}, got {wrong[0]}")
        return tuple(record for record in self._labels if self._rows[record].fold in numbers)

    def resolve(self, protocol: Protocol) -> Protocol:
        """Return the protocol with the records of its sides, by the column ``strat_fold`` of the table."""
        sides = {side: self.fold(*numbers) for side, numbers in protocol.folds.items()}
        return replace(protocol, **sides)  # type: ignore[arg-type]

    def find_records(self) -> set[str]:
        """Return the names of the records at the root, whatever their labels, by their headers."""
        files = {record: row.files[self.rate_hz] for record, row in self._rows.items()}
        folders = {str(PurePosixPath(file).parent) for file in files.values()}
        there = {f"{folder}/{name}" for folder in folders for name in _names_in(self.root / folder)}
        return {record for record, file in files.items() if f"{file}.hea" in there}

    def subject_of(self, record: str) -> str:
        """Return the ``patient_id`` of a record."""
        return self._rows[record].subject

    @classmethod
    def stems_of(cls, record: str) -> tuple[str, ...]:
        """Return what the files of a record begin with, at both rates."""
        if not record.isdecimal():
            return (record,)
        number = int(record)
        folder = f"{number // 1000 * 1000:05d}"
        return tuple(f"records{rate}/{folder}/{number:05d}_{end}" for rate, end in ((100, "lr"), (500, "hr")))

    def read(self, record: str) -> Recording:
        """Return one record with its labels as annotations of the whole."""
        recording = read_wfdb(self.root / self._rows[record].files[self.rate_hz], annotator=None)
        codes = self._rows[record].codes
        pairs = ((label, f"{code}={codes[code]:g}") for code in codes for label in self._labels_of((code,)))
        return recording.with_annotations(whole_recording(pairs, recording.n_samples))

    def facts(self) -> dict[str, dict[str, str]]:
        """Return what ``ptbxl_database.csv`` says of each record that is there: age, sex, report, quality and so on."""
        return {record: dict(self._rows[record].cells) for record in self._held}

    def _labels_of(self, codes: Iterable[str]) -> list[str]:
        return task_labels((code for code in codes if code in self.statements), self.task)

    @cached_property
    def _held(self) -> tuple[str, ...]:
        there = self.find_records()
        return tuple(record for record in self._labels if record in there)

    @cached_property
    def _labels(self) -> dict[str, list[str]]:
        labels = {record: self._labels_of(row.codes) for record, row in self._rows.items()}
        return {record: found for record, found in labels.items() if found}

    @cached_property
    def _rows(self) -> dict[str, _Row]:
        """Return what the table says of each record, by name and in that order; what cannot be used is reported."""
        path = self.root / _TABLE
        if not path.is_file():
            raise DataError(f"{self.name}: no {_TABLE} in {self.root}; it comes from {self.card.address}")
        rows, unreadable = _read_rows(path)
        unknown = Counter(code for row in rows.values() for code in row.codes if code not in self.statements)
        reports = [f"{_some(unreadable)}, left out"] if unreadable else []
        if unknown:
            codes = _some(f"{code} ({n} records)" for code, n in sorted(unknown.items()))
            reports.append(f"codes that {_STATEMENTS} does not explain, left out: {codes}")
        for report in reports:
            warnings.warn(f"{self.name}: {_TABLE}: {report}", BiosigWarning, stacklevel=2)
        return dict(sorted(rows.items()))


DATASET = PtbXl


def _read_rows(path: Path) -> tuple[dict[str, _Row], list[str]]:
    rows: dict[str, _Row] = {}
    unreadable: list[str] = []
    for number, cells in _cells(path):
        try:
            record, row = _row(cells)
            if record in rows:
                raise ValueError(f"a second row of ecg_id {int(record)}")
        except ValueError as error:
            unreadable.append(f"line {number}: {error}")
            continue
        rows[record] = row
    return rows, unreadable


def _cells(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            missing = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
            if missing:
                held = ", ".join(reader.fieldnames or ()) or "none"
                raise DataError(f"{path}: lacks the columns {', '.join(missing)}; it has {held}")
            for cells in reader:
                yield reader.line_num, cells
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: no readable table: {error}") from error


def _row(cells: Mapping[str, str]) -> tuple[str, _Row]:
    record = f"{_whole('ecg_id', cells):05d}"
    fold = _whole("strat_fold", cells)
    if not 1 <= fold <= _N_FOLDS:
        raise ValueError(f"strat_fold must be 1 to {_N_FOLDS}, got {fold}")
    files = {100: _inside("filename_lr", cells), 500: _inside("filename_hr", cells)}
    known = {name: cell for name, cell in cells.items() if name}
    return record, _Row(str(_whole("patient_id", cells)), fold, files, _codes(cells["scp_codes"]), known)


def _whole(name: str, cells: Mapping[str, str]) -> int:
    try:
        number = float(cells[name])
    except ValueError as error:
        raise ValueError(f"{name} must be a number, got {cells[name]!r}") from error
    if not (number >= 0 and number == int(number)):
        raise ValueError(f"{name} must be a whole number, got {cells[name]!r}")
    return int(number)


def _inside(name: str, cells: Mapping[str, str]) -> str:
    path = PurePosixPath(cells[name])
    if not path.parts or path.is_absolute() or ".." in path.parts or "\\" in cells[name]:
        raise ValueError(f"{name} must be a path below the root, got {cells[name]!r}")
    return str(path)


def _codes(text: str) -> dict[str, float]:
    """Return a dictionary of codes and likelihoods from its Python literal; nothing in it is run."""
    try:
        held = ast.literal_eval(text) if len(text) <= _LONGEST_CODES else None
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        held = None
    if not isinstance(held, dict) or not all(isinstance(code, str) for code in held):
        raise ValueError(f"scp_codes must be a dictionary of codes and likelihoods, got {text[:60]!r}")
    if not all(isinstance(likelihood, int | float) for likelihood in held.values()):
        raise ValueError(f"likelihoods in scp_codes must be numbers, got {text[:60]!r}")
    return {code: float(likelihood) for code, likelihood in held.items()}


def _names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()] if folder.is_dir() else []


def _some(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return "; ".join(every[:_SHOWN]) + more


_HEAD = (
    "ecg_id,patient_id,age,sex,height,weight,nurse,site,device,recording_date,report,scp_codes,heart_axis,"
    "infarction_stadium1,infarction_stadium2,validated_by,second_opinion,initial_autogenerated_report,"
    "validated_by_human,baseline_drift,static_noise,burst_noise,electrodes_problems,extra_beats,pacemaker,"
    "strat_fold,filename_lr,filename_hr"
)


class _Kind(NamedTuple):
    codes: dict[str, float]
    heart_rate_bpm: float = 70.0
    p_ventricular: float = 0.0
    size: float = 1.0


_KINDS = (
    _Kind({"NORM": 100.0, "SR": 0.0}),
    _Kind({"NORM": 80.0, "STACH": 0.0}, heart_rate_bpm=125.0),
    _Kind({"ABQRS": 0.0, "PVC": 100.0, "SR": 0.0}, p_ventricular=0.3),
    _Kind({"LVH": 100.0, "VCLVH": 0.0, "SR": 0.0}, size=2.5),
    _Kind({"ASMI": 15.0, "NDT": 100.0, "LVOLT": 0.0, "SBRAD": 0.0}, heart_rate_bpm=45.0, size=0.4),
)
_PER_FOLD = 4
_LAST_IDS = (1001, 21837)


def write_sample(root: str | Path) -> None:
    """Write forty generated records of 39 patients, four in each fold, in the layout of the database.

    They are of five kinds, whose statements show in the signals: normal, fast, with ventricular beats, of high
    voltage, slow and of low voltage. Records 00009 and 00010 show one patient.

    Parameters
    ----------
    root : str or Path
        Folder to write to; made if need be.
    """
    folder = Path(root)
    folder.mkdir(parents=True, exist_ok=True)
    n_records = _N_FOLDS * _PER_FOLD
    ids = (*range(1, n_records - 1), *_LAST_IDS)
    rows = [_write_record(folder, ecg_id, place) for place, ecg_id in enumerate(ids)]
    with (folder / _TABLE).open("w", encoding="utf-8", newline="") as file:
        file.write(f"{_HEAD}\n")
        csv.writer(file, lineterminator="\n").writerows(rows)
    write_statements(folder / _STATEMENTS)
    files = [name for column in (-2, -1) for name in (row[column] for row in rows)]
    (folder / "RECORDS").write_text("\n".join(files) + "\n", encoding="utf-8", newline="\n")


def _write_record(folder: Path, ecg_id: int, place: int) -> list[str]:
    kind, fold = _KINDS[(place + place // len(_KINDS)) % len(_KINDS)], place // _PER_FOLD + 1
    signals = _generated(kind, seed=ecg_id)
    files = PtbXl.stems_of(str(ecg_id))
    for file, rate_hz in zip(files, _RATES_HZ, strict=True):
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        held = signals if rate_hz == _RATES_HZ[1] else resample(signals, _RATES_HZ[1], rate_hz=rate_hz)
        written = Recording(held, rate_hz, LEADS, ("mV",) * len(LEADS), id=path.name)
        write_wfdb(written, path.parent, fmt="16", gain=1000.0, annotator=None)
    patient = 15700 + (9 if ecg_id == 10 else ecg_id)
    about = [f"{ecg_id}", f"{patient}.0", f"{40 + place}.0", f"{place % 2}", "", "63.0", "2.0", "0.0", "CS-12   E"]
    report = ["1984-11-09 09:17:34", "generated", str(kind.codes), "", "", "", "", "False", "False", "True"]
    return [*about, *report, "", " , I-V1,  ", "", "", "", "", f"{fold}", *files]


def _generated(kind: _Kind, *, seed: int) -> Float32:
    signals, _, _ = synthetic_ecg(
        fs=float(_RATES_HZ[1]),
        duration_s=10.0,
        seed=seed,
        heart_rate_bpm=kind.heart_rate_bpm,
        p_supraventricular=0.0,
        p_ventricular=kind.p_ventricular,
        mains_hz=50.0,
    )
    return np.asarray(kind.size * twelve_leads(signals), dtype=np.float32)
