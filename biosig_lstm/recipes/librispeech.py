"""Letters of audio books read in English."""

from __future__ import annotations

from biosig_lstm.augmentation.spoken import SpokenAugmentation
from biosig_lstm.estimators import Transcriber
from biosig_lstm.features.log_mel import LogMel
from biosig_lstm.features.normalize_utterance import NormalizeUtterance
from biosig_lstm.filters.mono import Mono
from biosig_lstm.filters.resample_sound import ResampleSound
from biosig_lstm.models.speech_bilstm import SpeechBiLSTM
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.recipes._transcripts import TranscriptRecipe
from biosig_lstm.training import FitSettings
from biosig_lstm.windows.utterance import Utterance

__all__ = ["RECIPE"]

RECIPE = TranscriptRecipe(
    name="librispeech",
    protocols=tuple(f"librispeech-{hours}{side}" for hours in (100, 460, 960) for side in ("", "-other")),
    pipeline=Pipeline(
        filters=[Mono(), ResampleSound(16000)], windows=Utterance(), features=[LogMel(), NormalizeUtterance()]
    ),
    # an answer every 20 ms: fast readers say more letters than one every 40 ms could hold
    model=SpeechBiLSTM((128, 128), kernels=(5, 5), strides=(2, 1), hidden_size=320, num_layers=4, dropout=0.2),
    settings=FitSettings(max_epochs=40, batch_size=32, learning_rate=1e-3, class_weights=None, patience=6),
    task="transcripts",
    about="letters of audio books read in English",
    estimator=Transcriber,
    augment=SpokenAugmentation(masks=2, mask_steps=40, mask_columns=8),
    unit="characters",
    alphabet=(" ", "'", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
)
