"""Files that are known by their names, in whatever folders they lie."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

__all__ = ["named_files"]


def named_files(root: Path, pattern: re.Pattern[str]) -> Iterator[tuple[str, Path]]:
    """Yield the records at a folder and below it: what the pattern's first group holds of a file's name, and the file.

    The least deep come last, and of those the first by its path: of several files of one record a dict keeps that one.
    """
    below = (Path(folder, name) for folder, _, names in os.walk(root) for name in names)
    for path in sorted(below, key=lambda path: (len(path.parts), path), reverse=True):
        match = pattern.fullmatch(path.name)
        if match:
            yield match[1], path
