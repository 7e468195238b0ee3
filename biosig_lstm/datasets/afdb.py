"""MIT-BIH Atrial Fibrillation Database: ten hours of 25 people, their rhythm annotated by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from biosig_lstm.containers import DETECTED, Annotations, Recording
from biosig_lstm.datasets._base import Channels, Dataset
from biosig_lstm.datasets._written import declare_uncalibrated, generated_recording, joined
from biosig_lstm.errors import DataError, ParameterError, options
from biosig_lstm.formats.wfdb import read_annotations, read_wfdb, write_annotations, write_wfdb

__all__ = ["DATASET", "MitBihAtrialFibrillation", "write_sample"]

_BEATS = ("none", "qrs", "qrsc")
_FS = 250.0


@dataclass(frozen=True, repr=False)
class MitBihAtrialFibrillation(Dataset):
    """The MIT-BIH Atrial Fibrillation Database as PhysioNet gives it: ``04015.hea``, ``.dat``, ``.atr``, ``.qrs``.

    Parameters
    ----------
    card, root
        As of every `Dataset`.
    beats : {"none", "qrs", "qrsc"}
        Beats to give besides the rhythm. ``"qrs"``: those that a detector found, which nobody has checked.
        ``"qrsc"``: the corrected ones where a record has them, else those found. Either bear the label ``QRS``,
        which is no class: the files call every beat N, whatever it is.

    Raises
    ------
    ParameterError
        When `beats` is none of these.

    Notes
    -----
    Labels are ``+`` where a rhythm begins, its name in the note: ``(AFIB``, ``(AFL``, ``(J`` or ``(N`` for any other.
    The signals of 00735 and 03665 were never published: these records are not among the recordings, `annotations`
    gives what there is of them.
    """

    beats: Literal["none", "qrs", "qrsc"] = "none"

    def __post_init__(self) -> None:
        if self.beats not in _BEATS:
            raise ParameterError(f"beats {options(self.beats, _BEATS)}")

    def find_records(self) -> set[str]:
        """Return the records at the root that have signals."""
        return super().find_records() - set(self.card.splits["annotations_only"])

    def recordings(
        self, which: str | Iterable[str] | None = None, *, channels: Channels | None = None
    ) -> Iterator[Recording]:
        """Return the recordings one after the other, as `Dataset.recordings`.

        Raises
        ------
        DataError
            Also when a record without signals is asked for.
        """
        wanted = which if which is None or isinstance(which, str) else tuple(which)
        named = (wanted,) if isinstance(wanted, str) else wanted or ()
        silent = sorted({*named, *self.card.splits.get(str(wanted), ())} & set(self.card.splits["annotations_only"]))
        if silent:
            raise DataError(
                f"{self.name}: the signals of {', '.join(silent)} were never published, only annotations: "
                f"annotations({silent[0]!r}) gives them"
            )
        return super().recordings(wanted, channels=channels)

    def annotations(self, record: str) -> Annotations:
        """Return the rhythm of any record, and its beats as `beats` asks, in samples at 250 Hz.

        Raises
        ------
        DataError
            When an annotation file is not there or damaged.
        """
        rhythm = read_annotations(self.root / record, "atr")
        marks = Annotations(rhythm.sample, labels=rhythm.symbol, notes=rhythm.aux_note)
        if self.beats == "none":
            return marks
        corrected = self.beats == "qrsc" and (self.root / f"{record}.qrsc").is_file()
        found = read_annotations(self.root / record, "qrsc" if corrected else "qrs")
        at = found.sample[~np.isin(found.symbol, ("|", "~", "+", '"'))]
        return joined(marks, Annotations(at, labels=[DETECTED] * len(at)))

    def read(self, record: str) -> Recording:
        """Return one record with its `annotations`."""
        recording = read_wfdb(self.root / record, annotator=None)
        marks = self.annotations(record)
        return recording.with_annotations(marks[marks.starts < recording.n_samples])


DATASET = MitBihAtrialFibrillation


def write_sample(root: str | Path) -> None:
    """Write two generated records of 20 s in the layout of the database, and 00735, which has no signals.

    04015 has beats that a detector found; 05091 also has corrected ones.

    Parameters
    ----------
    root : str or Path
        Folder to write to; made if need be.
    """
    folder = Path(root)
    folder.mkdir(parents=True, exist_ok=True)
    rhythm = Annotations([30, 1500, 3000, 4200], labels=["+"] * 4, notes=["(N", "(AFIB", "(AFL", "(J"])
    for record in ("00735", "04015", "05091"):
        made = generated_recording(record, fs=_FS, channels=("ECG1", "ECG2"), seed=int(record))
        beats = made.annotations.with_labels(["N"] * len(made.annotations))
        write_annotations(folder / record, "atr", rhythm)
        write_annotations(folder / record, "qrs", beats[1:] if record == "05091" else beats)
        if record == "05091":
            write_annotations(folder / record, "qrsc", beats)
        if record == "00735":
            (folder / "00735.hea").write_text("00735 0 250 0\n", encoding="utf-8", newline="\n")
        else:
            declare_uncalibrated(write_wfdb(made, folder, fmt="212", gain=200.0, annotator=None))
