"""MIT-BIH Polysomnographic Database: nights of 16 men, every beat marked and every 30 seconds staged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.containers.annotations import Int64
from biosig_lstm.datasets._base import Dataset
from biosig_lstm.datasets._synthetic_ecg import synthetic_ecg
from biosig_lstm.datasets._written import joined
from biosig_lstm.errors import DataError
from biosig_lstm.formats.wfdb import (
    Header,
    WfdbAnnotations,
    read_annotations,
    read_header,
    read_wfdb,
    write_annotations,
    write_wfdb,
)

__all__ = ["DATASET", "MitBihPolysomnographic", "write_sample"]

_EPOCH_S = 30.0
_STAGES = {**{code: f"Sleep stage {code}" for code in "W1234R"}, "M": "Movement time", "MT": "Movement time"}


@dataclass(frozen=True, repr=False)
class MitBihPolysomnographic(Dataset):
    """The MIT-BIH Polysomnographic Database as PhysioNet gives it: ``slp03.hea``, ``.dat``, ``.ecg``, ``.st``.

    Notes
    -----
    Beats bear the database's own symbols. Each staged 30 s is an annotation of that length, labelled as EDF+ names
    stages (``Sleep stage 2``); what else the file says of it, such as ``HA``, is its note. A record whose signal
    file is not at hand is a recording without channels: its rate, its length and its annotations are there.
    """

    def read(self, record: str) -> Recording:
        """Return one record with its beats and stages, and its signals where they are at hand."""
        header = read_header(self.root / record)
        marks = joined(_beats(self.root / record), _stages(self.root / record, header.fs))
        marks = marks[marks.starts < header.n_samples] if header.n_samples else marks
        if all((self.root / spec.file).is_file() for spec in header.signals):
            return read_wfdb(self.root / record, annotator=None).with_annotations(marks)
        return _without_signals(header, marks)


DATASET = MitBihPolysomnographic


def _beats(path: Path) -> Annotations:
    found = read_annotations(path, "ecg")
    return Annotations(found.sample, labels=found.symbol)


def _stages(path: Path, fs: float) -> Annotations:
    found = read_annotations(path, "st")
    codes = [note.strip("\0 ").partition(" ") for note in found.aux_note]
    known = np.array([code in _STAGES for code, _, _ in codes], dtype=bool)
    if not known.any():
        raise DataError(f"{path}.st: holds no sleep stage, codes are {' '.join(_STAGES)}")
    width = round(_EPOCH_S * fs)
    starts = width * np.rint(found.sample / width).astype(np.int64)
    marks = Annotations(starts, starts + width, [_STAGES.get(code, "") for code, _, _ in codes], _rest(codes))
    return marks[known]


def _rest(codes: Iterable[tuple[str, str, str]]) -> list[str]:
    return [rest.strip() for _, _, rest in codes]


def _without_signals(header: Header, marks: Annotations) -> Recording:
    if not header.n_samples:
        raise DataError(f"{header.path}: states no length, and the signals that would show it are not there")
    nothing = np.zeros((0, header.n_samples), dtype=np.float32)
    absent = ", ".join(sorted({spec.file for spec in header.signals}))
    return Recording(nothing, header.fs, (), (), annotations=marks, history=(f"{absent} absent: no channels",))


def write_sample(root: str | Path) -> None:
    """Write three generated records of five minutes in the layout of the database: two of one man, one of another.

    The stages of slp02b begin after a minute; slp03 has one that is movement.

    Parameters
    ----------
    root : str or Path
        Folder to write to; made if need be.
    """
    folder = Path(root)
    folder.mkdir(parents=True, exist_ok=True)
    notes = {
        "slp02a": ["W", "W", "1", "1 HA", "2", "2 L", "2 X", "3", "4", "R"],
        "slp02b": ["W", "1", "2 OA", "2", "3", "3", "R", "R LA A"],
        "slp03": ["W", "MT", "1", "2", "2 H", "4", "4", "R", "1 A", "W"],
    }
    for seed, (record, said) in enumerate(notes.items()):
        signals, peaks, _ = synthetic_ecg(fs=250.0, duration_s=300.0, seed=seed, heart_rate_bpm=55 + 10 * seed)
        night = Recording(signals[:1], 250.0, ["ECG"], ["mV"], id=record)
        write_wfdb(night, folder, fmt="212", gain=500.0, annotator=None, comments=["generated"])
        write_annotations(folder / record, "ecg", Annotations(peaks, labels=["N"] * len(peaks)))
        starts = 7500 * np.arange(10 - len(said), 10)
        _write_stages(folder / record, np.maximum(starts, 1), said)


def _write_stages(path: Path, starts: Int64, notes: list[str]) -> None:
    none = np.zeros(len(notes), dtype=np.int16)
    marks = WfdbAnnotations(starts, np.full(len(notes), '"'), none, none, none, tuple(notes))
    write_annotations(path, "st", marks)
