"""A generated two-lead electrocardiogram with premature beats: waves as sums of Gaussians, a rhythm that breathes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers.annotations import Int64, Strings
from biosig_lstm.errors import ParameterError, options

__all__ = ["CHANNELS", "synthetic_ecg"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

CHANNELS = ("MLII", "V1")

# Each row: centre after the R peak (s), width (s), amplitude in MLII and in V1 (mV). The first two rows are P waves,
# the last two T waves, what lies between is the QRS complex.
_SINUS = np.array(
    [
        [-0.175, 0.020, 0.11, 0.06],
        [-0.145, 0.018, 0.05, -0.05],
        [-0.030, 0.008, -0.09, 0.00],
        [-0.012, 0.010, 0.08, 0.22],
        [0.000, 0.011, 1.05, -0.25],
        [0.020, 0.011, -0.18, -0.80],
        [0.240, 0.050, 0.15, -0.04],
        [0.290, 0.032, 0.16, -0.05],
    ]
)
_VENTRICULAR = np.array(
    [
        [-0.175, 0.020, 0.00, 0.00],
        [-0.145, 0.018, 0.00, 0.00],
        [-0.060, 0.014, 0.25, -0.15],
        [-0.030, 0.016, 0.50, -0.35],
        [0.000, 0.019, 1.10, -0.85],
        [0.055, 0.022, -0.55, 0.40],
        [0.270, 0.060, -0.40, 0.30],
        [0.340, 0.042, -0.25, 0.20],
    ]
)
_N_P, _N_T = 2, 2
_POLARITY = {"left": -1.0, "right": 1.0}
_EDGE_S = 0.1
_LATEST = {"N": 1.0, "A": 0.88, "V": 0.8}


@dataclass(frozen=True)
class _Heart:
    """The wave templates of one subject, by symbol, and how strongly breathing moves the amplitude."""

    waves: dict[str, Float64]
    respiration_hz: float


def synthetic_ecg(
    *,
    fs: float = 360.0,
    duration_s: float,
    seed: int | tuple[int, ...],
    heart_rate_bpm: float = 70.0,
    rr_std_s: float = 0.04,
    respiration_hz: float = 0.25,
    p_supraventricular: float = 0.07,
    p_ventricular: float = 0.07,
    ventricular_origin: Literal["left", "right"] | None = None,
    noise_mv: float = 0.02,
    baseline_mv: float = 0.12,
    mains_mv: float = 0.015,
    mains_hz: float = 60.0,
) -> tuple[Float32, Int64, Strings]:
    """Return a generated electrocardiogram of one subject: leads MLII and V1, its beats and what they are.

    Parameters
    ----------
    fs : float [unit=Hz, >= 100]
        Samples a second.
    duration_s : float [unit=s, >= 2]
        Length.
    seed : int or tuple of int
        Chooses the subject (the shapes of the waves), the rhythm and the noise; same seed, same values.
    heart_rate_bpm : float [range=30 to 180]
        Mean rate of the sinus rhythm.
    rr_std_s : float [unit=s, >= 0]
        Standard deviation of its intervals.
    respiration_hz : float [unit=Hz]
        Rate of breathing: it moves the intervals, the amplitude and the baseline.
    p_supraventricular, p_ventricular : float [range=0 to 1, sum <= 1]
        How often a sinus beat is followed by a premature beat of that kind, kept to in every hundred sinus beats.
    ventricular_origin : {"left", "right"}, optional
        Ventricle that the ventricular beats come from: upright in V1 and downward in MLII, or the reverse;
        drawn by default.
    noise_mv, baseline_mv, mains_mv : float [unit=mV, >= 0]
        Standard deviation of the muscle noise, amplitude of the baseline's wander and of the mains hum.
    mains_hz : float [unit=Hz]
        Frequency of the mains.

    Returns
    -------
    signals : np.ndarray [shape=(2, samples), dtype=float32, unit=mV]
        Leads MLII and V1.
    peaks : np.ndarray of int [shape=(beats,), unit=samples]
        The main deflection of each QRS complex.
    labels : np.ndarray of str [shape=(beats,)]
        ``N`` sinus, ``A`` atrial premature, ``V`` ventricular premature.

    Raises
    ------
    ParameterError
        When a value is outside its range.

    Notes
    -----
    After McSharry, Clifford, Tarassenko and Smith, "A dynamical model for generating synthetic electrocardiogram
    signals", IEEE Trans Biomed Eng 50(3):289-294 (2003): waves are Gaussians, intervals have the spectrum of their
    equation 2 (Mayer waves at 0.1 Hz, breathing, ratio 0.5), the T wave moves with the square root of the interval.
    Unlike there the Gaussians are summed in time rather than integrated along a limit cycle, so that each beat can
    have its own shape and coupling, and two leads share one rhythm. A supraventricular beat comes early, with an odd
    P wave or none and the QRS complex of a sinus beat, and resets the rhythm; a ventricular one comes early, without
    a P wave, wide, its T wave opposed, and is followed by a full compensatory pause.

    Examples
    --------
    >>> signals, peaks, labels = synthetic_ecg(duration_s=10, seed=1)
    >>> signals.shape, len(peaks) == len(labels)
    ((2, 3600), True)
    """
    _check(fs, duration_s, heart_rate_bpm, p_supraventricular, p_ventricular)
    if ventricular_origin is not None and ventricular_origin not in _POLARITY:
        raise ParameterError(f"ventricular_origin {options(ventricular_origin, _POLARITY)}")
    rng = np.random.default_rng(seed)
    heart = _Heart(_shapes(rng, ventricular_origin), respiration_hz)
    intervals = _tachogram(rng, duration_s, 60.0 / heart_rate_bpm, rr_std_s, respiration_hz)
    times, labels = _rhythm(rng, intervals, duration_s, p_supraventricular, p_ventricular)
    n_samples = round(duration_s * fs)
    signals = _beats(rng, heart, times, labels, fs=fs, n_samples=n_samples)
    seconds = np.arange(n_samples) / fs
    signals += _baseline(rng, seconds, baseline_mv, respiration_hz)
    signals += mains_mv * np.sin(2 * math.pi * mains_hz * seconds + rng.uniform(0, 2 * math.pi, size=(2, 1)))
    signals += _muscle(rng, seconds, noise_mv)
    peaks = np.rint(np.array(times) * fs).astype(np.int64)
    return signals.astype(np.float32), peaks, np.array(labels, dtype=np.str_)


def _check(fs: float, duration_s: float, heart_rate_bpm: float, p_s: float, p_v: float) -> None:
    if not fs >= 100:
        raise ParameterError(f"fs must be at least 100 Hz for a QRS complex to show, got {fs}")
    if not (duration_s >= 2 and math.isfinite(duration_s)):
        raise ParameterError(f"duration_s must be at least 2 s, got {duration_s}")
    if not 30 <= heart_rate_bpm <= 180:
        raise ParameterError(f"heart_rate_bpm must lie in 30 to 180, got {heart_rate_bpm}")
    if not (p_s >= 0 and p_v >= 0 and p_s + p_v <= 1):
        raise ParameterError(f"p_supraventricular and p_ventricular must sum to at most 1, got {p_s} and {p_v}")


def _shapes(rng: np.random.Generator, origin: Literal["left", "right"] | None) -> dict[str, Float64]:
    sinus = _vary(rng, _SINUS)
    ventricular = _vary(rng, _VENTRICULAR)
    drawn = float(rng.choice([-1.0, 1.0]))
    ventricular[:, 2:] *= (drawn if origin is None else _POLARITY[origin]) * rng.uniform(1.1, 1.6)
    premature = sinus.copy()
    premature[:_N_P, 0] += rng.uniform(0.005, 0.04)
    premature[:_N_P, 2:] *= rng.choice([-0.7, 0.0, 0.4, 0.8])
    return {"N": sinus, "A": premature, "V": ventricular}


def _vary(rng: np.random.Generator, template: Float64) -> Float64:
    waves = template.copy()
    spread = np.full(len(waves), 0.002)
    spread[:_N_P], spread[-_N_T:] = 0.006, 0.012
    waves[:, 0] += spread * rng.standard_normal(len(waves))
    waves[:, 1] *= np.exp(0.08 * rng.standard_normal(len(waves)))
    waves[:, 2:] *= np.exp(0.15 * rng.standard_normal((len(waves), 2)))
    waves[:, 2:] *= np.exp(0.2 * rng.standard_normal(2))
    return _aligned(waves)


def _aligned(waves: Float64) -> Float64:
    """Return the waves with the main deflection of the QRS complex, in the first lead, at instant zero."""
    instants = np.arange(-400, 401) / 10_000
    bumps = waves[:, 2:3] * np.exp(-0.5 * ((instants - waves[:, :1]) / waves[:, 1:2]) ** 2)
    waves[:, 0] -= instants[np.argmax(np.abs(bumps.sum(axis=0)))]
    return waves


def _tachogram(rng: np.random.Generator, duration_s: float, mean_s: float, std_s: float, breath_hz: float) -> Float64:
    """Return the sinus interval (s) at every quarter of a second: equation 2 of McSharry, random phases."""
    n = 4 * max(math.ceil(duration_s) + 10, 300)
    frequencies = np.fft.rfftfreq(n, 0.25)
    power = sum(
        share * np.exp(-0.5 * ((frequencies - centre) / 0.01) ** 2) for share, centre in ((0.5, 0.1), (1.0, breath_hz))
    )
    phases = np.exp(2j * math.pi * rng.random(len(frequencies)))
    wave = np.fft.irfft(np.sqrt(power) * phases, n)
    wave -= wave.mean()
    intervals: Float64 = np.maximum(mean_s + std_s * wave / wave.std(), 0.3)
    return intervals


def _rhythm(
    rng: np.random.Generator, intervals: Float64, duration_s: float, p_s: float, p_v: float
) -> tuple[list[float], list[str]]:
    times: list[float] = []
    labels: list[str] = []
    kinds = _hundreds(rng, p_s, p_v)
    now, stop = rng.uniform(0.3, 0.8), duration_s - _EDGE_S
    while now < stop:
        times.append(now)
        labels.append("N")
        interval = float(intervals[int(now * 4)])
        kind = next(kinds)
        early = now + interval * rng.uniform(0.6, _LATEST[kind])
        if kind != "N" and early < stop:
            times.append(early)
            labels.append(kind)
        reset = early + interval * rng.uniform(1.0, 1.06)
        now = {"N": now + interval, "A": reset, "V": now + 2 * interval}[kind]
    return times, labels


def _hundreds(rng: np.random.Generator, p_s: float, p_v: float) -> Iterator[str]:
    n_s = round(100 * p_s)
    n_v = min(round(100 * p_v), 100 - n_s)
    while True:
        yield from rng.permutation(["A"] * n_s + ["V"] * n_v + ["N"] * (100 - n_s - n_v)).tolist()


def _beats(
    rng: np.random.Generator, heart: _Heart, times: list[float], labels: list[str], *, fs: float, n_samples: int
) -> Float64:
    signals = np.zeros((2, n_samples))
    gaps = np.diff(times, prepend=times[0] - 0.8)
    for time, label, gap in zip(times, labels, gaps, strict=True):
        first, last = max(round((time - 0.4) * fs), 0), min(round((time + 0.7) * fs), n_samples)
        waves = heart.waves[label].copy()
        waves[-_N_T:, 0] *= math.sqrt(min(max(gap, 0.45), 1.2) / 0.85)
        breath = 0.06 * math.sin(2 * math.pi * heart.respiration_hz * time)
        gain = 1 + breath + 0.03 * rng.standard_normal()
        offsets = np.arange(first, last) / fs - time
        bumps = np.exp(-0.5 * ((offsets - waves[:, :1]) / waves[:, 1:2]) ** 2)
        signals[:, first:last] += gain * (waves[:, 2:].T @ bumps)
    return signals


def _baseline(rng: np.random.Generator, seconds: Float64, amplitude_mv: float, breath_hz: float) -> Float64:
    phases = rng.uniform(0, 2 * math.pi, size=(3, 2, 1))
    rates = np.array([breath_hz, rng.uniform(0.03, 0.08), rng.uniform(0.01, 0.03)])
    shares = np.array([0.4, 0.7, 0.5])
    waves = np.sin(2 * math.pi * rates[:, None, None] * seconds + phases)
    return amplitude_mv * np.tensordot(shares, waves, axes=1)


def _muscle(rng: np.random.Generator, seconds: Float64, std_mv: float) -> Float64:
    strength = 1 + 0.5 * np.sin(2 * math.pi * rng.uniform(0.01, 0.03) * seconds + rng.uniform(0, 2 * math.pi))
    return std_mv * strength * rng.standard_normal((2, len(seconds)))
