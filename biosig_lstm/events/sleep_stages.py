"""The sleep stages of a night, from the words and codes that recordings use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from biosig_lstm.containers import Recording
from biosig_lstm.steps import Step

__all__ = ["STAGES", "SleepStages"]

STAGES: Mapping[str, str] = {
    **{f"Sleep stage {code}": code for code in ("W", "N1", "N2", "N3", "R")},
    "Sleep stage 1": "N1",
    "Sleep stage 2": "N2",
    "Sleep stage 3": "N3",
    "Sleep stage 4": "N3",
}
"""The words of EDF+ for stages to the five of the AASM: 3 and 4 of Rechtschaffen and Kales are N3."""


@dataclass(frozen=True)
class SleepStages(Step):
    """Keep the annotated sleep stages of a recording, as W, N1, N2, N3 and R.

    Notes
    -----
    Everything else is left out, movement time (``Movement time``) and what was not scored (``Sleep stage ?``) among
    it: epochs there have no label.
    """

    kind: ClassVar[str] = "event"

    def __call__(self, recording: Recording) -> Recording:
        """Return the recording with its stages as its only annotations; none where nobody staged it."""
        return recording.with_annotations(recording.annotations.relabel(STAGES))
