"""Make the picture of gates: `python docs/images/make_gates.py`, needs record 208 of MIT-BIH."""

from __future__ import annotations

from pathlib import Path

import biosig_lstm as bl

RECORD, START_S, LENGTH_S = "208", 20.0, 10.0


def main() -> None:
    """Draw the gates of the shipped model of beats along ten seconds of a record."""
    (recording,) = bl.datasets.get("mitdb").recordings([RECORD])
    model = bl.pretrained("ecg-beats")
    traces, said = model.gates(recording), model.predict(recording)
    figure = bl.plot.gates(recording, traces, said, start_s=START_S, length_s=LENGTH_S)
    figure.savefig(Path(__file__).parent / "gates.png", dpi=100, metadata={"Software": None})


if __name__ == "__main__":
    main()
