"""Everything that decides how a model is trained, in one frozen value."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from biosig_lstm.errors import ParameterError

__all__ = ["FitSettings"]


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """How to train.

    Parameters
    ----------
    max_epochs : int [>= 1]
        Passes over the training items.
    batch_size : int [>= 1]
        Items of a step.
    learning_rate, weight_decay : float
        Of AdamW (Loshchilov and Hutter 2019); the rate rises over the first tenth of the steps and falls to
        zero along a cosine.
    class_weights : "balanced", "sqrt", None or tuple of float
        Weight of each class in the loss: inverse frequency, its square root, equal, or as given. Where items may bear
        several labels: of a class's positives against its negatives.
    label_smoothing : float [0 to 1)
        Share of probability that the loss wants spread over the other classes.
    gradient_clip : float [> 0]
        Largest norm of the gradient.
    patience : int or None
        Epochs without a lower validation loss before training stops; needs validation items. None: never.
    seed : int
        Decides initial weights, order of items, crops, augmentation and dropout.
    device : "auto", "cpu" or "cuda"
        Where to train; auto takes a GPU where there is one, there in mixed precision.
    crop_steps : int or None
        Longer items are cut to a random stretch of this many steps, another one in each epoch.
    items_per_epoch : int or None
        Items drawn in an epoch, each subject as often as the others; None: each item once.
    renew_every : int [>= 1]
        Epochs that go over the same items where training items are made anew.
    average_decay : float [0 to 1)
        What the running average of the weights keeps at each step; the average is the result. 0: no average.
    """

    max_epochs: int = 20
    batch_size: int = 16
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    class_weights: Literal["balanced", "sqrt"] | tuple[float, ...] | None = "sqrt"
    label_smoothing: float = 0.0
    gradient_clip: float = 1.0
    patience: int | None = None
    seed: int = 0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    crop_steps: int | None = None
    items_per_epoch: int | None = None
    average_decay: float = 0.0
    renew_every: int = 1

    def __post_init__(self) -> None:
        for name in ("max_epochs", "batch_size", "learning_rate", "gradient_clip", "renew_every"):
            if getattr(self, name) <= 0:
                raise ParameterError(f"{name} must be positive, got {getattr(self, name)}")
        if not 0 <= self.label_smoothing < 1 or not 0 <= self.average_decay < 1:
            raise ParameterError(f"label_smoothing must lie in [0, 1) and average_decay in [0, 1), got {self!r}")
        if self.device not in ("auto", "cpu", "cuda"):
            raise ParameterError(f"device must be auto, cpu or cuda, got {self.device!r}")
        if isinstance(self.class_weights, str) and self.class_weights not in ("balanced", "sqrt"):
            raise ParameterError(f"class_weights must be balanced, sqrt, None or numbers, got {self.class_weights!r}")

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain JSON values."""
        return asdict(self)
