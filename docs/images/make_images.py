"""Make the pictures of README.md and of these pages: `python docs/images/make_images.py`, half a minute."""

from __future__ import annotations

from pathlib import Path

from biosig_lstm import datasets, plot
from biosig_lstm.recipes import train_protocol
from biosig_lstm.scoring import evaluate_protocol

FOLDER = Path(__file__).parent
RECORD, START_S, LENGTH_S = "s08", 54.0, 9.0


def main() -> None:
    """Train on the sample's training subjects, and draw a stretch of one of the others with its beats named."""
    sample = datasets.get("sample")
    model = train_protocol("sample-aami", root=sample.root, device="cpu")
    predictions = evaluate_protocol(model, root=sample.root).predictions
    (recording,) = sample.recordings([RECORD])
    figure = plot.beats(recording, predictions, start_s=START_S, length_s=LENGTH_S)
    figure.savefig(FOLDER / "ecg-beats.png", dpi=100, metadata={"Software": None})


if __name__ == "__main__":
    main()
