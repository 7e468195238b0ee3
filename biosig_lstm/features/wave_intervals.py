"""Intervals of an ECG from its waves: PR, QRS, QT, and QT corrected for the heart rate, beat by beat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Waves
from biosig_lstm.errors import ParameterError, options

__all__ = ["CORRECTIONS", "corrected_qt", "median_intervals", "wave_intervals"]

Float64 = npt.NDArray[np.float64]

CORRECTIONS: Mapping[str, Callable[[Float64, Float64], Float64]] = MappingProxyType(
    {
        "bazett": lambda qt_s, rr_s: qt_s / np.sqrt(rr_s),
        "fridericia": lambda qt_s, rr_s: qt_s / np.cbrt(rr_s),
        "framingham": lambda qt_s, rr_s: qt_s + 0.154 * (1 - rr_s),
        "hodges": lambda qt_s, rr_s: qt_s + 0.00175 * (60 / rr_s - 60),
    }
)
"""Formulas for the QT interval at a heart rate of 60 a minute, by the name of their author or study."""

_NAMES = ("rr_ms", "p_ms", "pr_ms", "qrs_ms", "qt_ms", *(f"qtc_{name}_ms" for name in CORRECTIONS))
_LONGEST_PR_S, _LONGEST_QT_S = 0.6, 0.8


def corrected_qt(qt_ms: npt.ArrayLike, rr_ms: npt.ArrayLike, *, formula: str = "fridericia") -> Float64:
    """Return the QT interval corrected for the heart rate.

    Parameters
    ----------
    qt_ms, rr_ms : array_like [unit=ms]
        QT interval, and the RR interval before it.
    formula : {"bazett", "fridericia", "framingham", "hodges"}
        With QT and RR in seconds: ``QT / RR**(1/2)`` (Bazett, Heart 7:353-370, 1920), ``QT / RR**(1/3)``
        (Fridericia, Acta Med Scand 53:469-486, 1920), ``QT + 0.154 (1 - RR)`` (Sagie et al., the Framingham Heart
        Study, Am J Cardiol 70:797-801, 1992), ``QT + 0.00175 (60 / RR - 60)`` (Hodges, Salerno and Erlien, J Am Coll
        Cardiol 1:694, 1983).

    Returns
    -------
    np.ndarray [unit=ms]
        NaN where an interval is not known, or RR is not positive.

    Raises
    ------
    ParameterError
        When there is no such formula.

    Examples
    --------
    >>> corrected_qt(400, 640, formula="bazett").round(1).item()
    500.0
    """
    if formula not in CORRECTIONS:
        raise ParameterError(f"formula {options(str(formula), CORRECTIONS)}")
    qt_s, rr_s = np.asarray(qt_ms, dtype=np.float64) / 1000, np.asarray(rr_ms, dtype=np.float64) / 1000
    known = np.where(rr_s > 0, rr_s, np.nan)
    return np.asarray(1000 * CORRECTIONS[formula](qt_s, known), dtype=np.float64)


def wave_intervals(waves: Waves, fs: float) -> dict[str, Float64]:
    """Return the intervals of each beat of one lead.

    Parameters
    ----------
    waves : Waves
        Of the lead, in samples.
    fs : float [unit=Hz]
        Samples a second.

    Returns
    -------
    dict of str to np.ndarray [shape=(beats,)]
        A value for each QRS complex: ``r_s``, its peak, in s; and in ms ``rr_ms``, from the peak before; ``p_ms``, the
        P wave; ``pr_ms``, onset of P to onset of QRS; ``qrs_ms``; ``qt_ms``, onset of QRS to end of T;
        ``qtc_bazett_ms``, ``qtc_fridericia_ms``, ``qtc_framingham_ms`` and ``qtc_hodges_ms``, see `corrected_qt`.
        NaN where a wave or a boundary is missing.

    Raises
    ------
    ParameterError
        When `fs` is not positive.

    Notes
    -----
    The P wave of a beat is the last one between the QRS complex before and its own, if it begins no more than 0.6 s
    before the latter; the T wave is the first one before the next QRS complex, if it ends within 0.8 s.

    Examples
    --------
    >>> waves = Waves(["P", "QRS", "T"], [100, 180, 300], [120, 200, 340], [150, 230, 380])
    >>> found = wave_intervals(waves, 500)
    >>> found["pr_ms"].tolist(), found["qrs_ms"].tolist(), found["qt_ms"].tolist()
    ([160.0], [100.0], [400.0])
    """
    if not fs > 0:
        raise ParameterError(f"fs must be a positive number of Hz, got {fs}")
    beats, p_waves, t_waves = (waves.of(label) for label in ("QRS", "P", "T"))
    edges = np.concatenate([[-np.inf], beats.peaks, [np.inf]])
    p_of, t_of = (
        _last_between(p_waves.peaks, edges[:-2], edges[1:-1]),
        _first_between(t_waves.peaks, edges[1:-1], edges[2:]),
    )
    milliseconds = 1000.0 / fs
    p_on, p_off = _at(p_waves.onsets, p_of), _at(p_waves.offsets, p_of)
    pr = _not_above((beats.onsets - p_on) * milliseconds, 1000 * _LONGEST_PR_S)
    qt = _not_above((_at(t_waves.offsets, t_of) - beats.onsets) * milliseconds, 1000 * _LONGEST_QT_S)
    rr = np.diff(beats.peaks, prepend=np.nan) * milliseconds
    found = {
        "r_s": beats.peaks / fs,
        "rr_ms": rr,
        "p_ms": np.where(np.isnan(pr), np.nan, (p_off - p_on) * milliseconds),
        "pr_ms": pr,
        "qrs_ms": (beats.offsets - beats.onsets) * milliseconds,
        "qt_ms": qt,
    }
    return found | {f"qtc_{name}_ms": corrected_qt(qt, rr, formula=name) for name in CORRECTIONS}


def median_intervals(waves: Waves, fs: float) -> dict[str, float]:
    """Return the median of each interval over the beats of one lead; NaN where no beat has it.

    Parameters
    ----------
    waves, fs
        As of `wave_intervals`.

    Returns
    -------
    dict of str to float
        ``n_beats``, and in ms ``rr_ms``, ``p_ms``, ``pr_ms``, ``qrs_ms``, ``qt_ms`` and the ``qtc_..._ms``.
    """
    found = wave_intervals(waves, fs)
    return {"n_beats": float(len(found["r_s"]))} | {name: _median(found[name]) for name in _NAMES}


def _median(values: Float64) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else float("nan")


def _last_between(places: Float64, low: Float64, high: Float64) -> npt.NDArray[np.int64]:
    at = np.searchsorted(places, high) - 1
    padded = np.append(places, -np.inf)
    return np.where((at >= 0) & (padded[at] > low), at, -1)


def _first_between(places: Float64, low: Float64, high: Float64) -> npt.NDArray[np.int64]:
    at = np.searchsorted(places, low, side="right")
    padded = np.append(places, np.inf)
    return np.where(padded[at] < high, at, -1)


def _at(values: Float64, index: npt.NDArray[np.int64]) -> Float64:
    return np.append(values, np.nan)[index]


def _not_above(values: Float64, limit: float) -> Float64:
    with np.errstate(invalid="ignore"):
        return np.where(values <= limit, values, np.nan)
