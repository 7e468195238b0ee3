"""Windows of one length, one after the other."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from biosig_lstm.containers import Recording, Windows
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.steps import Step
from biosig_lstm.windows._common import even_items, over_bad

__all__ = ["FixedLength"]


@dataclass(frozen=True)
class FixedLength(Step):
    """Windows of one length after another, each an item whose steps are samples.

    Parameters
    ----------
    length_s : float [unit=s]
        Length of a window; what is left over at the end is left out.
    step_s : float [unit=s], optional
        From one start to the next; `length_s` where none is given. Smaller values make windows overlap.
    classes : tuple of str
        Labels of windows: a window has that whose annotation covers its middle, the latest to begin of
        several, or none.
    multi_label : bool
        Whether a window may bear several labels, those of all annotations that cover its middle: it does not bear
        those that are not among them. Where there is no annotation at all, nothing is known.
    leave_out_bad : bool
        Leave out windows that a stretch overlaps whose label begins with ``bad``, as `MarkArtefacts` and MNE have them,
        unless that label is a class; `Windows.rejections` says which and why.
    epoch_s : float [unit=s, > 0], optional
        Make each step of an item an epoch of this length, the samples of each channel one channel after the other, as
        features of EEG need them; what is left over at the end of a window is left out. By default a step is a sample.
    """

    kind: ClassVar[str] = "windows"

    length_s: float
    step_s: float | None = None
    classes: tuple[str, ...] = ()
    multi_label: bool = False
    leave_out_bad: bool = True
    epoch_s: float | None = None

    def __post_init__(self) -> None:
        if not all(0 < length < math.inf for length in (self.length_s, self.step_s) if length is not None):
            raise ParameterError(f"window length and step must be positive and finite, got {self!r}")
        if self.epoch_s is not None and not 0 < self.epoch_s <= self.length_s:
            raise ParameterError(f"an epoch of {self.epoch_s:g} s does not fit into a window of {self.length_s:g} s")

    def __call__(self, recording: Recording) -> Windows:
        """Return an item for each window that lies inside the recording."""
        width = max(round(self.length_s * recording.fs), 1)
        step = max(round((self.step_s or self.length_s) * recording.fs), 1)
        starts = np.arange(0, recording.n_samples - width + 1, step, dtype=np.int64)
        if not len(starts):
            raise DataError(
                f"{recording.id}: {recording.duration_s:g} s are too short for a {self.length_s:g}-s window"
            )
        made = even_items(recording, starts, width=width, classes=self.classes, multi_label=self.multi_label)
        if self.epoch_s is not None:
            n_epochs = math.floor(self.length_s / self.epoch_s * (1 + 1e-9))
            epoch = max(min(round(self.epoch_s * recording.fs), width // n_epochs), 1)
            made = _in_epochs(made, recording, width=width, epoch=epoch)
        if not self.leave_out_bad:
            return made
        bad, rejected = over_bad(recording, starts, starts + width, self.classes)
        return replace(made.select(~bad), rejected=rejected) if rejected else made


def _in_epochs(made: Windows, recording: Recording, *, width: int, epoch: int) -> Windows:
    """Return the items with a step for each epoch of `epoch` samples, in the place of one for each sample."""
    n_epochs, n_channels = width // epoch, len(recording.channels)
    kept = made.values.reshape(len(made), width, n_channels)[:, : n_epochs * epoch]
    cut = kept.reshape(len(made), n_epochs, epoch, n_channels).transpose(0, 1, 3, 2)
    return replace(
        made,
        values=cut.reshape(len(made) * n_epochs, n_channels * epoch),
        offsets=np.arange(len(made) + 1) * n_epochs,
        columns=[f"{name}[{j}]" for name in recording.channels for j in range(epoch)],
        rate_hz=recording.fs / epoch,
        window_shape=(n_channels, epoch),
    )
