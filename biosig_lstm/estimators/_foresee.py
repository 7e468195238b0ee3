"""Forecasts from many origins: each stretch of a series is read once, for all origins in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import ndtri
from torch import Tensor, nn

from biosig_lstm.containers import Windows
from biosig_lstm.errors import ParameterError
from biosig_lstm.estimators._origins import Origins, first_read
from biosig_lstm.models.forecast import ForecastNetwork
from biosig_lstm.training.batch import LengthBuckets, pad_steps
from biosig_lstm.training.forecasts import ForecastTask, coming

__all__ = ["Start", "foreseen", "given_ahead", "steps_ahead", "straight_start"]

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

_VALUES_AT_ONCE = 2**23
_RIDGE, _SMALLEST = 1e-3, 1e-9
_MOST_ITEMS, _MOST_RESIDUALS = 2000, 20_000


class _Stretch(NamedTuple):
    """What is read of an item: from a step to before another, and the origins in it: their rows and their steps."""

    item: int
    begin: int
    end: int
    rows: Int64
    steps: Int64


def foreseen(
    networks: Sequence[nn.Module],
    scaled: Windows,
    origins: Origins,
    task: ForecastTask,
    *,
    context: int,
    ahead: Sequence[Float32] | None = None,
) -> Float32:
    """Return quantiles, (n, horizon, levels, targets), that networks say on average after each origin.

    Parameters
    ----------
    networks : sequence of ForecastNetwork
        Trained.
    scaled : Windows
        Series as the networks take them.
    origins : Origins
        Where from.
    task : ForecastTask
        What.
    context : int
        As of `first_read`.
    ahead : sequence of np.ndarray [shape=(horizon, columns)], optional
        Of each item steps that follow its end; what is not known of them is zero.
    """
    shape = (task.horizon, len(task.levels), len(task.targets))
    made = np.zeros((len(origins.items), *shape), dtype=np.float32)
    stretches = list(_stretches(scaled, origins, task.horizon, context=context))
    lengths = np.array([one.end - one.begin for one in stretches], dtype=np.int64)
    together = max(_VALUES_AT_ONCE // int(np.prod(shape) * (2 * context + task.horizon)), 1)
    for batch in LengthBuckets(lengths, batch_size=together, shuffle=False):
        chosen = [stretches[k] for k in batch]
        x, ends = pad_steps([_read(scaled, one, ahead) for one in chosen])
        with torch.inference_mode():
            said = torch.stack([network(x, ends) for network in networks]).mean(dim=0)
        for k, one in enumerate(chosen):
            made[one.rows] = said[k, torch.from_numpy(one.steps)].numpy()
    return made


def _stretches(scaled: Windows, origins: Origins, horizon: int, *, context: int) -> Iterator[_Stretch]:
    firsts = first_read(origins.steps, context)
    keys, which = np.unique(np.stack([origins.items, firsts], axis=1), axis=0, return_inverse=True)
    order = np.argsort(which.ravel(), kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(which.ravel(), minlength=len(keys)))[:-1])
    for (item, begin), rows in zip(keys.tolist(), groups, strict=True):
        end = min(int(origins.steps[rows].max()) + 1 + horizon, int(scaled.lengths[item]))
        yield _Stretch(item, begin, end, rows, origins.steps[rows] - begin)


def _read(scaled: Windows, one: _Stretch, ahead: Sequence[Float32] | None) -> Float32:
    part = scaled.item(one.item)[one.begin : one.end]
    return part if ahead is None else np.concatenate([part, ahead[one.item]])


def given_ahead(
    ahead: Sequence[npt.ArrayLike] | None, n_items: int, *, horizon: int, names: Sequence[str]
) -> list[Float32]:
    """Return what is known of the steps after each item, (horizon, names) each.

    Raises
    ------
    ParameterError
        When it is not there, or of another shape.
    """
    shape = (horizon, len(names))
    rows = [] if ahead is None else [np.asarray(one, dtype=np.float32) for one in ahead]
    if len(rows) != n_items or any(one.shape != shape or not np.isfinite(one).all() for one in rows):
        raise ParameterError(
            f"the model needs {', '.join(names)} of the steps that come: ahead=[...], a finite array {shape} for each "
            f"of {n_items} items, got {[one.shape for one in rows][:4]}"
        )
    return rows


def steps_ahead(known: Float32, places: Sequence[int], n_columns: int) -> Float32:
    """Return steps of which nothing but some columns is known; the others are zero."""
    rows = np.zeros((len(known), n_columns), dtype=np.float32)
    rows[:, list(places)] = known
    return rows


class Start(NamedTuple):
    """A linear forecast to begin training from; see `ForecastNetwork.begin`."""

    linear: Tensor
    known: Tensor
    residuals: Tensor


class _Examples(NamedTuple):
    """Of each origin the last values, (n, targets, lags), what is known of the horizon, and what came of it."""

    last: Tensor
    known: Tensor
    later: Tensor

    def foreseen(self, weights: Tensor) -> Tensor:
        """Return what maps (targets, horizon, lags + extras) make of the first two, (n, horizon, targets)."""
        lags = self.last.shape[2]
        straight = torch.einsum("nkl,khl->nhk", self.last, weights[:, :, :lags])
        return straight + torch.einsum("nhka,kha->nhk", self.known, weights[:, :, lags:])


def straight_start(network: ForecastNetwork, scaled: Windows, task: ForecastTask) -> Start:
    """Return the linear maps to each step of the horizon that leave least squares, and quantiles of what they leave.

    Origins with all of the horizon count, in units of the past of each; a little ridge is added. Of many items some two
    thousand are taken.
    """
    scaled = scaled.select(np.arange(0, len(scaled), len(scaled) // _MOST_ITEMS + 1))
    n_targets, lags, horizon = network.linear.shape
    size = lags + network.known.shape[1]
    square = torch.zeros(n_targets, horizon, size, size, dtype=torch.float64)
    cross = torch.zeros(n_targets, horizon, size, dtype=torch.float64)
    for k in range(len(scaled)):
        some = _examples(network, scaled.item(k), task)
        square[:, :, :lags, :lags] += torch.einsum("nkl,nkm->klm", some.last, some.last).unsqueeze(1)
        mixed = torch.einsum("nkl,nhka->khla", some.last, some.known)
        square[:, :, :lags, lags:] += mixed
        square[:, :, lags:, :lags] += mixed.transpose(2, 3)
        square[:, :, lags:, lags:] += torch.einsum("nhka,nhkb->khab", some.known, some.known)
        cross[:, :, :lags] += torch.einsum("nkl,nhk->khl", some.last, some.later)
        cross[:, :, lags:] += torch.einsum("nhka,nhk->kha", some.known, some.later)
    size_of = square.diagonal(dim1=2, dim2=3).mean(dim=2).clamp(min=_SMALLEST)
    ridge = _RIDGE * size_of[..., None, None] * torch.eye(size, dtype=torch.float64)
    weights = torch.linalg.solve(square + ridge, cross)
    maps = weights.transpose(1, 2).float()
    return Start(maps[:, :lags], maps[:, lags:], _residual_quantiles(network, scaled, task, weights).float())


def _examples(network: ForecastNetwork, item: Float32, task: ForecastTask) -> _Examples:
    x, lengths = pad_steps([item])
    truth, known = coming(network, x, lengths, task)
    whole = known.flatten(2).all(dim=2)[0]
    past = network.past(x)
    later = past.scaled(truth.transpose(2, 3)).transpose(2, 3)
    parts = (network.last_values(past), network.extras(x, past), later)
    return _Examples(*(part[0][whole].double() for part in parts))


def _residual_quantiles(network: ForecastNetwork, scaled: Windows, task: ForecastTask, weights: Tensor) -> Tensor:
    every = max(len(scaled.values) // _MOST_RESIDUALS, 1)
    left = []
    for k in range(len(scaled)):
        some = _Examples(*(part[::every] for part in _examples(network, scaled.item(k), task)))
        left.append(some.later - some.foreseen(weights))
    levels = torch.tensor(task.levels, dtype=torch.float64)
    residuals = torch.cat(left)
    if not len(residuals):
        return torch.from_numpy(ndtri(levels.numpy()))[:, None].expand(task.horizon, -1, len(task.targets))
    return torch.quantile(residuals, levels, dim=0).transpose(0, 1)
