"""What estimators take: windows, recordings, and MNE's own objects."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np

from biosig_lstm.containers import Annotations, Recording, Windows
from biosig_lstm.containers.arrays import is_arrays
from biosig_lstm.containers.mne_epochs import EpochData, epoch_data, is_epochs
from biosig_lstm.containers.raw import as_recording, is_raw
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.windows import Epochs

__all__ = ["windows_of", "windows_of_arrays"]


def windows_of(data: Any, pipeline: Pipeline, *, classes: Sequence[str] = (), need_subject: bool = True) -> Windows:
    """Return windows of whatever an estimator takes.

    Parameters
    ----------
    data : Windows, Recording, mne.io.Raw, mne.Epochs, or an iterable of one of the last three
        Windows are returned as they are.
    pipeline : Pipeline
        Recordings and raw objects go through the whole of it. Epochs are windows already: each goes through filters
        and events, all through the features, and the step to windows is left out.
    classes : sequence of str
        Labels of epochs, in their order; by default those of the pipeline's windows where they know any, or all.
    need_subject : bool
        Refuse epochs of which nobody says whose they are.

    Raises
    ------
    DataError
        When something cannot be prepared.
    ParameterError
        When what came, or one of several, is none of these.
    """
    if isinstance(data, Windows):
        return data
    if is_epochs(data):
        return _of_epochs(data, pipeline, classes, need_subject=need_subject)
    if isinstance(data, (Recording, str)) or is_raw(data) or not isinstance(data, Iterable):
        return pipeline(as_recording(data))
    several = iter(data)
    first = next(several, None)
    if first is None:
        return pipeline([])
    if is_epochs(first):
        parts = [_of_epochs(one, pipeline, classes, need_subject=need_subject) for one in chain([first], several)]
        return Windows.concatenate(parts)
    return pipeline(as_recording(one) for one in chain([first], several))


def windows_of_arrays(items: Any, y: Any, pipeline: Pipeline, **how: Any) -> Windows:
    """Return windows of plain arrays, where a pipeline takes them; `how` as of `Windows.from_arrays`.

    Raises
    ------
    ParameterError
        When labels or subjects come beside something else than arrays, or recordings are what the pipeline prepares.
    DataError
        When the arrays do not fit together.
    """
    if not is_arrays(items) or isinstance(y, Windows):
        raise ParameterError(
            "labels and subjects go with arrays, as in fit(X, y, subjects=...); what else there is carries its own: "
            f"got {type(items).__name__} and {type(y).__name__}; arrays to validate on become Windows.from_arrays"
        )
    if not pipeline.takes_arrays:
        raise ParameterError(
            "this model has a pipeline that prepares recordings, and arrays came; give it recordings or windows, "
            "or make a model without a pipeline"
        )
    return Windows.from_arrays(items, y, **how)


def _of_epochs(epochs: Any, pipeline: Pipeline, classes: Sequence[str], *, need_subject: bool) -> Windows:
    held = epoch_data(epochs, need_subject=need_subject)
    if pipeline.filters or pipeline.events:
        held = _filtered(held, pipeline)
    own = tuple(getattr(pipeline.windows, "classes", ()))
    known = tuple(classes) or (own if set(own) & set(held.classes) else ())
    step_s = math.inf if pipeline.features else None
    if isinstance(pipeline.windows, Epochs):
        step_s = pipeline.windows.length_s
    windows = Windows(**held.fields(classes=known, step_s=step_s))
    for step in pipeline.features:
        windows = step(windows)
    return windows


def _filtered(held: EpochData, pipeline: Pipeline) -> EpochData:
    made = [pipeline.find(pipeline.filter(one)) for one in _recordings(held)]
    if not made:
        return held
    first = made[0]
    if any(one.signals.shape != first.signals.shape for one in made):
        raise DataError("the filters leave epochs of different lengths")
    labels = [str(one.annotations.labels[0]) if len(one.annotations) else "" for one in made]
    renamed = dict(zip(held.labels, labels, strict=True))
    classes = [renamed.get(name, name) for name in held.classes]
    return held._replace(
        values=np.stack([one.signals for one in made]),
        fs=first.fs,
        channels=first.channels,
        units=first.units,
        labels=labels,
        classes=[name for name in dict.fromkeys(classes) if name],
    )


def _recordings(held: EpochData) -> Iterator[Recording]:
    """Return each epoch as a recording with one label."""
    for k, values in enumerate(held.values):
        label = held.labels[k]
        whole = Annotations([0], [values.shape[1]], [label]) if label else Annotations()
        name = f"{held.recordings[k]}[{k}]"
        yield Recording(
            values, held.fs, held.channels, held.units, id=name, subject=str(held.subjects[k]), annotations=whole
        )
