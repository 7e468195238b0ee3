"""What recipes of transcripts share: a `Transcriber` instead of a classifier."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from biosig_lstm.estimators import Estimator, Transcriber
from biosig_lstm.recipes._recipe import Recipe
from biosig_lstm.recipes._words import WordRecipe

__all__ = ["TranscriptRecipe", "WordSequenceRecipe"]


@dataclass(frozen=True)
class TranscriptRecipe(Recipe):
    """How a model that writes down what is said is made; see `Recipe`.

    Parameters
    ----------
    unit : str
        What its symbols are.
    alphabet : tuple of str
        Its symbols; empty: those of the texts it is trained on.
    """

    _: KW_ONLY
    unit: str = "characters"
    alphabet: tuple[str, ...] = ()

    def new(self) -> Estimator:
        """Return the model, not trained yet."""
        return Transcriber(
            self.pipeline,
            self.model,
            unit=self.unit,
            alphabet=self.alphabet or None,
            members=self.members,
            standardize=self.standardize,
            task=self.task,
        )


@dataclass(frozen=True)
class WordSequenceRecipe(TranscriptRecipe, WordRecipe):
    """How a model that writes down words is made of sound that is changed and of made voices; see both bases."""
