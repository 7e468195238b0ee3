"""Sleep stages of each 30 s of a night from heart beats alone."""

from __future__ import annotations

from biosig_lstm.augmentation.columns import ColumnAugmentation
from biosig_lstm.estimators import StepClassifier
from biosig_lstm.events.rr_series import RRSeries
from biosig_lstm.events.sleep_stages import SleepStages
from biosig_lstm.features.night_heart import NightHeart
from biosig_lstm.features.standardize import Standardize
from biosig_lstm.filters import EcgLeads
from biosig_lstm.models import BiLSTM
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.recipes._recipe import Recipe
from biosig_lstm.training import FitSettings
from biosig_lstm.windows.epochs import Epochs

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="sleep-heart",
    protocols=("slpdb",),
    pipeline=Pipeline(
        filters=[EcgLeads(2, required=False)],
        events=[RRSeries(), SleepStages()],
        windows=Epochs(30),
        features=[NightHeart()],
    ),
    model=BiLSTM(32, dropout=0.5, pooling=None),
    settings=FitSettings(
        max_epochs=60,
        batch_size=6,
        items_per_epoch=30,
        crop_steps=400,
        learning_rate=3e-3,
        weight_decay=1e-2,
        class_weights="sqrt",
        average_decay=0.98,
    ),
    task="stages",
    about="sleep stages W N1 N2 N3 R of each 30 s from heart beats alone",
    estimator=StepClassifier,
    members=5,
    augment=ColumnAugmentation(noise=0.3, lose=0.2),
    standardize=Standardize(),
)
