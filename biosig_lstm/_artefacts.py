"""What makes a window of EEG unusable: too large, too flat, mains; on arrays, for every step that asks."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import DataError, ParameterError

__all__ = ["BAD", "Artefact", "Limits", "find_artefacts", "is_bad", "line_power_share"]

BAD = "BAD_"
"""What the labels of bad stretches begin with, as in MNE."""

_LINE_HALF_WIDTH_HZ, _LOWEST_HZ, _SHORTEST_S = 1.0, 1.0, 0.5
_LARGEST_BLOCK = 1_000_000


class Artefact(NamedTuple):
    """One channel of one window that breaks a limit.

    Attributes
    ----------
    window, channel : int
        Which.
    reason : str
        ``missing``, ``peak-to-peak``, ``flat`` or ``line-noise``.
    value : float
        What was measured: uV, or the share of the power; NaN where samples are missing.
    """

    window: int
    channel: int
    reason: str
    value: float


class Limits(NamedTuple):
    """What a window of EEG may be; None is not looked at.

    Attributes
    ----------
    peak_to_peak_uv : float [unit=uV, > 0] or None
        Largest difference between the highest and the lowest value.
    flat_uv : float [unit=uV, > 0] or None
        Smallest such difference.
    line_share : float [0 to 1] or None
        Largest share of the power above 1 Hz that lies within 1 Hz of the mains' frequency.
    line_hz : float [unit=Hz]
        The mains' frequency.
    """

    peak_to_peak_uv: float | None = None
    flat_uv: float | None = None
    line_share: float | None = None
    line_hz: float = 50.0

    def check(self) -> None:
        """Refuse limits that are none, or say nothing.

        Raises
        ------
        ParameterError
            Naming the limit.
        """
        if self.peak_to_peak_uv is self.flat_uv is self.line_share is None:
            raise ParameterError("give one limit at least: peak_to_peak_uv, flat_uv or line_share")
        for name in ("peak_to_peak_uv", "flat_uv", "line_hz"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ParameterError(f"{name} must be positive and finite, got {value!r}")
        if self.line_share is not None and not 0 < self.line_share < 1:
            raise ParameterError(f"line_share must lie between 0 and 1, got {self.line_share!r}")
        if None not in (self.peak_to_peak_uv, self.flat_uv) and self.flat_uv >= self.peak_to_peak_uv:  # type: ignore[operator]
            raise ParameterError(
                f"flat_uv must be below peak_to_peak_uv, got {self.flat_uv} and {self.peak_to_peak_uv}"
            )


def is_bad(label: str) -> bool:
    """Return whether a label says that a stretch is bad: it begins with ``bad``, in any case, as MNE has it."""
    return label[:3].casefold() == "bad"


def find_artefacts(x: npt.ArrayLike, fs: float, *, limits: Limits) -> list[Artefact]:
    """Return what breaks the limits, window after window, channel after channel.

    Parameters
    ----------
    x : array_like [shape=(n_windows, channels, samples), unit=uV]
        Windows; one with a missing value (NaN) is reported as ``missing`` in that channel, and for nothing else.
    fs : float [unit=Hz, > 0]
        Samples a second.
    limits : Limits
        What is looked at.

    Raises
    ------
    DataError
        When the array has other axes.
    ParameterError
        When the limits are none, or the mains cannot be seen at this rate or in so short a window.

    Notes
    -----
    Peak-to-peak and flat are what `mne.Epochs.drop_bad` rejects by ``reject`` and ``flat``.

    Examples
    --------
    >>> find_artefacts([[[0.0, 300.0, 0.0], [1.0, 1.0, 1.0]]], 100, limits=Limits(peak_to_peak_uv=200, flat_uv=0.5))
    [Artefact(window=0, channel=0, reason='peak-to-peak', value=300.0), Artefact(window=0, channel=1, reason='flat', value=0.0)]
    """  # noqa: E501
    limits.check()
    values = np.asarray(x, dtype=np.float32)
    if values.ndim != 3 or not values.shape[2]:
        raise DataError(f"windows must be (n_windows, channels, samples), got shape {values.shape}")
    size = values.max(axis=2) - values.min(axis=2)
    missing = ~np.isfinite(size)
    broken: dict[str, tuple[npt.NDArray[np.bool_], npt.NDArray[np.floating]]] = {"missing": (missing, size * np.nan)}
    if limits.peak_to_peak_uv is not None:
        broken["peak-to-peak"] = (size > limits.peak_to_peak_uv, size)
    if limits.flat_uv is not None:
        broken["flat"] = (size < limits.flat_uv, size)
    if limits.line_share is not None:
        share = line_power_share(np.where(missing[:, :, None], 0, values), fs, line_hz=limits.line_hz)
        broken["line-noise"] = (share > limits.line_share, share)
    found = [
        Artefact(int(window), int(channel), reason, float(value[window, channel]))
        for reason, (is_broken, value) in broken.items()
        for window, channel in np.argwhere(is_broken & (missing if reason == "missing" else ~missing))
    ]
    return sorted(found, key=lambda artefact: artefact[:2])


def line_power_share(x: npt.ArrayLike, fs: float, *, line_hz: float) -> npt.NDArray[np.float64]:
    """Return the share of the power above 1 Hz that lies within 1 Hz of the mains' frequency.

    Parameters
    ----------
    x : array_like [shape=(n_windows, channels, samples)]
        Finite windows of 0.5 s or more.
    fs : float [unit=Hz]
        Samples a second, above twice `line_hz`.
    line_hz : float [unit=Hz]
        50 or 60.

    Returns
    -------
    np.ndarray [shape=(n_windows, channels)]
        0 to 1; 0 where the window is flat.

    Raises
    ------
    ParameterError
        When a window is too short, or the rate too low.

    Notes
    -----
    From `scipy.signal.periodogram` with a Hann window and the mean taken out; where a window of less than 2 s resolves
    no 1 Hz, two of its frequencies on either side. What a notch filter took out is not seen any more.
    """
    values = np.asarray(x)
    n_samples = values.shape[2]
    if n_samples < _SHORTEST_S * fs:
        raise ParameterError(f"line_share needs windows of {_SHORTEST_S:g} s or more, got {n_samples / fs:g} s")
    if line_hz + _LINE_HALF_WIDTH_HZ > fs / 2:
        raise ParameterError(f"line_hz = {line_hz:g} Hz cannot be seen at {fs:g} Hz: it must lie below {fs / 2:g} Hz")
    rows = max(_LARGEST_BLOCK // max(values[:1].size, 1), 1)
    parts = [_share(values[start : start + rows], fs, line_hz) for start in range(0, len(values), rows)]
    return np.concatenate([np.zeros((0, values.shape[1])), *parts])


def _share(values: npt.NDArray[np.floating], fs: float, line_hz: float) -> npt.NDArray[np.float64]:
    from scipy import signal

    hz, power = signal.periodogram(values.astype(np.float64), fs, window="hann", detrend="constant", axis=2)
    reach = max(_LINE_HALF_WIDTH_HZ, 2 * float(hz[1]))
    around = np.abs(hz - line_hz) <= reach * (1 + 1e-9)
    whole = power[..., hz >= _LOWEST_HZ].sum(axis=2)
    share: npt.NDArray[np.float64] = np.zeros(whole.shape)
    np.divide(power[..., around].sum(axis=2), whole, out=share, where=whole > 0)
    return share
