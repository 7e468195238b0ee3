"""Trees beside a network: grown on what they see of the same items, and put into it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from biosig_lstm.containers import Windows
from biosig_lstm.errors import DataError
from biosig_lstm.models.beat_rhythm import BeatRhythmNetwork
from biosig_lstm.training.batch import LengthBuckets, collate
from biosig_lstm.training.boosting import grow_trees
from biosig_lstm.training.module import class_weights
from biosig_lstm.training.settings import FitSettings

__all__ = ["add_trees", "item_statistics"]

Float32 = npt.NDArray[np.float32]

_BATCH_SIZE = 32
_WEIGHT = 1.6  # a mean row's: against the l2 of the trees' answers


def add_trees(network: BeatRhythmNetwork, windows: Windows, *, settings: FitSettings, seed: int) -> None:
    """Grow the trees of a network on labelled items; a network without trees is left as it is.

    Parameters
    ----------
    network : BeatRhythmNetwork
        Its specification says how many trees, and how deep.
    windows : Windows
        Items with one label each; those without are left out.
    settings : FitSettings
        Its weights of classes hold for the trees too.
    seed : int
        Of the draws of rows and columns.

    Raises
    ------
    DataError
        When no item has a label.
    """
    if network.trees is None:
        return
    known = np.flatnonzero(windows.y >= 0) if windows.y is not None else np.zeros(0, dtype=np.int64)
    if windows.y is None or not len(known):
        raise DataError("trees have nothing to grow on: no item has a label")
    y, weights = windows.y[known], class_weights(windows, settings)
    each = np.ones(len(y)) if weights is None else weights.numpy().astype(np.float64)[y]
    rounds, _, inner = network.trees.columns.shape
    trees = grow_trees(
        item_statistics(network, windows)[known],
        y,
        n_classes=len(windows.classes),
        weights=_WEIGHT * each / each.mean(),
        rounds=rounds,
        depth=(inner + 1).bit_length() - 1,
        seed=seed,
    )
    network.trees.put(**{name: torch.from_numpy(values) for name, values in trees._asdict().items()})


def item_statistics(network: BeatRhythmNetwork, windows: Windows) -> Float32:
    """Return what the trees of a network see of each item, shape (n, 9 * scalars + item columns)."""
    found: list[Float32] = [np.zeros(0, dtype=np.float32)] * len(windows)
    for batch in LengthBuckets(windows.lengths, batch_size=_BATCH_SIZE, shuffle=False):
        x, lengths, _ = collate([(windows.item(k), np.zeros(1, dtype=np.int64)) for k in batch])
        for row, k in zip(network.statistics(x, lengths).numpy(), batch, strict=True):
            found[k] = row
    return np.stack(found)
