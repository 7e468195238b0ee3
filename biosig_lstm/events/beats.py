"""The beats of a recording: from its annotations where it has them, else detected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from biosig_lstm.containers import DETECTED, Annotations, Recording
from biosig_lstm.errors import DataError, ParameterError, options
from biosig_lstm.events.rpeaks import RPeaks
from biosig_lstm.steps import Step

__all__ = ["AAMI", "Beats", "outside_flutter"]

AAMI: Mapping[str, str] = {
    **dict.fromkeys("NLRej", "N"),
    **dict.fromkeys("AaJS", "S"),
    **dict.fromkeys("VE", "V"),
    "F": "F",
    **dict.fromkeys("/fQ", "Q"),
}
"""WFDB beat symbols to the classes of ANSI/AAMI EC57: N = N L R e j, S = A a J S, V = V E, F = F, Q = / f Q.

Some papers count the escape beats e and j as S; EC57 counts them as N, and so does this package."""

_UNCLASSED = "Bnr?"

_FLUTTER_BEGINS, _FLUTTER_ENDS = "[", "]"

_POSITIONS = ("auto", "annotated", "detected")


def outside_flutter(found: Annotations, expert: Annotations, *, margin_samples: int = 0) -> Annotations:
    """Return those detections that do not lie in ventricular flutter, where experts mark no beats.

    Parameters
    ----------
    found : Annotations
        Detected beats.
    expert : Annotations
        Annotations of the recording in WFDB symbols: flutter goes from ``[`` to ``]``, or to the end.
    margin_samples : int [>= 0]
        What is left out on either side of it too.

    Notes
    -----
    ANSI/AAMI EC57 leaves ventricular flutter and fibrillation out of the comparison beat by beat. In the MIT-BIH
    database it occurs in record 207 alone.

    Examples
    --------
    >>> expert = Annotations([5, 20], labels=["[", "]"])
    >>> outside_flutter(Annotations([2, 8, 30], labels=["N", "V", "N"]), expert).starts.tolist()
    [2, 30]
    """
    outside = np.ones(len(found), dtype=bool)
    ends = expert.starts[expert.labels == _FLUTTER_ENDS]
    for begin in expert.starts[expert.labels == _FLUTTER_BEGINS].tolist():
        later = ends[ends > begin]
        last = later[0] if len(later) else np.iinfo(np.int64).max - margin_samples
        outside &= (found.starts < begin - margin_samples) | (found.starts > last + margin_samples)
    return found[outside]


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
    Annotations that mark no beat (rhythm and signal-quality changes, comments) are left out. Beats whose WFDB code
    stands in no AAMI class here (``B n r ?``) are kept without a class: they count for the rhythm, not for the score.
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
        known = {**AAMI, DETECTED: DETECTED, **dict.fromkeys(_UNCLASSED, DETECTED)}
        beats = recording.annotations.relabel(known)
        if self.positions == "detected" or (self.positions == "auto" and not len(beats)):
            return RPeaks()(recording)
        if not len(beats):
            found = ", ".join(np.unique(recording.annotations.labels)[:10].tolist()) or "none"
            raise DataError(f"{recording.id}: no annotated beats; labels found: {found}. Detect them instead")
        return recording.with_annotations(beats)
