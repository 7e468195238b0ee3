"""How long work takes: in rounds over all that is compared, a machine's GPU waited for, memory asked for beforehand."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

__all__ = ["Clock", "clock_of", "free_bytes", "interleaved", "taken"]

Work = Callable[[], None]
OUT_OF_MEMORY = "memory"


@dataclass(frozen=True)
class Clock:
    """What time is read from.

    Parameters
    ----------
    name : str
        "processor" time or "wall" time.
    read : callable
        Returns seconds.
    wait : callable
        Called before each reading: returns once the device has done what it was given.
    """

    name: str
    read: Callable[[], float]
    wait: Callable[[], None]


def _nothing() -> None:
    """Wait for nothing."""


def clock_of(device: str) -> Clock:
    """Return the clock for work on "cpu" or "cuda".

    On a single thread of a CPU it is the processor's time, which what else the machine does hardly changes; otherwise
    the time on the wall, a GPU being waited for.
    """
    if device == "cuda":
        return Clock("wall", time.perf_counter, torch.cuda.synchronize)
    if torch.get_num_threads() == 1:
        return Clock("processor", time.process_time, _nothing)
    return Clock("wall", time.perf_counter, _nothing)


def taken(work: Work, clock: Clock) -> float:
    """Return the seconds that one call takes."""
    clock.wait()
    begun = clock.read()
    work()
    clock.wait()
    return clock.read() - begun


def interleaved(
    works: Mapping[str, Work], clock: Clock, *, budget_s: float, rounds: int
) -> dict[str, list[float] | str]:
    """Return the times of each work, in rounds over all of them.

    Parameters
    ----------
    works : mapping of str to callable
        What is compared.
    clock : Clock
        As of `clock_of`.
    budget_s : float [unit=s]
        A work that has taken so long is left out of further rounds.
    rounds : int
        At most so many.

    Returns
    -------
    dict of str to list of float or str
        Seconds of each call. The first call warms up and does not count, unless it takes the budget by itself. A
        string says why a work could not be measured: "memory".
    """
    first = {name: _first(work, clock) for name, work in works.items()}
    found: dict[str, list[float] | str] = {}
    for name, seconds in first.items():
        found[name] = seconds if isinstance(seconds, str) else [seconds] if seconds >= budget_s else []
    for _ in range(rounds):
        for name, times in found.items():
            if isinstance(times, list) and sum(times) < budget_s:
                times.append(taken(works[name], clock))
    return found


def _first(work: Work, clock: Clock) -> float | str:
    """Return the time of the first call, or that memory did not suffice for it."""
    try:
        return taken(work, clock)
    except (MemoryError, torch.OutOfMemoryError):
        return OUT_OF_MEMORY
    except RuntimeError as error:
        if "allocate memory" in str(error):  # what torch says on a CPU
            return OUT_OF_MEMORY
        raise


def free_bytes(device: str) -> int | None:
    """Return the memory that nobody uses, in bytes; None where the system does not say."""
    if device == "cuda":
        free, _ = torch.cuda.mem_get_info()
        return int(free)
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
