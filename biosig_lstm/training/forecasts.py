"""The steps that follow as targets: at every step of an item quantiles of the next ones are learned, in one pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from biosig_lstm.containers import Windows
from biosig_lstm.errors import DataError
from biosig_lstm.models import step_mask
from biosig_lstm.models.forecast import ForecastNetwork
from biosig_lstm.training.batch import Batch
from biosig_lstm.training.module import ClassifierModule
from biosig_lstm.training.settings import FitSettings

__all__ = ["ForecastModule", "ForecastTask", "check_forecast"]

_FLOOR = 1e-3


@dataclass(frozen=True)
class ForecastTask:
    """What is foreseen of the steps of an item.

    Parameters
    ----------
    targets : tuple of int
        Columns.
    horizon : int [>= 1]
        How many steps ahead.
    levels : tuple of float
        Of the quantiles.
    least : int [>= 1]
        Steps that are read before a forecast counts.
    observed : int, optional
        Column that says where the targets were observed; elsewhere they do not count.
    observed_above : float
        What that column, scaled as the network is given it, exceeds where they were.
    """

    targets: tuple[int, ...]
    horizon: int
    levels: tuple[float, ...]
    least: int
    observed: int | None = None
    observed_above: float = 0.5


class ForecastModule(ClassifierModule):
    """A network with the pinball loss of its quantiles, and an optimiser.

    Parameters
    ----------
    network : ForecastNetwork
        (x, lengths) to quantiles, (batch, steps, horizon, levels, targets).
    settings : FitSettings
        How; nothing in it about classes counts.
    task : ForecastTask
        What is foreseen.

    Notes
    -----
    The loss is the mean over origins, horizon, levels and targets of the pinball loss, in units of the standard
    deviation of the item's own values: a series of large values does not outweigh the others.
    """

    def __init__(self, network: nn.Module, *, settings: FitSettings, task: ForecastTask) -> None:
        super().__init__(network, settings=settings, weights=None)
        self.task = task

    def _loss(self, batch: Batch) -> tuple[Tensor, bool]:
        said = self(batch.x, batch.lengths)
        truth, known = coming(self.network, batch.x, batch.lengths, self.task)
        unit = _spread(batch.x[:, :, self.task.targets], batch.lengths)
        left = (truth.unsqueeze(3) - said) / unit[:, None, None, None]
        at = torch.tensor(self.task.levels, device=left.device)[:, None]
        pinball = torch.maximum(at * left, (at - 1) * left).mean(dim=3)
        count = known.sum()
        return torch.where(known, pinball, 0.0).sum() / count.clamp(min=1), bool(count)


def coming(network: nn.Module, x: Tensor, lengths: Tensor, task: ForecastTask) -> tuple[Tensor, Tensor]:
    """Return what follows each step, (batch, steps, horizon, targets), and what of it counts."""
    if not isinstance(network, ForecastNetwork):
        raise TypeError(f"a ForecastNetwork foresees, got {type(network).__name__}")
    truth = network.coming(x, task.targets)
    steps = torch.arange(x.shape[1], device=x.device)
    inside = steps[:, None] + torch.arange(1, task.horizon + 1, device=x.device) < lengths[:, None, None]
    known = inside & (steps >= task.least - 1)[:, None]
    if task.observed is not None:
        known = known & (network.coming(x, [task.observed])[..., 0] > task.observed_above)
    return truth, known.unsqueeze(3).expand_as(truth)


def _spread(values: Tensor, lengths: Tensor) -> Tensor:
    """Return the deviation of each item's valid values, (batch, targets)."""
    valid = step_mask(lengths, values.shape[1]).unsqueeze(2)
    count = lengths[:, None].to(values.dtype)
    mean = torch.where(valid, values, 0.0).sum(dim=1) / count
    square = torch.where(valid, values - mean.unsqueeze(1), 0.0).square().sum(dim=1) / count
    return square.sqrt().clamp(min=_FLOOR)


def check_forecast(windows: Windows, task: ForecastTask, *, what: str) -> None:
    """Refuse windows that hold nothing to learn from.

    Raises
    ------
    DataError
        When no item is long enough for a forecast and what it is compared with.
    """
    longest = int(windows.lengths.max(initial=0))
    if longest <= task.least:
        raise DataError(
            f"nothing to {what}: a forecast reads {task.least} steps or more and is compared with those that follow, "
            f"and the longest item of {windows!r} has {longest}"
        )
    if task.observed is not None:
        place = np.arange(len(windows.values)) - np.repeat(windows.offsets[:-1], windows.lengths)
        follows = place >= task.least
        if not (windows.values[follows, task.observed] > task.observed_above).any():
            raise DataError(
                f"nothing to {what}: {windows.columns[task.observed]!r} says that nothing was observed after the "
                f"first {task.least} steps of any item"
            )
