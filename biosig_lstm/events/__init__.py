"""What finds events in a recording: R-peaks, signal quality. Recording in, Recording with annotations out."""

from __future__ import annotations

from biosig_lstm.steps import Step, find_steps

__all__ = ["steps"]


def steps() -> dict[str, type[Step]]:
    """Return every step defined in this folder, by class name; a new file is found without being listed.

    Examples
    --------
    >>> "RPeaks" in steps()
    True
    """
    return find_steps(__name__)
