"""What a trained model remembers of its training."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from biosig_lstm.containers import Windows
from biosig_lstm.training import FitSettings

__all__ = ["Training", "seen_in"]


@dataclass(frozen=True)
class Training:
    """What a model has seen: whoever is scored must not be among it.

    Parameters
    ----------
    subjects, recordings : tuple of str
        Training and validation subjects, and their recordings.
    settings : dict
        How it was trained.
    protocol : str
        The frozen split it was trained by, if any.
    """

    subjects: tuple[str, ...]
    recordings: tuple[str, ...]
    settings: Mapping[str, Any]
    protocol: str = ""

    @property
    def split_digest(self) -> str:
        """Hash of the recordings that were seen."""
        return hashlib.sha256("\n".join(self.recordings).encode()).hexdigest()[:16]

    def with_windows(self, windows: Windows) -> Training:
        """Return what has been seen, and the subjects and recordings of these windows."""
        subjects = tuple(sorted({*self.subjects, *windows.subjects.tolist()}))
        return replace(
            self, subjects=subjects, recordings=tuple(sorted({*self.recordings, *windows.recordings.tolist()}))
        )


def seen_in(parts: Sequence[Windows], settings: FitSettings, *, protocol: str) -> Training:
    """Return who and what windows are of, as what a model has seen."""
    subjects = sorted({who for part in parts for who in part.subjects.tolist()})
    recordings = sorted({which for part in parts for which in part.recordings.tolist()})
    return Training(tuple(subjects), tuple(recordings), settings.to_dict(), protocol)
