"""Run a model over recordings."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from biosig_lstm.cli._common import OK, SOME_FAILED, list_failures, open_model, say, status

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the command to the parser."""
    classify = commands.add_parser("classify", help="put a model to recordings")
    classify.add_argument("model", metavar="MODEL", help="a model file, or the name of a pretrained model")
    classify.add_argument("paths", nargs="+", metavar="PATH", help="records, files or folders")
    classify.add_argument("--out", required=True, metavar="DIR", help="predictions.csv and annotation files go here")
    classify.add_argument("--annotator", metavar="EXT", help="take beat positions from these annotations, e.g. atr")
    classify.add_argument(
        "--annotations",
        choices=("auto", "bids", "edf", "none", "wfdb"),
        default="auto",
        help="form of the annotation files: BIDS events.tsv, EDF+ or WFDB; by default that of the source",
    )
    classify.set_defaults(run=_classify)


def _classify(chosen: argparse.Namespace) -> int:
    from biosig_lstm.scoring import classify_files, output_folder

    output_folder(chosen.out)
    model = open_model(chosen.model)
    with status("classifying") as announce:
        report = classify_files(
            model,
            chosen.paths,
            out=chosen.out,
            annotator=chosen.annotator,
            annotations=chosen.annotations,
            announce=announce,
        )
    for name, counts in report.counts.items():
        lost = f"  rejected {report.rejected[name]}" if name in report.rejected else ""
        say(f"{name:12} {_counted(sum(counts.values()), report.counted)}   {_answers(counts, report.labels)}{lost}")
    list_failures(report.failed, n_done=len(report.counts))
    return SOME_FAILED if report.failed else OK


def _counted(number: int, what: str) -> str:
    """Return a number and what it counts, one of them in the singular, as wide as several."""
    return f"{number:7} {what.removesuffix('s') if number == 1 else what:{len(what)}}"


def _answers(counts: Mapping[str, int], labels: Sequence[str]) -> str:
    """Return how often each label is the answer; of a single answer out of several the label alone."""
    single = len(labels) > 1 and sum(counts.values()) == 1
    (only,) = (label for label, count in counts.items() if count) if single else ("",)
    return only or "  ".join(f"{label} {counts.get(label, 0)}" for label in labels)
