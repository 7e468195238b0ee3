"""What padding costs on the Japanese Vowels themselves, beside the vowels made by rule of the study `padding`.

python tests/benchmarks/compare_padding_vowels.py --data DIR [--seeds 0 1 2]

DIR holds ``JapaneseVowels_TRAIN.ts`` and ``JapaneseVowels_TEST.ts``, as they stand in the wheel of the package aeon
(``pip download --no-deps aeon``; aeon/datasets/data/JapaneseVowels). 270 utterances of nine speakers teach, 370 others
of the same speakers are tested (Kudo, Toyama and Shimbo 1999). Same networks and training as in the study.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from biosig_lstm.studies import StudyOptions, Table
from biosig_lstm.studies._padding_ways import Items
from biosig_lstm.studies._unequal_items import Fold, scaled
from biosig_lstm.studies.padding import STUDY, PaddingSettings, measure_fold


def read_ts(path: Path) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the items, each (steps, dimensions), and their classes, counted from 0."""
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [line.split(":") for line in lines if line and line[0] not in "@#"]
    items = [np.array([part.split(",") for part in row[:-1]], dtype=np.float32).T for row in rows]
    return items, np.array([int(row[-1]) - 1 for row in rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--cells", nargs="+", default=["lstm", "gru"])
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    sides = [read_ts(chosen.data / f"JapaneseVowels_{side}.ts") for side in ("TRAIN", "TEST")]
    longest = max(len(x) for items, _ in sides for x in items)
    fold = scaled(Fold("Japanese Vowels", *(Items(tuple(x), y, longest) for x, y in sides), n_classes=9))
    settings, rows = PaddingSettings(), []
    for seed in chosen.seeds:
        for cell in chosen.cells:
            of = ("Japanese Vowels", seed)
            rows += measure_fold(settings, StudyOptions(), fold, cell, of=of, epochs=settings.made_epochs)
    (table,) = STUDY.conclude(settings, Table(STUDY.columns, tuple(rows))).tables
    print(f"{len(fold.train.x)} and {len(fold.test.x)} items of up to {longest} steps\n\n{table.to_markdown()}")


if __name__ == "__main__":
    main()
