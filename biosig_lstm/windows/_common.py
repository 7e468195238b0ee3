"""What steps from a recording to windows share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Recording, Windows
from biosig_lstm.errors import DataError

__all__ = ["check_rate", "even_items", "indices", "unit"]

Int64 = npt.NDArray[np.int64]


def even_items(
    recording: Recording,
    starts: Int64,
    *,
    width: int,
    classes: tuple[str, ...],
) -> Windows:
    """Return an item of `width` samples for each start, labelled by the annotation over its middle."""
    steps = (starts[:, None] + np.arange(width)[None, :]).reshape(-1)
    labels = [_label_at(recording, int(start) + width // 2) for start in starts]
    return Windows(
        values=recording.signals.T[steps],
        offsets=np.arange(len(starts) + 1) * width,
        columns=recording.channels,
        rate_hz=recording.fs,
        subjects=np.full(len(starts), recording.subject),
        recordings=np.full(len(starts), recording.id),
        starts=starts,
        fs=np.full(len(starts), recording.fs),
        y=indices(labels, classes) if classes else None,
        classes=classes,
        unit=unit(recording.units),
    )


def unit(units: Sequence[str]) -> str:
    """Return the unit of all channels, or all units where they differ."""
    return "/".join(sorted(set(units)))


def _label_at(recording: Recording, sample: int) -> str:
    marks = recording.annotations
    over = np.flatnonzero((marks.starts <= sample) & (sample < marks.stops))
    return str(marks.labels[over[-1]]) if len(over) else ""


def indices(labels: list[str], classes: tuple[str, ...]) -> Int64:
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
