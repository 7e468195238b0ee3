"""Heart rate variability: from beats to named measures, for a whole recording or window by window."""

from __future__ import annotations

import csv
import html
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Annotations, Recording, freeze
from biosig_lstm.errors import DataError, ParameterError, options
from biosig_lstm.features._hrv_frequency import (
    BANDS_HZ,
    FREQUENCY_DOMAIN,
    Spectrum,
    band_power,
    frequency_domain,
    lomb_scargle,
    spectrum,
)
from biosig_lstm.features._hrv_intervals import (
    BEATS,
    NORMAL,
    Artefacts,
    lipponen_artefacts,
    malik_artefacts,
    nn_intervals,
)
from biosig_lstm.features._hrv_nonlinear import NONLINEAR, dfa_alpha, entropies, nonlinear
from biosig_lstm.features._hrv_time import TIME_DOMAIN, time_domain

__all__ = [
    "BANDS_HZ",
    "BEATS",
    "COLUMNS",
    "DOMAINS",
    "HRV",
    "NORMAL",
    "band_power",
    "dfa_alpha",
    "entropies",
    "frequency_domain",
    "hrv",
    "lipponen_artefacts",
    "lomb_scargle",
    "malik_artefacts",
    "nn_intervals",
    "nonlinear",
    "spectrum",
    "time_domain",
]

Float64 = npt.NDArray[np.float64]

_APART_S, _MOST_WINDOWS = 20.0, 10_000_000

_SELECTION = {"n_nn": "1", "nn_percent": "%"}

DOMAINS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {"time": TIME_DOMAIN, "frequency": FREQUENCY_DOMAIN, "nonlinear": NONLINEAR}
)
"""Columns of each domain and their units."""

COLUMNS: Mapping[str, str] = MappingProxyType({**_SELECTION, **TIME_DOMAIN, **FREQUENCY_DOMAIN, **NONLINEAR})
"""All columns of `hrv` and their units."""


@dataclass(frozen=True, eq=False, repr=False)
class HRV:
    """Measures of heart rate variability, a row for each window.

    Parameters
    ----------
    columns : sequence of str
        Names of the measures.
    units : sequence of str
        Unit of each; ``1`` where it has none.
    values : array_like [shape=(windows, columns)]
        NaN where a measure is not defined.
    starts_s, stops_s : array_like [shape=(windows,), unit=s]
        From when to when each window lasts.
    recording : str
        Whose they are.

    Raises
    ------
    DataError
        When the lengths differ.
    """

    columns: tuple[str, ...]
    units: tuple[str, ...]
    values: Float64
    starts_s: Float64
    stops_s: Float64
    recording: str = ""

    def __post_init__(self) -> None:
        for name in ("columns", "units"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        for name in ("values", "starts_s", "stops_s"):
            object.__setattr__(self, name, freeze(np.array(getattr(self, name), dtype=np.float64)))
        shape = (len(self.starts_s), len(self.columns))
        if self.values.shape != shape or len(self.units) != shape[1] or len(self.stops_s) != shape[0]:
            raise DataError(f"{shape[0]} windows of {shape[1]} columns need such values, got {self.values.shape}")

    def __len__(self) -> int:
        return len(self.starts_s)

    def __getitem__(self, name: str) -> Float64:
        """Return one measure of all windows, shape (windows,).

        Raises
        ------
        ParameterError
            When there is none of that name.
        """
        if name not in self.columns:
            raise ParameterError(f"no column {options(name, self.columns)}")
        return self.values[:, self.columns.index(name)]

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, freeze(value) if isinstance(value, np.ndarray) else value)

    def __repr__(self) -> str:
        rows = self._rows()
        widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
        lines = ("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows)
        return "\n".join([self._title(), *lines])

    def _repr_html_(self) -> str:
        body = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in self._rows())
        return f"<b>{html.escape(self._title())}</b><table>{''.join(f'<tr>{row}</tr>' for row in body)}</table>"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON values; what is not defined is None."""
        return {
            "recording": self.recording,
            "start_s": self.starts_s.tolist(),
            "stop_s": self.stops_s.tolist(),
            "units": dict(zip(self.columns, self.units, strict=True)),
            "values": {name: [_plain(x) for x in self[name].tolist()] for name in self.columns},
        }

    def to_csv(self, path: str | Path | None = None) -> str:
        """Return a line for each window, as comma-separated text; write it too where a path is given.

        Returns
        -------
        str
            Columns ``recording``, ``start_s``, ``stop_s`` and the measures; empty where one is not defined.
        """
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(["recording", "start_s", "stop_s", *self.columns])
        for start, stop, row in zip(self.starts_s.tolist(), self.stops_s.tolist(), self.values.tolist(), strict=True):
            table.writerow([self.recording, start, stop, *(_plain(x) for x in row)])
        if path is not None:
            Path(path).write_text(text.getvalue(), encoding="utf-8", newline="\n")
        return text.getvalue()

    def _title(self) -> str:
        whose = f" of {self.recording}" if self.recording else ""
        return f"HRV{whose}, {len(self)} {'window' if len(self) == 1 else 'windows'}"

    def _rows(self) -> list[list[str]]:
        one = len(self) == 1
        head = ["column", "value" if one else "median", *([] if one else ["least", "largest"]), "unit"]
        rows = [head]
        for name, unit in zip(self.columns, self.units, strict=True):
            known = self[name][np.isfinite(self[name])]
            shown = [np.median(known), known.min(), known.max()] if len(known) else [np.nan] * 3
            cells = [f"{x:.4g}" if np.isfinite(x) else "-" for x in shown[: 1 if one else 3]]
            rows.append([name, *cells, "" if unit == "1" else unit])
        return rows


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None


class _Beats(NamedTuple):
    """Beats in order: when, what, and how long the recording lasts; zero where it is not known."""

    times_s: Float64
    labels: npt.NDArray[np.str_] | None
    duration_s: float
    recording: str


def hrv(
    beats: Recording | Annotations | npt.ArrayLike,
    *,
    fs: float | None = None,
    labels: npt.ArrayLike | None = None,
    window_s: float | None = None,
    step_s: float | None = None,
    starts_s: npt.ArrayLike | None = None,
    artefacts: Artefacts = "lipponen",
    method: Spectrum = "welch",
    domains: Sequence[str] = tuple(DOMAINS),
) -> HRV:
    """Return the heart rate variability of a recording whose beats are known, or of beats.

    Parameters
    ----------
    beats : Recording, Annotations, or array_like [shape=(n,), unit=s or samples]
        A recording with annotated beats (`RPeaks` finds them), its annotations, or the instants of beats, in order;
        NaN where one is not known. Annotations that mark no beat are left out.
    fs : float [unit=Hz], optional
        Samples a second, where `beats` are in samples: for annotations always, for a recording never.
    labels : array_like of str [shape=(n,)], optional
        Symbols of the beats, where these are an array; see `nn_intervals`.
    window_s : float [unit=s], optional
        Length of a window; all beats are one window where none is given. An interval belongs to it that begins and
        ends in it.
    step_s : float [unit=s], optional
        From one window to the next; `window_s` where none is given.
    starts_s : array_like [shape=(windows,), unit=s], optional
        Where windows begin, instead of every `step_s`; they may reach beyond the beats.
    artefacts : {"lipponen", "malik", "none"}
        Which intervals are no NN intervals, beside those next to beats that are not normal; see `nn_intervals`.
    method : {"welch", "lomb_scargle"}
        How the spectrum is estimated; see `spectrum`.
    domains : sequence of {"time", "frequency", "nonlinear"}
        Which measures are wanted.

    Returns
    -------
    HRV
        *n_nn* counts the NN intervals of a window, *nn_percent* is their share of its intervals; the other columns
        are those of `time_domain`, `frequency_domain` and `nonlinear`. NaN where a window holds too little.

    Raises
    ------
    DataError
        When a recording has no annotated beats, beats are not in order or usually more than 20 s apart, or windows are
        longer than the recording.
    ParameterError
        When lengths are not positive, or a name is not known.

    Notes
    -----
    The artefacts are looked for in the whole recording, before windows are cut. Without `starts_s` windows begin at
    whole multiples of `step_s`, for a recording from 0 on, for an array from that before the first beat on, as long
    as they end before the recording does, or the last beat.

    Examples
    --------
    >>> found = hrv([0, 0.8, 1.61, 2.40, 3.2, 4.02], domains=["time"])
    >>> round(float(found["mean_nn"][0])), found["n_nn"].tolist()
    (804, [5.0])
    """
    names = _column_names(domains)
    given = _beats(beats, fs, labels)
    nn = nn_intervals(given.times_s, labels=given.labels, artefacts=artefacts)
    times = _filled(given.times_s)
    starts, stops = _windows(times, given.duration_s, window_s=window_s, step_s=step_s, starts_s=starts_s)
    rows = np.full((len(starts), len(names)), np.nan)
    for row, start, stop in zip(rows, starts, stops, strict=True):
        first, last = np.searchsorted(times, start), np.searchsorted(times, stop, side="right")
        found = _measures(nn[first : max(last - 1, first)], times[first + 1 : last], domains, method)
        row[:] = [found[name] for name in names]
    return HRV(names, tuple(COLUMNS[name] for name in names), rows, starts, stops, recording=given.recording)


def _column_names(domains: Sequence[str]) -> tuple[str, ...]:
    for domain in domains:
        if domain not in DOMAINS:
            raise ParameterError(f"domain {options(str(domain), DOMAINS)}")
    return (*_SELECTION, *(name for domain in DOMAINS if domain in domains for name in DOMAINS[domain]))


def _measures(nn: Float64, times: Float64, domains: Sequence[str], method: Spectrum) -> dict[str, float]:
    n_nn = int(np.count_nonzero(np.isfinite(nn)))
    found = {"n_nn": float(n_nn), "nn_percent": 100 * n_nn / len(nn) if len(nn) else np.nan}
    if "time" in domains:
        found |= time_domain(nn, times_s=times)
    if "frequency" in domains:
        found |= frequency_domain(nn, times_s=times, method=method)
    if "nonlinear" in domains:
        found |= nonlinear(nn)
    return found


def _beats(beats: Recording | Annotations | npt.ArrayLike, fs: float | None, labels: npt.ArrayLike | None) -> _Beats:
    if fs is not None and not (math.isfinite(fs) and fs > 0):
        raise ParameterError(f"fs must be positive, got {fs!r}")
    if not isinstance(beats, Recording | Annotations):
        times = np.asarray(beats, dtype=np.float64) / (fs or 1.0)
        _check_seconds(times)
        return _Beats(times, None if labels is None else np.asarray(labels, dtype=np.str_), 0.0, "")
    if labels is not None:
        raise ParameterError("annotations have labels already")
    if isinstance(beats, Recording):
        if fs is not None:
            raise ParameterError(f"{beats.id}: a recording has its own rate, fs is for samples alone")
        return _annotated(beats.annotations, beats.fs, beats.duration_s, beats.id)
    if fs is None:
        raise ParameterError("annotations are in samples: fs must say how many there are in a second")
    return _annotated(beats, fs, 0.0, "")


def _check_seconds(times: Float64) -> None:
    apart = np.diff(times[np.isfinite(times)]) if times.ndim == 1 else np.zeros(0)
    usual = float(np.median(apart)) if len(apart) else 0.0
    if usual > _APART_S:
        raise DataError(f"beats lie {usual:g} s apart: are they samples, or ms? fs says how many there are in a second")


def _annotated(marks: Annotations, fs: float, duration_s: float, recording: str) -> _Beats:
    kept = np.isin(marks.labels, list(BEATS))
    if not kept.any():
        found = ", ".join(np.unique(marks.labels)[:10].tolist()) or "none"
        raise DataError(f"{recording or 'annotations'}: no beats among the labels ({found}): RPeaks() finds them")
    return _Beats(marks.starts[kept] / fs, marks.labels[kept], duration_s, recording)


def _filled(times: Float64) -> Float64:
    """Return the instants of beats, those not known placed evenly between their neighbours."""
    there = np.flatnonzero(np.isfinite(times))
    return np.interp(np.arange(len(times)), there, times[there]) if len(there) else np.zeros(0)


def _windows(
    times: Float64,
    duration_s: float,
    *,
    window_s: float | None,
    step_s: float | None,
    starts_s: npt.ArrayLike | None,
) -> tuple[Float64, Float64]:
    first, last = (float(times[0]), float(times[-1])) if len(times) else (0.0, 0.0)
    end = max(duration_s, last)
    if window_s is None:
        if step_s is not None or starts_s is not None:
            raise ParameterError("windows that begin somewhere need a length: window_s")
        return np.array([0.0 if duration_s else first]), np.array([end])
    step = window_s if step_s is None else step_s
    if not (0 < window_s < math.inf and 0 < step < math.inf):
        raise ParameterError(f"window_s and step_s must be positive, got {window_s!r} and {step_s!r}")
    if starts_s is not None:
        starts = np.asarray(starts_s, dtype=np.float64).reshape(-1)
        return starts, starts + window_s
    begin = 0.0 if duration_s else math.floor(first / step) * step
    n_windows = math.floor((end - begin - window_s) / step + 1e-9) + 1
    if n_windows > _MOST_WINDOWS:
        raise DataError(f"{end - begin:g} s of beats would be {n_windows} windows: is an instant wrong?")
    if n_windows < 1:
        raise DataError(f"{end - begin:g} s of beats are too short for a window of {window_s:g} s")
    starts = begin + step * np.arange(n_windows, dtype=np.float64)
    return starts, starts + window_s
