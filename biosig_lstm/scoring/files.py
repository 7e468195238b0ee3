"""Classify recordings one after the other: what fails is reported and skipped, what is done is on disk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import numpy as np

from biosig_lstm.containers import Recording
from biosig_lstm.estimators import Classifier, Estimator, Predictions
from biosig_lstm.scoring._annotation_files import check_form, write_back
from biosig_lstm.scoring._output import Announce, Failure, output_folder
from biosig_lstm.scoring._paths import find_all, one_by_one, open_for
from biosig_lstm.scoring._sound import long_sound
from biosig_lstm.scoring.tasks import Answers, Task, task_of

__all__ = ["Failure", "FilesReport", "classify_files"]


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
    counted : str
        What the answers are of: beats, recordings, epochs.
    labels : tuple of str
        Labels that answers may have, in the order in which they are shown.
    rejected : dict of str to int
        Windows that the model's preparation rejected, by recording, where there are any.

    Notes
    -----
    Where beats are named, a recording in which no lead is usable in more than a fifth of its 10-s windows is named
    all the same, under a `BiosigWarning` that says so.
    """

    counts: dict[str, dict[str, int]]
    failed: tuple[Failure, ...]
    out: Path
    counted: str = "items"
    labels: tuple[str, ...] = ()
    rejected: dict[str, int] = field(default_factory=dict)


def classify_files(
    model: Estimator,
    paths: Iterable[str | Path],
    *,
    out: str | Path,
    annotator: str | None = None,
    annotations: str = "auto",
    announce: Announce | None = None,
) -> FilesReport:
    """Put the model's question to every recording under `paths`: which beats, which rhythm, which label.

    Parameters
    ----------
    model : Estimator
        A trained model.
    paths : iterable of path
        Records, files, or folders that are searched for records.
    out : path
        Folder for the results, made where it is not there: ``predictions.csv`` (a row for each answer, of a model of
        beats recording, sample, time_s, label, probability of each class), and annotation files; of a detector of
        anomalies also ``<recording>-scores.csv``, a row for each window.
    annotator : str, optional
        Take the positions of beats from annotation files of this extension, such as ``atr``; their labels are not
        looked at. None: detect the beats.
    annotations : {"auto", "bids", "edf", "none", "wfdb"}
        Form of the annotation files. *wfdb*: ``<recording>.beats`` and the like. *edf*: an EDF+ file
        ``<recording>-annotations.edf`` that holds nothing else. *bids*: ``<recording>_events.tsv`` with probabilities,
        and its JSON file; of recordings of a BIDS tree ``sub-*/[ses-*/]eeg/*_desc-predicted_events.tsv``. *auto* goes
        by the source: *wfdb* for WFDB where answers are events, *bids* in a BIDS tree, *edf* for other EEG files, and
        nothing where the one answer is of the whole recording.
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
        When nothing can be written to `out`, or there is no such form of annotations.
    """
    check_form(annotations)
    folder = output_folder(out)
    asked = task_of(model)
    asked.check(model)
    found, failed = find_all(paths)
    if not found:
        return FilesReport({}, tuple(failed), folder, asked.counted, asked.labels(model))
    table = folder / "predictions.csv"
    asked.nothing(model).to_csv(table)
    counts: dict[str, dict[str, int]] = {}
    rejected: dict[str, int] = {}

    def answer(path: Path, name: str) -> Answers:
        recording, said = _answered(model, asked, path, name=name, annotator=annotator)
        write_back(annotations, asked, recording, said, source=path, folder=folder)
        asked.write_more(said, folder / name)
        return said

    for name, said in one_by_one(found, answer, failed, announce=announce):
        with table.open("a", encoding="utf-8", newline="") as file:
            file.write(said.csv_rows(header=False))
        counts[name] = dict(asked.counts(said))
        if isinstance(said, Predictions) and said.rejected:
            rejected[name] = len(said.rejections)
    return FilesReport(counts, tuple(failed), folder, asked.counted, asked.labels(model), rejected)


def _answered(
    model: Estimator, asked: Task, path: Path, *, name: str, annotator: str | None
) -> tuple[Recording, Answers]:
    """Return a recording and what the model says of it; long sound is read in stretches, and comes without channels."""
    if asked.takes_sound_files and (sound := long_sound(path)):
        rows = cast("Classifier", model).predict(sound).at_rate(sound.fs)
        names = np.full(len(rows), name)
        rejected = tuple(row._replace(recording=name) for row in rows.rejected)
        without = Recording(np.zeros((0, sound.n_samples), np.float32), sound.fs, [], [], id=name)
        return without, replace(rows, recordings=names, subjects=names, rejected=rejected)
    recording = open_for(model.pipeline, path, name=name, annotator=annotator)
    return recording, asked.answer(model, recording, annotated=annotator is not None)
