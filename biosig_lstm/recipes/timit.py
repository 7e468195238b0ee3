"""Phones of read sentences, American English."""

from __future__ import annotations

from biosig_lstm.augmentation.spoken import SpokenAugmentation
from biosig_lstm.datasets.timit import PHONES_39
from biosig_lstm.estimators import Transcriber
from biosig_lstm.features.deltas import Deltas
from biosig_lstm.features.log_mel import LogMel
from biosig_lstm.features.standardize import Standardize
from biosig_lstm.filters.mono import Mono
from biosig_lstm.filters.resample_sound import ResampleSound
from biosig_lstm.models.speech_bilstm import SpeechBiLSTM
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.recipes._transcripts import TranscriptRecipe
from biosig_lstm.training import FitSettings
from biosig_lstm.windows.utterance import Utterance

__all__ = ["RECIPE"]

# After Graves, Mohamed and Hinton (ICASSP 2013): 40 filters and the energy with two orders of slopes, scaled over the
# training set; three layers of 250 units in each direction. Dropout and masks stand for their noise on the weights.
RECIPE = TranscriptRecipe(
    name="timit",
    protocols=("timit",),
    pipeline=Pipeline(
        filters=[Mono(), ResampleSound(16000)],
        windows=Utterance(label=""),
        features=[LogMel(energy=True), Deltas(order=2)],
    ),
    model=SpeechBiLSTM((), kernels=(), strides=(), hidden_size=250, num_layers=3, dropout=0.3),
    settings=FitSettings(max_epochs=60, batch_size=16, learning_rate=2e-3, class_weights=None, patience=12),
    task="transcripts",
    about="39 phones of read sentences in American English",
    estimator=Transcriber,
    augment=SpokenAugmentation(masks=2, mask_steps=10, mask_columns=10, noise=0.1),
    standardize=Standardize(),
    unit="phones",
    alphabet=tuple(sorted(set(PHONES_39.values()))),
)
