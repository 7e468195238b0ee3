"""A recipe: everything that is decided before the data come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any

from biosig_lstm.containers import Recording, Windows
from biosig_lstm.estimators import Classifier, Estimator
from biosig_lstm.features.standardize import Standardize
from biosig_lstm.models import ModelSpec
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.training import FitSettings
from biosig_lstm.training.batch import Augmentation

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
    task : str
        What the model answers: that of its protocols.
    about : str
        The same for the model's card, in words: "beats of an ECG".
    estimator : type of Estimator
        Kind of model.
    members : int
        Networks whose probabilities are averaged.
    augment : callable, optional
        Changes training items when they are drawn.
    standardize : Standardize, optional
        Scaling of the features, learned from the training items.
    """

    name: str
    protocols: tuple[str, ...]
    pipeline: Pipeline
    model: ModelSpec
    settings: FitSettings
    _: KW_ONLY
    task: str
    about: str
    estimator: type[Estimator] = Classifier
    members: int = 1
    augment: Augmentation | None = None
    standardize: Standardize | None = None

    def new(self) -> Estimator:
        """Return the model, not trained yet."""
        return self.estimator(
            self.pipeline, self.model, members=self.members, standardize=self.standardize, task=self.task
        )

    def fit(
        self,
        recordings: Iterable[Recording],
        *,
        val: Iterable[Recording] | None = None,
        directory: str | Path | None = None,
        protocol: str = "",
        progress: bool = True,
    ) -> Estimator:
        """Return a model trained on labelled recordings.

        Parameters
        ----------
        recordings : iterable of Recording
            Read one after the other; only their windows are kept.
        val : iterable of Recording, optional
            Of other subjects: they choose the epoch, and thresholds where there are any.
        directory : path, optional
            Folder for the log and checkpoints; an interrupted training goes on from there.
        protocol : str
            For the record.
        progress : bool
            Show progress on stderr.
        """
        chosen = None if val is None else self.pipeline(val)
        windows = self.pipeline(recordings)
        return self.fit_windows(windows, chosen, directory=directory, protocol=protocol, progress=progress)

    def fit_windows(
        self,
        windows: Windows,
        val: Windows | None = None,
        *,
        directory: str | Path | None = None,
        protocol: str = "",
        progress: bool = True,
    ) -> Estimator:
        """Return a model trained on what the pipeline made of the recordings; parameters as of `fit`."""
        return self._trained(windows, val, directory=directory, protocol=protocol, progress=progress)

    def _trained(
        self, windows: Windows, val: Windows | None = None, *, directory: str | Path | None, **how: Any
    ) -> Estimator:
        """Return a new model fitted as the recipe says, and as `how` says instead; what is in the folder goes on."""
        usual: dict[str, Any] = {"settings": self.settings, "augment": self.augment}
        return self.new().fit(windows, val, **usual | how, directory=directory, resume=directory is not None)
