"""Scores of wave boundaries: the onset and the end of each P wave, QRS complex and T wave against an expert's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import WAVES, Waves
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.metrics.events import match_events
from biosig_lstm.metrics.intervals import intervals_by_subject
from biosig_lstm.metrics.result import Scores

__all__ = ["BOUNDARIES", "CSE_TWO_SD_MS", "boundary_errors", "wave_scores"]

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

BOUNDARIES = tuple(f"{wave.lower()}_{side}" for wave in WAVES for side in ("on", "off"))
"""Names of what is scored: ``p_on``, ``p_off``, ``qrs_on``, ``qrs_off``, ``t_on``, ``t_off``."""

CSE_TWO_SD_MS: Mapping[str, float] = MappingProxyType(
    {"p_on": 10.2, "p_off": 12.7, "qrs_on": 6.5, "qrs_off": 11.6, "t_off": 30.6}
)
"""Two standard deviations between experts, in ms, as Martínez et al. (IEEE Trans Biomed Eng 51(4):570-581, 2004) quote
the CSE Working Party's recommendations (Eur Heart J 6:815-825, 1985); there is none for the onset of T."""

_MICROSECONDS = 1_000_000
_FIELDS = 5  # hits, misses, false ones, sum of the errors, sum of their squares


def boundary_errors(
    reference: Waves, detected: Waves, *, fs: float, tolerance_s: float = 0.15
) -> dict[str, tuple[Float64, int, int]]:
    """Match the boundaries of one lead and return how far each is off.

    Parameters
    ----------
    reference, detected : Waves
        The expert's waves and those found, in samples.
    fs : float [unit=Hz]
        Samples a second of both.
    tolerance_s : float [unit=s, >= 0]
        Largest distance of a pair.

    Returns
    -------
    dict of str to (np.ndarray [shape=(pairs,), unit=ms], int, int)
        For each of `BOUNDARIES`: detected minus reference of each pair, missed ones, false ones.

    Raises
    ------
    ParameterError
        When a parameter is out of range.

    Notes
    -----
    Pairs are found by `match_events` for each boundary by itself. What is found outside of the stretch from the
    expert's first mark to the last and fits no mark is not counted: nothing is known there. Nor is what lies within
    the tolerance of the peak of a wave to which the expert gave no such boundary.

    Examples
    --------
    >>> truth = Waves(["QRS", "T"], [100, 200], [110, 230], [120, 260])
    >>> found = Waves(["QRS"], [102], [110], [119])
    >>> boundary_errors(truth, found, fs=500)["qrs_on"]
    (array([4.]), 0, 0)
    >>> boundary_errors(truth, found, fs=500)["t_off"]
    (array([], dtype=float64), 1, 0)
    """
    if not fs > 0 or tolerance_s < 0:
        raise ParameterError(f"fs must be positive and tolerance_s 0 or more, got {fs} and {tolerance_s}")
    stretch = _stretch(reference) / fs
    found = {}
    for name, wave, side in _boundaries():
        expert, said = reference.of(wave), detected.of(wave)
        found[name] = _errors(expert, getattr(said, side) / fs, side, fs=fs, reach_s=tolerance_s, stretch_s=stretch)
    return found


def _boundaries() -> Iterator[tuple[str, str, str]]:
    sides = [(wave, side) for wave in WAVES for side in ("onsets", "offsets")]
    yield from ((name, wave, side) for name, (wave, side) in zip(BOUNDARIES, sides, strict=True))


def _stretch(waves: Waves) -> Float64:
    if not len(waves):
        return np.array([np.inf, -np.inf])
    places = np.concatenate([waves.onsets, waves.peaks, waves.offsets])
    return np.array([np.nanmin(places), np.nanmax(places)])


def _errors(
    expert: Waves, said_s: Float64, side: str, *, fs: float, reach_s: float, stretch_s: Float64
) -> tuple[Float64, int, int]:
    place = getattr(expert, side)
    known = ~np.isnan(place)
    true_s, without_s = place[known] / fs, expert.peaks[~known] / fs
    said_s = said_s[~np.isnan(said_s)]
    ticks = [np.rint(at * _MICROSECONDS).astype(np.int64) for at in (true_s, said_s)]
    match = match_events(*ticks, tolerance_samples=round(reach_s * _MICROSECONDS))
    errors_ms = 1000.0 * (said_s[match.pairs[:, 1]] - true_s[match.pairs[:, 0]])
    extra = said_s[match.extra]
    inside = (extra >= stretch_s[0]) & (extra <= stretch_s[1])
    beside = (np.abs(extra[:, None] - without_s[None, :]) <= reach_s).any(axis=1)
    return errors_ms, len(match.missed), int(np.count_nonzero(inside & ~beside))


def wave_scores(
    reference: Sequence[Waves],
    detected: Sequence[Waves],
    subjects: Sequence[str],
    *,
    fs: float | Sequence[float],
    tolerance_s: float = 0.15,
    seed: int = 0,
    n_resamples: int = 2000,
    confidence: float = 0.95,
) -> Scores:
    """Score the boundaries of waves over many leads of many recordings.

    Parameters
    ----------
    reference, detected : sequence of Waves [length=leads]
        The expert's waves of each lead, and those found.
    subjects : sequence of str [length=leads]
        Whose each lead is.
    fs : float or sequence of float [unit=Hz]
        Samples a second, of all leads or of each.
    tolerance_s : float [unit=s]
        Largest distance of a pair.
    seed, n_resamples, confidence
        Of the intervals; see `bootstrap_by_subject`.

    Returns
    -------
    Scores
        For each of `BOUNDARIES`, such as ``p_on``: ``se_p_on`` and ``pp_p_on``, sensitivity and positive
        predictivity; ``mean_ms_p_on`` and ``sd_ms_p_on``, of detected minus reference over all pairs. The classes of
        the confusion are the boundaries and ``none``.

    Raises
    ------
    DataError
        When the lists differ in length, or are empty.

    Notes
    -----
    See `boundary_errors` for what counts. All leads together, as one long one: a subject with many waves counts for
    more. The standard deviation divides by the number of pairs.

    Examples
    --------
    >>> truth = Waves(["QRS", "QRS"], [100, 600], [110, 610], [120, 620])
    >>> scores = wave_scores([truth], [truth[:1]], ["a"], fs=500)
    >>> scores["se_qrs_on"].value, scores["pp_qrs_on"].value, scores["mean_ms_qrs_on"].value
    (0.5, 1.0, 0.0)
    """
    rates = [float(fs)] * len(reference) if isinstance(fs, int | float) else [float(rate) for rate in fs]
    if not 0 < len(reference) == len(detected) == len(subjects) == len(rates):
        raise DataError(
            f"a reference, a detection, a subject and a rate for each of one lead or more, got {len(reference)}, "
            f"{len(detected)}, {len(subjects)} and {len(rates)}"
        )
    ids, code = np.unique(np.asarray(subjects, dtype=np.str_), return_inverse=True)
    counts = np.zeros((len(ids), len(BOUNDARIES), _FIELDS))
    for whose, expert, said, rate in zip(code.tolist(), reference, detected, rates, strict=True):
        counts[whose] += _counts(boundary_errors(expert, said, fs=rate, tolerance_s=tolerance_s))
    metrics = intervals_by_subject(counts, _statistics, n_resamples=n_resamples, confidence=confidence, seed=seed)
    confusions = dict(zip(ids.tolist(), map(_confusion, counts), strict=True))
    return Scores(metrics, (*BOUNDARIES, "none"), confusions, confidence)


def _counts(errors: Mapping[str, tuple[Float64, int, int]]) -> Float64:
    rows = [(len(off), missed, false, off.sum(), (off**2).sum()) for off, missed, false in errors.values()]
    return np.array(rows, dtype=np.float64)


def _statistics(counts: Float64) -> Mapping[str, Float64]:
    hits, missed, false, total, squares = np.moveaxis(counts, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        se, pp, mean = hits / (hits + missed), hits / (hits + false), total / hits
        spread = np.sqrt(np.maximum(squares / hits - mean**2, 0.0))
    named = {"se": se, "pp": pp, "mean_ms": mean, "sd_ms": spread}
    return {f"{kind}_{name}": value[..., k] for k, name in enumerate(BOUNDARIES) for kind, value in named.items()}


def _confusion(counts: Float64) -> Int64:
    n = len(BOUNDARIES)
    table = np.zeros((n + 1, n + 1), dtype=np.int64)
    hits, missed, false = np.rint(counts[:, :3]).astype(np.int64).T
    table[np.arange(n), np.arange(n)] = hits
    table[:n, n], table[n, :n] = missed, false
    return table
