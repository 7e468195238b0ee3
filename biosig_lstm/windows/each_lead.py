"""Each lead of an ECG as an item of its own, beside it what the other leads show at the same time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import WAVES, Annotations, Recording, Waves, Windows
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.steps import Step

__all__ = ["NO_WAVE", "EachLead", "lead_scale", "other_leads", "wave_labels"]

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

NO_WAVE = "none"
"""Class of the samples that belong to no wave."""

_UNKNOWN_S = 0.12
_LARGEST = 20.0
_BEGIN, _END = "(", ")"


def lead_scale(signals: npt.ArrayLike, *, block_samples: int) -> Float32:
    """Return the size of each lead: the median, over blocks of time, of the block's standard deviation.

    Parameters
    ----------
    signals : array_like [shape=(leads, samples)]
        Finite values.
    block_samples : int [>= 1]
        Length of a block, long enough to hold a beat; what is left over belongs to the last block.

    Returns
    -------
    np.ndarray [shape=(leads,), dtype=float32]
        In the unit of `signals`; 1 for a lead that is flat in most blocks.

    Examples
    --------
    >>> lead_scale([[1, -1, 1, -1, 90, -90]], block_samples=2).tolist()
    [1.0]
    """
    rows = np.asarray(signals, dtype=np.float64)
    n_blocks = max(rows.shape[1] // block_samples, 1)
    edges = [k * block_samples for k in range(n_blocks)] + [rows.shape[1]]
    spread = [rows[:, first:last].std(axis=1) for first, last in pairwise(edges)]
    middle = np.median(spread, axis=0)
    return np.where(middle > 0, middle, 1.0).astype(np.float32)


def other_leads(scaled: Float32) -> Float32:
    """Return, for each lead, the root of the mean square of all the others: a bump wherever they show a wave.

    Parameters
    ----------
    scaled : np.ndarray [shape=(leads, samples), dtype=float32]
        Leads of like size and without baseline.

    Returns
    -------
    np.ndarray [shape=(leads, samples), dtype=float32]
        Zero where there is one lead only.

    Examples
    --------
    >>> other_leads(np.array([[1], [3], [3]], dtype=np.float32)).round(2).tolist()[0]
    [3.0]
    """
    if len(scaled) < 2:
        return np.zeros_like(scaled)
    squares = scaled.astype(np.float64) ** 2
    rest = np.maximum(squares.sum(axis=0) - squares, 0.0) / (len(scaled) - 1)
    shown: Float32 = np.sqrt(rest).astype(np.float32)
    return shown


def wave_labels(marks: Annotations, *, n_samples: int, fs: float) -> Int64:
    """Return what each sample of one lead is: 0 no wave, then the place of the wave in `WAVES` plus one.

    Parameters
    ----------
    marks : Annotations
        Instants ``(``, ``p`` ``N`` ``t`` and ``)`` of the lead.
    n_samples : int
        Samples of the lead.
    fs : float [unit=Hz]
        Samples a second.

    Returns
    -------
    np.ndarray of int64 [shape=(n_samples,)]
        -1 where nothing is known: before the first mark and after the last, 120 ms before a peak that has no onset
        and after one that has no end, and between two brackets that hold no peak.

    Examples
    --------
    >>> marks = Annotations([1, 2, 4, 6, 7, 8], labels=["(", "p", ")", "(", "N", ")"])
    >>> wave_labels(marks, n_samples=10, fs=250).tolist()
    [-1, 1, 1, 1, 1, 0, 2, 2, 2, -1]
    """
    found = np.full(n_samples, -1, dtype=np.int64)
    if not len(marks):
        return found
    found[marks.starts[0] : marks.starts[-1] + 1] = 0
    for first, last in _empty_brackets(marks):
        found[first : last + 1] = -1
    reach = round(_UNKNOWN_S * fs)
    waves = Waves.from_annotations(marks)
    rows = [
        (WAVES.index(label) + 1, -1 if np.isnan(onset) else int(onset), int(peak), -1 if np.isnan(end) else int(end))
        for label, onset, peak, end in waves.rows()
    ]
    for _, onset, peak, end in rows:
        if onset < 0:
            found[max(peak - reach, 0) : peak] = -1
        if end < 0:
            found[peak : peak + reach] = -1
    for kind, onset, peak, end in rows:
        found[(peak if onset < 0 else onset) : (peak if end < 0 else end) + 1] = kind
    return found


def _empty_brackets(marks: Annotations) -> list[tuple[int, int]]:
    labels, starts = marks.labels.tolist(), marks.starts.tolist()
    pairs = pairwise(labels)
    return [(starts[k], starts[k + 1]) for k, pair in enumerate(pairs) if pair == (_BEGIN, _END)]


@dataclass(frozen=True)
class EachLead(Step):
    """One item for each lead, its steps the samples: the lead, and the root mean square of the other leads.

    Leads are divided by their own size (see `lead_scale`), so that amplitude units and gains do not matter. A lead
    alone is an item like any other, its second column zero. Annotations whose note is a lead's name label its steps.

    Parameters
    ----------
    block_s : float [unit=s]
        Stretches whose standard deviations are compared to find the size of a lead.

    Raises
    ------
    ParameterError
        When `block_s` is not positive.

    Notes
    -----
    Items come in the order of the recording's channels.
    """

    kind: ClassVar[str] = "windows"

    block_s: float = 2.5

    def __post_init__(self) -> None:
        if not 0 < self.block_s < math.inf:
            raise ParameterError(f"block_s must be positive, got {self.block_s}: any finite time is allowed")

    def __call__(self, recording: Recording) -> Windows:
        """Return the leads.

        Raises
        ------
        DataError
            When there is no channel or no sample.
        """
        n_leads, n_samples = recording.signals.shape
        if not n_leads or not n_samples:
            raise DataError(f"{recording.id}: holds no samples of any lead")
        size = lead_scale(recording.signals, block_samples=max(round(self.block_s * recording.fs), 1))
        scaled = np.clip(recording.signals / size[:, None], -_LARGEST, _LARGEST)
        values = np.stack([scaled, other_leads(scaled)], axis=2)
        return Windows(
            values=values.reshape(-1, 2),
            offsets=np.arange(n_leads + 1) * n_samples,
            columns=("lead", "other leads"),
            rate_hz=recording.fs,
            subjects=np.full(n_leads, recording.subject),
            recordings=np.full(n_leads, recording.id),
            starts=np.zeros(n_leads, dtype=np.int64),
            fs=np.full(n_leads, recording.fs),
            y=_labels(recording),
            classes=(NO_WAVE, *WAVES),
            step_labels=True,
        )


def _labels(recording: Recording) -> Int64:
    marks, shape = recording.annotations, {"n_samples": recording.n_samples, "fs": recording.fs}
    return np.concatenate([wave_labels(marks[marks.notes == lead], **shape) for lead in recording.channels])  # type: ignore[arg-type]
