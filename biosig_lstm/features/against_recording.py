"""Columns against what is usual in their own recording."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from biosig_lstm.containers import Windows
from biosig_lstm.steps import Step

__all__ = ["AgainstRecording"]


@dataclass(frozen=True)
class AgainstRecording(Step):
    """Take from each column its median over all steps of the recording.

    People, electrodes and recorders differ more from each other than what is strange differs from what is usual.
    Within a recording that falls away. No label is looked at.

    Notes
    -----
    It looks at the whole recording, later steps too: answers come when the recording is over. What fills more than half
    of a recording is what is usual there.
    """

    kind: ClassVar[str] = "feature"

    def __call__(self, windows: Windows) -> Windows:
        """Return the windows, the median of each column being 0 in each recording."""
        values = windows.values.astype(np.float64)
        of_step = np.repeat(windows.recordings, windows.lengths)
        for name in dict.fromkeys(windows.recordings.tolist()):
            mine = of_step == name
            values[mine] -= np.median(values[mine], axis=0) if mine.any() else 0.0
        return windows.with_values(values.astype(np.float32), columns=windows.columns)
