"""What an evaluation leaves on disk."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from biosig_lstm.estimators import TranscriptValidation, Validation
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


def write_validation(validation: Validation | TranscriptValidation, out: str | Path) -> None:
    """Write what `Classifier.from_table` or `Transcriber.from_table` found across subjects to the same four files.

    Of texts ``predictions.csv`` has a row for each word; ``texts.csv`` has one for each recording: what was said, and
    what was written down.

    Parameters
    ----------
    validation : Validation or TranscriptValidation
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
    if isinstance(validation, TranscriptValidation):
        _write_texts(validation, Path(out) / "texts.csv")


def _write_texts(validation: TranscriptValidation, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["recording", "subject", "text", "transcript"])
        for text, said in zip(validation.texts, validation.predictions, strict=True):
            rows.writerow([said.recording, said.subject, text, said.text])


def _write(folder: Path, facts: Mapping[str, Any], *, text: str, scores: Scores) -> None:
    plain = json.dumps(facts, indent=1, allow_nan=False)
    (folder / "scores.json").write_text(plain + "\n", encoding="utf-8")
    (folder / "scores.txt").write_text(text + "\n", encoding="utf-8")
    scores.plot().savefig(folder / "scores.png", dpi=110)
