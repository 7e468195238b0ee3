"""A recipe for runs of beats, with whole recordings changed at random while it trains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

import numpy as np

from biosig_lstm.augmentation import BeatAugmentation, RunAugmentation
from biosig_lstm.containers import Recording, Windows
from biosig_lstm.errors import ParameterError
from biosig_lstm.estimators import Estimator, StepClassifier
from biosig_lstm.filters import Resample
from biosig_lstm.recipes._recipe import Recipe
from biosig_lstm.training.callbacks import Renew

__all__ = ["BeatRecipe"]


@dataclass(frozen=True)
class BeatRecipe(Recipe):
    """How a model that names beats is made; see `Recipe` for what all recipes have.

    Parameters
    ----------
    run : int
        Beats of a training item; recordings are scored as a whole.
    training_rate_hz : float or None
        Rate that filtered training recordings are resampled to before they are augmented, which only saves time.
    recordings : BeatAugmentation or None
        Changes whole recordings, anew as often as `settings` says.
    runs : RunAugmentation or None
        Changes runs when they are drawn.
    """

    _: KW_ONLY
    run: int
    task: str = "beats"
    about: str = "beats of an ECG to the AAMI classes N S V F Q"
    estimator: type[Estimator] = StepClassifier
    training_rate_hz: float | None = None
    recordings: BeatAugmentation | None = None
    runs: RunAugmentation | None = None

    def fit(
        self,
        recordings: Iterable[Recording],
        *,
        val: Iterable[Recording] | None = None,
        directory: str | Path | None = None,
        protocol: str = "",
        progress: bool = True,
    ) -> Estimator:
        """Return a model trained on recordings with annotated beats; parameters as of `Recipe.fit`, without `val`."""
        if val is not None:
            raise ParameterError(f"{self.name} trains for a fixed number of epochs and takes no validation recordings")
        pipeline = self.pipeline.with_positions("annotated")
        prepared = [pipeline.find(pipeline.filter(recording)) for recording in recordings]
        windows = Windows.concatenate([pipeline.cut(recording) for recording in prepared]).into_runs(self.run)
        renew = self._renewal(prepared)
        return self._trained(
            windows, augment=self.runs, renew=renew, directory=directory, protocol=protocol, progress=progress
        )

    def _renewal(self, prepared: Sequence[Recording]) -> Renew | None:
        change = self.recordings
        if change is None:
            return None
        resample = Resample(self.training_rate_hz) if self.training_rate_hz else None
        sources = [resample(recording) if resample else recording for recording in prepared]
        bank = change.bank(sources)

        def renew(rng: np.random.Generator) -> Windows:
            changed = (change(source, rng, bank=bank) for source in sources)
            cut = Windows.concatenate([self.pipeline.cut(recording) for recording in changed])
            return cut.into_runs(self.run, first=int(rng.integers(1, self.run + 1)))

        return renew
