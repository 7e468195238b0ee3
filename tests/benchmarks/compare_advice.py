"""Is what `bl.advise` advises as good as the standard network on real sets, and what do its rules stand on?

Run ``python tests/benchmarks/compare_advice.py --data FOLDER [--only DATABASE ...] [--rules]`` where FOLDER holds the
databases by name; prints a Markdown table: mean F1 over classes on subjects left out, three folds, mean and range of
the seeds. The standard network is ``BiLSTM(64, pooling="attention")``; ``--rules`` adds networks and settings that
differ from it in one word. All are trained for the epochs that each set has in `real_sets`, the advised ones also as is
advised.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from real_sets import SEEDS, RealSet, described, held_sets, reached

import biosig_lstm as bl
from biosig_lstm.containers import Windows

UNITS = (32,)

Way = tuple[str, bl.models.ModelSpec, dict[str, Any]]


def single_words(model: bl.BiLSTM, settings: dict[str, Any]) -> Iterator[Way]:
    """Yield what differs from the standard in one word."""
    for units in UNITS:
        yield f"{units} units", bl.models.spec_from_dict({**model.to_dict(), "hidden_size": units}), settings
    yield "no class weights", model, {**settings, "class_weights": None}


def advised(windows: Windows, settings: dict[str, Any]) -> Iterator[Way]:
    """Yield what is advised, for the epochs of the others and for the epochs advised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", bl.BiosigWarning)
        advice = bl.advise(windows)
    whole = {**advice.settings.to_dict(), "device": "cpu"}
    for name in ("seed", "device"):
        whole.pop(name)
    yield "advised network", advice.model, settings
    yield f"advised network and settings ({whole['max_epochs']} epochs)", advice.model, whole


def ways(one: RealSet, windows: Windows, *, rules: bool) -> Iterator[Way]:
    """Yield what is trained on a set."""
    standard = bl.BiLSTM(pooling=None if windows.step_labels else "attention")
    yield "standard", standard, one.settings
    if rules:
        yield from single_words(standard, one.settings)
    yield from advised(windows, one.settings)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=())
    parser.add_argument("--rules", action="store_true")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    sys.stdout.write("| set | items, steps | trained | mean F1 (least-most) |\n|---|---|---|---|\n")
    for one, windows in held_sets(chosen.data, chosen.only):
        for name, model, settings in ways(one, windows, rules=chosen.rules):
            found = [reached(windows, model, seed=seed, settings=settings) for seed in SEEDS]
            figures = f"{np.mean(found):.3f} ({min(found):.3f}-{max(found):.3f})"
            sys.stdout.write(f"| {one.name} | {described(windows)} | {name} | {figures} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
