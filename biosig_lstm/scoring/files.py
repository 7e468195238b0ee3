"""Classify recordings one after the other: what fails is reported and skipped, what is done is on disk."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from biosig_lstm.containers import Recording
from biosig_lstm.errors import BiosigError, DataError
from biosig_lstm.estimators import Predictions, StepClassifier
from biosig_lstm.formats import find_recordings, open_recording
from biosig_lstm.formats.wfdb import write_annotations
from biosig_lstm.pipeline import Pipeline

__all__ = ["EXTENSION", "Failure", "FilesReport", "classify_files"]

EXTENSION = "beats"

Announce = Callable[[str], None]


class Failure(NamedTuple):
    """A file that could not be used, and why."""

    path: str
    reason: str


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
        Counts by recording, and what failed. Rows are written as soon as a recording is done.

    Raises
    ------
    DataError
        When there is no recording at all under `paths`.
    """
    found, failed = _find(paths)
    if not found and not failed:
        raise DataError(f"no recordings found under {', '.join(map(str, paths))}")
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / "predictions.csv"
    table.unlink(missing_ok=True)
    pipeline = model.pipeline.with_positions("annotated" if annotator else "detected")
    counts: dict[str, dict[str, int]] = {}
    for path, name in zip(found, _names(found), strict=True):
        if announce:
            announce(name)
        try:
            said = _classify_one(model, pipeline, path, name=name, annotator=annotator, folder=folder)
        except (BiosigError, OSError) as error:
            failed.append(Failure(str(path), str(error)))
            continue
        with table.open("a") as file:
            file.write(said.csv_rows(header=not counts))
        counts[name] = dict(Counter(said.labels.tolist()))
    return FilesReport(counts, tuple(failed), folder)


def _find(paths: Iterable[str | Path]) -> tuple[list[Path], list[Failure]]:
    found: list[Path] = []
    failed: list[Failure] = []
    for path in paths:
        try:
            found.extend(find_recordings([path]))
        except BiosigError as error:
            failed.append(Failure(str(path), str(error)))
    return found, failed


def _names(paths: Sequence[Path]) -> list[str]:
    stems = Counter(path.stem for path in paths)
    if max(stems.values(), default=0) <= 1:
        return [path.stem for path in paths]
    parent = Path(os.path.commonpath([path.resolve().parent for path in paths]))
    return [path.resolve().relative_to(parent).with_suffix("").as_posix() for path in paths]


def _classify_one(
    model: StepClassifier, pipeline: Pipeline, path: Path, *, name: str, annotator: str | None, folder: Path
) -> Predictions:
    recording = replace(open_recording(path, annotator=annotator), id=name, subject=name)
    said = model.predict(pipeline(recording))
    _write(recording, said, folder / name)
    return said


def _write(recording: Recording, said: Predictions, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    write_annotations(target, EXTENSION, said.annotations(recording.id), fs=recording.fs)
