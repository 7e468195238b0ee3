"""Find the beats of recordings one after the other, and say which stretches could be used."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import DataError
from biosig_lstm.events.quality import Quality, signal_quality
from biosig_lstm.events.rpeaks import RPeakResult, find_rpeaks
from biosig_lstm.filters.leads import is_ecg_lead
from biosig_lstm.formats import open_recording
from biosig_lstm.formats.wfdb import write_annotations
from biosig_lstm.scoring._output import Announce, Failure, output_folder
from biosig_lstm.scoring._paths import find_all, one_by_one

__all__ = ["EXTENSION", "Detected", "DetectionReport", "detect_files"]

EXTENSION = "qrs"
_VOLTS_OR_UNKNOWN = ("V", "mV", "uV", "nV", "")
_HEADER = ("recording", "channel", "start_s", "stop_s", "usable", "reason")


@dataclass(frozen=True)
class Detected:
    """What was found in a recording.

    Parameters
    ----------
    beats : int
        How many R-peaks.
    heart_rate_bpm : float
        Median, not a number where there are fewer than two beats.
    leads : tuple of str
        Channels that were searched.
    usable : float [0 to 1]
        Share of the 10-s windows that could be searched and in which at least one lead is usable.
    left_out : tuple of (float, float, str)
        Stretches in seconds that could not be searched, and why.
    """

    beats: int
    heart_rate_bpm: float
    leads: tuple[str, ...]
    usable: float
    left_out: tuple[tuple[float, float, str], ...]


@dataclass(frozen=True)
class DetectionReport:
    """What became of the files.

    Parameters
    ----------
    found : dict of str to Detected
        By recording.
    failed : tuple of Failure
        Files that were skipped, and why.
    out : Path
        Folder of the annotation files and of ``quality.csv``.
    """

    found: dict[str, Detected]
    failed: tuple[Failure, ...]
    out: Path


def detect_files(
    paths: Iterable[str | Path],
    *,
    out: str | Path,
    leads: Sequence[str] | None = None,
    announce: Announce | None = None,
) -> DetectionReport:
    """Find the R-peaks of every recording under `paths`.

    Parameters
    ----------
    paths : iterable of path
        Records, files, or folders that are searched for records.
    out : path
        Folder for the results, made where it is not there: for each recording a WFDB annotation file
        ``<recording>.qrs`` with an ``N`` at each R-peak, and ``quality.csv`` (recording, channel, start_s, stop_s,
        usable, reason), a row for each 10 s of each lead.
    leads : sequence of str, optional
        Channels to search; by default those named as ECG leads, or where none is, all voltages.
    announce : callable, optional
        Called with the name of each recording before it is read.

    Returns
    -------
    DetectionReport
        A recording that cannot be read, or has no lead to search, is in `failed`; the others are done.

    Raises
    ------
    ParameterError
        When nothing can be written to `out`.
    """
    folder = output_folder(out)
    files, failed = find_all(paths)
    found: dict[str, Detected] = {}
    if not files:
        return DetectionReport(found, tuple(failed), folder)
    table = folder / "quality.csv"
    _write_rows(table, [_HEADER], mode="w")

    def search(path: Path, name: str) -> tuple[Recording, RPeakResult, Sequence[Quality]]:
        recording = _leads(replace(open_recording(path, annotator=None), id=name), leads)
        result = find_rpeaks(recording.signals, recording.fs)
        windows = signal_quality(recording.signals, recording.fs)
        _write(recording, result, folder=folder)
        return recording, result, windows

    for name, (recording, result, windows) in one_by_one(files, search, failed, announce=announce):
        _write_rows(table, _rows(recording, windows), mode="a")
        found[name] = _summary(recording, result, windows)
    return DetectionReport(found, tuple(failed), folder)


def _leads(recording: Recording, wanted: Sequence[str] | None) -> Recording:
    if wanted:
        return recording.pick(wanted)
    named = [name for name in recording.channels if is_ecg_lead(name)]
    voltages = [
        name for name, unit in zip(recording.channels, recording.units, strict=True) if unit in _VOLTS_OR_UNKNOWN
    ]
    if not (named or voltages):
        held = ", ".join(f"{c} ({u})" for c, u in zip(recording.channels, recording.units, strict=True))
        raise DataError(f"{recording.id}: no ECG lead among {held or 'no channels'}; name the leads to search")
    return recording.pick(named or voltages)


def _write(recording: Recording, result: RPeakResult, *, folder: Path) -> None:
    target = folder / recording.id
    target.parent.mkdir(parents=True, exist_ok=True)
    marks = Annotations(result.peaks, labels=["N"] * len(result.peaks))
    write_annotations(target, EXTENSION, marks, fs=recording.fs)


def _rows(recording: Recording, windows: Sequence[Quality]) -> list[tuple[str, ...]]:
    fs = recording.fs
    return [
        (recording.id, recording.channels[q.channel], f"{q.start / fs:.3f}", f"{q.stop / fs:.3f}",
         "yes" if q.usable else "no", q.reason)
        for q in windows
    ]  # fmt: skip


def _write_rows(table: Path, rows: Sequence[Sequence[str]], *, mode: str) -> None:
    with table.open(mode, encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def _summary(recording: Recording, result: RPeakResult, windows: Sequence[Quality]) -> Detected:
    fs, starts = recording.fs, {q.start for q in windows}
    searched = {q.start for q in windows if not any(a <= q.start and q.stop <= b for a, b, _ in result.left_out)}
    intervals = np.diff(result.peaks) / fs
    return Detected(
        beats=len(result.peaks),
        heart_rate_bpm=float(60 / np.median(intervals)) if len(intervals) else float("nan"),
        leads=tuple(recording.channels),
        usable=len({q.start for q in windows if q.usable} & searched) / max(len(starts), 1),
        left_out=tuple((a / fs, b / fs, why) for a, b, why in result.left_out),
    )
