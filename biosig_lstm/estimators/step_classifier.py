"""A label for every step of a sequence: beats of a recording, epochs of a night, samples of a wave."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import numpy as np

from biosig_lstm.containers import Recording, Windows
from biosig_lstm.errors import ParameterError
from biosig_lstm.estimators._base import Estimator, Float32
from biosig_lstm.estimators._chunks import Chunks, cut_chunks, join_chunks
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

    def predict(
        self,
        data: Windows | Recording | Iterable[Recording],
        *,
        chunk_steps: int | None = None,
        overlap_steps: int = 0,
        margin_steps: int | None = None,
    ) -> Predictions:
        """Return a row for each step, in the order of the items and of their steps.

        Parameters
        ----------
        data : Windows, Recording or recordings, mne.Epochs or mne.io.Raw
            Recordings go through the model's own preparation, and so do the objects of MNE.
        chunk_steps : int [>= 1], optional
            Longer items are read in chunks of so many steps; by default every item is read in one pass.
        overlap_steps : int [0 to chunk_steps - 1]
            Steps that a chunk shares with the next: there log-probabilities are averaged, and scaled so that
            probabilities add up to one.
        margin_steps : int [0 to overlap_steps / 2], optional
            Steps next to an edge between two chunks that do not count in that chunk; a quarter of the overlap by
            default.

        Raises
        ------
        ParameterError
            When chunks, overlap and margin do not fit together.

        Notes
        -----
        Every step that counts sees `margin_steps` on each side of it, or the item's end. So a network whose answer
        depends on no more steps ahead and behind, as one of convolutions, says the same as in one pass, but for
        rounding. A bidirectional LSTM looks ahead and behind without end: what it says in chunks comes the nearer to
        one pass the longer the margin is beside its memory. A chunk as long as the item is one pass.
        The features of the pipeline are made of the whole recording either way.
        """
        windows = self._windows(data)
        chunks = None if chunk_steps is None else Chunks(steps=chunk_steps, overlap=overlap_steps, margin=margin_steps)
        if chunks is None and (overlap_steps or margin_steps):
            raise ParameterError(f"overlap_steps={overlap_steps} and margin_steps={margin_steps} need chunk_steps")
        said = self.log_probabilities(windows) if chunks is None else self._in_chunks(windows, chunks)
        logs = np.concatenate([np.zeros((0, len(self.classes)), np.float32), *said])
        item = np.repeat(np.arange(len(windows)), windows.lengths)
        return Predictions(
            recordings=windows.recordings[item],
            subjects=windows.subjects[item],
            samples=windows.step_samples(),
            fs=windows.fs[item],
            log_probabilities=logs,
            classes=self.classes,
            durations_s=np.full(len(item), 1 / windows.rate_hz if windows.rate_hz else 0.0),
            rejected=windows.rejected,
        )

    def _in_chunks(self, windows: Windows, chunks: Chunks) -> list[Float32]:
        found = []
        for k, n_steps in enumerate(windows.lengths.tolist()):
            parts = self.log_probabilities(cut_chunks(windows.select([k]), chunks))
            found.append(parts[0] if len(parts) == 1 else join_chunks(parts, n_steps=n_steps, chunks=chunks))
        return found
