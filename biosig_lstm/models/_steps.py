"""The steps of items encoded one by one, the padding left out, a few at a time where nothing is learned."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from biosig_lstm.models._checks import is_exporting

__all__ = ["encode_valid"]


def encode_valid(encode: nn.Module, x: Tensor, valid: Tensor, *, at_once: int) -> Tensor:
    """Return the vector of every valid step; steps beyond an item's length are zero, and not looked at.

    Parameters
    ----------
    encode : nn.Module
        Steps (n, features) to vectors (n, embedding). In training it gets all steps together, since it may normalise by
        them.
    x : Tensor [shape=(batch, steps, features)]
        The padded items.
    valid : Tensor [shape=(batch, steps), dtype=bool]
        Which steps belong to their item.
    at_once : int
        Largest number of steps that are encoded together outside of training, so that memory does not grow with the
        length of an item; all are in an exported network, which cannot count them.

    Returns
    -------
    Tensor [shape=(batch, steps, embedding)]
        The vectors in the places of their steps.
    """
    rows = valid.flatten().nonzero().squeeze(1)
    steps = x.flatten(0, 1).index_select(0, rows)
    together = encode.training or is_exporting()
    encoded = encode(steps) if together else torch.cat([encode(part) for part in torch.split(steps, at_once)])
    padded = encoded.new_zeros(valid.numel(), encoded.shape[1]).index_copy(0, rows, encoded)
    return padded.view(*valid.shape, -1)
