"""Seasons of a series, found in its past: by how many steps it repeats itself."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["season_of", "seasonal_places"]

_LEAST_CORRELATION, _ALMOST = 0.1, 0.8
_SMALL, _TINIEST = 1e-9, 1e-30
_ROUNDING = 16


@torch.no_grad()
def season_of(past: Tensor) -> Tensor:
    """Return how many steps a season has, by the autocorrelation of the past.

    Parameters
    ----------
    past : Tensor [shape=(..., steps)]
        What came, the last value last; NaN before the beginning of a series.

    Returns
    -------
    Tensor of int64 [shape=(...)]
        The lag of the first peak of the autocorrelation that reaches 0.8 of the highest, after it has first been
        negative and up to half of the past. 1 where none exceeds 0.1.

    Examples
    --------
    >>> season_of(torch.sin(2 * torch.pi * torch.arange(100) / 20)).tolist()
    20
    """
    n_steps = past.shape[-1]
    lags = n_steps // 2
    if lags < 2:
        return torch.ones(past.shape[:-1], dtype=torch.int64, device=past.device)
    centred = (past - past.nanmean(dim=-1, keepdim=True)).nan_to_num(0.0)
    largest = centred.abs().amax(dim=-1, keepdim=True)
    level = past.nan_to_num(0.0).abs().amax(dim=-1, keepdim=True)
    moves = largest > _ROUNDING * torch.finfo(past.dtype).eps * level
    centred = torch.where(moves, centred / largest.clamp(min=_TINIEST), 0.0)
    power = torch.fft.rfft(centred, 2 * n_steps).abs().square()
    correlation = torch.fft.irfft(power, 2 * n_steps)[..., : lags + 1]
    correlation = correlation / correlation[..., :1].clamp(min=_SMALL)
    seen = n_steps - torch.arange(lags + 1, device=past.device)
    after = (correlation < 0).cummax(dim=-1).values
    shown = torch.where(after, correlation * n_steps / seen, -torch.inf)
    highest = shown.amax(dim=-1, keepdim=True)
    beside = torch.nn.functional.pad(shown, (1, 1), value=-torch.inf)
    peak = (shown >= beside[..., :-2]) & (shown >= beside[..., 2:]) & (shown >= _ALMOST * highest)
    first = peak.int().argmax(dim=-1)
    return torch.where(highest[..., 0] > _LEAST_CORRELATION, first, 1)


def seasonal_places(season: Tensor, horizon: int) -> Tensor:
    """Return how many steps before the origin the same place of the last season is, (..., horizon); 0: the origin.

    Examples
    --------
    >>> seasonal_places(torch.tensor(3), 4).tolist()
    [2, 1, 0, 2]
    """
    ahead = torch.arange(1, horizon + 1, device=season.device)
    length = season.unsqueeze(-1)
    return length * torch.div(ahead + length - 1, length, rounding_mode="floor") - ahead
