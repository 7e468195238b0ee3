"""What an evaluation gives: named values with their intervals, and the counts behind them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import freeze
from biosig_lstm.errors import DataError, ParameterError, options
from biosig_lstm.metrics._table import scores_html, scores_text
from biosig_lstm.metrics.intervals import Interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Scores"]

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class Scores:
    """Named values with intervals, and the confusion of each subject they were counted from.

    Parameters
    ----------
    metrics : mapping of str to Interval
        ``se_V`` and the like for a class, ``accuracy`` and the like for all.
    classes : sequence of str
        Of the confusion's rows (truth) and columns (predicted), in order.
    per_subject : mapping of str to array_like of int [shape=(classes, classes)]
        Confusion matrix of each subject.
    confidence : float
        Share of the resampled values inside an interval.
    variants : tuple of str
        Suffixes under which the metrics stand again, such as ``_without_232``; the first is empty.

    Raises
    ------
    DataError
        When a confusion does not have one row and one column for each class.
    """

    metrics: Mapping[str, Interval]
    classes: tuple[str, ...]
    per_subject: Mapping[str, Int64]
    confidence: float = 0.95
    variants: tuple[str, ...] = ("",)

    def __post_init__(self) -> None:
        square = (len(self.classes), len(self.classes))
        frozen = {name: freeze(np.array(n, dtype=np.int64)) for name, n in self.per_subject.items()}
        for name, counts in frozen.items():
            if counts.shape != square:
                raise DataError(f"subject {name!r}: confusion must have shape {square}, got {counts.shape}")
        object.__setattr__(self, "classes", tuple(self.classes))
        object.__setattr__(self, "metrics", dict(self.metrics))
        object.__setattr__(self, "per_subject", frozen)

    @property
    def counts(self) -> Int64:
        """Confusion matrix of all subjects, rows the truth, shape (classes, classes)."""
        total = np.zeros((len(self.classes), len(self.classes)), dtype=np.int64)
        return sum(self.per_subject.values(), start=total)

    @property
    def n_true(self) -> Int64:
        """How many items each class has, shape (classes,)."""
        true: Int64 = self.counts.sum(axis=1)
        return true

    @property
    def n_subjects(self) -> int:
        """How many subjects were scored."""
        return len(self.per_subject)

    @property
    def n_items(self) -> int:
        """How many labelled items were scored, over all subjects."""
        return int(self.counts.sum())

    def __getitem__(self, name: str) -> Interval:
        """Return one metric.

        Raises
        ------
        ParameterError
            When there is none of that name.
        """
        if name not in self.metrics:
            raise ParameterError(f"no metric {options(name, self.metrics)}")
        return self.metrics[name]

    def __repr__(self) -> str:
        return scores_text(self)

    def _repr_html_(self) -> str:
        return scores_html(self)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON values; what is undefined is None."""
        return {
            "metrics": {name: interval.to_dict() for name, interval in self.metrics.items()},
            "confusion": {"classes": list(self.classes), "counts": self.counts.tolist()},
            "subjects": self.n_subjects,
            "items": self.n_items,
            "confidence": self.confidence,
            "per_subject": {name: _by_class(n, self.classes) for name, n in self.per_subject.items()},
        }

    def to_json(self, *, indent: int | None = None) -> str:
        """Return `to_dict` as strict JSON text: what is undefined is null."""
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False)

    def plot(self) -> Figure:
        """Return a figure of the confusion matrix and of each subject's F1.

        Returns
        -------
        matplotlib.figure.Figure
            Left: share of each true class, with counts. Right: a dot for each subject, a bar for all.
        """
        from biosig_lstm.metrics._figure import scores_figure

        return scores_figure(self)


def _by_class(counts: Int64, classes: tuple[str, ...]) -> dict[str, dict[str, int]]:
    hits, true, predicted = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    rows = zip(classes, hits.tolist(), (predicted - hits).tolist(), (true - hits).tolist(), strict=True)
    return {name: {"tp": tp, "fp": fp, "fn": fn} for name, tp, fp, fn in rows}
