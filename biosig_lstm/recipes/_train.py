"""Train a recipe on a protocol's records, and cross-validate it over their subjects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from biosig_lstm import datasets
from biosig_lstm.containers import Recording, Windows
from biosig_lstm.datasets import Dataset, Protocol
from biosig_lstm.errors import DataError, ParameterError, options
from biosig_lstm.estimators import Estimator, Predictions
from biosig_lstm.models import with_cell
from biosig_lstm.recipes._recipe import Recipe
from biosig_lstm.splits import kfold_by_subject
from biosig_lstm.steps import modules_in

__all__ = ["cross_validate", "recipe_for", "recipe_names", "train_protocol", "train_recipe"]


def _recipes() -> list[Recipe]:
    return [recipe for module in modules_in(__package__) for recipe in _of(module)]


def _of(module: ModuleType) -> tuple[Recipe, ...]:
    several: tuple[Recipe, ...] | None = getattr(module, "RECIPES", None)
    return (module.RECIPE,) if several is None else several


def recipe_names() -> list[str]:
    """Return the protocols that there is a recipe for."""
    return sorted(name for recipe in _recipes() for name in recipe.protocols)


def recipe_for(protocol: str) -> Recipe:
    """Return the recipe for a protocol.

    Raises
    ------
    ParameterError
        When there is none.
    """
    for recipe in _recipes():
        if protocol in recipe.protocols:
            return recipe
    raise ParameterError(f"protocol to train {options(protocol, recipe_names())}")


def train_protocol(
    protocol: str,
    *,
    root: str | Path | None = None,
    seed: int = 0,
    max_epochs: int | None = None,
    device: str = "auto",
    cell: str | None = None,
    directory: str | Path | None = None,
    announce: Callable[[str], None] | None = None,
) -> Estimator:
    """Train the recipe of a protocol on the training records that are at `root`.

    Parameters
    ----------
    protocol : str
        Name of the protocol.
    root : path, optional
        Folder of its database; by default where `biosig_lstm.datasets.get` looks.
    seed, max_epochs, device
        Instead of the recipe's own settings.
    cell : {"lstm", "gru", "rnn", "transformer"}, optional
        Instead of the cell of the recipe's network.
    directory : path, optional
        Folder for the log and checkpoints; an interrupted training goes on from there.
    announce : callable, optional
        Called with the name of each record before it is read.

    Returns
    -------
    Estimator
        Trained; its card says on what.

    Raises
    ------
    DataError
        When none of the protocol's training records is at `root`, or one cannot be read.
    """
    recipe = recipe_for(protocol)
    recipe = recipe if cell is None else replace(recipe, model=with_cell(recipe.model, cell))
    plan = datasets.get_protocol(protocol)
    data = datasets.get(plan.dataset, root, **plan.settings)
    plan = data.resolve(plan)
    held, val = data.records_of(plan, "train"), data.records_of(plan, "val")
    if not held:
        wanted = f"{len(plan.train)} training records" if plan.train else "records"
        raise DataError(f"{protocol}: none of its {wanted} is in {data.root}")
    changes: dict[str, Any] = {"seed": seed, "device": device}
    changes |= {} if max_epochs is None else {"max_epochs": max_epochs}
    model = train_recipe(
        replace(recipe, settings=replace(recipe.settings, **changes)),
        _announced(data, held, announce),
        val=_announced(data, val, announce) if val else None,
        directory=directory,
        protocol=protocol,
    )
    model.card = _card(recipe, plan, data, held)
    return model


def _announced(data: Dataset, held: Sequence[str], announce: Callable[[str], None] | None) -> Iterator[Recording]:
    recordings = data.recordings(held)
    for record in held:
        if announce:
            announce(record)
        yield next(recordings)


def train_recipe(
    recipe: Recipe,
    recordings: Iterable[Recording],
    *,
    val: Iterable[Recording] | None = None,
    directory: str | Path | None = None,
    protocol: str = "",
    progress: bool = True,
) -> Estimator:
    """Train a recipe on annotated recordings.

    Parameters
    ----------
    recipe : Recipe
        What to train.
    recordings : iterable of Recording
        With the labels that the recipe's preparation reads.
    val : iterable of Recording, optional
        Of other subjects, where the recipe validates.
    directory : path, optional
        Folder for the log and checkpoints; an interrupted training goes on from there.
    protocol : str
        For the record.
    progress : bool
        Show progress on stderr.
    """
    return recipe.fit(recordings, val=val, directory=directory, protocol=protocol, progress=progress)


def cross_validate(
    recipe: Recipe, recordings: Sequence[Recording], *, n_splits: int = 5, seed: int = 0, progress: bool = False
) -> tuple[Predictions, Windows]:
    """Predict every recording by a model trained on other subjects.

    Parameters
    ----------
    recipe : Recipe
        What to train; its own seed is replaced by `seed`.
    recordings : sequence of Recording
        With the labels that the recipe's preparation reads.
    n_splits : int
        Folds, by subject.
    seed : int
        Of the folds and of the training.
    progress : bool
        Show progress on stderr.

    Returns
    -------
    Predictions, Windows
        Of all recordings, in the same order; ``windows.y`` holds the truth.

    Raises
    ------
    DataError
        When two recordings have the same id.
    """
    pipeline = recipe.pipeline.with_positions("annotated")
    by_id = {recording.id: recording for recording in recordings}
    if len(by_id) < len(recordings):
        raise DataError(f"{len(recordings)} recordings have {len(by_id)} ids between them: give each an id of its own")
    windows = pipeline(recordings)
    seeded = replace(recipe, settings=replace(recipe.settings, seed=seed))
    said, seen = [], []
    for train, test in kfold_by_subject(windows, n_splits=n_splits, seed=seed):
        chosen = [by_id[name] for name in dict.fromkeys(train.recordings.tolist())]
        model = train_recipe(seeded, chosen, progress=progress)
        model.check_unseen(test)
        said.append(model.predict(test))
        seen.append(test)
    return Predictions.concatenate(said), Windows.concatenate(seen)


def _card(recipe: Recipe, plan: Protocol, data: Dataset, held: Sequence[str]) -> dict[str, Any]:
    share = f"{len(held)} of the {len(plan.train)} training records" if plan.train else f"{len(held)} records"
    subjects = {data.subject_of(record) for record in held}
    return {
        "task": recipe.about,
        "data": f"{data.card.title} {data.card.version}: {share}",
        "licence of the data": data.card.licence,
        "cite": " ".join(data.card.citation),
        "protocol": plan.name,
        "limits": f"Research use; not a medical device. Trained on {len(subjects)} subjects of one database.",
    }
