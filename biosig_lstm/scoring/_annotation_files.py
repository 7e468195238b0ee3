"""Answers as annotations beside the table: WFDB annotation files, EDF+ annotations, or events of BIDS."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import numpy as np

from biosig_lstm import __version__
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import ParameterError, options
from biosig_lstm.formats import family_of, write_bids_events
from biosig_lstm.formats._bids import parse_bids_name
from biosig_lstm.formats.eeg import EDF_YEARS, recording_start, write_edf_annotations
from biosig_lstm.formats.wfdb import write_annotations
from biosig_lstm.scoring.tasks import Answers, Events, Task

__all__ = ["FORMS", "check_form", "write_back"]

FORMS = ("auto", "bids", "edf", "none", "wfdb")
_EXTENSION = "label"
_DESCRIPTION = "dataset_description.json"


def check_form(form: str) -> None:
    """Refuse a form of annotation files that is none.

    Raises
    ------
    ParameterError
        Saying which there are.
    """
    if form not in FORMS:
        raise ParameterError(f"annotations {options(form, FORMS)}")


def write_back(form: str, asked: Task, recording: Recording, said: Answers, *, source: Path, folder: Path) -> None:
    """Write what a model said of a recording in one of the forms.

    Parameters
    ----------
    form : {"auto", "bids", "edf", "none", "wfdb"}
        *auto* goes by the source: WFDB annotation files for WFDB, ``events.tsv`` in a BIDS tree, EDF+ for other EEG
        files; of other formats, and where the one answer is of the whole recording, nothing.
    asked : Task
        What was asked.
    recording : Recording
        The recording as it was read; its id names the file.
    said : Answers
        What the model says.
    source : Path
        The recording's file.
    folder : Path
        Where files go; that of BIDS has the tree below it.
    """
    chosen = _usual(source) if form == "auto" else form
    if chosen == "none":
        return
    target = folder / recording.id
    target.parent.mkdir(parents=True, exist_ok=True)
    if chosen == "wfdb":
        files = asked.annotations(recording, said)
        if not files and form != "auto":
            files = {_EXTENSION: _as_notes(asked.events(recording, said).annotations)}
        for extension, marks in files.items():
            write_annotations(target, extension, marks, fs=recording.fs)
        return
    events = asked.events(recording, said)
    if form == "auto" and _is_whole(events.annotations, recording):
        return
    if chosen == "edf":
        name = target.with_name(f"{target.name}-annotations.edf")
        write_edf_annotations(name, events.annotations, fs=recording.fs, start=_start(source))
    else:
        _write_bids(events, recording, source, folder)


def _start(source: Path) -> datetime | None:
    """Return when a recording began where EDF can say it: files that do not know have 1970."""
    start = recording_start(source)
    return start if start is not None and start.year in EDF_YEARS else None


def _usual(source: Path) -> str:
    family = family_of(source)
    if family == "EEG":
        return "bids" if _in_tree(source) else "edf"
    return "wfdb" if family == "WFDB" else "none"


def _in_tree(source: Path) -> bool:
    named = parse_bids_name(source.name)
    return named is not None and named.suffix == "eeg" and "sub" in named.entities and source.parent.name == "eeg"


def _is_whole(marks: Annotations, recording: Recording) -> bool:
    return len(marks) == 1 and marks.starts[0] == 0 and marks.stops[0] >= recording.n_samples


def _as_notes(marks: Annotations) -> Annotations:
    """Return the labels as notes, where each begins: at sample 0 a note is about the file."""
    starts = np.maximum(marks.starts, 1)
    return Annotations(starts, labels=['"'] * len(starts), notes=marks.labels)


def _write_bids(events: Events, recording: Recording, source: Path, folder: Path) -> None:
    path = folder / f"{recording.id}_events.tsv"
    if _in_tree(source):
        name = f"{source.name.partition('_eeg.')[0]}_desc-predicted_events.tsv"
        path = _derivative(folder).joinpath(*_below(recording.id, source), name)
        path.parent.mkdir(parents=True, exist_ok=True)
    write_bids_events(path, events.annotations, fs=recording.fs, probability=events.probability)


def _below(name: str, source: Path) -> tuple[str, ...]:
    """Return the folders of a recording of a tree, from ``sub-*`` on, or those that tell two of one name apart."""
    if "/" in name:
        return Path(name).parts[:-1]
    named = parse_bids_name(source.name)
    people = [place for place, part in enumerate(source.parts) if named and part == f"sub-{named.entities['sub']}"]
    return source.parts[people[-1] : -1] if people else ()


def _derivative(folder: Path) -> Path:
    """Return the folder as the root of a BIDS derivative, described if need be."""
    path = folder / _DESCRIPTION
    if not path.exists():
        made_by = [{"Name": "biosig-lstm", "Version": __version__}]
        said = {
            "Name": "What a model says of recordings",
            "BIDSVersion": "1.10.0",
            "DatasetType": "derivative",
            "GeneratedBy": made_by,
        }
        path.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    return folder
