"""Names of channels, told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

__all__ = ["distinct_names"]


def distinct_names(given: Iterable[str]) -> tuple[str, ...]:
    """Return the names, a missing one by its place as in ``signal 0``, one that comes twice as ``ECG``, ``ECG (2)``.

    Examples
    --------
    >>> distinct_names(["ECG", "", "ECG"])
    ('ECG', 'signal 1', 'ECG (2)')
    """
    names: dict[str, None] = {}
    tried: Counter[str] = Counter()
    for place, text in enumerate(given):
        base = name = text.strip() or f"signal {place}"
        while name in names:
            tried[base] += 1
            name = f"{base} ({tried[base] + 1})"
        names[name] = None
    return tuple(names)
