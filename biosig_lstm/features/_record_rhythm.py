"""What a recording as a whole says about the heart's rhythm: numbers that stand for all of its beats."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.signal import welch

__all__ = ["RECORD_COLUMNS", "record_features"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_BANDS_HZ = ((0.5, 2.0), (2.0, 4.0), (4.0, 6.5), (6.5, 10.0), (10.0, 20.0), (20.0, 45.0))
_SHAPE = ("p_height", "p_place", "p_depth", "t_height", "t_depth", "t_place", "qrs_depth", "qrs_area", "st_level")
_SIGNAL = (*(f"power_{low:g}_{high:g}_hz" for low, high in _BANDS_HZ), "spread_change", "spread_range", "largest")
_RHYTHM = (
    "turning_points", "rr_alike", "rr_pairs_alike", "rr_correlation", "rr_correlation_2", "rr_entropy", "rr_rmssd",
    "rr_change", "rr_longest", "rr_shortest",
)  # fmt: skip
RECORD_COLUMNS = (*_SHAPE, *_SIGNAL, *_RHYTHM, "duration", "beats_a_second", "upright")

_LIMIT = 4.0
_SEGMENT_S = 2.56
_ALIKE_S = 0.03
_ENTROPY_BINS_S = np.arange(0.2, 2.01, 0.04)
_USUAL_S = 0.8


def record_features(signal: Float32, beats: Int64, usual: Float32, *, rate_hz: float, r_sample: int) -> Float32:
    """Return the columns `RECORD_COLUMNS` of a recording.

    Parameters
    ----------
    signal : np.ndarray [shape=(samples,)]
        One lead, centred, of any unit or none.
    beats : np.ndarray [shape=(n,), unit=samples]
        Its R-peaks, ascending; one at least.
    usual : np.ndarray [shape=(window,)]
        The usual beat, in units of its own height.
    rate_hz : float [unit=Hz]
        Samples a second.
    r_sample : int
        Where the R-peak lies in `usual`.

    Returns
    -------
    np.ndarray [shape=(31,), dtype=float32, range=[-4, 4]]
        Shape of the usual beat (waves against the line from one end of their stretch to the other, turned so that the
        R-peak points up); the logarithm of the shares of power in bands without the QRS complexes, where fibrillation
        shows at 4 to 10 Hz; how the spread of the signal changes from second to second; the RR intervals: share of
        turning points, of intervals within 30 ms of each other and of pairs of them (the idea of sample entropy,
        Richman and Moorman 2000), their correlation with the next and the one after, the entropy of their histogram
        of 40 ms, logarithms of RMSSD over the mean, of the median change, longest and shortest over the median;
        duration, rate and polarity. Each is shifted and scaled to the order of one by constants.
    """
    sign = _polarity(usual, r_sample=r_sample, rate_hz=rate_hz)
    columns = (
        *_shape(usual * sign, rate_hz=rate_hz, r_sample=r_sample),
        *_signal(signal, beats, rate_hz=rate_hz),
        *_rhythm(np.diff(beats) / rate_hz),
        len(signal) / rate_hz / 30 - 1,
        len(beats) * rate_hz / len(signal) - 1.2,
        sign,
    )
    limited: Float32 = np.clip(np.array(columns), -_LIMIT, _LIMIT).astype(np.float32)
    return limited


def _polarity(usual: Float32, *, r_sample: int, rate_hz: float) -> float:
    reach = round(0.05 * rate_hz)
    near = usual[max(r_sample - reach, 0) : r_sample + reach + 1]
    return -1.0 if near[np.abs(near).argmax()] < 0 else 1.0


def _shape(upright: Float32, *, rate_hz: float, r_sample: int) -> tuple[float, ...]:
    def part(first_s: float, stop_s: float) -> Float32:
        return upright[r_sample + round(first_s * rate_hz) : r_sample + round(stop_s * rate_hz)]

    p_wave, t_wave, qrs = part(-0.28, -0.07), part(0.12, 0.50), part(-0.12, 0.16)
    above = p_wave - np.linspace(p_wave[0], p_wave[-1], len(p_wave))
    about = np.abs(t_wave - np.median(t_wave))
    return (
        5 * float(above.max()),
        float(above.argmax()) / (0.2 * rate_hz),
        5 * float(above.min()),
        2 * float(t_wave.max()),
        2 * float(t_wave.min()),
        float(about.argmax()) / (0.2 * rate_hz) - 1,
        2 * float(qrs.min()),
        4 * float(np.abs(qrs - np.median(upright)).mean()) - 1,
        3 * float(part(0.12, 0.17).mean() - part(-0.09, -0.06).mean()),
    )


def _signal(signal: Float32, beats: Int64, *, rate_hz: float) -> tuple[float, ...]:
    rest = _without_qrs(signal, beats, rate_hz=rate_hz)
    frequencies, power = welch(rest, rate_hz, nperseg=min(round(_SEGMENT_S * rate_hz), len(rest)))
    whole = float(power.sum()) + 1e-9
    shares = (float(power[(frequencies >= low) & (frequencies < high)].sum()) / whole for low, high in _BANDS_HZ)
    second = min(round(rate_hz), len(signal))
    spread = np.log(signal[: len(signal) // second * second].reshape(-1, second).std(axis=1) + 0.01)
    return (
        *(float(np.log(share + 1e-4)) / 2 + 1 for share in shares),
        float(spread.std()),
        float(np.ptp(spread)) / 2,
        float(np.log(np.abs(signal).max() + 0.01)) - 2,
    )


def _without_qrs(signal: Float32, beats: Int64, *, rate_hz: float) -> Float32:
    """Return the signal with a straight line for each QRS complex."""
    rest = signal.copy()
    before, after = round(0.08 * rate_hz), round(0.10 * rate_hz)
    for beat in beats.tolist():
        first, stop = max(beat - before, 0), min(beat + after, len(rest))
        rest[first:stop] = np.linspace(rest[max(first - 1, 0)], rest[min(stop, len(rest) - 1)], stop - first)
    return rest


def _rhythm(intervals_s: Float64) -> tuple[float, ...]:
    rr = intervals_s if len(intervals_s) >= 2 else np.array([_USUAL_S, _USUAL_S])
    change = np.diff(rr)
    turning = float(np.mean(change[1:] * change[:-1] < 0)) if len(change) > 1 else 0.5
    near = np.abs(rr[:, None] - rr[None]) < _ALIKE_S
    alike, pairs = float(near.mean()), float((near[1:, 1:] & near[:-1, :-1]).mean())
    counts = np.histogram(rr, bins=_ENTROPY_BINS_S)[0]
    shares = counts[counts > 0] / max(counts.sum(), 1)
    middle = float(np.median(rr))
    return (
        3 * turning - 2,
        float(np.log(alike + 0.02)) + 1,
        float(np.log(pairs + 0.02) - np.log(alike + 0.02)),
        _correlation(rr[1:], rr[:-1]),
        _correlation(rr[2:], rr[:-2]),
        float(-(shares * np.log(shares)).sum()) - 1.5,
        float(np.log(np.sqrt((change**2).mean()) / rr.mean() + 0.005)) + 3,
        float(np.log(np.median(np.abs(change)) / middle + 0.005)) + 3,
        float(np.log(rr.max() / middle)),
        float(np.log(rr.min() / middle)),
    )


def _correlation(a: Float64, b: Float64) -> float:
    if len(a) < 3:
        return 0.0
    a, b = a - a.mean(), b - b.mean()
    spread = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / spread if spread > 1e-9 else 0.0
