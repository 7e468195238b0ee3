"""Training recordings changed at random, so that few patients stand for many: rhythm, leads, waves, noise."""

from biosig_lstm.augmentation.beats import BeatAugmentation
from biosig_lstm.augmentation.runs import RunAugmentation

__all__ = ["BeatAugmentation", "RunAugmentation"]
