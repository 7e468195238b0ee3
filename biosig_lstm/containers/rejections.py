"""Windows that were left out, and why."""

from __future__ import annotations

import csv
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from biosig_lstm.errors import BiosigWarning

__all__ = ["Rejection", "Rejections", "warn_of_losses"]

_MUCH = 1 / 3


class Rejection(NamedTuple):
    """One reason why a window was rejected: of a window with several there are several.

    Attributes
    ----------
    recording : str
        Its id.
    start_s, stop_s : float [unit=s]
        Where the window lies in it.
    reason : str
        ``peak-to-peak``, ``flat``, ``line-noise``, ``missing``, or the label of a bad stretch.
    channel : str
        Empty where the reason is not that of one channel.
    value : float or None
        What was measured: uV, or the share of the power; None where nothing was.
    """

    recording: str
    start_s: float
    stop_s: float
    reason: str
    channel: str = ""
    value: float | None = None

    @property
    def what(self) -> str:
        """Reason and channel, as in ``peak-to-peak Fz``."""
        return f"{self.reason} {self.channel}".strip()


@dataclass(frozen=True, repr=False)
class Rejections:
    """What was rejected, of how many windows.

    Parameters
    ----------
    rows : tuple of Rejection
        All reasons, window after window.
    n_windows : int
        Windows that were looked at.

    Examples
    --------
    >>> Rejections((Rejection("S01", 2, 4, "flat", "Fz", 0.0), Rejection("S01", 2, 4, "flat", "Cz", 0.0)), 10)
    Rejections(1 of 10 windows: flat 1; Fz 1, Cz 1)
    """

    rows: tuple[Rejection, ...]
    n_windows: int

    def __len__(self) -> int:
        return len(self.by_window())

    def __repr__(self) -> str:
        channels = ", ".join(f"{name} {count}" for name, count in self.by_channel().most_common(6))
        reasons = ", ".join(f"{name} {count}" for name, count in self.by_reason().most_common())
        said = "; ".join(part for part in (reasons, channels) if part)
        return f"Rejections({len(self)} of {self.n_windows} windows{': ' if said else ''}{said})"

    @property
    def share(self) -> float:
        """Rejected windows over all, 0 where there are none."""
        return len(self) / self.n_windows if self.n_windows else 0.0

    def by_window(self) -> dict[tuple[str, float, float], tuple[str, ...]]:
        """Return what is wrong with each rejected window, by recording, start and stop in seconds."""
        found: dict[tuple[str, float, float], tuple[str, ...]] = {}
        for row in self.rows:
            found[row[:3]] = (*found.get(row[:3], ()), row.what)
        return found

    def by_reason(self) -> Counter[str]:
        """Return in how many windows each reason was found."""
        return Counter(reason for _, reason in dict.fromkeys((row[:3], row.reason) for row in self.rows))

    def by_channel(self) -> Counter[str]:
        """Return how many windows each channel had a part in rejecting."""
        once = dict.fromkeys((row[:3], row.channel) for row in self.rows if row.channel)
        return Counter(channel for _, channel in once)

    def to_csv(self, path: str | Path) -> None:
        """Write all reasons to a file: recording, start_s, stop_s, reason, channel, value."""
        with Path(path).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(Rejection._fields)
            writer.writerows(self.rows)


def warn_of_losses(rejected: Iterable[Rejection], n_windows: Mapping[str, int], *, stacklevel: int = 3) -> None:
    """Warn of recordings that lost more than a third of their windows.

    Parameters
    ----------
    rejected : iterable of Rejection
        What was rejected.
    n_windows : mapping of str to int
        How many windows of each recording were looked at.
    """
    rows = tuple(rejected)
    each = {name: Rejections(tuple(row for row in rows if row.recording == name), n) for name, n in n_windows.items()}
    much = [f"{name or 'recording'} {found!r}" for name, found in each.items() if found.share > _MUCH]
    if much:
        warnings.warn(
            f"more than a third of the windows rejected: {'; '.join(much[:5])}{'; ...' if len(much) > 5 else ''}; "
            "are limits and unit right, or a channel bad throughout?",
            BiosigWarning,
            stacklevel=stacklevel + 1,
        )
