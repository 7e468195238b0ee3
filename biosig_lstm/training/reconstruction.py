"""Steps themselves as targets: a network writes an item again, or says what its next steps will be."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from biosig_lstm.containers import Windows
from biosig_lstm.errors import DataError
from biosig_lstm.models import step_mask
from biosig_lstm.training.batch import Batch
from biosig_lstm.training.module import ClassifierModule
from biosig_lstm.training.settings import FitSettings

__all__ = ["ReconstructionModule", "check_reconstruction"]


class ReconstructionModule(ClassifierModule):
    """A network with the mean squared error between its answers and the steps that they stand for, and an optimiser.

    Parameters
    ----------
    network : nn.Module
        (x, lengths) to values, (batch, steps, features).
    settings : FitSettings
        How; nothing in it about classes counts.
    ahead_steps : int [>= 0]
        An answer stands for the step so many after its own.
    """

    def __init__(self, network: nn.Module, *, settings: FitSettings, ahead_steps: int) -> None:
        super().__init__(network, settings=settings, weights=None)
        self.ahead_steps = ahead_steps

    def _loss(self, batch: Batch) -> tuple[Tensor, bool]:
        steps = batch.x.shape[1] - self.ahead_steps
        if steps < 1:
            return self(batch.x, batch.lengths).sum() * 0.0, False
        answers = self(batch.x, batch.lengths)[:, :steps]
        known = step_mask(batch.lengths - self.ahead_steps, steps).unsqueeze(2)
        errors = torch.where(known, answers - batch.x[:, self.ahead_steps :], 0.0)
        count = known.sum() * batch.x.shape[2]
        return errors.square().sum() / count.clamp(min=1), bool(count)


def check_reconstruction(windows: Windows, *, ahead_steps: int, what: str) -> None:
    """Refuse windows that hold nothing to learn from.

    Raises
    ------
    DataError
        When no item is longer than `ahead_steps`.
    """
    if int(windows.lengths.max(initial=0)) <= ahead_steps:
        raise DataError(
            f"nothing to {what}: no item of {windows!r} has more than {ahead_steps} steps, "
            f"and an answer stands for the step {ahead_steps} after its own"
        )
