"""A night as a run of epochs: one item, a step for each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from biosig_lstm.containers import Recording, Windows
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.steps import Step
from biosig_lstm.windows._common import classes_at, over_bad, unit

__all__ = ["Epochs"]


@dataclass(frozen=True)
class Epochs(Step):
    """The whole recording as one item whose steps are windows of one length, end to end.

    Parameters
    ----------
    length_s : float [unit=s, > 0]
        Length of an epoch; what is left over at the end is left out.
    classes : tuple of str
        Labels of epochs: an epoch has that whose annotation covers its middle, the latest to begin of several, or
        none. An epoch that a stretch overlaps whose label begins with ``bad``, as `MarkArtefacts` and MNE have them,
        has no label; `Windows.rejections` says which and why.

    Raises
    ------
    ParameterError
        When the length is not positive.
    """

    kind: ClassVar[str] = "windows"

    length_s: float = 30.0
    classes: tuple[str, ...] = ("W", "N1", "N2", "N3", "R")

    def __post_init__(self) -> None:
        if not 0 < self.length_s < math.inf:
            raise ParameterError(f"length_s must be positive and finite, got {self.length_s!r}")

    def __call__(self, recording: Recording) -> Windows:
        """Return one item: a step for each epoch, the samples of each channel one channel after the other.

        Raises
        ------
        DataError
            When the recording has no channels or lasts less than an epoch.
        """
        width = max(round(self.length_s * recording.fs), 1)
        n_channels, n_epochs = len(recording.channels), recording.n_samples // width
        if not n_channels or not n_epochs:
            what = f"{recording.duration_s:g} s of {n_channels} channels"
            raise DataError(f"{recording.id}: {what} hold no epoch of {self.length_s:g} s")
        starts = width * np.arange(n_epochs)
        labels = classes_at(recording, starts + width // 2, self.classes)
        bad, rejected = over_bad(recording, starts, starts + width, self.classes)
        cut = recording.signals[:, : n_epochs * width].reshape(n_channels, n_epochs, width)
        return Windows(
            values=cut.transpose(1, 0, 2).reshape(n_epochs, -1),
            offsets=np.array([0, n_epochs]),
            columns=[f"{name}[{j}]" for name in recording.channels for j in range(width)],
            rate_hz=recording.fs / width,
            subjects=np.array([recording.subject]),
            recordings=np.array([recording.id]),
            starts=np.zeros(1, dtype=np.int64),
            fs=np.array([recording.fs]),
            y=np.where(bad, -1, labels),
            classes=self.classes,
            window_shape=(n_channels, width),
            step_labels=True,
            unit=unit(recording.units),
            rejected=rejected,
        )
