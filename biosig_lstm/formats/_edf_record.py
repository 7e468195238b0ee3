"""One EDF or BDF file, opened but not read: any stretch of any channels of one rate."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Annotations, Recording, canonical_unit
from biosig_lstm.errors import DataError, options
from biosig_lstm.formats._edf_data import open_records, read_digital, read_physical, record_onsets, tals
from biosig_lstm.formats._edf_header import EdfHeader, EdfSignal, parse_edf_header
from biosig_lstm.formats._names import distinct_names

__all__ = ["EdfRecord", "read_edf_annotations"]

_STATUS = ("status", "bdf status", "trigger", "stim", "sti 014")
_TO_UV = {"V": 1e6, "mV": 1e3, "uV": 1.0, "nV": 1e-3}


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

    Raises
    ------
    DataError
        When the header cannot be read, or the file holds no samples.
    """

    def __init__(self, path: str | Path) -> None:
        self.header: EdfHeader = parse_edf_header(Path(path))
        self._signals = [signal for signal in self.header.signals if not signal.is_annotation]
        self.channels = distinct_names(signal.label for signal in self._signals)
        units = [canonical_unit(signal.unit) for signal in self._signals]
        self._status = [signal.label.casefold() in _STATUS for signal in self._signals]
        self.units = tuple(
            "" if status else "uV" if unit in _TO_UV else unit for unit, status in zip(units, self._status, strict=True)
        )
        self._scales = [_TO_UV.get(unit, 1.0) for unit in units]
        self.rates_hz = tuple(self.header.rate_hz(signal) for signal in self._signals)
        if not self._signals:
            raise DataError(f"{path}: holds annotations alone, no signal; read_edf_annotations reads them")
        if not self.header.n_records or not any(signal.samples_per_record for signal in self._signals):
            raise DataError(f"{path}: holds no samples: {self._why_empty()}")
        self._records = open_records(self.header)
        self._onsets = record_onsets(self._records, self.header)
        self.duration_s = float(self._onsets[-1]) + self.header.record_s

    def __repr__(self) -> str:
        rates = Counter(self.rates_hz)
        listed = ", ".join(f"{n} at {rate:g} Hz" for rate, n in rates.items())
        return f"EdfRecord({self.header.path.name!r}: {listed}; {self.duration_s:g} s)"

    def _why_empty(self) -> str:
        return "; ".join(self.header.notes) or "no data record"

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
            if _has_gain(signal) and signal.samples_per_record and not self._status[k]
        ]
        if not usable:
            raise DataError(f"{self.header.path}: no channel has a range of values: its limits are equal")
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
        """Return a stretch of channels of one rate; nothing else of the file is read.

        Parameters
        ----------
        channels : sequence of str, optional
            By name; by default those of `default_channels`.
        start_s, stop_s : float [unit=s], optional
            The stretch, the whole file by default.
        annotations : bool
            Take the file's own annotations along: each with its text as label.

        Returns
        -------
        Recording
            Voltages in uV. NaN where a discontinuous file has nothing.

        Raises
        ------
        DataError
            When a channel is not there, has no range of values, or channels differ in rate; when the stretch does not
            lie in the file.
        """
        rows = self._rows(channels)
        fs = self._rate(rows)
        first, last = self._span(fs, start_s, stop_s)
        signals = np.stack([self._read_row(row, fs, first, last) for row in rows])
        marks = self.annotations(fs).crop(start=first, stop=last) if annotations else Annotations()
        return Recording(
            signals,
            fs,
            [self.channels[row] for row in rows],
            [self.units[row] for row in rows],
            id=self.header.path.stem,
            annotations=marks,
            history=self._history(rows),
        )

    def read_digital(self, channel: str) -> npt.NDArray[np.int32]:
        """Return the stored numbers of one channel, record after record, shape (samples,)."""
        (row,) = self._rows([channel])
        signal = self._signals[row]
        stop = self.header.n_records * signal.samples_per_record
        return read_digital(self._records, self.header, signal, start=0, stop=stop)

    def annotations(self, fs: float) -> Annotations:
        """Return the file's annotations in samples at `fs`, cut to what the recording holds."""
        found = [tal for _, tal in tals(self._records, self.header) if tal.text]
        first = self._first_onset()
        starts = np.rint((np.array([tal.onset_s for tal in found]) - first) * fs).astype(np.int64)
        lasting = np.rint(np.array([tal.duration_s for tal in found]) * fs).astype(np.int64)
        whole = Annotations(starts, starts + lasting, [tal.text for tal in found])
        return whole.crop(start=0, stop=self._length(fs))

    def _first_onset(self) -> float:
        stamps = (tal.onset_s for number, tal in tals(self._records[:1], self.header) if number == 0)
        return next(stamps, 0.0)

    def _rows(self, channels: Sequence[str] | None) -> list[int]:
        wanted = self.default_channels() if channels is None else channels
        for name in wanted:
            if name not in self.channels:
                raise DataError(f"{self.header.path}: channel {options(name, self.channels)}")
        rows = [self.channels.index(name) for name in wanted]
        for row in rows:
            signal = self._signals[row]
            if not (_has_gain(signal) or self._status[row]) or not signal.samples_per_record:
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
            listed = "; ".join(f"{rate:g} Hz: {', '.join(names)}" for rate, names in rates.items())
            example = max(rates.values(), key=len)
            raise DataError(
                f"{self.header.path}: a recording has one rate, these channels have {len(rates)} ({listed}); read "
                f"those of one rate, as in channels={example}, and resample afterwards where they are to go together"
            )
        return next(iter(rates))

    def _length(self, fs: float) -> int:
        return round(self.duration_s * fs)

    def _span(self, fs: float, start_s: float | None, stop_s: float | None) -> tuple[int, int]:
        first = 0 if start_s is None else round(start_s * fs)
        last = self._length(fs) if stop_s is None else round(stop_s * fs)
        if not 0 <= first < last <= self._length(fs):
            raise DataError(
                f"{self.header.path}: no stretch from {start_s} to {stop_s} s, it holds 0 to {self.duration_s:g} s"
            )
        return first, last

    def _read_row(self, row: int, fs: float, first: int, last: int) -> npt.NDArray[np.float32]:
        signal = self._signals[row]
        if not self.header.discontinuous:
            return self._stored(row, first, last)
        out = np.full(last - first, np.nan, dtype=np.float32)
        width = signal.samples_per_record
        for number, onset in enumerate(np.rint(self._onsets * fs).astype(np.int64).tolist()):
            begin, end = max(onset, first), min(onset + width, last)
            if begin < end:
                stored = number * width - onset
                out[begin - first : end - first] = self._stored(row, stored + begin, stored + end)
        return out

    def _stored(self, row: int, start: int, stop: int) -> npt.NDArray[np.float32]:
        signal = self._signals[row]
        if self._status[row]:
            return read_digital(self._records, self.header, signal, start=start, stop=stop).astype(np.float32)
        return read_physical(
            self._records, self.header, signal, start=start, stop=stop, scale=self._scales[row]
        )  # fmt: skip

    def _history(self, rows: Sequence[int]) -> tuple[str, ...]:
        left_out = [f"{name} ({rate:g} Hz)" for row, (name, rate) in
                    enumerate(zip(self.channels, self.rates_hz, strict=True)) if row not in rows]  # fmt: skip
        notes = list(self.header.notes)
        return (*notes, *([f"left out {', '.join(left_out)}"] if left_out else []))


def _has_gain(signal: EdfSignal) -> bool:
    return bool(math.isfinite(signal.gain) and signal.gain != 0)


def read_edf_annotations(path: str | Path) -> list[tuple[float, float, str]]:
    """Return the annotations of an EDF+ or BDF+ file, with or without signals: a hypnogram, an event list.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    list of (float, float, str)
        Onset and duration in seconds from the beginning of the file, and text; in order of onset. Onsets may be
        negative, and may lie beyond any recording.

    Raises
    ------
    DataError
        When the file is none, or has no annotation signal.
    """
    header = parse_edf_header(Path(path))
    if not any(signal.is_annotation for signal in header.signals):
        raise DataError(f"{path}: has no annotation signal: plain EDF holds none, EDF+ does")
    found = [tal for _, tal in tals(open_records(header), header) if tal.text]
    return sorted((tal.onset_s, tal.duration_s, tal.text) for tal in found)
