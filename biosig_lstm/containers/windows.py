"""Windows: sequences of any length, ready for features and models, that know whose they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers.annotations import Int64, Strings, freeze
from biosig_lstm.containers.rejections import Rejection, Rejections
from biosig_lstm.errors import DataError, ParameterError

if TYPE_CHECKING:
    import mne

__all__ = ["Windows"]

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False, repr=False)
class Windows:
    """Items of (steps, features), end to end in one array.

    Parameters
    ----------
    values : array_like [shape=(total_steps, features), dtype=float32]
        The steps of all items, one item after the other; finite.
    offsets : array_like of int [shape=(n + 1,)]
        Item ``i`` is ``values[offsets[i]:offsets[i + 1]]``; every item has at least one step.
    columns : sequence of str [length=features]
        Name of each feature.
    rate_hz : float or None [unit=Hz]
        Steps a second; None where steps are not evenly spaced, as in a run of beats.
    y : array_like of int [shape=(n,), (total_steps,) or (n, classes)], optional
        Index into `classes`, for each item or for each step; -1 where there is no label. Where an item may bear
        several labels, a column for each class: 1 it does, 0 it does not, -1 not known.
    step_labels : bool
        Whether `y` labels every step rather than every item.
    classes : sequence of str
        Names of the labels.
    subjects, recordings : array_like of str [shape=(n,)]
        Whose item it is, and out of which recording.
    starts : array_like of int [shape=(n,), unit=samples]
        Where the item starts in its recording.
    fs : array_like of float [shape=(n,), unit=Hz]
        Rate of that recording: what turns `starts` and `positions` into seconds.
    positions : array_like of int [shape=(total_steps,), unit=samples], optional
        Where each step lies in its recording (the R-peak of a beat); None where steps are evenly spaced.
    unit : str
        Unit of the recordings' channels, ``mV``; of several units all, as in ``mV/uV``; empty where it is not known.
    window_shape : (int, int) or None
        Where each step is itself a window: its (leads, samples), stored in the first leads*samples columns,
        lead after lead; the remaining columns are scalars.
    texts : array_like of str [shape=(n,)], optional
        What is said in each item, where items have transcripts; empty where nothing is said.
    rejected : tuple of Rejection
        What was left out of the recordings that these windows are of, or lost its label, and why; see `rejections`.

    Raises
    ------
    DataError
        When the parts do not fit together, or a value is not finite.
    """

    values: Float32
    offsets: Int64
    columns: Sequence[str]
    rate_hz: float | None
    subjects: Strings
    recordings: Strings
    starts: Int64
    fs: npt.NDArray[np.float64]
    y: Int64 | None = None
    classes: Sequence[str] = ()
    positions: Int64 | None = None
    window_shape: tuple[int, int] | None = None
    step_labels: bool = False
    unit: str = ""
    texts: Strings | None = None
    rejected: tuple[Rejection, ...] = ()

    def __post_init__(self) -> None:
        fixed: dict[str, Any] = {
            "values": freeze(np.ascontiguousarray(self.values, dtype=np.float32)),
            "offsets": freeze(np.asarray(self.offsets, dtype=np.int64)),
            "columns": tuple(self.columns),
            "subjects": freeze(np.asarray(self.subjects, dtype=np.str_)),
            "recordings": freeze(np.asarray(self.recordings, dtype=np.str_)),
            "starts": freeze(np.asarray(self.starts, dtype=np.int64)),
            "fs": freeze(np.asarray(self.fs, dtype=np.float64)),
            "classes": tuple(self.classes),
        }
        for name in ("y", "positions"):
            given = getattr(self, name)
            fixed[name] = None if given is None else freeze(np.asarray(given, dtype=np.int64))
        fixed["texts"] = None if self.texts is None else freeze(np.asarray(self.texts, dtype=np.str_))
        for name, value in fixed.items():
            object.__setattr__(self, name, value)
        _check(self)

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, freeze(value) if isinstance(value, np.ndarray) else value)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __repr__(self) -> str:
        steps = self.lengths
        span = f"{steps.min()}-{steps.max()}" if len(steps) and steps.min() != steps.max() else f"{steps[:1].sum()}"
        who = f"{len(set(self.subjects.tolist()))} subjects"
        counts = ", ".join(f"{name} {k}" for name, k in self.class_counts().items())
        labels = counts or ("no labels" if self.texts is None else "transcripts")
        lost = f"; {len(self.rejections)} rejected" if self.rejected else ""
        return f"Windows({len(self)} items of {span} steps x {len(self.columns)} features; {who}; {labels}{lost})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Windows):
            return NotImplemented
        return all(_same(getattr(self, f.name), getattr(other, f.name)) for f in fields(self))

    __hash__ = None  # type: ignore[assignment]

    @property
    def lengths(self) -> Int64:
        """Steps of each item, shape (n,)."""
        return np.diff(self.offsets)

    @property
    def multi_label(self) -> bool:
        """Whether an item may bear several labels: `y` then has a column for each class."""
        return self.y is not None and self.y.ndim == 2

    def item(self, index: int) -> Float32:
        """Return item `index`, shape (steps, features)."""
        return self.values[self.offsets[index] : self.offsets[index + 1]]

    def item_y(self, index: int) -> Int64 | None:
        """Return the label of item `index`, shape (1,) or (1, classes), or of its steps, shape (steps,)."""
        if self.y is None:
            return None
        if self.step_labels:
            return self.y[self.offsets[index] : self.offsets[index + 1]]
        return self.y[index : index + 1]

    def class_counts(self) -> dict[str, int]:
        """Return how many labels there are of each class."""
        if self.y is None:
            return {}
        if self.multi_label:
            return dict(zip(self.classes, (self.y == 1).sum(axis=0).tolist(), strict=True))
        counts = np.bincount(self.y[self.y >= 0], minlength=len(self.classes))
        return dict(zip(self.classes, counts.tolist(), strict=False))

    @property
    def rejections(self) -> Rejections:
        """What was left out or lost its label, and why, by recording, time, channel and reason."""
        n_rejected = len({row[:3] for row in self.rejected})
        return Rejections(self.rejected, len(self.values) if self.step_labels else len(self) + n_rejected)

    def select(self, index: npt.ArrayLike) -> Windows:
        """Return the items that a mask or an array of indices chooses, in that order."""
        chosen = np.asarray(index)
        items = np.flatnonzero(chosen) if chosen.dtype == bool else chosen.astype(np.int64)
        steps = _steps_of(self.offsets, items)
        each_step = self.step_labels
        return replace(
            self,
            values=self.values[steps],
            offsets=np.concatenate([[0], np.cumsum(self.lengths[items])]),
            y=None if self.y is None else self.y[steps if each_step else items],
            subjects=self.subjects[items],
            recordings=self.recordings[items],
            starts=self.starts[items],
            fs=self.fs[items],
            positions=None if self.positions is None else self.positions[steps],
            texts=None if self.texts is None else self.texts[items],
            rejected=_rejected_of(self, set(self.recordings[items].tolist())),
        )

    def into_runs(self, n_steps: int, *, first: int | None = None) -> Windows:
        """Return every item cut into consecutive runs of `n_steps` steps, the last one of each shorter.

        Parameters
        ----------
        n_steps : int [>= 1]
            Steps of a run.
        first : int [1 to n_steps], optional
            Steps of each item's first run; `n_steps` by default.

        Raises
        ------
        ParameterError
            When items are labelled as a whole: their label does not hold for a part.
        """
        start = n_steps if first is None else first
        whole = self.texts is not None or (self.y is not None and not self.step_labels)
        if not 1 <= start <= n_steps or whole:
            raise ParameterError(f"runs need at least one step and labels of steps, got {n_steps} steps of {self!r}")
        counts = 1 + -(-np.maximum(self.lengths - start, 0) // n_steps)
        items = np.repeat(np.arange(len(self)), counts)
        within = np.arange(len(items)) - np.repeat(np.cumsum(counts) - counts, counts)
        begins = self.offsets[items] + np.maximum(within * n_steps + start - n_steps, 0)
        return replace(
            self,
            offsets=np.append(begins, len(self.values)),
            subjects=self.subjects[items],
            recordings=self.recordings[items],
            starts=self._step_samples(items, begins),
            fs=self.fs[items],
        )

    def _step_samples(self, items: Int64, steps: Int64) -> Int64:
        if self.positions is not None:
            return self.positions[steps]
        if self.rate_hz is None:
            return self.starts[items]
        inside = (steps - self.offsets[items]) * self.fs[items] / self.rate_hz
        return self.starts[items] + np.rint(inside).astype(np.int64)

    def step_samples(self) -> Int64:
        """Return where each step lies in its recording, shape (total_steps,), in that recording's samples."""
        items = np.repeat(np.arange(len(self)), self.lengths)
        return self._step_samples(items, np.arange(len(self.values)))

    def with_values(self, values: npt.NDArray[Any], *, columns: Sequence[str] | None = None) -> Windows:
        """Return the same items with other values of the same steps, and the columns that name them."""
        return replace(self, values=values, columns=self.columns if columns is None else columns)

    @classmethod
    def from_mne(
        cls, epochs: mne.BaseEpochs, *, subject: str = "", classes: Sequence[str] = (), step_s: float | None = None
    ) -> Windows:
        """Return `mne.Epochs` as windows: an item for each epoch, voltages in uV.

        Parameters
        ----------
        epochs : mne.BaseEpochs
            Epochs that were dropped are not there, nor are channels that are marked as bad, and triggers.
        subject : str, optional
            Whose they are; by default the column ``subject`` of the metadata says so of each epoch, or the ``his_id``
            of the subject in the info.
        classes : sequence of str, optional
            Labels, in their order; by default all names of ``event_id``, in order of their codes. Epochs of other
            events have no label.
        step_s : float [unit=s, > 0], optional
            Make each step a window of this length, as features of EEG need them; what is left over at the end of an
            epoch is left out, and an epoch that is shorter is one step. By default a step is a sample.

        Raises
        ------
        DataError
            When nobody says whose the epochs are, or no channel is left.
        ParameterError
            When `step_s` is not positive.

        Notes
        -----
        The recording of an item is the column ``recording`` of the metadata, or the subject; `starts` are MNE's samples
        of the raw object, its ``first_samp`` included.
        """
        from biosig_lstm.containers.mne_epochs import epoch_data

        if step_s is not None and not step_s > 0:
            raise ParameterError(f"step_s must be positive, got {step_s!r}")
        return cls(**epoch_data(epochs, subject=subject).fields(classes=classes, step_s=step_s))

    @classmethod
    def from_arrays(
        cls,
        items: npt.ArrayLike | Sequence[npt.ArrayLike],
        y: Any = None,
        *,
        subjects: npt.ArrayLike | None = None,
        rate_hz: float | None = None,
        columns: Sequence[str] | None = None,
        classes: Sequence[str] = (),
        step_labels: bool = False,
        multi_label: bool = False,
        unit: str = "",
    ) -> Windows:
        """Return plain arrays, or tensors, as windows.

        Parameters
        ----------
        items : array_like [shape=(n, steps, features)] or sequence of array_like [shape=(steps, features)]
            The items; as a sequence each may have its own number of steps.
        y : array_like, optional
            Labels, names or whole numbers: one for each item, or for each step of each item with `step_labels`. None
            or NaN where there is none. With `multi_label` a column for each class: 1, 0, or -1 where it is not known.
        subjects : array_like [shape=(n,)], optional
            Whose each item is: person, machine, site; what must not be on both sides of a split. By default each item
            stands for itself, under a name made of its values.
        rate_hz : float [unit=Hz], optional
            Steps a second, where steps are evenly spaced in time. None: positions are numbers of steps.
        columns : sequence of str [length=features], optional
            Names of the features.
        classes : sequence of str, optional
            Names of the labels, in order; by default those that occur, numbers in their order.
        step_labels, multi_label : bool
            What `y` says.
        unit : str
            Unit of the values.

        Raises
        ------
        DataError
            When shapes do not fit together, a value is no number or not finite, or a label is not known.

        Examples
        --------
        >>> Windows.from_arrays(np.arange(60).reshape(3, 10, 2), ["up", "down", "up"])
        Windows(3 items of 10 steps x 2 features; 3 subjects; down 1, up 2)
        """
        from biosig_lstm.containers.arrays import array_fields

        given: dict[str, Any] = {"subjects": subjects, "rate_hz": rate_hz, "columns": columns, "unit": unit}
        kind: dict[str, Any] = {"classes": classes, "step_labels": step_labels, "multi_label": multi_label}
        return cls(**array_fields(items, y, **given, **kind))

    @staticmethod
    def concatenate(parts: Iterable[Windows]) -> Windows:
        """Return the items of several sets one after the other.

        Raises
        ------
        ParameterError
            When there is none.
        DataError
            When columns, classes, rates or window shapes differ, or some have transcripts and others none.
        """
        sets = list(parts)
        if not sets:
            raise ParameterError("no windows to put together: the list of parts is empty")
        for part in sets[1:]:
            _check_alike(sets[0], part)
        shifts = np.cumsum([0] + [len(part.values) for part in sets[:-1]])
        joined = {
            name: _join([getattr(part, name) for part in sets])
            for name in ("values", "y", "subjects", "recordings", "starts", "fs", "positions", "texts")
        }
        ends = [part.offsets[1:] + shift for part, shift in zip(sets, shifts, strict=True)]
        rejected = tuple(row for part in sets for row in part.rejected)
        return replace(sets[0], offsets=np.concatenate([[0], *ends]), rejected=rejected, **joined)


def _rejected_of(windows: Windows, recordings: set[str]) -> tuple[Rejection, ...]:
    """Return what was rejected of some recordings, and of those of which nothing is left."""
    gone = recordings.union(row.recording for row in windows.rejected) - set(windows.recordings.tolist())
    return tuple(row for row in windows.rejected if row.recording in recordings | gone)


def _join(arrays: list[Any]) -> Any:
    if any(array is None for array in arrays):
        return None
    return np.concatenate(arrays)


def _steps_of(offsets: Int64, items: Int64) -> Int64:
    lengths = offsets[items + 1] - offsets[items]
    ends = np.cumsum(lengths)
    steps: Int64 = np.arange(lengths.sum()) + np.repeat(offsets[items] - (ends - lengths), lengths)
    return steps


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return a is not None and b is not None and np.array_equal(a, b)
    return bool(a == b)


def _check_alike(first: Windows, other: Windows) -> None:
    for name in ("columns", "classes", "rate_hz", "window_shape", "step_labels", "unit"):
        mine, theirs = getattr(first, name), getattr(other, name)
        if mine != theirs:
            raise DataError(f"windows differ in {name}: {_short(mine)} and {_short(theirs)}")
    if (first.texts is None) != (other.texts is None):
        lacking, having = (first, other) if first.texts is None else (other, first)
        raise DataError(
            f"recordings {_short(lacking.recordings[:1].tolist())} have no transcript, "
            f"{_short(having.recordings[:1].tolist())} have one: leave those without out"
        )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 120 else text[:117] + "..."


def _check(windows: Windows) -> None:
    values, offsets = windows.values, windows.offsets
    if values.ndim != 2 or values.shape[1] != len(windows.columns):
        raise DataError(f"values must be (total_steps, {len(windows.columns)} columns), got shape {values.shape}")
    if offsets.ndim != 1 or len(offsets) < 1 or offsets[0] != 0 or offsets[-1] != len(values):
        raise DataError(f"offsets must run from 0 to {len(values)}, got {_short(offsets.tolist())}")
    if (np.diff(offsets) < 1).any():
        raise DataError(f"every item needs at least one step, item {int(np.argmax(np.diff(offsets) < 1))} has none")
    for name in ("subjects", "recordings", "starts", "fs"):
        if len(getattr(windows, name)) != len(windows):
            raise DataError(f"{name} must be one for each of {len(windows)} items, got {len(getattr(windows, name))}")
    if windows.texts is not None and windows.texts.shape != (len(windows),):
        raise DataError(f"texts must be one for each of {len(windows)} items, got shape {windows.texts.shape}")
    if windows.positions is not None and len(windows.positions) != len(values):
        raise DataError(f"positions must be one for each of {len(values)} steps, got {len(windows.positions)}")
    _check_labels(windows)
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        item = int(np.searchsorted(offsets, row, side="right")) - 1
        raise DataError(
            f"recording {str(windows.recordings[item])!r}: column {windows.columns[column]!r} is not finite; "
            "gaps are filled by a filter (FillGaps)"
        )


def _check_labels(windows: Windows) -> None:
    y = windows.y
    if y is None:
        return
    kind, expected = ("step", len(windows.values)) if windows.step_labels else ("item", len(windows))
    if len(y) != expected:
        raise DataError(f"y must be one for each of {expected} {kind}s, got {len(y)}")
    if y.ndim != 1:
        _check_several(windows, y)
    elif len(y) and not (y.min() >= -1 and y.max() < len(windows.classes)):
        raise DataError(f"y must lie in -1 to {len(windows.classes) - 1}, got {y.min()} to {y.max()}")


def _check_several(windows: Windows, y: Int64) -> None:
    if windows.step_labels or y.shape[1:] != (len(windows.classes),):
        raise DataError(
            f"several labels need items and a column for each of {len(windows.classes)} classes, "
            f"got y of shape {y.shape} for {'steps' if windows.step_labels else 'items'}"
        )
    if len(y) and not (y.min() >= -1 and y.max() <= 1):
        raise DataError(f"where items bear several labels y must be 1, 0 or -1, got {y.min()} to {y.max()}")
