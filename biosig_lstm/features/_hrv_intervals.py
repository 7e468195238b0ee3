"""RR intervals, and which of them are NN: between two normal beats, and no artefact."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
from numba import njit

from biosig_lstm.containers import DETECTED
from biosig_lstm.errors import DataError, ParameterError, options

__all__ = ["BEATS", "NORMAL", "Artefacts", "Series", "lipponen_artefacts", "malik_artefacts", "nn_intervals", "series"]

Float64 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Artefacts = Literal["lipponen", "malik", "none"]

NORMAL = frozenset({"N", "L", "R", "B", DETECTED})
"""WFDB symbols of beats that the sinus node began (bundle branch blocks among them), and of beats not named."""

BEATS = NORMAL | frozenset("AaJSVEFejnr/fQ?[!]")
"""Symbols of all beats, with those of ventricular flutter, which ends what is normal."""

_SHORTEST_MS, _LONGEST_MS, _MINUTE_MS = 200.0, 3000.0, 60_000.0
_SECONDS_BELOW_MS = 10.0
_MALIK = 0.2
_C1, _C2, _ALPHA, _WINDOW, _MEDIAN_WINDOW = 0.13, 0.17, 5.2, 91, 11
_FEWEST = 4


class Series(NamedTuple):
    """Consecutive intervals in ms, NaN where one is not NN, and the times in s of the beats that end them."""

    nn_ms: Float64
    times_s: Float64

    @property
    def changes_ms(self) -> Float64:
        """Differences of NN intervals that follow each other."""
        change = np.diff(self.nn_ms)
        return change[np.isfinite(change)]

    @property
    def known(self) -> Series:
        """The NN intervals alone."""
        there = np.isfinite(self.nn_ms)
        return Series(self.nn_ms[there], self.times_s[there])

    @property
    def span_s(self) -> float:
        """Seconds from the beat that begins the first NN interval to the one that ends the last."""
        nn, times = self.known
        return float(times[-1] - times[0] + nn[0] / 1000) if len(nn) else 0.0

    @property
    def covered(self) -> float:
        """Share of that span that lies in NN intervals."""
        return float(np.nansum(self.nn_ms)) / 1000 / self.span_s if self.span_s else 0.0


def series(nn_ms: npt.ArrayLike, times_s: npt.ArrayLike | None = None) -> Series:
    """Return intervals and times, checked.

    Raises
    ------
    DataError
        When intervals are not between 0 and a minute, look like seconds, or their times do not ascend.
    """
    nn = np.asarray(nn_ms, dtype=np.float64)
    if nn.ndim != 1:
        raise DataError(f"intervals must have one dimension, got shape {nn.shape}")
    there = np.isfinite(nn)
    astray = nn[there][~((nn[there] > 0) & (nn[there] <= _MINUTE_MS))]
    if len(astray):
        raise DataError(f"intervals must be above 0 and at most {_MINUTE_MS:g} ms, got {astray[0]:g} ms")
    usual = float(np.median(nn[there])) if there.any() else 1000.0
    if usual < _SECONDS_BELOW_MS:
        raise DataError(f"intervals must be in ms, their median is {usual:g}: are they seconds?")
    nn = np.where(there, nn, np.nan)
    if times_s is None:
        return Series(nn, np.cumsum(np.where(there, nn, usual)) / 1000)
    times = np.asarray(times_s, dtype=np.float64)
    if times.shape != nn.shape:
        raise DataError(f"each interval needs the time of its end, got {nn.shape} intervals and {times.shape} times")
    if not np.isfinite(times[there]).all() or (np.diff(times[there]) <= 0).any():
        raise DataError("the times of NN intervals must be finite and ascend")
    return Series(nn, times)


def nn_intervals(
    times_s: npt.ArrayLike, *, labels: npt.ArrayLike | None = None, artefacts: Artefacts = "lipponen"
) -> Float64:
    """Return the intervals between beats that follow each other, NaN where one is not NN.

    Parameters
    ----------
    times_s : array_like [shape=(n,), unit=s]
        Instants of the beats, ascending; NaN where one is not known.
    labels : array_like of str [shape=(n,)], optional
        WFDB symbol or AAMI class of each beat. Intervals that begin or end with one that is not in `NORMAL`
        (``N L R B``, and ``QRS`` of the detector) are not NN. Where none are given all beats count as normal.
    artefacts : {"lipponen", "malik", "none"}
        What else is not NN. ``lipponen``: beats that Lipponen and Tarvainen's rules call ectopic, missed, extra, too
        long or too short. ``malik``: intervals that differ by more than 20 % from the one before. Both: intervals
        below 200 ms and above 3 s. ``none``: nothing but intervals of no length, or above a minute.

    Returns
    -------
    np.ndarray [shape=(max(n - 1, 0),), unit=ms]
        The interval that ends with beat ``k + 1``.

    Raises
    ------
    DataError
        When beats are not in order, infinite, or there is not one label for each.
    ParameterError
        When there is no such rule.

    Notes
    -----
    Lipponen and Tarvainen 2019 (doi:10.1080/03091902.2019.1640306) with their constants. What they correct is left
    out here instead, since corrected intervals are not measured ones. The Task Force (1996) advises against the rule
    of 20 % where beats can be labelled: it takes strong sinus arrhythmia for an artefact.

    Examples
    --------
    >>> nn_intervals([0.0, 0.8, 1.6, 2.1, 3.2, 4.0], labels=["N", "N", "N", "V", "N", "N"], artefacts="none")
    array([800., 800.,  nan,  nan, 800.])
    """
    if artefacts not in get_args(Artefacts):
        raise ParameterError(f"artefacts {options(str(artefacts), get_args(Artefacts))}")
    times = _checked_times(times_s)
    rr = np.round(np.diff(times) * 1000, 6)
    wrong = ~((rr > 0) & (rr <= _MINUTE_MS))
    if labels is not None:
        normal = np.isin(_checked_labels(labels, len(times)), list(NORMAL))
        wrong |= ~(normal[:-1] & normal[1:])
    if artefacts != "none":
        wrong |= ~((rr >= _SHORTEST_MS) & (rr <= _LONGEST_MS))
        wrong |= malik_artefacts(rr) if artefacts == "malik" else _lipponen_intervals(times)
    return np.where(wrong, np.nan, rr)


def _checked_times(times_s: npt.ArrayLike) -> Float64:
    times = np.asarray(times_s, dtype=np.float64)
    if times.ndim != 1 or np.isinf(times).any():
        raise DataError(f"beats need one finite instant each (or NaN), got shape {times.shape}")
    there = np.flatnonzero(np.isfinite(times))
    back = np.flatnonzero(np.diff(times[there]) < 0)
    if len(back):
        first, second = times[there[back[0] : back[0] + 2]].tolist()
        raise DataError(f"beats must be in order of time, one at {second:g} s follows one at {first:g} s")
    return times


def _checked_labels(labels: npt.ArrayLike, n_beats: int) -> npt.NDArray[np.str_]:
    names = np.asarray(labels, dtype=np.str_)
    if names.shape != (n_beats,):
        raise DataError(f"each beat needs a label, got {n_beats} beats and labels of shape {names.shape}")
    return names


def malik_artefacts(rr_ms: Float64) -> Bools:
    """Return which intervals differ by more than 20 % from the one before."""
    before = np.concatenate([rr_ms[:1], rr_ms[:-1]])
    return np.asarray(np.abs(rr_ms - before) > _MALIK * before)


def _lipponen_intervals(times: Float64) -> Bools:
    """Return which intervals touch a beat that is an artefact; the one of a missed beat is that before it."""
    there = np.flatnonzero(np.isfinite(times))
    found = lipponen_artefacts(np.diff(times[there]) * 1000)
    misplaced, missed = np.zeros(len(times), dtype=bool), np.zeros(len(times), dtype=bool)
    misplaced[there] = (found == _ECTOPIC) | (found == _EXTRA) | (found == _LONG_OR_SHORT)
    missed[there] = found == _MISSED
    return np.asarray(misplaced[1:] | misplaced[:-1] | missed[1:])


_ECTOPIC, _MISSED, _EXTRA, _LONG_OR_SHORT = 1, 2, 3, 4


def lipponen_artefacts(rr_ms: Float64) -> npt.NDArray[np.int8]:
    """Return what each beat is: 0 normal, 1 ectopic, 2 follows a missed one, 3 extra, 4 too long or too short.

    Parameters
    ----------
    rr_ms : np.ndarray [shape=(n - 1,), unit=ms]
        Intervals between n beats, none missing.

    Returns
    -------
    np.ndarray [shape=(n,), dtype=int8]
        Nothing but 0 where there are fewer than four beats.

    Notes
    -----
    As in NeuroKit2, from which the order of the decisions is taken, the first interval and the first difference are
    the means of the others, and an interval's deviation is looked at where its difference is large too.
    """
    if len(rr_ms) + 1 < _FEWEST:
        return np.zeros(len(rr_ms) + 1, dtype=np.int8)
    rr = np.concatenate([[rr_ms.mean()], rr_ms])
    change = np.diff(rr, prepend=0.0)
    change[0] = change[1:].mean()
    change = _over(change, _threshold(change))
    padded = np.pad(change, 2, mode="reflect")
    before, after, after_next = padded[1:-3], padded[3:-1], padded[4:]
    rises, falls = change > 0, change < 0
    beside = np.where(rises, np.maximum(before, after), np.where(falls, np.minimum(before, after), 0.0))
    ahead = np.where(falls, np.maximum(after, after_next), np.minimum(after, after_next))
    usual = rolling_quantile(rr, _MEDIAN_WINDOW, 0.5)
    deviation = rr - usual
    deviation[deviation < 0] *= 2
    limit = _threshold(deviation)
    relative = np.stack([change, beside, ahead, _over(deviation, limit)])
    found: npt.NDArray[np.int8] = _classify(rr, usual, limit, relative)
    return found


def _over(values: Float64, limit: Float64) -> Float64:
    ratio = np.full(len(values), np.nan)
    np.divide(values, limit, out=ratio, where=limit != 0)
    return ratio


def _threshold(values: Float64) -> Float64:
    size = np.abs(values)
    spread: Float64 = rolling_quantile(size, _WINDOW, 0.75) - rolling_quantile(size, _WINDOW, 0.25)
    return _ALPHA * spread / 2


@njit(cache=True)
def rolling_quantile(x: Any, window: int, share: float) -> Any:
    """Return the quantile of the `window` values around each one, fewer at the ends, interpolated linearly."""
    n, half = len(x), window // 2
    ordered = np.empty(window + 1, dtype=np.float64)
    out = np.empty(n, dtype=np.float64)
    held = 0
    for i in range(n + half):
        if i < n:
            at = np.searchsorted(ordered[:held], x[i])
            for k in range(held, at, -1):
                ordered[k] = ordered[k - 1]
            ordered[at] = x[i]
            held += 1
        if i - window >= 0:
            at = np.searchsorted(ordered[:held], x[i - window])
            held -= 1
            for k in range(at, held):
                ordered[k] = ordered[k + 1]
        if i >= half:
            place = share * (held - 1)
            low = int(place)
            high = min(low + 1, held - 1)
            out[i - half] = ordered[low] + (ordered[high] - ordered[low]) * (place - low)
    return out


@njit(cache=True)
def _classify(rr: Any, usual: Any, limit: Any, relative: Any) -> Any:
    n = len(rr)
    change, beside, ahead, deviation = relative
    found = np.zeros(n, dtype=np.int8)
    i = 0
    while i < n - 2:
        d = change[i]
        if not abs(d) > 1:
            i += 1
            continue
        if (d > 1 and beside[i] < -_C1 * d - _C2) or (d < -1 and beside[i] > -_C1 * d + _C2):
            found[i] = _ECTOPIC
            i += 1
            continue
        last = i + 1 if abs(change[i + 1]) < abs(change[i + 2]) else i
        for j in range(i, last + 1):
            long = change[j] > 1 and ahead[j] < -1
            short = change[j] < -1 and ahead[j] > 1
            if short and abs(rr[j] + rr[j + 1] - usual[j]) < limit[j]:
                found[j] = _EXTRA
            elif long and abs(rr[j] / 2 - usual[j]) < limit[j]:
                found[j] = _MISSED
            elif long or short or abs(deviation[j]) > 3:
                found[j] = _LONG_OR_SHORT
        i = last + 1
    return found
