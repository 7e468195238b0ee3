"""Sleep stages of each 30 s of a night from one EEG, or from one EEG and the EOG, by the protocols of Sleep-EDF."""

from __future__ import annotations

from biosig_lstm.augmentation.nights import NightAugmentation
from biosig_lstm.estimators import StepClassifier
from biosig_lstm.events.sleep_stages import SleepStages
from biosig_lstm.filters import Bandpass, Channels, FillGaps, Normalize, Resample, ToUnit
from biosig_lstm.models.night_bilstm import NightBiLSTM
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.recipes._recipe import Recipe
from biosig_lstm.training import FitSettings
from biosig_lstm.windows.epochs import Epochs

__all__ = ["RECIPE", "RECIPES"]

_RATE_HZ = 100.0
_RUN_EPOCHS, _RUNS = 40, 16
_EEG, _EOG = "EEG Fpz-Cz", "EOG horizontal"


def _recipe(name: str, *, channels: tuple[str, ...], protocols: tuple[str, ...], about: str) -> Recipe:
    return Recipe(
        name=name,
        protocols=protocols,
        pipeline=Pipeline(
            filters=[
                Channels(channels),
                ToUnit("uV"),
                FillGaps(),
                Bandpass(0.3, 35),
                Resample(_RATE_HZ),
                Normalize("robust"),
            ],
            events=[SleepStages()],
            windows=Epochs(30),
        ),
        model=NightBiLSTM("conv"),
        settings=FitSettings(
            max_epochs=40,
            batch_size=_RUNS,
            items_per_epoch=1024,
            crop_steps=_RUN_EPOCHS,
            learning_rate=2e-3,
            weight_decay=1e-2,
            class_weights="sqrt",
            average_decay=0.995,
        ),
        task="stages",
        about=f"sleep stages W N1 N2 N3 R of each 30 s from {about}",
        estimator=StepClassifier,
        augment=NightAugmentation(channels=len(channels)),
    )


RECIPES = (
    _recipe(
        "sleep-eeg",
        channels=(_EEG,),
        protocols=("sleep-edf-20", "sleep-edf-78"),
        about="the EEG Fpz-Cz",
    ),
    _recipe(
        "sleep-eeg-eog",
        channels=(_EEG, _EOG),
        protocols=("sleep-edf-20-eog", "sleep-edf-78-eog"),
        about="the EEG Fpz-Cz and a horizontal EOG",
    ),
)
"""One recipe for each choice of channels."""

RECIPE = RECIPES[0]
