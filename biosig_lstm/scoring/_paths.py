"""Which recordings paths mean, and what each is called in the results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile
from pathlib import Path, PurePath, PurePosixPath

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
    below = _below([path.absolute() for path in paths])
    bare = [path.with_suffix("").as_posix() for path in below]
    return bare if len(set(bare)) == len(bare) else [path.as_posix() for path in below]


def _below(paths: Sequence[PurePath]) -> list[PurePosixPath]:
    """Return the paths below the deepest folder that all are in; where they lie on two drives, a drive is a folder."""
    levels = zip(*(path.parent.parts for path in paths), strict=False)
    shared = sum(1 for _ in takewhile(lambda names: len(set(names)) == 1, levels))
    if not shared:
        return [PurePosixPath(path.drive.strip(":\\").replace("\\", "_"), *path.parts[1:]) for path in paths]
    return [PurePosixPath(*path.parts[shared:]) for path in paths]
