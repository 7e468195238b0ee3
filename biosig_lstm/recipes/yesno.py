"""Yes and no, said eight times in a recording."""

from __future__ import annotations

from biosig_lstm.augmentation.spoken import SpokenAugmentation
from biosig_lstm.estimators import Transcriber
from biosig_lstm.features.log_mel import LogMel
from biosig_lstm.features.quiet_floor import QuietFloor
from biosig_lstm.features.standardize import Standardize
from biosig_lstm.filters.mono import Mono
from biosig_lstm.filters.resample_sound import ResampleSound
from biosig_lstm.models.speech_bilstm import SpeechBiLSTM
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.recipes._transcripts import TranscriptRecipe
from biosig_lstm.training import FitSettings
from biosig_lstm.windows.utterance import Utterance

__all__ = ["RECIPE"]

RECIPE = TranscriptRecipe(
    name="yesno",
    protocols=("yesno",),
    pipeline=Pipeline(filters=[Mono(), ResampleSound(8000)], windows=Utterance(), features=[LogMel(), QuietFloor()]),
    model=SpeechBiLSTM((48, 48, 48), kernels=(5, 5, 5), strides=(2, 2, 2), hidden_size=32, num_layers=1, dropout=0.2),
    settings=FitSettings(max_epochs=100, batch_size=4, learning_rate=5e-3, class_weights=None, average_decay=0.98),
    task="transcripts",
    about="the words yes and no in Hebrew (ken, lo), one after the other in a recording",
    estimator=Transcriber,
    augment=SpokenAugmentation(reorder=0.9, masks=1, mute=0.2, hiss=0.5),
    standardize=Standardize(),
    unit="words",
    alphabet=("no", "yes"),
)
