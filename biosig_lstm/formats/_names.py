"""Names of channels, told apart."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["distinct_names"]


def distinct_names(given: Iterable[str]) -> tuple[str, ...]:
    """Return the names, a missing one by its place as in ``signal 0``, one that comes twice as ``ECG``, ``ECG (2)``.

    Examples
    --------
    >>> distinct_names(["ECG", "", "ECG"])
    ('ECG', 'signal 1', 'ECG (2)')
    """
    names: list[str] = []
    for place, text in enumerate(given):
        base = name = text.strip() or f"signal {place}"
        count = 1
        while name in names:
            count += 1
            name = f"{base} ({count})"
        names.append(name)
    return tuple(names)
