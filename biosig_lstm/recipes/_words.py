"""A recipe for single words: recordings are changed as sound while it trains, and voices made by rule join them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np

from biosig_lstm.augmentation.sound import SoundAugmentation
from biosig_lstm.containers import Recording, Windows
from biosig_lstm.errors import ParameterError
from biosig_lstm.estimators import Estimator
from biosig_lstm.recipes._recipe import Recipe
from biosig_lstm.training.callbacks import Renew

__all__ = ["WordRecipe"]


@dataclass(frozen=True)
class WordRecipe(Recipe):
    """How a model that names words is made; see `Recipe` for what all recipes have.

    Parameters
    ----------
    sounds : SoundAugmentation or None
        Changes whole recordings, anew as often as `settings` says.
    voices : callable or None
        ``seed -> recordings`` of words said by nobody, which train beside those of people: other voices each time that
        sounds are changed anew.

    Notes
    -----
    The model's record of what it has seen names the people alone.
    """

    _: KW_ONLY
    sounds: SoundAugmentation | None = None
    voices: Callable[[int], Iterator[Recording]] | None = None

    def fit(
        self,
        recordings: Iterable[Recording],
        *,
        val: Iterable[Recording] | None = None,
        directory: str | Path | None = None,
        protocol: str = "",
        progress: bool = True,
    ) -> Estimator:
        """Return a model trained on labelled words; parameters as of `Recipe.fit`, without `val`."""
        if val is not None:
            raise ParameterError(f"{self.name} trains for a fixed number of epochs and takes no validation recordings")
        people = [self.pipeline.filter(recording) for recording in recordings]
        windows = self._cut([*people, *self._made(self.settings.seed)])
        renew = self._renewal(people)
        model = self._trained(windows, directory=directory, renew=renew, protocol=protocol, progress=progress)
        _forget_made(model, {recording.id for recording in people}, {recording.subject for recording in people})
        return model

    def _cut(self, sources: Iterable[Recording]) -> Windows:
        """Return the items of filtered recordings, all prepared at once."""
        windows = Windows.concatenate([self.pipeline.windows(self.pipeline.find(source)) for source in sources])
        for step in self.pipeline.features:
            windows = step(windows)
        return windows

    def _made(self, seed: int) -> Iterator[Recording]:
        """Yield filtered words that nobody said."""
        for recording in self.voices(seed) if self.voices else ():
            yield self.pipeline.filter(recording)

    def _renewal(self, people: Sequence[Recording]) -> Renew | None:
        change = self.sounds
        if change is None:
            return None

        def renewed(rng: np.random.Generator) -> Windows:
            sources = chain(people, self._made(int(rng.integers(2**31))))
            return self._cut(change(source, np.random.default_rng(rng.integers(2**63))) for source in sources)

        return renewed


def _forget_made(model: Estimator, records: set[str], subjects: set[str]) -> None:
    """Leave words that nobody said out of what the model has seen."""
    seen = model.training
    if seen is not None:
        model.training = replace(
            seen,
            subjects=tuple(name for name in seen.subjects if name in subjects),
            recordings=tuple(name for name in seen.recordings if name in records),
        )
