"""State of a segment of one channel of EEG: healthy with open or closed eyes, between seizures, in a seizure."""

from __future__ import annotations

from biosig_lstm.augmentation.frames import FrameAugmentation
from biosig_lstm.features.delay_covariance import DelayCovariance
from biosig_lstm.features.log_spectrum import LogSpectrum
from biosig_lstm.features.scalars_only import ScalarsOnly
from biosig_lstm.features.standardize import Standardize
from biosig_lstm.filters import ToUnit
from biosig_lstm.models.kernel_bilstm import KernelBiLSTM
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.recipes._frames import FramesRecipe
from biosig_lstm.training import FitSettings
from biosig_lstm.windows.frames import Frames

__all__ = ["RECIPE", "RECIPES"]

_FRAME_S, _STEP_S, _LONGEST_S = 2.95, 1.475, 24.0
_EDGES_HZ = (*range(1, 14), *range(14, 30, 2), 30, 33, 36, 40, 45, 50, 55, 60, 70, 86)
_CLASSES = {
    "": ("Z", "O", "N", "F", "S"),
    "-3": ("healthy", "interictal", "ictal"),
    "-2": ("seizure-free", "seizure"),
}


def _recipe(suffix: str) -> FramesRecipe:
    classes = _CLASSES[suffix]
    return FramesRecipe(
        name=f"eeg-seizure{suffix}",
        protocols=(f"bonn{suffix}",),
        pipeline=Pipeline(
            filters=[ToUnit("uV")],
            windows=Frames(_FRAME_S, _STEP_S, _LONGEST_S, classes=classes, one_channel=True),
            features=[
                LogSpectrum(tuple(float(edge) for edge in _EDGES_HZ), segment_s=_FRAME_S),
                DelayCovariance(),
                ScalarsOnly(),
            ],
        ),
        model=KernelBiLSTM(48, references=500, kernel_penalty=0.003),
        settings=FitSettings(
            max_epochs=100,
            batch_size=32,
            learning_rate=5e-3,
            weight_decay=1e-2,
            class_weights="sqrt",
            label_smoothing=0.05,
            average_decay=0.99,
        ),
        task="labels",
        about=f"state of a segment of one channel of EEG: {' '.join(classes)} (University of Bonn)",
        members=2,
        augment=FrameAugmentation(),
        standardize=Standardize(),
    )


RECIPES = tuple(_recipe(suffix) for suffix in _CLASSES)
"""One recipe for each set of classes."""

RECIPE = RECIPES[0]
