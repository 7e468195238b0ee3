"""Readers and writers: the only part of the package that knows file formats.

A family of formats is one public module here. It offers a `FAMILY`, and `open_recording` finds it by itself.
"""

from __future__ import annotations

from biosig_lstm.formats._family import Family, find_recordings, open_recording

__all__ = ["Family", "find_recordings", "open_recording"]
