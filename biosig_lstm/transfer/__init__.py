"""Fetching published files: several at a time, resumable to the byte, each verified against its SHA-256 sum.

This layer knows servers, files and sums; which files make a database is said by `biosig_lstm.datasets`.
"""

from __future__ import annotations

from biosig_lstm.transfer._many import Report, fetch
from biosig_lstm.transfer._progress import Meter, progress_bar
from biosig_lstm.transfer._server import Server, TransferSettings
from biosig_lstm.transfer._store import Store
from biosig_lstm.transfer._sums import SUMS, fetch_sums, format_sums, parse_sums

__all__ = [
    "SUMS",
    "Meter",
    "Report",
    "Server",
    "Store",
    "TransferSettings",
    "fetch",
    "fetch_sums",
    "format_sums",
    "parse_sums",
    "progress_bar",
]
