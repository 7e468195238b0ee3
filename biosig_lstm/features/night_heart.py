"""What the heart does in each epoch of a night and in the minutes around it: level, variability, rhythms, swings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Windows
from biosig_lstm.errors import DataError
from biosig_lstm.features._night import against_night
from biosig_lstm.steps import Step

__all__ = ["BANDS_HZ", "COLUMNS", "WITHIN", "NightHeart", "night_heart"]

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

WIDTHS_S = (30, 150, 600)
BANDS_HZ = ((0.005, 0.01), (0.01, 0.02), (0.02, 0.04), (0.04, 0.08), (0.08, 0.15), (0.15, 0.25), (0.25, 0.4))
_LONG_S, _SHORT_S = 300, 60
_SHORT_BANDS = BANDS_HZ[3:]
_BREATHS, _NEAR_BREATH_HZ = (0.12, 0.42), 0.025
_CYCLES, _NEAR_CYCLE_HZ = (0.01, 0.06), 0.004
_EPOCHS = 5
_PERCENTILES = (5, 95)
_FAST_S, _SLOW_S, _SLOPE_S = 5, 150, 90
_LEAST_KNOWN = 0.2
_SMALL_VARIANCE, _SMALL_POWER = 1e-6, 1e-7
_LIMIT = 4.0

WITHIN = (
    *(f"{name}_{width}s" for name in ("rr", "sd", "rmssd") for width in WIDTHS_S),
    *(f"rr_p{share}_{width}s" for width in WIDTHS_S[1:] for share in _PERCENTILES),
    *(f"power_{low:g}-{high:g}Hz_{_LONG_S}s" for low, high in BANDS_HZ),
    *(f"power_{low:g}-{high:g}Hz_{_SHORT_S}s" for low, high in _SHORT_BANDS),
    "breath_hz", "breath_hz_sd", "breath_share", "cycle_hz", "cycle_share", "surge", "dip", "slope",
)  # fmt: skip
"""Columns that are given twice: as they are, and against the rest of the night."""

COLUMNS = (*WITHIN, *(f"{name}/night" for name in WITHIN), "known", "hours")
"""All columns of `night_heart`."""


class _Night(NamedTuple):
    """A night at one rate: the logarithm of the RR interval, 1 where it is known, its change; samples of an epoch."""

    log_rr: Float64
    known: Float64
    change: Float64
    rate_hz: float
    epoch: int

    @property
    def middles(self) -> Int64:
        return self.epoch * np.arange(len(self.log_rr) // self.epoch) + self.epoch // 2

    def edges(self, width_s: float) -> tuple[Int64, Int64]:
        half = round(width_s * self.rate_hz / 2)
        return np.maximum(self.middles - half, 0), np.minimum(self.middles + half, len(self.log_rr))

    def mean(self, values: Float64, width_s: float) -> Float64:
        """Return the mean of what is known around each epoch; from the epochs beside it where less than a fifth is."""
        first, last = self.edges(width_s)
        total, known = (np.concatenate([[0.0], np.cumsum(x)]) for x in (values * self.known, self.known))
        count = known[last] - known[first]
        there = np.flatnonzero(count >= _LEAST_KNOWN * (last - first))
        if not len(there):
            return np.zeros(len(first))
        means = (total[last] - total[first])[there] / count[there]
        return np.asarray(np.interp(np.arange(len(first)), there, means))

    def spectra(self, width_s: float) -> tuple[Float64, Float64]:
        """Return frequencies and the density of the Hann-windowed series around each epoch, mirrored at the ends."""
        width = round(width_s * self.rate_hz)
        mirrored = np.pad(self.log_rr, width // 2, mode="symmetric")
        parts = np.lib.stride_tricks.sliding_window_view(mirrored, width)[self.middles]
        taper = np.hanning(width + 1)[:-1]
        transform = np.fft.rfft((parts - parts.mean(axis=1, keepdims=True)) * taper, axis=1)
        density = np.asarray(np.abs(transform) ** 2 * (2 / (self.rate_hz * np.sum(taper**2))), dtype=np.float64)
        return np.fft.rfftfreq(width, 1 / self.rate_hz).astype(np.float64), density

    def smooth(self, width_s: float) -> Float64:
        return _moving_mean(self.log_rr, round(width_s * self.rate_hz))


def night_heart(
    rr_s: npt.ArrayLike, known: npt.ArrayLike, change: npt.ArrayLike, *, rate_hz: float, epoch_samples: int
) -> npt.NDArray[np.float32]:
    """Return what the RR intervals say of each epoch of a night.

    Parameters
    ----------
    rr_s, known, change : array_like [shape=(n,), unit=s, 1, 1]
        The night as `biosig_lstm.events.rr_series.rr_series` gives it.
    rate_hz : float [unit=Hz]
        Samples a second.
    epoch_samples : int
        Samples of an epoch.

    Returns
    -------
    np.ndarray [shape=(n // epoch_samples, 66), dtype=float32]
        The columns `COLUMNS`. Of the logarithm of the interval, in so many seconds around the middle of the epoch:
        *rr* its mean, *sd* the logarithm of its standard deviation, *rmssd* that of the root mean square of *change*,
        *rr_p5* and *rr_p95* percentiles less the mean, *power* the logarithm of the amplitude in a band of the
        Hann-windowed spectrum. *breath_hz* is the largest peak from 0.12 to 0.42 Hz of the spectrum of a minute, the
        mean of five epochs, *breath_hz_sd* its standard deviation over them, *breath_share* the mean share of that
        band within 0.025 Hz of the peak; *cycle_hz* and *cycle_share* are the same for the slow cycles that apneas
        make, 0.01 to 0.06 Hz in five minutes, of the epoch alone. *surge* and *dip* are how far the interval, over
        5 s, falls below and rises above its mean over 150 s; *slope* is the change of its 90-s mean from epoch to
        epoch. Columns with ``/night`` are the same less the night's median, over its interquartile range (in normal
        standard deviations), limited to 4. *known* is the share of the epoch in accepted intervals, *hours* the time
        since the start.

    Notes
    -----
    Where less than a fifth of a stretch is known its means come from the epochs beside it. The scaling within the
    night looks at the whole of it, later epochs too, as does a model that reads the night in both directions: the
    stages of a night are told when it is over. Bands follow those of the Task Force (1996), split where apneas (0.01
    to 0.04 Hz) and breathing in sleep (0.15 to 0.4 Hz) lie.
    """
    log_rr = np.log(np.asarray(rr_s, dtype=np.float64))
    marks, changes = np.asarray(known, dtype=np.float64), np.asarray(change, dtype=np.float64)
    night = _Night(log_rr, marks, changes, rate_hz, epoch_samples)
    within = np.stack([*_levels(night), *_powers(night), *_rhythms(night), *_swings(night)], axis=1)
    hours = night.middles / (3600 * rate_hz)
    share = marks[: len(hours) * epoch_samples].reshape(-1, epoch_samples).mean(axis=1)
    columns = np.concatenate([within, against_night(within, limit=_LIMIT), np.stack([share, hours], axis=1)], axis=1)
    return columns.astype(np.float32)


def _levels(night: _Night) -> list[Float64]:
    means = [night.mean(night.log_rr, width) for width in WIDTHS_S]
    squares = [night.mean(night.log_rr**2, width) for width in WIDTHS_S]
    changes = [night.mean(night.change**2, width) for width in WIDTHS_S]
    return [
        *means,
        *(_log_root(np.maximum(s - m**2, 0.0), _SMALL_VARIANCE) for s, m in zip(squares, means, strict=True)),
        *(_log_root(square, _SMALL_VARIANCE) for square in changes),
        *(_percentile(night, width, p) - m for width, m in zip(WIDTHS_S[1:], means[1:], strict=True) for p in (0, 1)),
    ]


def _log_root(squares: Float64, smallest: float) -> Float64:
    return np.asarray(0.5 * np.log(squares + smallest))


def _percentile(night: _Night, width_s: float, which: int) -> Float64:
    spans = zip(*night.edges(width_s), strict=True)
    return np.array([np.percentile(night.log_rr[a:b], _PERCENTILES[which]) for a, b in spans])


def _powers(night: _Night) -> list[Float64]:
    found = []
    for width, bands in ((_LONG_S, BANDS_HZ), (_SHORT_S, _SHORT_BANDS)):
        frequencies, density = night.spectra(width)
        found += [_log_root(density[:, _in(frequencies, band)].sum(axis=1) / width, _SMALL_POWER) for band in bands]
    return found


def _in(frequencies: Float64, band_hz: tuple[float, float]) -> npt.NDArray[np.bool_]:
    return np.asarray((frequencies > band_hz[0] - 1e-6) & (frequencies < band_hz[1] - 1e-6))


def _rhythms(night: _Night) -> list[Float64]:
    breath, share = _peak(*night.spectra(_SHORT_S), band_hz=_BREATHS, near_hz=_NEAR_BREATH_HZ)
    cycle, cycle_share = _peak(*night.spectra(_LONG_S), band_hz=_CYCLES, near_hz=_NEAR_CYCLE_HZ)
    beside = np.lib.stride_tricks.sliding_window_view(np.pad(breath, _EPOCHS // 2, mode="edge"), _EPOCHS)
    return [beside.mean(axis=1), beside.std(axis=1), _moving_mean(share, _EPOCHS), cycle, cycle_share]


def _peak(
    frequencies: Float64, density: Float64, *, band_hz: tuple[float, float], near_hz: float
) -> tuple[Float64, Float64]:
    inside = _in(frequencies, band_hz)
    part, at = density[:, inside] + 1e-12, frequencies[inside]
    peak = at[part.argmax(axis=1)]
    near = np.abs(at - peak[:, None]) < near_hz + 1e-6
    return peak, (part * near).sum(axis=1) / part.sum(axis=1)


def _swings(night: _Night) -> list[Float64]:
    away = (night.smooth(_FAST_S) - night.smooth(_SLOW_S))[: len(night.middles) * night.epoch]
    each = away.reshape(-1, night.epoch)
    level = night.mean(night.log_rr, _SLOPE_S)
    return [-each.min(axis=1), each.max(axis=1), np.gradient(level) if len(level) > 1 else np.zeros(1)]


def _moving_mean(values: Float64, width: int) -> Float64:
    """Return the mean of `width` values around each one, the first and last repeated beyond the ends."""
    padded = np.pad(values, (width // 2, width - 1 - width // 2), mode="edge")
    total = np.concatenate([[0.0], np.cumsum(padded)])
    return np.asarray((total[width:] - total[:-width]) / width)


@dataclass(frozen=True)
class NightHeart(Step):
    """Turn epochs of the series of RR intervals into the columns of `night_heart`.

    The windows are those of `biosig_lstm.windows.Epochs` on what `biosig_lstm.events.rr_series.RRSeries` gives; each
    item is taken for a whole night.
    """

    kind: ClassVar[str] = "feature"

    def __call__(self, windows: Windows) -> Windows:
        """Return the windows with 66 columns in the place of the series.

        Raises
        ------
        DataError
            When the windows are not epochs of the channels *rr*, *known* and *change*.
        """
        shape = windows.window_shape or (0, 0)
        names = tuple(column.partition("[")[0] for column in windows.columns[:: max(shape[1], 1)])
        if names != ("rr", "known", "change") or windows.rate_hz is None:
            raise DataError(f"night_heart needs epochs of rr, known and change, got {', '.join(names[:6]) or 'none'}")
        parts = [np.zeros((0, len(COLUMNS)), dtype=np.float32)]
        for first, stop in pairwise(windows.offsets.tolist()):
            series = windows.values[first:stop].reshape(-1, *shape).transpose(1, 0, 2).reshape(3, -1)
            parts.append(night_heart(*series, rate_hz=windows.rate_hz * shape[1], epoch_samples=shape[1]))
        made = windows.with_values(np.concatenate(parts), columns=COLUMNS)
        return replace(made, window_shape=None)
