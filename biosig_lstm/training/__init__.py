"""Training with Lightning: batches by length, the loop, its settings. The only place that knows Lightning."""

from biosig_lstm.training.batch import Batch, collate
from biosig_lstm.training.fit import FitHistory, fit
from biosig_lstm.training.settings import FitSettings

__all__ = ["Batch", "FitHistory", "FitSettings", "collate", "fit"]
