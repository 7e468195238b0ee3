"""Windows of a sound file, piece after piece, so that memory does not grow with its length."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from biosig_lstm.containers import Annotations, Recording, Windows
from biosig_lstm.errors import DataError
from biosig_lstm.features.deltas import Deltas
from biosig_lstm.features.level_floor import LevelFloor
from biosig_lstm.features.log_mel import LogMel
from biosig_lstm.features.mfcc import MFCC
from biosig_lstm.features.normalize_utterance import NormalizeUtterance
from biosig_lstm.features.quiet_floor import QuietFloor
from biosig_lstm.features.spoken_part import SpokenPart
from biosig_lstm.features.tilt import Tilt
from biosig_lstm.filters import Channels, Mono, PreEmphasis, ResampleSound
from biosig_lstm.formats.audio import AudioFile, suspected
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.steps import Step
from biosig_lstm.windows import Pieces, WholeRecording

__all__ = ["windows_of_sound"]

_LOCAL = (Channels, Mono, PreEmphasis, ResampleSound)
_OF_AN_ITEM = (LogMel, MFCC, Deltas, Tilt, SpokenPart, QuietFloor, LevelFloor, NormalizeUtterance)
_BESIDE_S = 1.0
_LONGEST_S = 600.0


def windows_of_sound(sound: AudioFile, pipeline: Pipeline) -> Iterator[Windows]:
    """Yield the windows that a pipeline makes of a sound file, in order; together they are those of the whole.

    Parameters
    ----------
    sound : AudioFile
        The file. No more than a piece of it is in memory where windows are `Pieces`, every filter looks no further
        than `_BESIDE_S` around a sample and gives a whole number of them a second, and every feature looks no further
        than its item; else it is read whole.
    pipeline : Pipeline
        The preparation.

    Raises
    ------
    DataError
        When all of a file of more than ten minutes would be one item, or something cannot be read or prepared.

    Warns
    -----
    BiosigWarning
        As `read_audio` does of its samples, where it is read whole.
    """
    if isinstance(pipeline.windows, WholeRecording) and sound.duration_s > _LONGEST_S:
        raise DataError(
            f"{sound.path.stem}: {sound.duration_s:g} s of sound, and this model gives one answer for all of a "
            f"recording: cut it up first, {_LONGEST_S:g} s are the most (voice_activity finds where something is said)"
        )
    if not _in_pieces(pipeline):
        yield pipeline(suspected(sound.read(), sound.path))
        return
    edges, rate_hz = _edges(sound, pipeline)
    for first, stop in pairwise(edges):
        windows = pipeline.cut(_filtered(sound, pipeline, first, stop, rate_hz=rate_hz))
        yield replace(windows, starts=windows.starts + first)


def _in_pieces(pipeline: Pipeline) -> bool:
    """Return whether each item can be made of its own stretch and what lies beside it."""
    if not isinstance(pipeline.windows, Pieces) or pipeline.events:
        return False
    if not all(isinstance(step, _LOCAL) and _fits_seconds(step) for step in pipeline.filters):
        return False
    return all(isinstance(step, _OF_AN_ITEM) for step in pipeline.features)


def _fits_seconds(step: Step) -> bool:
    """Return whether a second after a filter is a whole number of samples."""
    return not isinstance(step, ResampleSound) or float(step.rate_hz).is_integer()


def _edges(sound: AudioFile, pipeline: Pipeline) -> tuple[list[int], float]:
    """Return where the pieces of the filtered sound begin and end, in its samples, and its rate."""
    n_samples, rate_hz = sound.n_samples, sound.fs
    for step in pipeline.filters:
        if isinstance(step, ResampleSound):
            n_samples, rate_hz = math.ceil(n_samples * step.rate_hz / rate_hz), step.rate_hz
    return pipeline.windows.edges(n_samples, rate_hz).tolist(), rate_hz  # type: ignore[attr-defined]


def _filtered(sound: AudioFile, pipeline: Pipeline, first: int, stop: int, *, rate_hz: float) -> Recording:
    """Return a stretch of the filtered sound, read with what lies beside it: whole seconds, so that samples fit."""
    begin_s = max(math.floor(first / rate_hz - _BESIDE_S), 0)
    end_s = min(math.ceil(stop / rate_hz + _BESIDE_S), sound.duration_s)
    part = pipeline.filter(sound.read(start_s=begin_s, stop_s=end_s))
    before = round(begin_s * rate_hz)
    return replace(part, signals=part.signals[:, first - before : stop - before], annotations=Annotations())
