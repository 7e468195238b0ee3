"""Readers and writers: the only part of the package that knows file formats.

A family of formats is one public module here. It offers a `FAMILY`, and `open_recording` finds it by itself.
"""

from __future__ import annotations

from biosig_lstm.formats._bids import read_bids_events, write_bids_events
from biosig_lstm.formats._family import (
    Channel,
    Family,
    channels_wanted,
    family_of,
    find_recordings,
    list_channels,
    open_recording,
)

__all__ = [
    "Channel",
    "Family",
    "channels_wanted",
    "family_of",
    "find_recordings",
    "list_channels",
    "open_recording",
    "read_bids_events",
    "write_bids_events",
]
