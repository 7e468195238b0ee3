"""Score a model by a protocol."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from biosig_lstm.cli._common import OK, SOME_FAILED, complain, list_failures, open_model, say, status

if TYPE_CHECKING:
    from biosig_lstm.scoring import Evaluation

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the command to the parser."""
    evaluate = commands.add_parser("evaluate", help="score a model by a protocol on records it has not seen")
    evaluate.add_argument("model", metavar="MODEL", help="a model file, or the name of a pretrained model")
    evaluate.add_argument("--data", metavar="DIR", help="folder of the database; by default where databases are kept")
    evaluate.add_argument("--protocol", default="", metavar="NAME", help="the model's own by default")
    evaluate.add_argument("--detected", action="store_true", help="find the beats too, matched within 150 ms")
    evaluate.add_argument("--json", action="store_true", help="one JSON object on stdout and nothing else")
    evaluate.add_argument("--out", metavar="DIR", help="write scores.json, predictions.csv, pictures here")
    evaluate.set_defaults(run=_evaluate)


def _evaluate(chosen: argparse.Namespace) -> int:
    from biosig_lstm.datasets import get_protocol
    from biosig_lstm.scoring import evaluate_protocol, output_folder, some

    if chosen.out:
        output_folder(chosen.out)
    model = open_model(chosen.model)
    with status("scoring") as announce:
        found = evaluate_protocol(
            model,
            root=chosen.data,
            protocol=chosen.protocol,
            name=Path(chosen.model).stem,
            detected=chosen.detected,
            announce=announce,
        )
    if found.seen_in_training:
        complain(f"no test: the model was trained on {some(found.seen_in_training, between=', ')}")
    list_failures(found.failed, n_done=len(found.recordings))
    say(json.dumps(found.to_dict(), allow_nan=False) if chosen.json else repr(found))
    if chosen.out:
        from biosig_lstm.report import write_evaluation

        write_evaluation(found, chosen.out)
        if get_protocol(found.protocol).task == "stages":
            _draw_nights(found, output_folder(Path(chosen.out) / "hypnograms"))
    return SOME_FAILED if found.failed else OK


def _draw_nights(found: Evaluation, folder: Path) -> None:
    """Draw each night of sleep stages below what its expert said."""
    from biosig_lstm.plot import hypnogram

    for night in found.annotated:
        figure = hypnogram(found.predictions.of(night.id), night)
        figure.savefig(folder / f"{night.id}.png", dpi=80, metadata={"Software": None})
