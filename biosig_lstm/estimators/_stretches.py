"""Long sound read in stretches that overlap, so that memory does not grow and no seam shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import DataError
from biosig_lstm.formats.audio import AudioFile

__all__ = ["Source", "Stretch", "source_of", "stretches"]


class Source(NamedTuple):
    """Sound that can be read in part."""

    id: str
    subject: str
    fs: float
    n_samples: int
    read: Callable[[int, int], Recording]


class Stretch(NamedTuple):
    """A part to be read, and which of the answers to it are kept: `first` to before `stop`, None for its last."""

    begin: int
    end: int
    first: int
    stop: int | None


def source_of(data: Recording | AudioFile) -> Source:
    """Return a recording, or an open sound file, as something to be read in part."""
    fs = data.fs
    if isinstance(data, AudioFile):
        name = data.path.stem
        return Source(name, name, fs, data.n_samples, lambda a, b: data.read(start_s=a / fs, stop_s=b / fs))
    bare = data.with_annotations(Annotations())
    return Source(data.id, data.subject, fs, data.n_samples, lambda a, b: bare.crop(start_s=a / fs, stop_s=b / fs))


def stretches(n_samples: int, *, fs: float, answer_s: float, core_s: float, beside_s: float) -> Iterator[Stretch]:
    """Yield the parts that sound is read in; their kept answers, one after the other, are those of the whole.

    Parameters
    ----------
    n_samples : int
        Samples of the sound.
    fs : float [unit=Hz]
        Their rate.
    answer_s : float [unit=s]
        From one answer of the network to the next: every part begins where an answer lies.
    core_s : float [unit=s, > 0]
        Length of what is kept of a part; of the last one up to half as much again.
    beside_s : float [unit=s]
        What is read on either side and not kept.

    Raises
    ------
    DataError
        When there are no samples.

    Examples
    --------
    >>> list(stretches(1000, fs=100, answer_s=0.04, core_s=4, beside_s=1))
    [Stretch(begin=0, end=500, first=0, stop=100), Stretch(begin=300, end=1000, first=25, stop=None)]
    """
    if not n_samples:
        raise DataError("the recording holds no samples")
    core, beside = max(round(core_s / answer_s), 1), max(round(beside_s / answer_s), 0)
    count = max(round(n_samples / fs / answer_s / core), 1)
    for k in range(count):
        first = max(k * core - beside, 0)
        last = k == count - 1
        end = n_samples if last else min(round(((k + 1) * core + beside) * answer_s * fs), n_samples)
        yield Stretch(
            begin=round(first * answer_s * fs),
            end=end,
            first=k * core - first,
            stop=None if last else (k + 1) * core - first,
        )
