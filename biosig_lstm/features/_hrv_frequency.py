"""Heart rate variability in the frequency domain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy.fft import next_fast_len
from scipy.interpolate import CubicSpline

from biosig_lstm.errors import ParameterError, options
from biosig_lstm.features._hrv_intervals import Series, series

__all__ = ["BANDS_HZ", "FREQUENCY_DOMAIN", "Spectrum", "band_power", "frequency_domain", "lomb_scargle", "spectrum"]

Float64 = npt.NDArray[np.float64]
Spectrum = Literal["welch", "lomb_scargle"]

BANDS_HZ: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"ulf": (0.0, 0.003), "vlf": (0.003, 0.04), "lf": (0.04, 0.15), "hf": (0.15, 0.4)}
)
"""Bands of the Task Force."""

FREQUENCY_DOMAIN = {
    "ulf": "ms^2", "vlf": "ms^2", "lf": "ms^2", "hf": "ms^2", "total_power": "ms^2", "lf_hf": "1",
    "lf_nu": "%", "hf_nu": "%", "vlf_peak": "Hz", "lf_peak": "Hz", "hf_peak": "Hz",
}  # fmt: skip
"""Columns of `frequency_domain` and their units."""

_SHORTEST_S = {"ulf": 3600.0, "vlf": 270.0, "lf": 108.0, "hf": 54.0}
_TACHOGRAM_HZ = 4.0
_HIGHEST_HZ = 0.5
_FEWEST, _LEAST_COVERED = 12, 0.5
_GAP = 3.0
_NOTHING_MS2 = 1e-12


def frequency_domain(
    nn_ms: npt.ArrayLike,
    *,
    times_s: npt.ArrayLike | None = None,
    method: Spectrum = "welch",
    segment_s: float = 300.0,
) -> dict[str, float]:
    """Return the measures of the frequency domain.

    Parameters
    ----------
    nn_ms, times_s : array_like [shape=(n,), unit=ms, s]
        As in `time_domain`.
    method, segment_s
        As in `spectrum`.

    Returns
    -------
    dict of str to float
        The columns `FREQUENCY_DOMAIN`; NaN where the series is too short, or NN intervals are fewer than 12 or cover
        less than half of it.

    Raises
    ------
    DataError
        When intervals are not between 0 and a minute, look like seconds, or their times do not ascend.
    ParameterError
        When there is no such method, or segments are too short.

    Notes
    -----
    Bands and names are those of the Task Force (1996, table 2): ulf up to 0.003 Hz, vlf to 0.04, lf to 0.15, hf to
    0.4. A band is given where the series lasts about as long as they ask: hf from a minute on (54 s), lf from two
    (108 s), vlf from five (270 s; they call it dubious there), ulf from an hour on, where it is taken from one
    spectrum of the whole series. *total_power* is the sum of the bands given, where vlf is one of them. *lf_nu* and
    *hf_nu* are shares of lf + hf. A peak is the frequency of the largest power within its band.

    Examples
    --------
    >>> nn = 800 + 20 * np.sin(2 * np.pi * 0.25 * 0.8 * np.arange(400))
    >>> found = frequency_domain(nn)
    >>> round(found["hf_peak"], 2), round(found["hf_nu"])
    (0.25, 100)
    """
    intervals = series(nn_ms, times_s)
    _check(method, segment_s)
    columns = dict.fromkeys(FREQUENCY_DOMAIN, np.nan)
    span_s = intervals.span_s
    if not _enough(intervals) or span_s < _SHORTEST_S["hf"]:
        return columns
    frequencies, density = _SPECTRA[method](intervals.known, segment_s, _HIGHEST_HZ)
    for band in ("vlf", "lf", "hf"):
        if span_s >= _SHORTEST_S[band]:
            columns[band] = band_power(frequencies, density, band_hz=BANDS_HZ[band])
            columns[f"{band}_peak"] = _peak(frequencies, density, BANDS_HZ[band])
    if span_s >= _SHORTEST_S["ulf"]:
        whole = _SPECTRA[method](intervals.known, span_s, 2 * BANDS_HZ["ulf"][1])
        columns["ulf"] = band_power(*whole, band_hz=BANDS_HZ["ulf"])
    return columns | _sums(columns)


def spectrum(
    nn_ms: npt.ArrayLike,
    *,
    times_s: npt.ArrayLike | None = None,
    method: Spectrum = "welch",
    segment_s: float = 300.0,
) -> tuple[Float64, Float64]:
    """Return the power spectral density of NN intervals, up to 0.5 Hz.

    Parameters
    ----------
    nn_ms, times_s : array_like [shape=(n,), unit=ms, s]
        As in `time_domain`.
    method : {"welch", "lomb_scargle"}
        ``welch``: of the intervals resampled at 4 Hz by a cubic spline, linearly across gaps of more than three
        times the median interval; Hann windows. ``lomb_scargle``: of the intervals where they lie, no window.
    segment_s : float [unit=s, > 0]
        Length of the segments, which overlap by half and are averaged, each about its own mean; made somewhat longer
        or shorter so that they cover the series. A shorter series is one segment.

    Returns
    -------
    frequencies : np.ndarray [shape=(k,), unit=Hz]
    density : np.ndarray [shape=(k,), unit=ms^2/Hz]
        One-sided. Both are empty where NN intervals are fewer than 12 or cover less than half of the series.

    Raises
    ------
    DataError
        When intervals are not between 0 and a minute, look like seconds, or their times do not ascend.
    ParameterError
        When there is no such method, or segments are too short.
    """
    intervals = series(nn_ms, times_s)
    _check(method, segment_s)
    if not _enough(intervals):
        return np.zeros(0), np.zeros(0)
    return _SPECTRA[method](intervals.known, segment_s, _HIGHEST_HZ)


def band_power(frequencies: Float64, density: Float64, *, band_hz: tuple[float, float]) -> float:
    """Return the power within a band: trapezoids, the density interpolated at the band's edges.

    Parameters
    ----------
    frequencies, density : np.ndarray [shape=(k,), unit=Hz, ms^2/Hz]
        As `spectrum` gives them.
    band_hz : (float, float) [unit=Hz]
        Its edges.

    Returns
    -------
    float [unit=ms^2]

    Examples
    --------
    >>> round(band_power(np.array([0.0, 0.1, 0.2]), np.array([10.0, 10.0, 10.0]), band_hz=(0.04, 0.15)), 6)
    1.1
    """
    inside = (frequencies > band_hz[0]) & (frequencies < band_hz[1])
    edges = np.interp(band_hz, frequencies, density)
    heights = np.concatenate([edges[:1], density[inside], edges[1:]])
    widths = np.diff(np.concatenate([band_hz[:1], frequencies[inside], band_hz[1:]]))
    return float((heights[1:] + heights[:-1]) @ widths) / 2


def _check(method: str, segment_s: float) -> None:
    if method not in _SPECTRA:
        raise ParameterError(f"method {options(str(method), _SPECTRA)}")
    if not segment_s >= _SHORTEST_S["hf"]:
        raise ParameterError(f"segments must last at least {_SHORTEST_S['hf']:g} s, got {segment_s!r}")


def _enough(intervals: Series) -> bool:
    return len(intervals.known.nn_ms) >= _FEWEST and intervals.covered >= _LEAST_COVERED


def _peak(frequencies: Float64, density: Float64, band_hz: tuple[float, float]) -> float:
    inside = np.flatnonzero((frequencies >= band_hz[0]) & (frequencies < band_hz[1]))
    largest = inside[density[inside].argmax()] if len(inside) else -1
    return float(frequencies[largest]) if largest >= 0 and density[largest] > _NOTHING_MS2 else np.nan


def _sums(columns: Mapping[str, float]) -> dict[str, float]:
    lf, hf = columns["lf"], columns["hf"]
    both = lf + hf
    return {
        "total_power": float(np.nansum([columns["ulf"], columns["vlf"], both])) if columns["vlf"] >= 0 else np.nan,
        "lf_hf": lf / hf if hf > _NOTHING_MS2 else np.nan,
        "lf_nu": 100 * lf / both if both > _NOTHING_MS2 else np.nan,
        "hf_nu": 100 * hf / both if both > _NOTHING_MS2 else np.nan,
    }


def _n_segments(span_s: float, segment_s: float) -> int:
    """Return how many segments of about that length, overlapping by half, cover the series."""
    return max(round(2 * span_s / segment_s - 1), 1)


def _welch(intervals: Series, segment_s: float, highest_hz: float) -> tuple[Float64, Float64]:
    from scipy.signal import welch

    x = _tachogram(intervals)
    half = len(x) // (_n_segments(len(x) / _TACHOGRAM_HZ, segment_s) + 1)
    padded = next_fast_len(4 * half, real=True)
    frequencies, density = welch(x, _TACHOGRAM_HZ, nperseg=2 * half, noverlap=half, nfft=padded)
    kept = frequencies <= highest_hz
    return frequencies[kept], density[kept]


def _tachogram(intervals: Series) -> Float64:
    nn, times = intervals
    grid = np.arange(times[0], times[-1], 1 / _TACHOGRAM_HZ)
    smooth: Float64 = CubicSpline(times, nn)(grid)
    steps = np.diff(times)
    lost = steps > _GAP * np.median(nn) / 1000
    if lost.any():
        inside = lost[np.clip(np.searchsorted(times, grid, side="right") - 1, 0, len(steps) - 1)]
        smooth[inside] = np.interp(grid[inside], times, nn)
    return smooth


def _lomb_scargle(intervals: Series, segment_s: float, highest_hz: float) -> tuple[Float64, Float64]:
    nn, times = intervals
    begin = times[0] - nn[0] / 1000
    n_segments = _n_segments(intervals.span_s, segment_s)
    length = 2 * intervals.span_s / (n_segments + 1)
    step_hz = 0.5 / length
    n_frequencies = max(int(highest_hz / step_hz), 2)
    found = []
    for start in begin + length / 2 * np.arange(n_segments):
        first, last = np.searchsorted(times, [start, start + length + 1e-9])
        if last - first >= _FEWEST:
            power = lomb_scargle(
                times[first:last] - start, nn[first:last], step_hz=step_hz, n_frequencies=n_frequencies
            )
            found.append(2 * power * nn[first:last].mean() / 1000)
    frequencies = step_hz * np.arange(1, n_frequencies + 1)
    density: Float64 = np.mean(found, axis=0, dtype=np.float64) if found else np.full(n_frequencies, np.nan)
    return np.asarray(frequencies, dtype=np.float64), density


_SPECTRA: Mapping[str, Callable[[Series, float, float], tuple[Float64, Float64]]] = MappingProxyType(
    {"welch": _welch, "lomb_scargle": _lomb_scargle}
)


def lomb_scargle(times_s: Float64, values: Float64, *, step_hz: float, n_frequencies: int) -> Float64:
    """Return the Lomb-Scargle periodogram of values about their mean, at multiples of a frequency.

    Parameters
    ----------
    times_s, values : np.ndarray [shape=(n,)]
        Unevenly spaced.
    step_hz : float [unit=Hz, > 0]
        First frequency, and the distance of all.
    n_frequencies : int [>= 1]
        How many.

    Returns
    -------
    np.ndarray [shape=(n_frequencies,), unit=the values', squared]
        Scargle 1982 (Astrophys. J. 263:835), equation 10: half of n times the squared amplitude of a sine.
    """
    power: Float64 = _lomb_sums(times_s, values - values.mean(), 2 * np.pi * step_hz, n_frequencies)
    return power


@njit(cache=True)
def _lomb_sums(times: Any, values: Any, step: float, n_frequencies: int) -> Any:
    n = len(times)
    sums = np.zeros((4, n_frequencies))
    for i in range(n):
        turn_c, turn_s = np.cos(step * times[i]), np.sin(step * times[i])
        c, s = turn_c, turn_s
        for k in range(n_frequencies):
            sums[0, k] += values[i] * c
            sums[1, k] += values[i] * s
            sums[2, k] += c * c - s * s
            sums[3, k] += 2 * c * s
            c, s = c * turn_c - s * turn_s, s * turn_c + c * turn_s
    power = np.empty(n_frequencies)
    for k in range(n_frequencies):
        double = np.arctan2(sums[3, k], sums[2, k])
        c, s = np.cos(double / 2), np.sin(double / 2)
        of_cos = 0.5 * (n + sums[2, k] * np.cos(double) + sums[3, k] * np.sin(double))
        of_sin = n - of_cos
        along, across = sums[0, k] * c + sums[1, k] * s, sums[1, k] * c - sums[0, k] * s
        power[k] = 0.5 * along * along / of_cos
        if of_sin > 1e-9 * n:
            power[k] += 0.5 * across * across / of_sin
    return power
