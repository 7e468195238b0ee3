"""No windows of recordings: the items come as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from biosig_lstm.containers import Recording, Windows
from biosig_lstm.errors import DataError
from biosig_lstm.steps import Step

__all__ = ["Arrays"]


@dataclass(frozen=True)
class Arrays(Step):
    """The place of windows in the pipeline of a model that learns from plain arrays: it takes no recording."""

    kind: ClassVar[str] = "windows"

    def __call__(self, recording: Recording) -> Windows:
        """Refuse the recording.

        Raises
        ------
        DataError
            Always: nothing says how items are cut from recordings.
        """
        raise DataError(
            f"{recording.id or 'recording'}: this model takes arrays of (steps, features), or windows; "
            "one of recordings has a pipeline that says how windows are cut"
        )
