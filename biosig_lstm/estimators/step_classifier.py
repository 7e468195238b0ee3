"""A label for every step of a sequence: beats of a recording, epochs of a night, samples of a wave."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import numpy as np

from biosig_lstm.containers import Recording, Windows
from biosig_lstm.estimators._base import Estimator
from biosig_lstm.estimators.predictions import Predictions

__all__ = ["StepClassifier"]


class StepClassifier(Estimator):
    """A model that names every step of every item; see `Estimator` for its parameters.

    Examples
    --------
    >>> import biosig_lstm as bl
    >>> prepare = bl.Pipeline(
    ...     filters=[bl.Bandpass(0.5, 40)],
    ...     events=bl.Beats(),
    ...     windows=bl.AroundEvents(0.25, 0.45, rate_hz=100, run=64),
    ... )
    >>> model = bl.StepClassifier(prepare, bl.BiLSTM(hidden_size=16))
    """

    per_step: ClassVar[bool] = True

    def predict(self, data: Windows | Recording | Iterable[Recording]) -> Predictions:
        """Return a row for each step, in the order of the items and of their steps.

        Parameters
        ----------
        data : Windows, Recording or recordings
            Recordings go through the model's own preparation.
        """
        windows = self._windows(data)
        logs = np.concatenate([np.zeros((0, len(self.classes)), np.float32), *self.log_probabilities(windows)])
        item = np.repeat(np.arange(len(windows)), windows.lengths)
        return Predictions(
            recordings=windows.recordings[item],
            subjects=windows.subjects[item],
            samples=windows.step_samples(),
            fs=windows.fs[item],
            log_probabilities=logs,
            classes=self.classes,
        )
