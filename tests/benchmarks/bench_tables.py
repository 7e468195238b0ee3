"""How well a table of ECG recordings is learned with the defaults: atrial fibrillation or not, in CinC 2017.

    python tests/benchmarks/bench_tables.py [DIR] [--per-class 200]

takes the first recordings of each class in the folder of the CinC 2017 challenge (its REFERENCE.csv says what each
shows; by default where databases are kept), writes a table of them, validates by subject as
`biosig-lstm train TABLE.csv` does, and prints Markdown. About six minutes of one core.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from biosig_lstm.estimators import Classifier

KEPT = Path(os.environ.get("BIOSIG_LSTM_DATA") or Path.home() / ".cache" / "biosig_lstm")
METRICS = ("accuracy", "macro_f1", "kappa")


def write_table(root: Path, table: Path, *, classes: Sequence[str], per_class: int) -> None:
    """Write a row for each of the first recordings of these classes; in CinC 2017 every recording is of its own."""
    with (root / "REFERENCE.csv").open(encoding="utf-8") as reference:
        known = [(name, label) for name, label in csv.reader(reference) if label in classes]
    chosen = [row for label in classes for row in [row for row in known if row[1] == label][:per_class]]
    with table.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["path", "label", "subject"])
        out.writerows([(root / name).resolve(), label, name] for name, label in chosen)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("root", type=Path, nargs="?", default=KEPT / "cinc2017")
    parser.add_argument("--per-class", type=int, default=200)
    parser.add_argument("--classes", nargs="+", default=["A", "N"])
    parser.add_argument("--max-epochs", type=int, help="the defaults' own number where it is not given")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    if not (chosen.root / "REFERENCE.csv").is_file():
        sys.exit(f"no REFERENCE.csv in {chosen.root}: name the folder of the CinC 2017 challenge")
    changes = {} if chosen.max_epochs is None else {"max_epochs": chosen.max_epochs}
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "table.csv"
        write_table(chosen.root, table, classes=chosen.classes, per_class=chosen.per_class)
        before = time.perf_counter()
        model = Classifier.from_table(table, seed=chosen.seed, device="cpu", progress=False, **changes)
        minutes = (time.perf_counter() - before) / 60
    validation = model.validation
    assert validation is not None
    shown = " | ".join(str(validation.scores[name]) for name in METRICS)
    print(f"| recordings | {' | '.join(METRICS)} | minutes, {os.cpu_count()} CPUs |\n|{'---|' * (len(METRICS) + 2)}")
    print(f"| {len(validation.predictions)} | {shown} | {minutes:.1f} |\n\n{validation!r}")


if __name__ == "__main__":
    main()
