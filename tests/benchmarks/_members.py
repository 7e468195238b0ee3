"""What cross-validations of recipes with several members share: the command line, what is done, the table."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from biosig_lstm.metrics import Scores
from biosig_lstm.recipes import recipe_for

__all__ = ["Found", "arguments", "done", "one_member", "print_table", "time_taken"]

Found = dict[str, np.ndarray]


def arguments(doc: str | None, *, data: str, seeds: Sequence[int]) -> argparse.Namespace:
    """Return what the command line says, and let torch use one thread."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help=f"folder of {data}")
    parser.add_argument("--out", required=True, type=Path, help="file that keeps the answers")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(seeds))
    parser.add_argument("--report", action="store_true", help="train nothing, report what is there")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    return chosen


def one_member(protocol: str, *, seed: int) -> Any:
    """Return the recipe of a protocol with one network, of this seed."""
    recipe: Any = recipe_for(protocol)
    return replace(recipe, members=1, settings=replace(recipe.settings, seed=seed, device="cpu"))


def done(found: Found, *, last: Iterable[str]) -> list[int]:
    """Return the seeds of which all these keys, after the seed, are there."""
    needed = list(last)
    seeds = sorted({int(key.split("/")[0]) for key in found if key[0].isdigit()})
    return [seed for seed in seeds if all(f"{seed}/{key}" in found for key in needed)]


def time_taken(found: Found, *, seeds: Sequence[int], folds: Sequence[int]) -> str:
    """Return the seconds of all folds, by the clock and of the processor."""
    seconds = np.sum([found[f"{seed}/{fold}/seconds"] for seed in seeds for fold in folds], axis=0)
    return f"{len(folds)} folds: {seconds[0]:.0f} s, of which {seconds[1]:.0f} s of a processor"


def print_table(
    scored: Callable[[list[int]], Iterator[tuple[str, Scores]]], *, seeds: list[int], metrics: Sequence[str]
) -> None:
    """Print the scores of each seed alone, then of all averaged."""
    print(f"| members | answer | {' | '.join(metrics)} |\n|---|---|{'---|' * len(metrics)}")
    for chosen in [[seed] for seed in seeds] + ([seeds] if len(seeds) > 1 else []):
        for name, scores in scored(chosen):
            print(f"| {len(chosen)} | {name} | {' | '.join(str(scores[metric]) for metric in metrics)} |")
