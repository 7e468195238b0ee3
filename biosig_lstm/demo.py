"""The whole walk on the generated sample: train, score, classify, draw; see `make demo`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from biosig_lstm import datasets, plot
from biosig_lstm.recipes import train_protocol
from biosig_lstm.report import write_evaluation
from biosig_lstm.scoring import classify_files, evaluate_protocol

__all__ = ["main", "run"]

_PROTOCOL = "sample-aami"


def run(out: str | Path, *, max_epochs: int | None = None) -> str:
    """Train on the sample's training subjects, score and classify the others, and write all of it to `out`.

    Parameters
    ----------
    out : path
        Folder: ``beats.biosig``, ``scores.json``, ``scores.txt``, ``scores.png``, ``predictions.csv``,
        ``<recording>.beats``, ``beats.png`` and ``summary.txt``.
    max_epochs : int, optional
        Instead of the recipe's own.

    Returns
    -------
    str
        The summary.
    """
    started = time.perf_counter()
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    sample = datasets.get("sample")
    model = train_protocol(_PROTOCOL, root=sample.root, max_epochs=max_epochs, device="cpu")
    model.save(folder / "beats.biosig")
    scores = evaluate_protocol(model, root=sample.root, name="beats")
    write_evaluation(scores, folder)
    test = datasets.get_protocol(_PROTOCOL).test
    report = classify_files(model, [sample.root / name for name in test], out=folder)
    (shown,) = sample.recordings([test[0]])
    plot.beats(shown, scores.predictions, start_s=20, length_s=12).savefig(folder / "beats.png", dpi=110)
    counts = "\n".join(f"{name}: {found}" for name, found in report.counts.items())
    summary = (
        f"Generated recordings: these scores say that the walk works, nothing about patients.\n\n{scores!r}\n\n"
        f"Beats found by detector and model in the held-out recordings:\n{counts}\n\n"
        f"{time.perf_counter() - started:.0f} s; all results in {folder}/\n"
    )
    (folder / "summary.txt").write_text(summary)
    return summary


def main() -> int:
    """Run the demo from the command line."""
    parser = argparse.ArgumentParser(prog="python -m biosig_lstm.demo", description=__doc__)
    parser.add_argument("--out", default="demo", help="folder for the results")
    sys.stdout.write(run(parser.parse_args().out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
