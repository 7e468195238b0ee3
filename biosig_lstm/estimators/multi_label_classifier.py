"""Several labels for an item, each with a probability of its own: the statements of a 12-lead electrocardiogram."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from biosig_lstm.containers import Annotations, Recording, Windows
from biosig_lstm.containers.arrays import is_arrays
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.estimators._base import Estimator
from biosig_lstm.estimators.predictions import Predictions
from biosig_lstm.metrics import MultiLabelScores, f1_thresholds, multilabel_scores

__all__ = ["MultiLabelClassifier", "MultiLabelPredictions"]

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

_NONE = "none"


@dataclass(frozen=True, eq=False, repr=False)
class MultiLabelPredictions(Predictions):
    """A row for each item; the probabilities of a row do not add up to one.

    Parameters
    ----------
    recordings, subjects, samples, fs, log_probabilities, classes
        As of `Predictions`.
    thresholds : tuple of float [length=classes]
        Least probability at which an item bears the label.
    """

    thresholds: tuple[float, ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.thresholds) != len(self.classes):
            raise DataError(f"one threshold for each of {len(self.classes)} classes, got {len(self.thresholds)}")

    @property
    def named(self) -> npt.NDArray[np.bool_]:
        """Which labels each item bears, shape (n, classes)."""
        return np.asarray(self.probabilities >= np.array(self.thresholds, dtype=np.float32))

    @property
    def labels(self) -> npt.NDArray[np.str_]:
        """The labels of each item, joined by ``+``, or ``none``, shape (n,)."""
        names = np.array(self.classes, dtype=np.str_)
        return np.array(["+".join(names[row].tolist()) or _NONE for row in self.named], dtype=np.str_)

    def annotations(self, recording: str) -> Annotations:
        """Return the labels of one recording as annotations: each over its item."""
        rows = self.recordings == recording
        item, label = np.nonzero(self.named[rows])
        return Annotations(
            self.samples[rows][item], self.stops[rows][item], np.array(self.classes, dtype=np.str_)[label]
        )

    def _named(self, rows: npt.NDArray[np.bool_]) -> list[str]:
        _, label = np.nonzero(self.named[rows])
        return [self.classes[k] for k in label.tolist()]


class MultiLabelClassifier(Estimator):
    """A model that gives every item a probability for each label by itself; see `Estimator` for its parameters.

    Attributes
    ----------
    thresholds : tuple of float [length=classes]
        Least probability at which an item bears the label: the best for F1 on the validation items, 0.5 where there
        were none.

    Notes
    -----
    A model trained on random stretches of its items (`FitSettings.crop_steps`) is asked about stretches of that length,
    half overlapping, and their probabilities are averaged; so are those of its members. While it is trained, the
    validation loss is that of the middle stretch of each item.

    Examples
    --------
    >>> import biosig_lstm as bl
    >>> prepare = bl.Pipeline(windows=bl.WholeRecording(classes=("AFIB", "LVH"), multi_label=True))
    >>> model = bl.MultiLabelClassifier(prepare, bl.BiLSTM(hidden_size=16, pooling="attention"))
    """

    multi_label: ClassVar[bool] = True

    thresholds: tuple[float, ...] = ()

    def fit(self, train: Windows, val: Windows | None = None, **how: Any) -> Self:
        """Train on windows that `pipeline` made, and learn the thresholds on `val`; parameters as of `Estimator.fit`.

        Raises
        ------
        LeakageError
            When a subject is on both sides.
        ParameterError
            When items do not bear several labels each.
        """
        if is_arrays(train):
            train, val = self._of_arrays(train, val, how.pop("subjects", None)), None
        if val is not None and not val.multi_label:
            raise ParameterError(f"{type(self).__name__} is validated on items of several labels, got {val!r}")
        steps = how.get("crop_steps") or (how["settings"].crop_steps if how.get("settings") else None)
        super().fit(train, val if val is None or steps is None else _middles(val, steps), **how)
        self.thresholds = (0.5,) * len(self.classes)
        if val is not None:
            self.thresholds = tuple(f1_thresholds(_labels(val), self.predict(val).probabilities).tolist())
        return self

    def predict(self, data: Windows | Recording | Iterable[Recording]) -> MultiLabelPredictions:
        """Return a row for each item, in order.

        Parameters
        ----------
        data : Windows, Recording or recordings
            Recordings go through the model's own preparation.
        """
        return MultiLabelPredictions(**self._item_rows(data), thresholds=self.thresholds)

    def _log_probabilities(self, windows: Windows) -> list[Float32]:
        steps = self.training.settings.get("crop_steps") if self.training else None
        if not steps:
            return super()._log_probabilities(windows)
        parts, item = stretches(windows, int(steps))
        logs = super()._log_probabilities(parts)
        rows = np.exp(np.array(logs, dtype=np.float64).reshape(-1, len(self.classes)))
        total = np.zeros((len(windows), len(self.classes)))
        np.add.at(total, item, rows)
        mean = total / np.maximum(np.bincount(item, minlength=len(windows)), 1)[:, None]
        return list(np.log(np.maximum(mean, np.finfo(np.float32).tiny)).astype(np.float32))

    def _logs(self, logits: Tensor) -> Tensor:
        return torch.nn.functional.logsigmoid(logits)

    def _scores(
        self,
        truth: Int64,
        said: Predictions,
        known: npt.NDArray[np.bool_],
        *,
        seed: int,
        leave_out: Mapping[str, Sequence[str]],
    ) -> MultiLabelScores:
        if leave_out:
            raise ParameterError(f"scores of several labels leave no subjects out, got leave_out={dict(leave_out)}")
        probability, subjects = said.probabilities[known], said.subjects[known]
        return multilabel_scores(
            truth, probability, subjects, classes=self.classes, thresholds=self.thresholds, seed=seed
        )

    def _header(self) -> dict[str, Any]:
        return super()._header() | {"thresholds": list(self.thresholds)}

    @classmethod
    def _from_header(cls, header: Mapping[str, Any], weights: Mapping[str, Tensor]) -> Self:
        made = super()._from_header(header, weights)
        made.thresholds = tuple(float(value) for value in header["thresholds"])
        if len(made.thresholds) != len(made.classes):
            raise DataError(f"{len(made.thresholds)} thresholds for {len(made.classes)} classes")
        return made


def stretches(windows: Windows, n_steps: int) -> tuple[Windows, Int64]:
    """Return every longer item cut into stretches of `n_steps` that overlap by half, and whose each stretch is.

    Parameters
    ----------
    windows : Windows
        Items, labelled as a whole or not at all; those of at most `n_steps` stay as they are.
    n_steps : int [>= 1]
        Steps of a stretch; the last of an item ends where the item ends.

    Returns
    -------
    Windows
        The stretches, with the labels of their items.
    np.ndarray of int64 [shape=(stretches,)]
        The item of each.
    """
    firsts = [_firsts(length, n_steps) for length in windows.lengths.tolist()]
    item = np.repeat(np.arange(len(windows)), [len(first) for first in firsts])
    begin = windows.offsets[item] + np.concatenate([np.zeros(0, dtype=np.int64), *firsts])
    length = np.minimum(windows.lengths[item], n_steps)
    offsets = np.concatenate([[0], np.cumsum(length)])
    steps = np.arange(offsets[-1]) + np.repeat(begin - offsets[:-1], length)
    cut = replace(
        windows,
        values=windows.values[steps],
        offsets=offsets,
        y=None if windows.y is None else windows.y[item],
        subjects=windows.subjects[item],
        recordings=windows.recordings[item],
        starts=windows.starts[item],
        fs=windows.fs[item],
        positions=None if windows.positions is None else windows.positions[steps],
    )
    return cut, item


def _middles(windows: Windows, n_steps: int) -> Windows:
    """Return the middle stretch of every item: enough for a loss that is watched."""
    cut, item = stretches(windows, n_steps)
    first = np.searchsorted(item, np.arange(len(windows)))
    return cut.select(first + np.bincount(item, minlength=len(windows)) // 2)


def _firsts(length: int, n_steps: int) -> Int64:
    last = max(length - n_steps, 0)
    return np.unique(np.append(np.arange(0, last + 1, max(n_steps // 2, 1)), last)).astype(np.int64)


def _labels(windows: Windows) -> Int64:
    return np.zeros((0, len(windows.classes)), dtype=np.int64) if windows.y is None else np.asarray(windows.y)
