"""Classify recordings one after the other: what fails is reported and skipped, what is done is on disk."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from biosig_lstm.containers import Recording
from biosig_lstm.errors import BiosigError, BiosigWarning
from biosig_lstm.estimators import Predictions, StepClassifier
from biosig_lstm.events.quality import signal_quality
from biosig_lstm.formats import find_recordings, open_recording
from biosig_lstm.formats.wfdb import write_annotations
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.scoring._output import Failure, empty_predictions, output_folder, reason

__all__ = ["EXTENSION", "Failure", "FilesReport", "classify_files"]

EXTENSION = "beats"
_NOISY = 0.2

Announce = Callable[[str], None]


@dataclass(frozen=True)
class FilesReport:
    """What became of the files.

    Parameters
    ----------
    counts : dict of str to dict of str to int
        Answers of each class, by recording.
    failed : tuple of Failure
        Files that were skipped.
    out : Path
        Folder of ``predictions.csv`` and of the annotation files.

    Notes
    -----
    A recording in which no lead is usable in more than a fifth of its 10-s windows is named all the same, under a
    `BiosigWarning` that says so.
    """

    counts: dict[str, dict[str, int]]
    failed: tuple[Failure, ...]
    out: Path


def classify_files(
    model: StepClassifier,
    paths: Iterable[str | Path],
    *,
    out: str | Path,
    annotator: str | None = None,
    announce: Announce | None = None,
) -> FilesReport:
    """Name every beat of every recording under `paths`.

    Parameters
    ----------
    model : StepClassifier
        A trained model.
    paths : iterable of path
        Records, files, or folders that are searched for records.
    out : path
        Folder for the results, made where it is not there: ``predictions.csv`` (recording, sample, time_s, label,
        probability of each class), and for each recording a WFDB annotation file ``<recording>.beats``.
    annotator : str, optional
        Take the positions of beats from annotation files of this extension, such as ``atr``; their labels are not
        looked at. None: detect the beats.
    announce : callable, optional
        Called with the name of each recording before it is read.

    Returns
    -------
    FilesReport
        Counts by recording, and what failed: paths that are not there or hold nothing, recordings that cannot be
        read or hold no beats. Rows are written as soon as a recording is done. Recordings of one name in two folders
        are told apart by their folders.

    Raises
    ------
    ParameterError
        When nothing can be written to `out`.
    """
    folder = output_folder(out)
    found, failed = _find(paths)
    if not found:
        return FilesReport({}, tuple(failed), folder)
    table = folder / "predictions.csv"
    empty_predictions(model.classes).to_csv(table)
    pipeline = model.pipeline.with_positions("annotated" if annotator else "detected")
    counts: dict[str, dict[str, int]] = {}
    for path, name in zip(found, _names(found), strict=True):
        if announce:
            announce(name)
        try:
            said = _classify_one(model, pipeline, path, name=name, annotator=annotator, folder=folder)
        except Exception as error:  # whatever is wrong with one recording, the others are done
            failed.append(Failure(str(path), reason(error)))
            continue
        with table.open("a", encoding="utf-8", newline="") as file:
            file.write(said.csv_rows(header=False))
        counts[name] = dict(Counter(said.labels.tolist()))
    return FilesReport(counts, tuple(failed), folder)


def _find(paths: Iterable[str | Path]) -> tuple[list[Path], list[Failure]]:
    found: dict[Path, Path] = {}
    failed: list[Failure] = []
    for path in paths:
        try:
            here = find_recordings([path])
        except (BiosigError, OSError) as error:
            failed.append(Failure(str(path), reason(error)))
            continue
        if not here:
            failed.append(Failure(str(path), "holds no recording of a known format, nor does any folder below it"))
        found |= {one.absolute(): one for one in here if one.absolute() not in found}
    return list(found.values()), failed


def _names(paths: Sequence[Path]) -> list[str]:
    stems = [path.stem for path in paths]
    if len(set(stems)) == len(stems):
        return stems
    parent = Path(os.path.commonpath([path.absolute().parent for path in paths]))
    below = [path.absolute().relative_to(parent) for path in paths]
    bare = [path.with_suffix("").as_posix() for path in below]
    return bare if len(set(bare)) == len(bare) else [path.as_posix() for path in below]


def _classify_one(
    model: StepClassifier, pipeline: Pipeline, path: Path, *, name: str, annotator: str | None, folder: Path
) -> Predictions:
    recording = replace(open_recording(path, annotator=annotator), id=name, subject=name)
    filtered = pipeline.filter(recording)
    said = model.predict(pipeline.cut(pipeline.find(filtered)))
    _warn_of_noise(recording, filtered.channels)
    _write(recording, said, folder / name)
    return said


def _warn_of_noise(recording: Recording, leads: Sequence[str]) -> None:
    windows = signal_quality(recording.pick(leads).signals, recording.fs)
    usable = {quality.start for quality in windows if quality.usable}
    starts = {quality.start for quality in windows}
    if len(usable) < (1 - _NOISY) * len(starts):
        why = ", ".join(sorted({quality.reason for quality in windows if quality.start not in usable}))
        warnings.warn(
            f"{recording.id}: no lead is usable in {len(starts - usable)} of {len(starts)} windows of 10 s ({why}): "
            "beats named there mean little",
            BiosigWarning,
            stacklevel=2,
        )


def _write(recording: Recording, said: Predictions, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    write_annotations(target, EXTENSION, said.annotations(recording.id), fs=recording.fs)
