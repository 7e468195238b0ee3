"""EEG Motor Movement/Imagery: 109 people who move, or imagine to move, a fist, both fists or both feet."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.containers.channel_names import canonical_channel
from biosig_lstm.datasets._challenge import LargeDataset, find_file, names_below
from biosig_lstm.datasets._written_edf import EdfChannel, write_edf
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError, options
from biosig_lstm.formats.eeg import read_eeg

__all__ = ["CHANNELS", "DATASET", "IRREGULAR", "RUNS", "EegMmiDb", "write_sample"]

CHANNELS = (
    "FC5", "FC3", "FC1", "FCz", "FC2", "FC4", "FC6", "C5", "C3", "C1", "Cz", "C2", "C4", "C6", "CP5", "CP3", "CP1",
    "CPz", "CP2", "CP4", "CP6", "Fp1", "Fpz", "Fp2", "AF7", "AF3", "AFz", "AF4", "AF8", "F7", "F5", "F3", "F1", "Fz",
    "F2", "F4", "F6", "F8", "FT7", "FT8", "T7", "T8", "T9", "T10", "TP7", "TP8", "P7", "P5", "P3", "P1", "Pz", "P2",
    "P4", "P6", "P8", "PO7", "PO3", "POz", "PO4", "PO8", "O1", "Oz", "O2", "Iz",
)  # fmt: skip
"""Electrodes of a recording by their names of the 10-10 system, in the order of the files."""

RUNS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "all": tuple(range(1, 15)),
        "baseline": (1, 2),
        "executed fist": (3, 7, 11),
        "imagined fist": (4, 8, 12),
        "executed fists or feet": (5, 9, 13),
        "imagined fists or feet": (6, 10, 14),
    }
)
"""Runs by what was asked of the person."""

IRREGULAR = ("S088", "S092", "S100", "S104")
"""Subjects whose rate, times or number of trials are not those of all others."""

_RECORD = re.compile(r"(S\d{3})R(\d{2})")
_IRREGULAR = ("left out", "kept")
_BASELINE = {1: "eyes open", 2: "eyes closed"}
_MOVED = {"fist": ("left fist", "right fist"), "fists": ("both fists", "both feet")}
_CODES = ("T0", "T1", "T2")


@dataclass(frozen=True, repr=False)
class EegMmiDb(LargeDataset):
    """The database as PhysioNet gives it: ``S001/S001R01.edf`` and so on, a folder for each person.

    Recordings may also lie at the root itself. A code means something else from run to run: labels say what was asked,
    as ``imagined left fist``, T1 of runs 4, 8 and 12, or ``executed both feet``, T2 of 5, 9 and 13.

    Parameters
    ----------
    runs : str
        Which recordings are there, one of `RUNS`, such as ``"imagined fist"``; all by default.
    irregular : str
        What becomes of the four people of `IRREGULAR`: ``"left out"``, as most papers do, or ``"kept"``.

    Raises
    ------
    ParameterError
        When a setting is none of these.

    Notes
    -----
    The whole of a baseline run is ``eyes open`` or ``eyes closed``, whatever code the file has for it. The note of each
    annotation is its code. Channels bear the names of `CHANNELS`.
    """

    runs: str = "all"
    irregular: str = "left out"

    def __post_init__(self) -> None:
        for key, known in (("runs", RUNS), ("irregular", _IRREGULAR)):
            if getattr(self, key) not in known:
                raise ParameterError(f"{self.card.name}: {key} {options(getattr(self, key), known)}")

    @property
    def absent(self) -> tuple[str, ...]:
        """Records that the settings ask for and that are not at the root, sorted."""
        return tuple(record for record in super().absent if not self._why_not(record))

    def find_records(self) -> set[str]:
        """Return the names of the recordings at the root and in the folders below it that the settings ask for."""
        return {name for name in names_below(self.root, ".edf") if _RECORD.fullmatch(name) and not self._why_not(name)}

    def subject_of(self, record: str) -> str:
        """Return whom a recording shows: ``S001`` of ``S001R04``."""
        return record.partition("R")[0]

    def read(self, record: str) -> Recording:
        """Return one recording, its annotations in words.

        Raises
        ------
        DataError
            When the name says no run, the file is damaged or has no code of a trial.
        """
        _, run = _parts(record)
        path = self.root / self.subject_of(record) / f"{record}.edf"
        recording = read_eeg(path if path.is_file() else find_file(self.root, path.name) or path)
        names = [canonical_channel(label) for label in recording.channels]
        return replace(recording, channels=names, annotations=_in_words(recording, run))

    def _chosen(self, which: str | Iterable[str] | None) -> tuple[str, ...]:
        wanted = which if which is None or isinstance(which, str) else tuple(which)
        named = (wanted,) if isinstance(wanted, str) else wanted or ()
        for record in set(named) & set(self.card.records):
            if reason := self._why_not(record):
                raise DataError(f"{self.name}: record {record} is left out: {reason}")
        return super()._chosen(wanted)

    def _why_not(self, record: str) -> str:
        subject, run = _parts(record)
        if self.irregular == "left out" and subject in IRREGULAR:
            return f"{subject} is irregular (see the card's notes); irregular='kept' reads it"
        return "" if run in RUNS[self.runs] else f"it is run {run}, not one of runs={self.runs!r}"


DATASET = EegMmiDb


def _parts(record: str) -> tuple[str, int]:
    found = _RECORD.fullmatch(record)
    if found is None:
        raise DataError(f"{record} must be S, three digits, R and two digits, as S001R04")
    return found[1], int(found[2])


def _meanings(run: int) -> dict[str, str]:
    """Return what each code means in a run."""
    if run in _BASELINE:
        return dict.fromkeys(_CODES, _BASELINE[run])
    said = next((words for words, runs in RUNS.items() if run in runs and words != "all"), None)
    if said is None:
        raise DataError(f"run {run} is none of 1 to 14")
    how, what = said.split()[:2]
    return {"T0": "rest", **{code: f"{how} {moved}" for code, moved in zip(_CODES[1:], _MOVED[what], strict=True)}}


def _in_words(recording: Recording, run: int) -> Annotations:
    means, marks = _meanings(run), recording.annotations
    known = np.isin(marks.labels, _CODES)
    if not known.any():
        raise DataError(f"{recording.id}: has no trial, none of its {len(marks)} annotations is {' '.join(_CODES)}")
    if not known.all():
        foreign = ", ".join(sorted(set(marks.labels[~known].tolist())))
        said = f"{recording.id}: annotations other than {' '.join(_CODES)} left out: {foreign}"
        warnings.warn(said, BiosigWarning, stacklevel=3)
    codes = marks[known]
    return Annotations(codes.starts, codes.stops, [means[code] for code in codes.labels.tolist()], codes.labels)


_SAMPLE_RUNS = (1, 3, 4, 6)
_SAMPLE_FS_HZ = {"S001": 160, "S002": 160, "S088": 128}
_TRIAL_S = (4.2, 4.1)
_SAMPLE_TRIALS = 4


def write_sample(root: str | Path) -> None:
    """Write four runs of each of three people in the layout of the database, one of them S088 at 128 Hz.

    In a trial of one fist the rhythm of 10 Hz is weaker on the other side's electrode, C3 or C4.

    Parameters
    ----------
    root : str or Path
        Folder to write to; made if need be.
    """
    for subject in _SAMPLE_FS_HZ:
        folder = Path(root) / subject
        folder.mkdir(parents=True, exist_ok=True)
        for run in _SAMPLE_RUNS:
            _write_run(folder, subject, run)


def _write_run(folder: Path, subject: str, run: int) -> None:
    fs = _SAMPLE_FS_HZ[subject]
    rng = np.random.default_rng([int(subject[1:]), run])
    notes, length_s = [(0.0, 10.0, "T0")], 10
    if run not in _BASELINE:
        codes = [code for k in range(_SAMPLE_TRIALS) for code in ("T0", _CODES[1 + (k + run) % 2])]
        onsets = np.cumsum([0.0, *_TRIAL_S * _SAMPLE_TRIALS]).round(3).tolist()
        notes = [(onsets[k], _TRIAL_S[k % 2], code) for k, code in enumerate(codes)]
        length_s = int(np.ceil(onsets[-1]))
    seconds = np.arange(length_s * fs) / fs
    channels = []
    for name in CHANNELS:
        weak = [note for note in notes if {"C3": "T2", "C4": "T1"}.get(name) == note[2]]
        size = 20.0 - 15.0 * sum(((seconds >= at) & (seconds < at + wide)).astype(float) for at, wide, _ in weak)
        values = size * np.sin(2 * np.pi * 10 * (seconds + rng.uniform())) + rng.normal(0, 5, len(seconds))
        label = (name[0] + name[1:].lower()).ljust(4, ".")
        channels.append(EdfChannel(label, values, fs, largest=8092.0))
    write_edf(folder / f"{subject}R{run:02d}.edf", channels, notes)
