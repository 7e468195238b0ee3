"""Spoken digits in order, by any speaker."""

from __future__ import annotations

from biosig_lstm.augmentation.spoken import SpokenAugmentation
from biosig_lstm.estimators import Transcriber
from biosig_lstm.features.log_mel import LogMel
from biosig_lstm.features.normalize_utterance import NormalizeUtterance
from biosig_lstm.features.quiet_floor import QuietFloor
from biosig_lstm.filters.mono import Mono
from biosig_lstm.filters.resample_sound import ResampleSound
from biosig_lstm.models.speech_bilstm import SpeechBiLSTM
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.recipes._transcripts import TranscriptRecipe
from biosig_lstm.training import FitSettings
from biosig_lstm.windows.utterance import Utterance

__all__ = ["RECIPE"]

RECIPE = TranscriptRecipe(
    name="connected-digits",
    protocols=("connected-digits",),
    pipeline=Pipeline(
        filters=[Mono(), ResampleSound(8000)],
        windows=Utterance(),
        features=[LogMel(), QuietFloor(), NormalizeUtterance()],
    ),
    model=SpeechBiLSTM((64, 64, 64), kernels=(5, 5, 5), strides=(2, 2, 1), hidden_size=64, num_layers=1, dropout=0.3),
    settings=FitSettings(max_epochs=25, batch_size=8, learning_rate=4e-3, class_weights=None, average_decay=0.98),
    task="transcripts",
    about="the digits 0 to 9 in English, one after the other",
    estimator=Transcriber,
    augment=SpokenAugmentation(masks=2, mask_steps=12, mask_columns=6, noise=0.3, warp=0.15, stretch=0.2),
    unit="words",
    alphabet=tuple("0123456789"),
)
