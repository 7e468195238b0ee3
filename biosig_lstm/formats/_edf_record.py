"""One EDF or BDF file, opened but not read: any stretch of any channels of one rate."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Annotations, Recording, canonical_unit
from biosig_lstm.errors import BiosigWarning, DataError, options
from biosig_lstm.formats._edf_data import Stored, Tal, open_records, read_samples, read_tals, record_onsets
from biosig_lstm.formats._edf_header import EdfHeader, parse_edf_header
from biosig_lstm.formats._names import distinct_names

__all__ = ["EdfRecord", "read_edf_annotations"]

_STATUS = ("status", "bdf status", "trigger", "stim", "sti 014")
_TO_UV = {"V": 1e6, "mV": 1e3, "uV": 1.0, "nV": 1e-3}
_MOST_NAMED = 6
_ANY = [-(2**31), 2**31]


class EdfRecord:
    """An EDF, EDF+, BDF or BDF+ file: what it holds, and stretches of it on demand.

    Parameters
    ----------
    path : path
        The file.

    Attributes
    ----------
    header : EdfHeader
    channels, units : tuple of str
        Name and unit of each signal that holds samples; voltages are given in ``uV`` whatever the file has. A channel
        of trigger codes (``Status``, ``Trigger``) has no unit and is given as the numbers that are stored.
    rates_hz : tuple of float
        Rate of each.
    duration_s : float
        From the first sample to the last, gaps of a discontinuous file included.
    notes : tuple of str
        What is wrong with the file, and how it is read all the same.

    Raises
    ------
    DataError
        When the header cannot be read, or the file holds no samples.
    """

    def __init__(self, path: str | Path) -> None:
        self.header: EdfHeader = parse_edf_header(Path(path))
        self._signals = [signal for signal in self.header.signals if not signal.is_annotation]
        self.channels = distinct_names(signal.label for signal in self._signals)
        given = [canonical_unit(signal.unit) for signal in self._signals]
        self._scales = [_TO_UV.get(unit, 1.0) for unit in given]
        self._status = [signal.label.casefold() in _STATUS for signal in self._signals]
        self.units = tuple(
            "" if status else "uV" if unit in _TO_UV else unit for unit, status in zip(given, self._status, strict=True)
        )
        if not self._signals:
            raise DataError(f"{path}: {self._why_no_signal()}")
        self.rates_hz = tuple(self.header.rate_hz(signal) for signal in self._signals)
        if not self.header.n_records or not any(self.rates_hz):
            raise DataError(f"{path}: holds no samples: {'; '.join(self.header.notes) or 'no data record'}")
        self._records = open_records(self.header)
        notes = list(self.header.notes)
        self._runs = _runs(record_onsets(self._records, self.header, notes), self.header.record_s)
        self.duration_s = self._runs[-1].onset_s + self._runs[-1].n_records * self.header.record_s
        self.notes = tuple(notes)
        self._marks: dict[float, Annotations] = {}
        self._plans: dict[tuple[str, ...] | None, _Plan] = {}

    def __reduce__(self) -> tuple[type[EdfRecord], tuple[Path]]:
        return EdfRecord, (self.header.path,)

    def __repr__(self) -> str:
        rates = Counter(self.rates_hz)
        listed = ", ".join(f"{n} at {rate:g} Hz" for rate, n in rates.items())
        return f"EdfRecord({self.header.path.name!r}: {listed}; {self.duration_s:g} s)"

    def _why_no_signal(self) -> str:
        if self.header.signals:
            return "holds annotations alone, no signal; read_edf_annotations reads them"
        return "holds no signal: the header announces 0"

    def default_channels(self) -> tuple[str, ...]:
        """Return the channels of the rate that most voltages have, the higher of two, without triggers.

        Raises
        ------
        DataError
            When no channel has a range of values.
        """
        usable = [
            k
            for k, signal in enumerate(self._signals)
            if signal.has_range and signal.samples_per_record and not self._status[k]
        ]
        if not usable:
            raise DataError(f"{self.header.path}: no channel has a range of values, all have equal or missing limits")
        volts = [k for k in usable if self.units[k] == "uV"] or usable
        counts = Counter(self.rates_hz[k] for k in volts)
        rate = max(counts, key=lambda hz: (counts[hz], hz))
        return tuple(self.channels[k] for k in usable if self.rates_hz[k] == rate)

    def read(
        self,
        channels: Sequence[str] | None = None,
        *,
        start_s: float | None = None,
        stop_s: float | None = None,
        annotations: bool = True,
    ) -> Recording:
        """Return a stretch of channels of one rate; no other sample of the file is read.

        Parameters
        ----------
        channels : sequence of str, optional
            By name, in the order wanted; by default those of `default_channels`, with a `BiosigWarning` that names
            the others.
        start_s, stop_s : float [unit=s], optional
            The stretch, the whole file by default. Rounded to the nearest sample.
        annotations : bool
            Take the file's own annotations along: each with its text as label.

        Returns
        -------
        Recording
            Voltages in uV. NaN where a discontinuous file has nothing. Its history tells what was left out, and which
            stored numbers lie outside of their range.

        Raises
        ------
        DataError
            When a channel is not there, has no range of values, or channels differ in rate; when the stretch does not
            lie in the file.
        """
        plan = self._plan(channels)
        fs = plan.fs
        first, last = self._span(fs, start_s, stop_s)
        signals, notes = self._signals_of(plan, first, last)
        marks = self.annotations(fs) if annotations else Annotations()
        if annotations:
            marks = marks.crop(start=first, stop=last) if len(marks) else marks
            notes += self._annotation_notes
        if channels is None:
            notes += plan.left_out
        for note in notes:
            warnings.warn(f"{self.header.path}: {note}", BiosigWarning, stacklevel=2)
        return Recording(
            signals,
            fs,
            plan.channels,
            plan.units,
            id=self.header.path.stem,
            annotations=marks,
            history=(*self.notes, *notes),
        )

    def read_digital(self, channel: str) -> npt.NDArray[np.int32]:
        """Return the stored numbers of one channel, record after record, shape (samples,)."""
        (row,) = self._rows([channel], ranged=False)
        width = self._signals[row].samples_per_record
        out = np.empty((1, self.header.n_records * width), dtype=np.float32)  # holds whole numbers of 24 bits exactly
        plain = Stored(np.array([self._signals[row].first]), np.ones(1), np.zeros(1), width)
        read_samples(self._records, plain, sample_bytes=self.header.sample_bytes, start=0, out=out)
        return np.asarray(out[0], dtype=np.int32)

    def annotations(self, fs: float) -> Annotations:
        """Return the file's annotations in samples at `fs`, cut to what the recording holds.

        Notes
        -----
        A text ``blink@@Fp1`` is of one channel, where there is a channel of that name (as in EDFbrowser and MNE): the
        label is ``blink``, the note ``Fp1``.
        """
        if fs not in self._marks:
            found, _ = self._tals
            length = self._length(fs)
            begin = np.rint(np.array([tal.onset_s for tal in found], dtype=np.float64) * fs)
            end = begin + np.rint(np.array([tal.duration_s for tal in found], dtype=np.float64) * fs)
            starts, stops = (np.clip(edge, -1, length + 1).astype(np.int64) for edge in (begin, end))
            texts = [self._of_channel(tal.text) for tal in found]
            whole = Annotations(starts, stops, [text for text, _ in texts], [note for _, note in texts])
            self._marks[fs] = whole.crop(start=0, stop=length)
        return self._marks[fs]

    def _of_channel(self, text: str) -> tuple[str, str]:
        label, sign, channel = text.partition("@@")
        return (label, channel) if sign and channel in self.channels else (text, "")

    @cached_property
    def _tals(self) -> tuple[list[Tal], list[bytes]]:
        return read_tals(self._records, self.header)

    @cached_property
    def _annotation_notes(self) -> list[str]:
        found, wrong = self._tals
        notes = []
        if wrong:
            notes.append(f"{len(wrong)} annotations that cannot be read left out, the first is {wrong[0][:40]!r}")
        beyond = sum(tal.onset_s > self.duration_s or tal.onset_s + tal.duration_s < 0 for tal in found)
        if beyond:
            notes.append(f"{beyond} annotations before the beginning or beyond the end left out")
        return notes

    def _plan(self, channels: Sequence[str] | None) -> _Plan:
        key = None if channels is None else tuple(channels)
        if key not in self._plans:
            rows = self._rows(self.default_channels() if key is None else key)
            fs = self._rate(rows)
            limits = [sorted((self._signals[row].digital_min, self._signals[row].digital_max)) for row in rows]
            for place, row in enumerate(rows):
                limits[place] = _ANY if self._status[row] else limits[place]
            names, units = tuple(self.channels[row] for row in rows), tuple(self.units[row] for row in rows)
            self._plans[key] = _Plan(names, units, fs, self._stored(rows), np.array(limits), self._left_out(rows, fs))
        return self._plans[key]

    def _rows(self, wanted: Sequence[str], *, ranged: bool = True) -> list[int]:
        place = {name: row for row, name in enumerate(self.channels)}
        for name in wanted:
            if name not in place:
                raise DataError(f"{self.header.path}: channel {options(name, self.channels)}")
        rows = [place[name] for name in wanted]
        for row in rows:
            signal = self._signals[row]
            if (ranged and not (signal.has_range or self._status[row])) or not signal.samples_per_record:
                raise DataError(
                    f"{self.header.path}: channel {self.channels[row]!r} has no range of values: physical "
                    f"{signal.physical_min:g} to {signal.physical_max:g}, digital {signal.digital_min} to "
                    f"{signal.digital_max}, {signal.samples_per_record} samples a record"
                )
        return rows

    def _rate(self, rows: Sequence[int]) -> float:
        if not rows:
            raise DataError(f"{self.header.path}: no channel asked for")
        rates: dict[float, list[str]] = {}
        for row in rows:
            rates.setdefault(self.rates_hz[row], []).append(self.channels[row])
        if len(rates) > 1:
            listed = "; ".join(f"{rate:g} Hz: {_some(names)}" for rate, names in rates.items())
            example = max(rates.values(), key=len)[:_MOST_NAMED]
            raise DataError(
                f"{self.header.path}: a recording has one rate, these channels have {len(rates)} ({listed}); read "
                f"those of one rate, as in channels={example}, and resample afterwards where they are to go together"
            )
        return next(iter(rates))

    def _length(self, fs: float) -> int:
        return round(self.duration_s * fs)

    def _span(self, fs: float, start_s: float | None, stop_s: float | None) -> tuple[int, int]:
        given = [edge for edge in (start_s, stop_s) if edge is not None]
        first, last = 0, self._length(fs)
        if all(math.isfinite(edge) for edge in given):
            first = 0 if start_s is None else round(start_s * fs)
            last = last if stop_s is None else round(stop_s * fs)
            if 0 <= first < last <= self._length(fs):
                return first, last
        raise DataError(
            f"{self.header.path}: no stretch from {start_s} to {stop_s} s, it holds 0 to {self.duration_s:g} s"
        )

    def _signals_of(self, plan: _Plan, first: int, last: int) -> tuple[npt.NDArray[np.float32], list[str]]:
        width, sample_bytes = plan.stored.samples_per_record, self.header.sample_bytes
        signals = np.empty((len(plan.channels), last - first), dtype=np.float32)
        if len(self._runs) > 1:
            signals.fill(np.nan)
        notes: list[str] = []
        for run in self._runs:
            onset = round(run.onset_s * plan.fs)
            begin, end = max(onset, first), min(onset + run.n_records * width, last)
            if begin < end:
                part = signals[:, begin - first : end - first]
                start = run.first * width + begin - onset
                extremes = read_samples(self._records, plan.stored, sample_bytes=sample_bytes, start=start, out=part)
                notes += plan.overflows(extremes)
        return signals, notes[:1]

    def _stored(self, rows: Sequence[int]) -> Stored:
        signals = [self._signals[row] for row in rows]
        scales = [0.0 if self._status[row] else self._scales[row] for row in rows]
        return Stored(
            np.array([signal.first for signal in signals], dtype=np.int64),
            np.array([signal.gain * scale if scale else 1.0 for signal, scale in zip(signals, scales, strict=True)]),
            np.array([signal.offset * scale if scale else 0.0 for signal, scale in zip(signals, scales, strict=True)]),
            signals[0].samples_per_record,
        )

    def _left_out(self, rows: Sequence[int], fs: float) -> list[str]:
        others: dict[float, list[str]] = {}
        limitless: list[str] = []
        for row, rate in enumerate(self.rates_hz):
            if row in rows or self._status[row]:
                continue
            (limitless if rate == fs else others.setdefault(rate, [])).append(self.channels[row])
        notes = [f"left out {_some(limitless)}: no range of values"] if limitless else []
        if others:
            listed = "; ".join(f"{_some(names)} ({rate:g} Hz)" for rate, names in others.items())
            notes.append(f"left out {listed}: a recording has one rate, here {fs:g} Hz; name channels to read others")
        return notes


class _Plan(NamedTuple):
    """How a choice of channels is read."""

    channels: tuple[str, ...]
    units: tuple[str, ...]
    fs: float
    stored: Stored
    limits: npt.NDArray[np.int64]
    left_out: list[str]

    def overflows(self, extremes: npt.NDArray[np.int32]) -> list[str]:
        """Return what is to be said of stored numbers outside of the range that the header gives them."""
        beyond = np.flatnonzero((extremes[:, 0] < self.limits[:, 0]) | (extremes[:, 1] > self.limits[:, 1]))
        if not len(beyond):
            return []
        k = int(beyond[0])
        (lowest, highest), (low, high) = extremes[k].tolist(), self.limits[k].tolist()
        return [
            f"{len(beyond)} channels hold numbers outside of their digital range, scaled as the others: "
            f"{self.channels[k]!r} from {lowest} to {highest}, outside of {low} to {high}"
        ]


class _Run(NamedTuple):
    """Data records without a gap between them."""

    onset_s: float
    first: int
    n_records: int


def _runs(onsets: npt.NDArray[np.float64], record_s: float) -> list[_Run]:
    cuts = np.flatnonzero(np.diff(onsets) > record_s * 1.001) + 1
    firsts = np.concatenate([[0], cuts])
    counts = np.diff(np.concatenate([firsts, [len(onsets)]]))
    return [_Run(float(onsets[first]), int(first), int(n)) for first, n in zip(firsts, counts, strict=True)]


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - _MOST_NAMED} more" if len(listed) > _MOST_NAMED else ""
    return ", ".join(listed[:_MOST_NAMED]) + more


def read_edf_annotations(path: str | Path) -> list[tuple[float, float, str]]:
    """Return the annotations of an EDF+ or BDF+ file, with or without signals: a hypnogram, an event list.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    list of (float, float, str)
        Onset and duration in seconds from the beginning of the first data record, and text; in order of onset. Onsets
        may be negative, and may lie beyond any recording. What cannot be read is left out under a `BiosigWarning`.

    Raises
    ------
    DataError
        When the file is none, or has no annotation signal.
    """
    header = parse_edf_header(Path(path))
    if not any(signal.is_annotation for signal in header.signals):
        raise DataError(f"{path}: has no annotation signal: plain EDF holds none, EDF+ does")
    found, wrong = read_tals(open_records(header), header)
    if wrong:
        first = wrong[0][:40]
        warnings.warn(
            f"{path}: {len(wrong)} annotations that cannot be read left out, the first is {first!r}",
            BiosigWarning,
            stacklevel=2,
        )
    return sorted((tal.onset_s, tal.duration_s, tal.text) for tal in found)
