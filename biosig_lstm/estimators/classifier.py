"""One label for every item: a window, a recording, a word."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from biosig_lstm.containers import Recording, Windows
from biosig_lstm.estimators._base import Estimator
from biosig_lstm.estimators.predictions import Predictions

__all__ = ["Classifier"]


class Classifier(Estimator):
    """A model that names every item; see `Estimator` for its parameters.

    Examples
    --------
    >>> import biosig_lstm as bl
    >>> prepare = bl.Pipeline(filters=[bl.Bandpass(0.5, 40)], windows=bl.FixedLength(10, classes=("N", "A")))
    >>> model = bl.Classifier(prepare, bl.BiLSTM(hidden_size=16, pooling="attention"))
    """

    def predict(self, data: Windows | Recording | Iterable[Recording]) -> Predictions:
        """Return a row for each item, in order.

        Parameters
        ----------
        data : Windows, Recording or recordings
            Recordings go through the model's own preparation.
        """
        windows = self._windows(data)
        logs = self.log_probabilities(windows)
        return Predictions(
            recordings=windows.recordings,
            subjects=windows.subjects,
            samples=windows.starts,
            fs=windows.fs,
            log_probabilities=np.array(logs, dtype=np.float32).reshape(-1, len(self.classes)),
            classes=self.classes,
        )
