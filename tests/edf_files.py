"""EDF, EDF+, BDF and BDF+ files as the standard has them, or broken on purpose; what tests of the readers write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

Tals = Sequence[tuple[float, float | None, str]]


@dataclass(frozen=True)
class Signal:
    """One signal: stored numbers and what they mean. Header fields may be text, to be written as they are."""

    label: str | bytes
    digital: npt.ArrayLike
    samples_per_record: int
    unit: str | bytes = "uV"
    physical: tuple[float | str, float | str] = (-3276.8, 3276.7)
    limits: tuple[int | str, int | str] = (-32768, 32767)

    @property
    def physical_values(self) -> npt.NDArray[np.float64]:
        """The values that the header gives to the stored numbers, in double precision."""
        low, high = (float(x) for x in self.physical)
        bottom, top = (float(x) for x in self.limits)
        return low + (np.asarray(self.digital, dtype=np.float64) - bottom) * (high - low) / (top - bottom)


@dataclass(frozen=True)
class EdfFile:
    """A file to write. `onsets` are the time stamps of the data records; None writes plain EDF."""

    signals: Sequence[Signal] = ()
    record_s: float | str = 1.0
    kind: str = ""
    onsets: Sequence[float] | None = None
    tals: Mapping[int, Tals] = field(default_factory=dict)
    raw_tals: Mapping[int, bytes] = field(default_factory=dict)
    annotation_signals: int = 1
    n_records: int | str | None = None
    bdf: bool = False
    tal_bytes: int = 240
    fields: Mapping[tuple[int, int], bytes] = field(default_factory=dict)

    def write(self, path: Path) -> Path:
        """Write the file and return its path."""
        signals, records = list(self.signals), self._records()
        body = b"".join(records)
        if self.kind:
            width = self.tal_bytes // self._sample_bytes
            signals += [
                Signal(f"{'BDF' if self.bdf else 'EDF'} Annotations", [], width, "", (-1, 1))
                for _ in range(self.annotation_signals)
            ]
        head = bytearray(self._head(signals, len(records)))
        for (first, last), text in self.fields.items():
            head[first:last] = text.ljust(last - first)
        path.write_bytes(bytes(head) + body)
        return path

    @property
    def _sample_bytes(self) -> int:
        return 3 if self.bdf else 2

    def _records(self) -> list[bytes]:
        held = [len(np.atleast_1d(s.digital)) // s.samples_per_record for s in self.signals if s.samples_per_record]
        n = held[0] if held else len(self.onsets or ())
        return [b"".join([*(self._samples(s, k) for s in self.signals), *self._annotations(k)]) for k in range(n)]

    def _samples(self, signal: Signal, k: int) -> bytes:
        width = signal.samples_per_record
        values = np.asarray(signal.digital)[k * width : (k + 1) * width].astype("<i4")
        return values.astype("<i2").tobytes() if not self.bdf else values.view("u1").reshape(-1, 4)[:, :3].tobytes()

    def _annotations(self, k: int) -> list[bytes]:
        if not self.kind:
            return []
        onset = self.onsets[k] if self.onsets is not None else k * float(self.record_s)
        texts = [b"%s\x14\x14\x00" % seconds(onset), *[b""] * (self.annotation_signals - 1)]
        texts[-1] += b"".join(tal(*one) for one in self.tals.get(k, ())) + self.raw_tals.get(k, b"")
        assert max(map(len, texts)) <= self.tal_bytes
        return [text.ljust(self.tal_bytes, b"\x00") for text in texts]

    def _head(self, signals: Sequence[Signal], n_records: int) -> bytes:
        count = n_records if self.n_records is None else self.n_records
        kind = "24BIT" if self.bdf and not self.kind else self.kind
        head = b"\xffBIOSEMI" if self.bdf else cell("0", 8)
        head += cell("X X X X", 80) + cell("Startdate 02-JAN-2020 X X X", 80) + cell("02.01.20", 8)
        head += cell("22.30.00", 8) + cell(256 * (len(signals) + 1), 8) + cell(kind, 44)
        head += cell(count, 8) + cell(self.record_s, 8) + cell(len(signals), 4)
        columns = [
            [s.label for s in signals], [""] * len(signals), [s.unit for s in signals],
            [s.physical[0] for s in signals], [s.physical[1] for s in signals],
            [s.limits[0] for s in signals], [s.limits[1] for s in signals],
            ["HP:0.1Hz"] * len(signals), [s.samples_per_record for s in signals], [""] * len(signals),
        ]  # fmt: skip
        for width, column in zip((16, 80, 8, 8, 8, 8, 8, 80, 8, 32), columns, strict=True):
            head += b"".join(cell(value, width) for value in column)
        return head


def cell(value: object, width: int) -> bytes:
    """Return a header field, padded with spaces."""
    text = value if isinstance(value, bytes) else f"{value:g}" if isinstance(value, float) else str(value)
    raw = text if isinstance(text, bytes) else text.encode("utf-8")
    assert len(raw) <= width, f"{value!r} is longer than {width}"
    return raw.ljust(width)


def seconds(value: float) -> bytes:
    """Return a time as TALs have it."""
    return f"{value:+.6f}".rstrip("0").rstrip(".").encode()


def tal(onset_s: float, duration_s: float | None, text: str) -> bytes:
    """Return a time-stamped annotation; a duration of None is not written."""
    lasting = b"" if duration_s is None else b"\x15" + seconds(duration_s)[1:]
    return seconds(onset_s) + lasting + b"\x14" + text.encode("utf-8") + b"\x14\x00"


def noise(n: int, *, seed: int = 0, low: int = -2000, high: int = 2000) -> npt.NDArray[np.int64]:
    """Return stored numbers."""
    return np.random.default_rng(seed).integers(low, high + 1, n)


def eeg(
    label: str | bytes = "EEG Fpz-Cz", *, n_records: int = 4, width: int = 8, seed: int = 0, **more: object
) -> Signal:
    """Return a signal of noise."""
    return Signal(label, noise(n_records * width, seed=seed), width, **more)  # type: ignore[arg-type]
