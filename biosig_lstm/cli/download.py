"""Fetch a database from where it is published."""

from __future__ import annotations

import argparse
from typing import Any

from biosig_lstm.cli._common import OK, positive, say

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the command to the parser."""
    download = commands.add_parser(
        "download", help="fetch a database, or some records of it, and verify every file; goes on where it broke off"
    )
    download.add_argument("name", metavar="NAME", help="such as mitdb")
    download.add_argument("--records", nargs="+", metavar="R", help="records or splits; everything by default")
    download.add_argument("--to", metavar="DIR", help="folder for its files; by default where databases are kept")
    download.add_argument("--mirror", default="", metavar="URL", help="another folder that holds the same files")
    download.add_argument("--connections", type=positive, default=4, metavar="N", help="files at a time (4)")
    download.set_defaults(run=_download, kept=lambda _: "the same command goes on from here")


def _download(chosen: argparse.Namespace) -> int:
    from biosig_lstm.datasets import download

    report = download(
        chosen.name, chosen.to, records=chosen.records, mirror=chosen.mirror, connections=chosen.connections
    )
    say(f"{chosen.name}: {report!r}")
    return OK
