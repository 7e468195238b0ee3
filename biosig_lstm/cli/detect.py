"""Find the beats of recordings."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from biosig_lstm.cli._common import OK, SOME_FAILED, complain, list_failures, say, status

if TYPE_CHECKING:
    from biosig_lstm.scoring import Detected

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the command to the parser."""
    detect = commands.add_parser("detect", help="find the beats of recordings and write them as .qrs annotations")
    detect.add_argument("paths", nargs="+", metavar="PATH", help="records, files or folders")
    detect.add_argument("--out", required=True, metavar="DIR", help="<recording>.qrs and quality.csv go here")
    detect.add_argument("--leads", nargs="+", metavar="NAME", help="channels to search; all ECG leads by default")
    detect.set_defaults(run=_detect)


def _detect(chosen: argparse.Namespace) -> int:
    from biosig_lstm.scoring import detect_files

    with status("finding beats in") as announce:
        report = detect_files(chosen.paths, out=chosen.out, leads=chosen.leads, announce=announce)
    for name, found in report.found.items():
        say(_line(name, found))
        for start_s, stop_s, why in found.left_out:
            complain(f"{name}: {start_s:g} to {stop_s:g} s left out: {why}")
    list_failures(report.failed, n_done=len(report.found))
    return SOME_FAILED if report.failed else OK


def _line(name: str, found: Detected) -> str:
    rate = f"{found.heart_rate_bpm:.0f}/min" if found.beats > 1 else "-"
    return f"{name:12} {found.beats:7} beats   {rate:>8}   usable {found.usable:4.0%}   {' '.join(found.leads)}"
