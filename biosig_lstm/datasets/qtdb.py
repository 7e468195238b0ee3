"""QT Database: 105 quarters of an hour with the boundaries of P, QRS, T and U waves marked by experts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets._base import Dataset
from biosig_lstm.datasets._written import generated_recording, joined
from biosig_lstm.errors import ParameterError, options
from biosig_lstm.formats.wfdb import WfdbAnnotations, read_annotations, read_wfdb, write_annotations, write_wfdb

__all__ = ["DATASET", "QtDatabase", "write_sample"]

Annotator = Literal["q1c", "q2c", "qt1", "qt2", "man", "pu", "pu0", "pu1", "atr"]
_ANNOTATORS: tuple[str, ...] = get_args(Annotator)
_SECOND = ("q2c", "qt2")
_WAVES = ("p", "N", "t", "u")
_FS = 250.0


@dataclass(frozen=True, repr=False)
class QtDatabase(Dataset):
    """The QT Database as PhysioNet gives it: ``sel100.hea``, ``sel100.dat``, ``sel100.q1c`` and so on.

    Parameters
    ----------
    card, root
        As of every `Dataset`.
    annotator : {"q1c", "q2c", "qt1", "qt2", "man", "pu", "pu0", "pu1", "atr"}
        Whose annotations. ``q1c``: the first expert, second pass. ``q2c``: the second expert, who marked 11 records.
        ``qt1``, ``qt2``: their first pass. ``man``: the beats they were given. ``pu``, ``pu0``, ``pu1``: an algorithm
        on both leads or one. ``atr``: those of the database that the record comes from, where it has any. Only
        records that the annotator has seen are given.

    Raises
    ------
    ParameterError
        When there is no such annotator.

    Notes
    -----
    Labels are the files' own symbols: ``(`` and ``)`` where a wave begins and ends, with the wave's symbol (``p``,
    ``N`` for the QRS complex, ``t``, ``u``) in the note; ``p``, ``t`` and ``u`` at its peak; a beat's symbol at the
    QRS complex. Experts marked 30 to 100 beats of each record, all after its tenth minute: elsewhere, that nothing is
    marked says nothing. Every record is an excerpt of a record of another database, whose name is its subject here
    (``sel100`` is of subject ``100``, as in mitdb): a model that was trained there has seen it.
    """

    annotator: Annotator = "q1c"

    def __post_init__(self) -> None:
        if self.annotator not in _ANNOTATORS:
            raise ParameterError(f"annotator {options(self.annotator, _ANNOTATORS)}")

    def find_records(self) -> set[str]:
        """Return the records at the root that the annotator has seen."""
        found, splits = super().find_records(), self.card.splits
        if self.annotator in _SECOND:
            return found & set(splits["second_expert"])
        return found - set(splits["sddb"]) if self.annotator == "atr" else found

    def subject_of(self, record: str) -> str:
        """Return the record of the source database, joined with others of the same person."""
        return "+".join(name.removeprefix("sel") for name in self.card.subject_of(record).split("+"))

    def read(self, record: str) -> Recording:
        """Return one record with the annotator's marks."""
        recording = read_wfdb(self.root / record, annotator=None)
        found = read_annotations(self.root / record, self.annotator)
        inside = found.sample < recording.n_samples
        notes = np.where(np.isin(found.symbol, ("(", ")")), np.array(_WAVES)[found.num % 4], found.aux_note)
        marks = Annotations(found.sample, labels=found.symbol, notes=notes)
        return recording.with_annotations(marks[inside])


DATASET = QtDatabase


def write_sample(root: str | Path) -> None:
    """Write three generated records of 20 s in the layout of the database, marked in their last half.

    sel100 has a second expert; sel30 has no ``.atr``.

    Parameters
    ----------
    root : str or Path
        Folder to write to; made if need be.
    """
    folder = Path(root)
    folder.mkdir(parents=True, exist_ok=True)
    sources = {"sel100": ("MLII", "V5"), "sel30": ("ECG1", "ECG2"), "sele0121": ("D3", "V4")}
    for seed, (record, leads) in enumerate(sources.items()):
        made = generated_recording(record, fs=_FS, channels=leads, seed=seed)
        header = write_wfdb(made, folder, fmt="212", gain=200.0, annotator=None)
        if record == "sel100":
            text = header.read_text(encoding="utf-8").replace("sel100 2 250 ", "sel100 2 250/360 ")
            header.write_text(text, encoding="utf-8", newline="\n")
        beats = made.annotations
        sinus = beats.starts[(beats.labels == "N") & (beats.starts > 10 * _FS) & (beats.starts < 19 * _FS)]
        waves = _marked(sinus)
        for extension in ("q1c", "pu", *(("q2c",) if record == "sel100" else ())):
            write_annotations(folder / record, extension, waves)
        write_annotations(folder / record, "man", Annotations(sinus, labels=["N"] * len(sinus)))
        if record != "sel30":
            write_annotations(folder / record, "atr", joined(beats))


def _marked(peaks: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> WfdbAnnotations:
    """Return marks of P, QRS and T at fixed distances of each beat: onset, peak, end; the onset of T is left open."""
    at_s = (-0.20, -0.16, -0.12, -0.05, 0.0, 0.05, 0.29, 0.36)
    samples = peaks[:, None] + np.rint(np.array(at_s) * _FS).astype(np.int64)
    symbols = np.tile(list("(p)(N)t)"), len(peaks))
    num = np.tile(np.array([0, 0, 0, 1, 0, 1, 0, 2], dtype=np.int16), len(peaks))
    zeros = np.zeros(len(num), dtype=np.int16)
    return WfdbAnnotations(samples.ravel(), symbols, zeros, zeros, num, ("",) * len(num))
