"""The beats of a recording: from its annotations where it has them, else detected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from biosig_lstm.containers import DETECTED, Recording
from biosig_lstm.errors import DataError, ParameterError, options
from biosig_lstm.events.rpeaks import RPeaks
from biosig_lstm.steps import Step

__all__ = ["AAMI", "Beats"]

AAMI: Mapping[str, str] = {
    **dict.fromkeys("NLRej", "N"),
    **dict.fromkeys("AaJS", "S"),
    **dict.fromkeys("VE", "V"),
    "F": "F",
    **dict.fromkeys("/fQ", "Q"),
}
"""WFDB beat symbols to the classes of ANSI/AAMI EC57: N = N L R e j, S = A a J S, V = V E, F = F, Q = / f Q.

Some papers count the escape beats e and j as S; EC57 counts them as N, and so does this package."""

_POSITIONS = ("auto", "annotated", "detected")


@dataclass(frozen=True)
class Beats(Step):
    """Keep the beats of a recording under their AAMI class, or find them.

    Parameters
    ----------
    positions : {"auto", "annotated", "detected"}
        Where beats are taken from. ``auto``: from the annotations where there are any of beats, else detected by
        `RPeaks`. Detected beats bear the label ``QRS``, which is no class.

    Notes
    -----
    Annotations that mark no beat (rhythm and signal-quality changes, comments) are left out.
    """

    kind: ClassVar[str] = "event"

    positions: str = "auto"

    def __post_init__(self) -> None:
        if self.positions not in _POSITIONS:
            raise ParameterError(f"positions {options(self.positions, _POSITIONS)}")

    def __call__(self, recording: Recording) -> Recording:
        """Return the recording with its beats as its only annotations.

        Raises
        ------
        DataError
            When annotated beats are asked for and there are none.
        """
        known = {**AAMI, DETECTED: DETECTED}
        beats = recording.annotations.relabel(known)
        if self.positions == "detected" or (self.positions == "auto" and not len(beats)):
            return RPeaks()(recording)
        if not len(beats):
            found = ", ".join(np.unique(recording.annotations.labels)[:10].tolist()) or "none"
            raise DataError(f"{recording.id}: no annotated beats; labels found: {found}. Detect them instead")
        return recording.with_annotations(beats)
