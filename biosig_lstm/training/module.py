"""The training step of every classifier: logits, the loss that its labels ask for, AdamW on a warm cosine."""

from __future__ import annotations

import math
from typing import Any

import lightning.pytorch as lightning
import numpy as np
import torch
from torch import Tensor, nn

from biosig_lstm.containers import Windows
from biosig_lstm.errors import ParameterError
from biosig_lstm.training.batch import NO_LABEL, Batch
from biosig_lstm.training.settings import FitSettings

__all__ = ["ClassifierModule", "SeveralLabelsLoss", "class_weights"]

_WARM_UP = 0.1


def class_weights(windows: Windows, settings: FitSettings) -> Tensor | None:
    """Return the weight of each class in the loss, shape (classes,), mean one over those that occur.

    A class without examples cannot be learned: its weight is zero. Where items may bear several labels, it is the
    weight of a class's positives against its negatives: their ratio, or its root, and one where there are no positives.

    Raises
    ------
    ParameterError
        When weights are given and are not one for each class, or are negative.
    """
    given = settings.class_weights
    if given is None:
        return None
    if not isinstance(given, str):
        if len(given) != len(windows.classes) or min(given) < 0:
            raise ParameterError(f"class_weights must be one for each of {', '.join(windows.classes)}, got {given}")
        return torch.tensor(given, dtype=torch.float32)
    counts = np.array(list(windows.class_counts().values()), dtype=np.float64)
    power = 1.0 if given == "balanced" else 0.5
    if windows.multi_label:
        rest = (np.asarray(windows.y) == 0).sum(axis=0)
        return torch.tensor(np.where(counts > 0, rest / np.maximum(counts, 1.0), 1.0) ** power, dtype=torch.float32)
    raw = np.where(counts > 0, np.maximum(counts, 1.0) ** -power, 0.0)
    return torch.tensor(raw / raw[counts > 0].mean(), dtype=torch.float32)


class ClassifierModule(lightning.LightningModule):
    """A network with its loss and optimiser, for labels of items or of steps, or several labels of items."""

    def __init__(
        self, network: nn.Module, *, settings: FitSettings, weights: Tensor | None, multi_label: bool = False
    ) -> None:
        super().__init__()
        self.network = network
        self.settings = settings
        smoothing = settings.label_smoothing
        self.loss = (
            SeveralLabelsLoss(weights, label_smoothing=smoothing)
            if multi_label
            else nn.CrossEntropyLoss(weight=weights, ignore_index=NO_LABEL, label_smoothing=smoothing)
        )

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return logits, shape (batch, classes) or (batch, steps, classes)."""
        logits: Tensor = self.network(x, lengths)
        return logits

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:  # noqa: ARG002
        """Return the loss of a batch."""
        loss, counts = self._loss(batch)
        if counts:
            self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(batch.lengths))
        return loss

    def validation_step(self, batch: Batch, batch_index: int) -> None:  # noqa: ARG002
        """Log the validation loss."""
        loss, counts = self._loss(batch)
        if counts:
            self.log("val_loss", loss, on_epoch=True, batch_size=len(batch.lengths))

    def _loss(self, batch: Batch) -> tuple[Tensor, bool]:
        """Return the loss, and whether anything counts in it: without a label of weight the mean would be 0/0."""
        logits, y = self(batch.x, batch.lengths), batch.y.flatten()
        if isinstance(self.loss, SeveralLabelsLoss):
            return self.loss(logits, batch.y), bool((y != NO_LABEL).any())
        known = y[y != NO_LABEL]
        weight = self.loss.weight
        if not len(known) or (weight is not None and not bool(weight[known].any())):
            return logits.sum() * 0.0, False
        loss: Tensor = self.loss(logits.flatten(0, -2), y)
        return loss, True

    def configure_optimizers(self) -> Any:
        """Return AdamW and its schedule, stepped at every batch."""
        decayed = [p for p in self.network.parameters() if p.ndim > 1]
        free = [p for p in self.network.parameters() if p.ndim <= 1]
        groups = [
            {"params": decayed, "weight_decay": self.settings.weight_decay},
            {"params": free, "weight_decay": 0.0},
        ]
        optimiser = torch.optim.AdamW(groups, lr=self.settings.learning_rate)
        n_steps = int(self.trainer.estimated_stepping_batches)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: warm_cosine(step, n_steps=n_steps))
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class SeveralLabelsLoss(nn.Module):
    """Binary cross-entropy of each class by itself, mean over the labels that are known.

    Parameters
    ----------
    weights : Tensor [shape=(classes,)], optional
        Of the positives of each class.
    label_smoothing : float [0 to 1)
        How far the loss wants probabilities of 0 and 1 moved towards one half, as a share of the way.
    """

    weights: Tensor | None

    def __init__(self, weights: Tensor | None, *, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.register_buffer("weights", weights)
        self.label_smoothing = label_smoothing

    def forward(self, logits: Tensor, y: Tensor) -> Tensor:
        """Return the loss of logits (batch, classes) and labels 1, 0 or -1 (batch, classes); zero without a label."""
        known = y != NO_LABEL
        wanted = y.clamp(min=0).to(logits.dtype)
        wanted = wanted + self.label_smoothing * (0.5 - wanted)
        entropy = nn.functional.binary_cross_entropy_with_logits
        each = entropy(logits, wanted, pos_weight=self.weights, reduction="none")
        return each.where(known, 0.0).sum() / known.sum().clamp(min=1)


def warm_cosine(step: int, *, n_steps: int) -> float:
    """Return the share of the full learning rate at `step`: a linear rise over a tenth, then half a cosine."""
    warm = max(_WARM_UP * n_steps, 1.0)
    if step < warm:
        return (step + 1) / (warm + 1)
    return 0.5 * (1 + math.cos(math.pi * min((step - warm) / max(n_steps - warm, 1.0), 1.0)))
