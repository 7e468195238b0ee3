"""A run of windows, one around each event."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from numba import njit

from biosig_lstm.containers import DETECTED, Annotations, Recording, Windows
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.steps import Step
from biosig_lstm.windows._common import check_rate, indices, over_bad, unit, without_bad

__all__ = ["AroundEvents", "sample_around"]

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

_LOBES = 4
_MARGIN = 1e-9


def sample_around(
    signals: Float32, positions: Int64, *, fs: float, before_s: float, after_s: float, rate_hz: float
) -> Float32:
    """Read a window around each position, at a rate of its own, aligned on the position exactly.

    Parameters
    ----------
    signals : np.ndarray [shape=(channels, samples), dtype=float32]
        Finite values.
    positions : np.ndarray [shape=(n,), unit=samples]
        The instants that the windows are aligned on.
    fs : float [unit=Hz]
        Rate of `signals`.
    before_s, after_s : float [unit=s]
        The window runs from ``-before_s`` up to, not including, ``after_s``.
    rate_hz : float [unit=Hz]
        Samples a second inside the window.

    Returns
    -------
    np.ndarray [shape=(n, channels, window), dtype=float32]
        Beyond the ends of the recording its first or last value is repeated.

    Notes
    -----
    Values between samples come from a Lanczos kernel of four lobes (Duchon 1979), its weights normalised to a sum
    of one. Where `rate_hz` is lower than `fs` the kernel is as much wider, which keeps out what a lower rate cannot
    hold; where it is not, an instant that falls on a sample gets that sample as it is.
    """
    ticks = np.arange(round((before_s + after_s) * rate_hz)) / rate_hz - round(before_s * rate_hz) / rate_hz
    exact = ticks * fs
    whole = np.floor(exact + _MARGIN).astype(np.int64)
    stretch = max(fs / rate_hz, 1.0)
    half = math.ceil(_LOBES * stretch)
    reach = np.arange(1 - half, half + 1)
    distance = (reach[None, :] - (exact - whole)[:, None]) / stretch
    weights = np.sinc(distance) * np.sinc(distance / _LOBES) * (np.abs(distance) < _LOBES)
    weights = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    gathered: Float32 = _gather(signals, positions, whole + 1 - half, weights)
    return gathered


@njit(cache=True)
def _gather(signals: Any, positions: Any, firsts: Any, weights: Any) -> Any:
    n_channels, n_samples = signals.shape
    width, taps = weights.shape
    out = np.empty((len(positions), n_channels, width), dtype=np.float32)
    for i in range(len(positions)):
        for c in range(n_channels):
            for j in range(width):
                total = np.float32(0.0)
                for k in range(taps):
                    at = min(max(positions[i] + firsts[j] + k, 0), n_samples - 1)
                    total += weights[j, k] * signals[c, at]
                out[i, c, j] = total
    return out


@dataclass(frozen=True)
class AroundEvents(Step):
    """A run of windows, one around each annotation of a recording: its beats, in order.

    Parameters
    ----------
    before_s, after_s : float [unit=s]
        Extent of a window on either side of the event's first sample.
    rate_hz : float [unit=Hz], optional
        Samples a second inside a window, at most the recording's; the recording's own where none is given.
    run : int, optional
        Steps of an item. None: all events of a recording are one item. A pipeline cuts runs after the features,
        so that the first event of a run still knows its past.
    leads : int
        Rows of a window: recordings with fewer channels get rows of zeros, further channels are left out.
    classes : tuple of str
        Labels that events are scored by, in the order of their index; other labels count as none. Stretches whose label
        begins with ``bad`` are no events; a window that one overlaps loses its label, see `Windows.rejections`.
    """

    kind: ClassVar[str] = "windows"

    before_s: float
    after_s: float
    rate_hz: float | None = None
    run: int | None = None
    leads: int = 2
    classes: tuple[str, ...] = ("N", "S", "V", "F", "Q")

    def __post_init__(self) -> None:
        sides = (self.before_s, self.after_s)
        if not (all(0 <= side < math.inf for side in sides) and sum(sides) > 0 and self.leads >= 1):
            raise ParameterError(f"a window needs a positive, finite length and at least one lead, got {self!r}")
        if self.rate_hz is not None and not 0 < self.rate_hz < math.inf:
            raise ParameterError(f"rate_hz must be positive and finite, got {self!r}")

    def __call__(self, recording: Recording) -> Windows:
        """Return one item: a step for each event, the window of each lead flattened, lead after lead."""
        events = without_bad(recording, self.classes).annotations
        rate_hz = self.rate_hz or recording.fs
        check_rate(recording, rate_hz)
        if not len(events):
            raise DataError(f"{recording.id}: no beats or other events to cut windows around")
        self._check_labels(recording, events)
        before, after = round(self.before_s * recording.fs), round(self.after_s * recording.fs)
        bad, rejected = over_bad(recording, events.starts - before, events.starts + after, self.classes)
        cut = sample_around(
            recording.signals[: self.leads],
            np.asarray(events.starts),
            fs=recording.fs,
            before_s=self.before_s,
            after_s=self.after_s,
            rate_hz=rate_hz,
        )
        window = np.zeros((len(events), self.leads, cut.shape[2]), dtype=np.float32)
        window[:, : cut.shape[1]] = cut
        return Windows(
            values=window.reshape(len(events), -1),
            offsets=np.array([0, len(events)]),
            columns=[f"lead{k}[{j}]" for k in range(self.leads) for j in range(cut.shape[2])],
            rate_hz=None,
            subjects=np.array([recording.subject]),
            recordings=np.array([recording.id]),
            starts=events.starts[:1],
            fs=np.array([recording.fs]),
            y=np.where(bad, -1, indices(events.labels.tolist(), self.classes)),
            classes=self.classes,
            positions=events.starts,
            window_shape=(self.leads, cut.shape[2]),
            step_labels=True,
            unit=unit(recording.units[: self.leads]),
            rejected=rejected,
        )

    def _check_labels(self, recording: Recording, events: Annotations) -> None:
        foreign = set(events.labels.tolist()) - {*self.classes, DETECTED}
        if foreign:
            warnings.warn(
                f"{recording.id}: events labelled {', '.join(sorted(foreign)[:12])} count as unlabelled, classes are "
                f"{' '.join(self.classes)}: is a step missing that maps labels to classes, such as Beats()?",
                BiosigWarning,
                stacklevel=3,
            )
