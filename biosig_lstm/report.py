"""What an evaluation leaves on disk."""

from __future__ import annotations

import json
from pathlib import Path

from biosig_lstm.scoring import Evaluation, output_folder

__all__ = ["write_evaluation"]


def write_evaluation(evaluation: Evaluation, out: str | Path) -> None:
    """Write ``scores.json``, ``scores.txt``, ``scores.png`` and ``predictions.csv`` to a folder.

    Parameters
    ----------
    evaluation : Evaluation
        What `evaluate_protocol` returned.
    out : path
        The folder, made where it is not there.

    Raises
    ------
    ParameterError
        When it is a file or cannot be written.
    """
    folder = output_folder(out)
    scores = json.dumps(evaluation.to_dict(), indent=1, allow_nan=False)
    (folder / "scores.json").write_text(scores + "\n", encoding="utf-8")
    (folder / "scores.txt").write_text(repr(evaluation) + "\n", encoding="utf-8")
    evaluation.scores.plot().savefig(folder / "scores.png", dpi=110)
    evaluation.predictions.to_csv(folder / "predictions.csv")
