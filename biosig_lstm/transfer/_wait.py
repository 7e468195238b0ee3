"""Asking again: how long to wait, and when to give up."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import TypeVar

from biosig_lstm.transfer._server import BrokenError, TransferSettings

__all__ = ["patiently", "wait_s"]

Answer = TypeVar("Answer")


def wait_s(error: BrokenError, attempt: int, settings: TransferSettings) -> float:
    """Return how long to wait after an attempt that failed: what the server asks for, else doubled each time.

    Parameters
    ----------
    error : BrokenError
        Why it failed.
    attempt : int [>= 1]
        Which attempt in a row it was.
    settings : TransferSettings

    Returns
    -------
    float [0 to longest_wait_s, unit=s]
        Up to a quarter longer by chance, so that several clients do not come back together.
    """
    wished = error.wait_s if error.wait_s is not None else settings.first_wait_s * 2 ** (attempt - 1)
    return min(wished * random.uniform(1.0, 1.25), settings.longest_wait_s)


def patiently(ask: Callable[[], Answer], settings: TransferSettings) -> Answer:
    """Return what `ask` returns, asked again as often as the settings say while the connection breaks."""
    pause = threading.Event()
    for attempt in range(1, settings.attempts):
        try:
            return ask()
        except BrokenError as error:
            pause.wait(wait_s(error, attempt, settings))
    return ask()
