"""The waves of one lead of an ECG: where each P wave, QRS complex and T wave begins, peaks and ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers.annotations import Annotations, Strings, freeze
from biosig_lstm.errors import DataError, options

__all__ = ["WAVES", "Waves"]

Float64 = npt.NDArray[np.float64]

WAVES = ("P", "QRS", "T")
"""The waves that are told apart."""

_SYMBOLS = {"p": "P", "N": "QRS", "t": "T"}
_LABELS = {wave: symbol for symbol, wave in _SYMBOLS.items()}
_BEGIN, _END = "(", ")"


@dataclass(frozen=True, eq=False, repr=False)
class Waves:
    """Waves of one lead, in the order of their peaks.

    Parameters
    ----------
    labels : array_like of str [shape=(n,)]
        ``P``, ``QRS`` or ``T``.
    onsets, peaks, offsets : array_like of float [shape=(n,), unit=samples]
        First sample, extreme and last sample of each wave; NaN for an onset or an offset that is not known.

    Raises
    ------
    DataError
        When the lengths differ, a label is another, a peak is not known, or a wave does not begin before its peak
        and end after it.

    Examples
    --------
    >>> waves = Waves(["P", "QRS"], [10, 30], [15, 35], [20, 40])
    >>> waves
    Waves(2: P 1, QRS 1)
    >>> Waves.from_annotations(waves.annotations()) == waves
    True
    """

    labels: Strings
    onsets: Float64
    peaks: Float64
    offsets: Float64

    def __init__(
        self,
        labels: npt.ArrayLike | Iterable[str] = (),
        onsets: npt.ArrayLike = (),
        peaks: npt.ArrayLike = (),
        offsets: npt.ArrayLike = (),
    ) -> None:
        names = np.asarray(list(labels), dtype=np.str_)  # type: ignore[arg-type]
        places = [np.asarray(values, dtype=np.float64).reshape(-1) for values in (onsets, peaks, offsets)]
        _check(names, *places)
        order = np.argsort(places[1], kind="stable")
        for name, array in zip(("labels", "onsets", "peaks", "offsets"), (names, *places), strict=True):
            object.__setattr__(self, name, freeze(array[order]))

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        counts = Counter(self.labels.tolist())
        return f"Waves({len(self)}{': ' if counts else ''}{', '.join(f'{k} {counts[k]}' for k in WAVES if counts[k])})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Waves):
            return NotImplemented
        places = (np.array_equal(getattr(self, k), getattr(other, k), equal_nan=True) for k in _PLACES)
        return np.array_equal(self.labels, other.labels) and all(places)

    __hash__ = None  # type: ignore[assignment]

    def __setstate__(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        for name, array in state.items():
            object.__setattr__(self, name, freeze(array))

    def of(self, label: str) -> Waves:
        """Return the waves of one label.

        Raises
        ------
        DataError
            When there is no such wave.
        """
        if label not in WAVES:
            raise DataError(f"wave {options(label, WAVES)}")
        return self[self.labels == label]

    def __getitem__(self, which: slice | npt.ArrayLike) -> Waves:
        """Return those waves that a mask, an array of indices or a slice chooses."""
        index = which if isinstance(which, slice) else np.asarray(which)
        return Waves(self.labels[index], self.onsets[index], self.peaks[index], self.offsets[index])

    def rescale(self, factor: float) -> Waves:
        """Return the waves in samples of a rate `factor` times as high."""
        return Waves(self.labels, self.onsets * factor, self.peaks * factor, self.offsets * factor)

    def annotations(self, *, note: str = "") -> Annotations:
        """Return the waves as WFDB users know them: instants ``(``, ``p`` or ``N`` or ``t``, and ``)``.

        Parameters
        ----------
        note : str
            Note of every instant: the name of the lead, where several leads share one list.

        Notes
        -----
        Places are rounded to the nearest sample; an onset or offset that is not known is left out.
        """
        rows: list[tuple[float, str]] = []
        for label, onset, peak, offset in self.rows():
            marks = ((onset, _BEGIN), (peak, _LABELS[label]), (offset, _END))
            rows.extend((place, symbol) for place, symbol in marks if not np.isnan(place))
        samples = np.maximum(np.rint(np.array([place for place, _ in rows], dtype=np.float64)), 0)
        return Annotations(samples, labels=[symbol for _, symbol in rows], notes=[note] * len(rows))

    def rows(self) -> Iterable[tuple[str, float, float, float]]:
        """Return label, onset, peak and offset of each wave."""
        columns = (self.labels, self.onsets, self.peaks, self.offsets)
        return zip(*(column.tolist() for column in columns), strict=True)

    @classmethod
    def from_annotations(cls, annotations: Annotations, *, note: str | None = None) -> Waves:
        """Return the waves that instants ``(``, ``p`` or ``N`` or ``t``, and ``)`` mark.

        Parameters
        ----------
        annotations : Annotations
            Of one lead, or of several told apart by their notes; other labels are left out.
        note : str, optional
            Use the annotations with this note only.

        Notes
        -----
        The onset of a wave is the ``(`` directly before its peak and the offset the ``)`` directly after it; where
        another mark stands there, it is not known.
        """
        known = np.isin(annotations.labels, [_BEGIN, _END, *_SYMBOLS])
        chosen = annotations[known if note is None else known & (annotations.notes == note)]
        labels, samples = chosen.labels.tolist(), chosen.starts.tolist()
        found = []
        for k in range(len(labels)):
            if labels[k] in _SYMBOLS:
                begun = k > 0 and labels[k - 1] == _BEGIN
                ended = k + 1 < len(labels) and labels[k + 1] == _END
                onset, offset = samples[k - 1] if begun else np.nan, samples[k + 1] if ended else np.nan
                found.append((_SYMBOLS[labels[k]], onset, samples[k], offset))
        return cls(*zip(*found, strict=True)) if found else cls()


_PLACES = ("onsets", "peaks", "offsets")


def _check(labels: Strings, onsets: Float64, peaks: Float64, offsets: Float64) -> None:
    lengths = [len(array) for array in (labels, onsets, peaks, offsets)]
    if len(set(lengths)) > 1:
        raise DataError(f"waves need a label, onset, peak and offset each, got {lengths}")
    foreign = sorted(set(labels.tolist()) - set(WAVES))
    if foreign:
        raise DataError(f"wave {options(foreign[0], WAVES)}")
    if np.isnan(peaks).any():
        raise DataError(f"every wave needs a peak, wave {int(np.argmax(np.isnan(peaks)))} has none")
    wrong = (onsets > peaks) | (offsets < peaks)
    if wrong.any():
        k = int(np.argmax(wrong))
        raise DataError(f"wave {k} must begin before it peaks and end after, got {onsets[k]}, {peaks[k]}, {offsets[k]}")
