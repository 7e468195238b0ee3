"""What steps from a recording to windows share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from biosig_lstm._artefacts import BAD, is_bad
from biosig_lstm.containers import Recording, Rejection, Windows
from biosig_lstm.containers.rejections import warn_of_losses
from biosig_lstm.errors import DataError

__all__ = ["check_rate", "classes_at", "even_items", "indices", "over_bad", "unit", "without_bad"]

Int64 = npt.NDArray[np.int64]


def even_items(
    recording: Recording,
    starts: Int64,
    *,
    width: int,
    classes: tuple[str, ...],
    multi_label: bool = False,
) -> Windows:
    """Return an item of `width` samples for each start, labelled by the annotation, or all of them, over its middle."""
    middles = starts + width // 2
    return Windows(
        values=_cut(recording.signals.T, starts, width),
        offsets=np.arange(len(starts) + 1) * width,
        columns=recording.channels,
        rate_hz=recording.fs,
        subjects=np.full(len(starts), recording.subject),
        recordings=np.full(len(starts), recording.id),
        starts=starts,
        fs=np.full(len(starts), recording.fs),
        y=(_all_at if multi_label else classes_at)(recording, middles, classes) if classes else None,
        classes=classes,
        unit=unit(recording.units),
    )


def without_bad(recording: Recording, classes: Sequence[str]) -> Recording:
    """Return the recording without the annotations that mark bad stretches, unless their label is a class."""
    marks = recording.annotations
    bad = [is_bad(label) and label not in classes for label in marks.labels.tolist()]
    return recording.with_annotations(marks[~np.array(bad)]) if any(bad) else recording


def over_bad(
    recording: Recording, starts: Int64, stops: Int64, classes: Sequence[str]
) -> tuple[npt.NDArray[np.bool_], tuple[Rejection, ...]]:
    """Return which windows a bad stretch overlaps, and what is wrong with them; it warns where they are many."""
    marks = recording.annotations
    bad = marks[np.array([is_bad(label) and label not in classes for label in marks.labels.tolist()], dtype=bool)]
    ends = np.maximum(bad.stops, bad.starts + 1)
    over = (bad.starts[None, :] < stops[:, None]) & (ends[None, :] > starts[:, None])
    fs, reasons = recording.fs, [label.removeprefix(BAD) for label in bad.labels.tolist()]
    rejected = dict.fromkeys(
        Rejection(recording.id, float(starts[k] / fs), float(stops[k] / fs), reasons[m], str(bad.notes[m]))
        for k, m in np.argwhere(over)
    )
    warn_of_losses(rejected, {recording.id: len(starts)}, stacklevel=4)
    return np.asarray(over.any(axis=1)), tuple(rejected)


def _cut(samples: npt.NDArray[np.float32], starts: Int64, width: int) -> npt.NDArray[np.float32]:
    """Return the samples of all items; not copied where items lie end to end, so that an hour of sound fits."""
    if len(starts) and (np.diff(starts) == width).all():
        return samples[starts[0] : starts[0] + len(starts) * width]
    steps: Int64 = (starts[:, None] + np.arange(width)[None, :]).reshape(-1)
    return samples[steps]


def unit(units: Sequence[str]) -> str:
    """Return the unit of all channels, or all units where they differ."""
    return "/".join(sorted(set(units)))


def classes_at(recording: Recording, samples: Int64, classes: Sequence[str]) -> Int64:
    """Return the class of the last annotation to begin that covers each sample, of those that bear one.

    Samples ascend. The place among `classes`, -1 where there is none: annotations of anything else hide no class.
    """
    marks = recording.annotations
    marks = marks[np.isin(marks.labels, classes)]
    first, last = np.searchsorted(samples, marks.starts), np.searchsorted(samples, marks.stops)
    found = np.full(len(samples), -1, dtype=np.int64)
    for start, stop, which in zip(first.tolist(), last.tolist(), indices(marks.labels, classes), strict=True):
        found[start:stop] = which
    return found


def _all_at(recording: Recording, samples: Int64, classes: Sequence[str]) -> Int64:
    marks = without_bad(recording, classes).annotations
    over = (marks.starts[:, None] <= samples) & (samples < marks.stops[:, None])
    borne = np.stack([over[marks.labels == name].any(axis=0) for name in classes], axis=1)
    return np.where(over.any(axis=0, keepdims=True).T, borne, -1).astype(np.int64)


def indices(labels: Iterable[str], classes: Sequence[str]) -> Int64:
    """Return the place of each label among the classes, -1 where it is none of them."""
    index = {name: k for k, name in enumerate(classes)}
    return np.array([index.get(label, -1) for label in labels], dtype=np.int64)


def check_rate(recording: Recording, rate_hz: float) -> None:
    """Refuse a recording of a lower rate than the windows'."""
    if recording.fs < rate_hz * (1 - 1e-6):
        raise DataError(
            f"{recording.id}: recorded at {recording.fs:g} Hz, these windows need at least {rate_hz:g} Hz; "
            "a lower rate does not hold what the model was trained to see"
        )
