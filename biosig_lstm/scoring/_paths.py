"""Which recordings paths mean, what each is called in the results, and how they are gone through one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import takewhile
from pathlib import Path, PurePath, PurePosixPath

from biosig_lstm.containers import Recording
from biosig_lstm.errors import BiosigError
from biosig_lstm.formats import channels_wanted, find_recordings, open_recording
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.scoring._output import Announce, Failure, Made, each_or_why, reason

__all__ = ["find_all", "one_by_one", "open_for", "unique_names"]


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


def one_by_one(
    paths: Sequence[Path], work: Callable[[Path, str], Made], failed: list[Failure], *, announce: Announce | None
) -> Iterator[tuple[str, Made]]:
    """Yield the name of each recording and what ``work(path, name)`` makes of it; see `each_or_why`."""
    jobs = ((name, str(path), partial(work, path, name)) for path, name in zip(paths, unique_names(paths), strict=True))
    return each_or_why(jobs, failed, announce=announce)


def open_for(pipeline: Pipeline, path: Path, *, name: str, annotator: str | None) -> Recording:
    """Return the recording of a file under a name, which nobody else has; of its channels those that a pipeline names.

    Beats are taken from annotation files with the extension `annotator`, where one is given.
    """
    wanted = pipeline.channel_names
    channels = channels_wanted(path, wanted) if wanted else None
    return replace(open_recording(path, channels=channels, annotator=annotator), id=name, subject=name)


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
