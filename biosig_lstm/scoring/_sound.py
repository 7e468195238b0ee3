"""Sound files that are too long to be read at once."""

from __future__ import annotations

from pathlib import Path

from biosig_lstm.formats.audio import FAMILY, AudioFile, open_audio

__all__ = ["long_sound"]

_LONG_S = 60.0


def long_sound(path: Path) -> AudioFile | None:
    """Return a sound file of more than a minute, opened to be read in stretches; None of any other file."""
    if FAMILY.find(path) is None or AudioFile(path).duration_s <= _LONG_S:
        return None
    return open_audio(path)
