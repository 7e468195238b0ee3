"""Which recordings paths mean, and what each is called in the results."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from biosig_lstm.errors import BiosigError
from biosig_lstm.formats import find_recordings
from biosig_lstm.scoring._output import Failure, reason

__all__ = ["find_all", "unique_names"]


def find_all(paths: Iterable[str | Path]) -> tuple[list[Path], list[Failure]]:
    """Return a file for each recording under `paths`, none twice, and the paths that give none."""
    found: dict[Path, Path] = {}
    failed: list[Failure] = []
    for path in paths:
        try:
            here = find_recordings([path])
        except (BiosigError, OSError) as error:
            failed.append(Failure(str(path), reason(error)))
            continue
        if not here:
            failed.append(Failure(str(path), "holds no recording of a known format, nor does any folder below it"))
        found |= {one.absolute(): one for one in here if one.absolute() not in found}
    return list(found.values()), failed


def unique_names(paths: Sequence[Path]) -> list[str]:
    """Return the stem of each path, with its folders where two are alike."""
    stems = [path.stem for path in paths]
    if len(set(stems)) == len(stems):
        return stems
    parent = Path(os.path.commonpath([path.absolute().parent for path in paths]))
    below = [path.absolute().relative_to(parent) for path in paths]
    bare = [path.with_suffix("").as_posix() for path in below]
    return bare if len(set(bare)) == len(bare) else [path.as_posix() for path in below]
