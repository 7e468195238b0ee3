"""Seizures in a scalp EEG of 18 bipolar channels, every two seconds."""

from __future__ import annotations

from biosig_lstm.augmentation.columns import ColumnAugmentation
from biosig_lstm.estimators import StepClassifier
from biosig_lstm.features.band_power import BandPower
from biosig_lstm.features.hjorth import Hjorth
from biosig_lstm.features.line_length import LineLength
from biosig_lstm.features.scalars_only import ScalarsOnly
from biosig_lstm.features.standardize import Standardize
from biosig_lstm.filters import Bandpass, Bipolar, Normalize, Resample
from biosig_lstm.models import BiLSTM
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.recipes._seizures import SeizureRecipe
from biosig_lstm.training import FitSettings
from biosig_lstm.windows.epochs import Epochs

__all__ = ["RECIPE"]

RECIPE = SeizureRecipe(
    name="eeg-chbmit",
    protocols=("chbmit", "chbmit-patient"),
    pipeline=Pipeline(
        filters=[Bandpass(0.5, 40), Resample(128), Bipolar("double banana", keep_others=False), Normalize("robust")],
        windows=Epochs(2.0, classes=("background", "seizure")),
        features=[
            BandPower(("delta", "theta", "alpha", "beta", "gamma=30-40"), segment_s=2.0, log10=True),
            LineLength(),
            Hjorth(),
            ScalarsOnly(),
        ],
    ),
    model=BiLSTM(48, dropout=0.4, pooling=None),
    settings=FitSettings(
        max_epochs=30,
        batch_size=16,
        crop_steps=120,
        learning_rate=2e-3,
        weight_decay=1e-2,
        class_weights="sqrt",
        average_decay=0.98,
    ),
    task="seizures",
    about="seizures in a scalp EEG of 18 bipolar channels, every 2 s",
    estimator=StepClassifier,
    members=3,
    augment=ColumnAugmentation(noise=0.2, lose=0.2),
    standardize=Standardize(),
    run=180,
    background_runs=3,
    event_share=0.5,
)
