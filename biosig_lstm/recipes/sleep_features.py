"""Sleep stages of each 30 s from rows of features without names: what a sequence adds to them."""

from __future__ import annotations

from biosig_lstm.augmentation.columns import ColumnAugmentation
from biosig_lstm.estimators import StepClassifier
from biosig_lstm.events.sleep_stages import SleepStages
from biosig_lstm.features.against_night import AgainstNight
from biosig_lstm.features.standardize import Standardize
from biosig_lstm.models.night_bilstm import NightBiLSTM
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.recipes._recipe import Recipe
from biosig_lstm.training import FitSettings
from biosig_lstm.windows.epochs import Epochs

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="sleep-features",
    protocols=("sleep-edf-features", "sleep-edf-features-whole"),
    pipeline=Pipeline(events=[SleepStages()], windows=Epochs(30), features=[AgainstNight()]),
    model=NightBiLSTM("features", embedding=48, hidden_size=32, dropout=0.5),
    settings=FitSettings(
        max_epochs=30,
        batch_size=12,
        items_per_epoch=144,
        crop_steps=200,
        learning_rate=3e-3,
        weight_decay=1e-2,
        class_weights="sqrt",
        average_decay=0.98,
    ),
    task="stages",
    about="sleep stages W N1 N2 N3 R of each 30 s from 72 features of it",
    estimator=StepClassifier,
    members=3,
    augment=ColumnAugmentation(noise=0.3, lose=0.2),
    standardize=Standardize(),
)
