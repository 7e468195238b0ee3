"""Left or right fist, imagined, in each trial of an EEG, on people whom the model has not seen."""

from __future__ import annotations

from biosig_lstm.estimators import Classifier
from biosig_lstm.features.standardize import Standardize
from biosig_lstm.filters import Bandpass, Channels, Resample, ToUnit
from biosig_lstm.models import ConvBiLSTM
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.recipes._recipe import Recipe
from biosig_lstm.training import FitSettings
from biosig_lstm.windows.trials import Trials

__all__ = ["RECIPE"]

_SENSORIMOTOR = (
    "FC5", "FC3", "FC1", "FCz", "FC2", "FC4", "FC6", "C5", "C3", "C1", "Cz", "C2", "C4", "C6", "CP5", "CP3", "CP1",
    "CPz", "CP2", "CP4", "CP6",
)  # fmt: skip
_RATE_HZ = 128.0

RECIPE = Recipe(
    name="eeg-imagery",
    protocols=("eegmmidb",),
    pipeline=Pipeline(
        filters=[Channels(_SENSORIMOTOR), ToUnit("uV"), Bandpass(4, 40), Resample(_RATE_HZ)],
        windows=Trials(4.0, ("imagined left fist", "imagined right fist"), least_s=4.0),
    ),
    model=ConvBiLSTM(
        channels=(32, 48, 64),
        kernels=(25, 9, 5),
        strides=(2, 4, 4),
        hidden_size=48,
        dropout=0.5,
    ),
    settings=FitSettings(
        max_epochs=40,
        batch_size=64,
        learning_rate=2e-3,
        weight_decay=2e-2,
        class_weights=None,
        label_smoothing=0.1,
        average_decay=0.99,
    ),
    task="labels",
    about="left or right fist, imagined, in the four seconds after each cue, by 21 electrodes over the motor cortex",
    estimator=Classifier,
    members=3,
    standardize=Standardize(),
)
