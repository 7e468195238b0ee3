"""A recipe: everything that is decided before the data come."""

from __future__ import annotations

from dataclasses import dataclass

from biosig_lstm.augmentation import BeatAugmentation, RunAugmentation
from biosig_lstm.models import ModelSpec
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.training import FitSettings

__all__ = ["Recipe"]


@dataclass(frozen=True)
class Recipe:
    """How a model for a kind of task is made.

    Parameters
    ----------
    name : str
        Of the recipe.
    protocols : tuple of str
        Protocols that it serves.
    pipeline : Pipeline
        The preparation, saved with the model.
    model : ModelSpec
        The network.
    settings : FitSettings
        How it is trained.
    run : int
        Beats of a training item; recordings are scored as a whole.
    members : int
        Networks whose probabilities are averaged.
    training_rate_hz : float or None
        Rate that filtered training recordings are resampled to before they are augmented, which only saves time.
    recordings : BeatAugmentation or None
        Changes whole recordings, anew as often as `settings` says.
    runs : RunAugmentation or None
        Changes runs when they are drawn.
    """

    name: str
    protocols: tuple[str, ...]
    pipeline: Pipeline
    model: ModelSpec
    settings: FitSettings
    run: int
    members: int = 1
    training_rate_hz: float | None = None
    recordings: BeatAugmentation | None = None
    runs: RunAugmentation | None = None
