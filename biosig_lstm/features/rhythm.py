"""From a lead with its beats to a sequence of beats: each beat's wave, its place in the rhythm, and the whole of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Windows
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.features._record_rhythm import RECORD_COLUMNS, record_features
from biosig_lstm.features.own_beat import SCALARS, own_beat_features
from biosig_lstm.steps import Step

__all__ = ["BEAT_COLUMNS", "RECORD_COLUMNS", "BeatSequence", "beat_sequence"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_RHYTHM = (
    "rr_before", "rr_after", "rr_before/record", "rr_after/record", "rr_after/rr_before", "rr_before/previous",
    "next/rr_after", "rr_change", "rr_before/local", "rr_record", "from_start", "to_end",
)  # fmt: skip
_WAVES = (
    "height_here", "noise", "noise/height", "no_beats", "p_noise", "t_noise", "p_roughness", "p_height", "p_place",
    "p_alike",
)  # fmt: skip
BEAT_COLUMNS = (*SCALARS, *_RHYTHM, *_WAVES)

_USUAL_RR_S, _RR_RANGE_S, _LOCAL_BEATS = 0.8, (0.15, 5.0), 5
_END_S = 2.0
_AROUND_S, _QRS_HALF_S = 0.6, 0.08
_P_S, _P_WIDE_S, _T_S, _HEIGHT_S = (-0.28, -0.07), (-0.30, -0.08), (0.18, 0.55), (-0.10, 0.12)
_LIMIT, _SMALL = 4.0, 1e-6


def beat_sequence(signal: Float32, beats: Int64, *, rate_hz: float, before_s: float, after_s: float) -> Float32:
    """Return the beats of a lead as rows.

    Parameters
    ----------
    signal : np.ndarray [shape=(samples,), dtype=float32]
        One lead, its baseline removed, in units of its own spread (`biosig_lstm.filters.Normalize`).
    beats : np.ndarray [shape=(n,), unit=samples]
        R-peaks, ascending. Of fewer than two, places 0.8 s apart are taken and marked as no beats.
    rate_hz : float [unit=Hz]
        Samples a second.
    before_s, after_s : float [unit=s]
        Extent of a beat's window.

    Returns
    -------
    np.ndarray [shape=(beats, 2 * window + 39 + 31), dtype=float32]
        The beat's window and the same without the usual beat (`own_beat_features`), the columns `BEAT_COLUMNS`, and the
        columns `RECORD_COLUMNS`, alike in every row.

    Notes
    -----
    Columns of RR intervals are logarithms, ``a/b`` of a ratio; *record* is the median of the recording, *local* the
    mean of ten intervals around; at the ends the record's median stands for what is not there. *from_start* and
    *to_end* are seconds less one, at most 1. *height_here* is the logarithm of the beat's height, *noise* of the mean
    slope within 0.6 s outside QRS complexes. *p_noise* and *t_noise* are the spread of what is left before and after
    the beat without the usual one, *p_height*, *p_place* and *p_alike* the largest deflection before the beat, where
    it lies, and how alike the usual one it is.
    """
    at, found = (beats, True) if len(beats) >= 2 else (_even_places(len(signal), rate_hz=rate_hz), False)
    windows = _cut(signal, at, first=-round(before_s * rate_hz), stop=round(after_s * rate_hz))
    values, residuals, scalars = own_beat_features(windows[:, None], rate_hz=rate_hz, before_s=before_s)
    beat, rest = values[:, 0], residuals[:, 0]
    usual, r_sample = (beat - rest)[0], round(before_s * rate_hz)
    whole = record_features(signal, beats, usual, rate_hz=rate_hz, r_sample=r_sample)
    columns = (
        beat,
        rest,
        scalars[:, 0],
        _rhythm_columns(at / rate_hz, duration_s=len(signal) / rate_hz),
        _noise_columns(signal, at, windows, rate_hz=rate_hz, r_sample=r_sample),
        np.full((len(at), 1), float(not found)),
        _wave_columns(beat, rest, usual, rate_hz=rate_hz, r_sample=r_sample),
        np.tile(whole, (len(at), 1)),
    )
    joined: Float32 = np.concatenate(columns, axis=1).astype(np.float32)
    return joined


def _even_places(n_samples: int, *, rate_hz: float) -> Int64:
    apart = round(_USUAL_RR_S * rate_hz)
    return np.arange(min(apart // 2, n_samples // 2), n_samples, apart, dtype=np.int64)


def _cut(signal: Float32, at: Int64, *, first: int, stop: int) -> Float32:
    """Return the stretch around each place; beyond the ends the first or last value is repeated."""
    cut: Float32 = signal[np.clip(at[:, None] + np.arange(first, stop), 0, len(signal) - 1)]
    return cut


def _rhythm_columns(times_s: Float64, *, duration_s: float) -> Float64:
    rr = np.diff(times_s)
    usual = float(np.median(rr)) if len(rr) else _USUAL_RR_S
    padded = np.concatenate([[usual, usual], rr, [usual, usual]])
    logs = np.log(np.clip(padded, *_RR_RANGE_S))
    earlier, before, after, later = (logs[k : k + len(times_s)] for k in range(4))
    record = float(np.log(np.clip(usual, *_RR_RANGE_S)))
    local = np.log(np.clip(_local_mean(rr, len(times_s)), *_RR_RANGE_S))
    shift = np.log(_USUAL_RR_S)
    columns = (
        before - shift, after - shift, before - record, after - record, after - before, before - earlier,
        later - after, np.abs(after - before), before - local, np.full(len(before), record - shift),
        np.minimum(times_s, _END_S) - 1, np.minimum(duration_s - times_s, _END_S) - 1,
    )  # fmt: skip
    return np.stack(columns, axis=1)


def _local_mean(rr: Float64, n: int) -> Float64:
    """Return the mean of the intervals from five before to five after each beat."""
    if not len(rr):
        return np.full(n, _USUAL_RR_S)
    sums = np.concatenate([[0.0], np.cumsum(rr)])
    first = np.clip(np.arange(n) - _LOCAL_BEATS, 0, len(rr))
    stop = np.clip(np.arange(n) + _LOCAL_BEATS, 0, len(rr))
    mean: Float64 = (sums[stop] - sums[first]) / (stop - first)
    return mean


def _noise_columns(signal: Float32, at: Int64, windows: Float32, *, rate_hz: float, r_sample: int) -> Float64:
    low, high = (r_sample + round(edge * rate_hz) for edge in _HEIGHT_S)
    height = np.log(np.ptp(windows[:, max(low, 0) : high], axis=1) + 0.01)
    slope = np.abs(np.diff(signal, prepend=signal[:1])).astype(np.float64)
    outside, half = np.ones(len(signal)), round(_QRS_HALF_S * rate_hz)
    for place in at.tolist():
        outside[max(place - half, 0) : place + half + 1] = 0
    sums, counts = (np.concatenate([[0.0], np.cumsum(x)]) for x in (slope * outside, outside))
    reach = round(_AROUND_S * rate_hz)
    first, stop = np.clip(at - reach, 0, len(signal)), np.clip(at + reach, 0, len(signal))
    noise = np.log((sums[stop] - sums[first]) / np.maximum(counts[stop] - counts[first], 1) + 0.01)
    return np.stack([height - 2, noise + 2, noise - height + 2], axis=1)


def _wave_columns(beat: Float32, rest: Float32, usual: Float32, *, rate_hz: float, r_sample: int) -> Float64:
    def part(rows: Float32, span_s: tuple[float, float]) -> Float64:
        first, stop = (r_sample + round(edge * rate_hz) for edge in span_s)
        return np.asarray(rows[:, max(first, 0) : stop], dtype=np.float64)

    reach = round(0.05 * rate_hz)
    near = usual[max(r_sample - reach, 0) : r_sample + reach + 1]
    sign = -1.0 if near[np.abs(near).argmax()] < 0 else 1.0
    p_wave, p_usual = (_above_line(sign * part(rows, _P_S)) for rows in (beat, usual[None]))
    before, after = part(rest, _P_WIDE_S), part(rest, _T_S)
    p_noise, t_noise = (np.sqrt((x * x).mean(axis=1) + _SMALL) for x in (before, after))
    rough = np.sqrt((np.diff(before, axis=1) ** 2).mean(axis=1) + _SMALL) / p_noise
    size = np.sqrt((p_wave * p_wave).sum(axis=1) * (p_usual * p_usual).sum())
    columns = (
        np.log(p_noise + 0.01) + 2,
        np.log(t_noise + 0.01) + 2,
        2 * rough - 1,
        3 * p_wave.max(axis=1),
        p_wave.argmax(axis=1) / p_wave.shape[1] - 0.5,
        (p_wave * p_usual).sum(axis=1) / (size + 1e-3),
    )
    limited: Float64 = np.clip(np.stack(columns, axis=1), -_LIMIT, _LIMIT)
    return limited


def _above_line(rows: Float64) -> Float64:
    share = np.linspace(0, 1, rows.shape[1])
    above: Float64 = rows - rows[:, :1] * (1 - share) - rows[:, -1:] * share
    return above


@dataclass(frozen=True)
class BeatSequence(Step):
    """Make of a recording with marked beats the sequence of its beats; see `beat_sequence`.

    Parameters
    ----------
    before_s, after_s : float [unit=s]
        Extent of a beat's window; it holds the P wave and most of the T wave.
    """

    kind: ClassVar[str] = "feature"

    before_s: float = 0.5
    after_s: float = 0.6

    def __post_init__(self) -> None:
        if self.before_s < -_P_WIDE_S[0] or self.after_s < _T_S[1]:
            raise ParameterError(
                f"the window must reach from {-_P_WIDE_S[0]:g} s before to {_T_S[1]:g} s after the R-peak, got {self!r}"
            )

    def __call__(self, windows: Windows) -> Windows:
        """Return items whose steps are beats.

        Raises
        ------
        DataError
            When the items are not one lead followed by the column that marks beats, as `RecordingWithBeats` gives it.
        """
        if len(windows.columns) != 2 or windows.columns[1] != "beat" or windows.rate_hz is None:
            raise DataError(f"a lead and the column 'beat' are needed, these windows have {', '.join(windows.columns)}")
        parts, places = [], []
        for first, stop in pairwise(windows.offsets.tolist()):
            signal, beats = windows.values[first:stop, 0], np.flatnonzero(windows.values[first:stop, 1] > 0)
            parts.append(self._rows(signal, beats, rate_hz=windows.rate_hz))
            places.append(beats if len(beats) >= 2 else _even_places(len(signal), rate_hz=windows.rate_hz))
        samples = round(self.before_s * windows.rate_hz) + round(self.after_s * windows.rate_hz)
        return replace(
            windows,
            values=np.concatenate(parts),
            offsets=np.cumsum([0, *(len(part) for part in parts)]),
            columns=_column_names(samples),
            rate_hz=None,
            positions=np.concatenate([at + start for at, start in zip(places, windows.starts.tolist(), strict=True)]),
            window_shape=(1, 2 * samples),
        )

    def _rows(self, signal: Float32, beats: Int64, *, rate_hz: float) -> Float32:
        return beat_sequence(signal, beats, rate_hz=rate_hz, before_s=self.before_s, after_s=self.after_s)


def _column_names(samples: int) -> list[str]:
    waves = [f"{kind}[{j}]" for kind in ("beat", "residual") for j in range(samples)]
    return [*waves, *BEAT_COLUMNS, *(f"record.{name}" for name in RECORD_COLUMNS)]
