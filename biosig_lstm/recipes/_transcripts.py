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
        return _transcriber(self, unit=self.unit, alphabet=self.alphabet)


@dataclass(frozen=True)
class WordSequenceRecipe(WordRecipe):
    """How a model that writes down words is made of sound that is changed and of made voices; see `WordRecipe`.

    Parameters
    ----------
    alphabet : tuple of str
        The words; empty: those of the texts it is trained on.
    """

    _: KW_ONLY
    alphabet: tuple[str, ...] = ()

    def new(self) -> Estimator:
        """Return the model, not trained yet."""
        return _transcriber(self, unit="words", alphabet=self.alphabet)


def _transcriber(recipe: Recipe, *, unit: str, alphabet: tuple[str, ...]) -> Transcriber:
    return Transcriber(
        recipe.pipeline,
        recipe.model,
        unit=unit,
        alphabet=alphabet or None,
        members=recipe.members,
        standardize=recipe.standardize,
        task=recipe.task,
    )
