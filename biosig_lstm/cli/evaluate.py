"""Score a model by a protocol."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from biosig_lstm.cli._common import OK, SOME_FAILED, complain, list_failures, open_model, say, status

if TYPE_CHECKING:
    from collections.abc import Callable

    from biosig_lstm.estimators import Estimator
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
    evaluate.add_argument(
        "--label",
        metavar="COLUMN",
        help="score on the BIDS tree that --data names: a column of events.tsv or participants.tsv, or task",
    )
    evaluate.add_argument("--stretch-s", nargs=2, type=float, metavar=("START", "STOP"), help="of each event of a tree")
    evaluate.set_defaults(run=_evaluate)


def _evaluate(chosen: argparse.Namespace) -> int:
    from biosig_lstm.datasets import get_protocol
    from biosig_lstm.scoring import evaluate_protocol, output_folder, some

    if chosen.out:
        output_folder(chosen.out)
    model = open_model(chosen.model)
    with status("scoring") as announce:
        if chosen.label:
            found = _on_tree(model, chosen, announce)
        else:
            found = evaluate_protocol(
                model,
                root=chosen.data,
                protocol=chosen.protocol,
                name=Path(chosen.model).stem,
                detected=chosen.detected,
                announce=announce,
            )
    if found.seen_in_training:
        complain(f"no test: the model was trained on {some(found.seen_in_training, between=', ', most=8)}")
    list_failures(found.failed, n_done=len(found.recordings))
    say(json.dumps(found.to_dict(), allow_nan=False) if chosen.json else repr(found))
    if chosen.out:
        from biosig_lstm.report import write_evaluation

        write_evaluation(found, chosen.out)
        if not chosen.label and get_protocol(found.protocol).task == "stages":
            _draw_nights(found, output_folder(Path(chosen.out) / "hypnograms"))
    return SOME_FAILED if found.failed else OK


def _on_tree(model: Estimator, chosen: argparse.Namespace, announce: Callable[[str], None]) -> Evaluation:
    from biosig_lstm.errors import ParameterError
    from biosig_lstm.scoring import evaluate_bids

    if not chosen.data or chosen.protocol or chosen.detected:
        raise ParameterError("--label is of a BIDS tree: it goes with --data DIR, not with --protocol or --detected")
    stretch_s = None if chosen.stretch_s is None else (chosen.stretch_s[0], chosen.stretch_s[1])
    name = Path(chosen.model).stem
    return evaluate_bids(model, chosen.data, chosen.label, stretch_s=stretch_s, name=name, announce=announce)


def _draw_nights(found: Evaluation, folder: Path) -> None:
    """Draw each night of sleep stages below what its expert said."""
    from biosig_lstm.plot import hypnogram

    for night in found.annotated:
        figure = hypnogram(found.predictions.of(night.id), night)
        figure.savefig(folder / f"{night.id}.png", dpi=80, metadata={"Software": None})
