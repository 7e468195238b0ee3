"""What models of unlabelled signal share: series in whatever form, and answers that are no classes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Recording, Windows
from biosig_lstm.containers.arrays import is_arrays
from biosig_lstm.errors import ParameterError
from biosig_lstm.estimators._base import Estimator
from biosig_lstm.estimators._data import windows_of, windows_of_arrays
from biosig_lstm.features.standardize import Standardize
from biosig_lstm.models import ModelSpec
from biosig_lstm.pipeline import Pipeline

__all__ = ["UnlabelledEstimator"]


class UnlabelledEstimator(Estimator):
    """A model that learns the values themselves; parameters as of `Estimator`, but `standardize` is taken as it is."""

    instead: ClassVar[str]
    """What to say to who asks for probabilities."""

    def __init__(
        self,
        pipeline: Pipeline | None,
        model: ModelSpec,
        *,
        members: int,
        standardize: Standardize | None,
        task: str,
    ) -> None:
        super().__init__(pipeline, model, members=members, task=task)
        self.standardize = standardize

    def log_probabilities(
        self,
        data: Windows | Recording | Iterable[Recording],  # noqa: ARG002
    ) -> list[npt.NDArray[np.float32]]:
        """Refuse: what has no classes has no probabilities.

        Raises
        ------
        ParameterError
            Always.
        """
        raise ParameterError(self.instead)

    def _series(
        self, data: Any, subjects: npt.ArrayLike | None = None, *, classes: Sequence[str] = (), layout: bool = False
    ) -> Windows:
        """Return windows of whatever came; arrays are of the columns of training where `layout` says so."""
        if subjects is None and not is_arrays(data):
            return windows_of(data, self.pipeline, classes=classes)
        names = {"columns": self.columns, "rate_hz": self.rate_hz, "unit": self.unit} if layout else {}
        return windows_of_arrays(data, None, self.pipeline, subjects=subjects, **names)

    def _take_layout(self, train: Windows) -> None:
        self.classes, self.columns = (), tuple(train.columns)
        self.window_shape, self.unit, self.rate_hz = train.window_shape, train.unit, train.rate_hz
