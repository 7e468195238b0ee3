"""Rest or mental arithmetic in each half minute of an EEG, on people whom the model has not seen."""

from __future__ import annotations

from biosig_lstm.augmentation.frames import FrameAugmentation
from biosig_lstm.features.log_spectrum import LogSpectrum
from biosig_lstm.features.scalars_only import ScalarsOnly
from biosig_lstm.features.standardize import Standardize
from biosig_lstm.filters import Channels, ToUnit
from biosig_lstm.models.kernel_bilstm import KernelBiLSTM
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.recipes._frames import FramesRecipe
from biosig_lstm.training import FitSettings
from biosig_lstm.windows.frames import Frames

__all__ = ["RECIPE"]

_CHANNELS = (
    "Fp1", "Fp2", "F3", "F4", "F7", "F8", "T3", "T4", "C3", "C4", "T5", "T6", "P3", "P4", "O1", "O2", "Fz", "Cz", "Pz",
)  # fmt: skip
_REGIONS = (
    "forehead=Fp1,Fp2",
    "frontal=F3,F4,Fz",
    "side=F7,F8",
    "temporal=T3,T4,T5,T6",
    "central=C3,C4,Cz",
    "parietal=P3,P4,Pz",
    "occipital=O1,O2",
)
_EDGES_HZ = (1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 13.0, 16.0, 20.0, 25.0, 30.0, 38.0, 46.0)

RECIPE = FramesRecipe(
    name="eeg-arithmetic",
    protocols=("eegmat",),
    pipeline=Pipeline(
        filters=[Channels(_CHANNELS), ToUnit("uV")],
        windows=Frames(2.0, 1.0, 30.0, classes=("rest", "arithmetic"), exact=True),
        features=[LogSpectrum(_EDGES_HZ, segment_s=2.0, regions=_REGIONS), ScalarsOnly()],
    ),
    model=KernelBiLSTM(
        16,
        classifier_size=16,
        dropout=0.5,
        references=300,
        kernel_width=20.0,
        kernel_penalty=0.03,
        kernel_spread=True,
        kernel_share=0.8,
    ),
    settings=FitSettings(
        max_epochs=30,
        batch_size=16,
        learning_rate=3e-3,
        weight_decay=5e-2,
        class_weights="balanced",
        label_smoothing=0.1,
        average_decay=0.98,
    ),
    task="labels",
    about="rest or mental arithmetic in each 30 s of an EEG of 19 channels",
    members=2,
    augment=FrameAugmentation(noise=0.5, lose=0.3),
    standardize=Standardize(),
)
