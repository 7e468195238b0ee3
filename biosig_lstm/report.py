"""What an evaluation leaves on disk."""

from __future__ import annotations

import json
from pathlib import Path

from biosig_lstm.scoring import Evaluation

__all__ = ["write_evaluation"]


def write_evaluation(evaluation: Evaluation, out: str | Path) -> None:
    """Write ``scores.json``, ``scores.txt``, ``scores.png`` and ``predictions.csv`` to a folder.

    Parameters
    ----------
    evaluation : Evaluation
        What `evaluate_protocol` returned.
    out : path
        The folder, made where it is not there.
    """
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scores.json").write_text(json.dumps(evaluation.to_dict(), indent=1))
    (folder / "scores.txt").write_text(repr(evaluation) + "\n")
    evaluation.scores.plot().savefig(folder / "scores.png", dpi=110)
    evaluation.predictions.to_csv(folder / "predictions.csv")
