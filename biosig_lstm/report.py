"""What an evaluation leaves on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from biosig_lstm.estimators import Validation
from biosig_lstm.metrics import Scores
from biosig_lstm.scoring import Evaluation, output_folder

__all__ = ["write_evaluation", "write_validation"]


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
    _write(output_folder(out), evaluation.to_dict(), text=repr(evaluation), scores=evaluation.scores)
    evaluation.predictions.to_csv(Path(out) / "predictions.csv")


def write_validation(validation: Validation, out: str | Path) -> None:
    """Write what `Classifier.from_table` found across subjects to the same four files.

    Parameters
    ----------
    validation : Validation
        Of the trained model.
    out : path
        The folder, made where it is not there.

    Raises
    ------
    ParameterError
        When it is a file or cannot be written.
    """
    facts = {"folds": validation.n_splits, **validation.scores.to_dict()}
    _write(output_folder(out), facts, text=repr(validation), scores=validation.scores)
    validation.predictions.to_csv(Path(out) / "predictions.csv")


def _write(folder: Path, facts: Mapping[str, Any], *, text: str, scores: Scores) -> None:
    plain = json.dumps(facts, indent=1, allow_nan=False)
    (folder / "scores.json").write_text(plain + "\n", encoding="utf-8")
    (folder / "scores.txt").write_text(text + "\n", encoding="utf-8")
    scores.plot().savefig(folder / "scores.png", dpi=110)
