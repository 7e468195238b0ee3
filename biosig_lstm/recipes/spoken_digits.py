"""A digit said in English, by anybody."""

from __future__ import annotations

from biosig_lstm.augmentation.digit_words import DigitVoices
from biosig_lstm.augmentation.sound import SoundAugmentation
from biosig_lstm.augmentation.spectrogram import SpectrogramAugmentation
from biosig_lstm.datasets.fsdd import DIGITS
from biosig_lstm.features.level_floor import LevelFloor
from biosig_lstm.features.log_mel import LogMel
from biosig_lstm.features.normalize_utterance import NormalizeUtterance
from biosig_lstm.features.spoken_part import SpokenPart
from biosig_lstm.features.tilt import Tilt
from biosig_lstm.filters.mono import Mono
from biosig_lstm.filters.resample_sound import ResampleSound
from biosig_lstm.models.spectrogram_bilstm import SpectrogramBiLSTM
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.recipes._words import WordRecipe
from biosig_lstm.training import FitSettings
from biosig_lstm.windows.whole_recording import WholeRecording

__all__ = ["RECIPE"]

RECIPE = WordRecipe(
    name="spoken-digits",
    protocols=("fsdd", "fsdd-classic"),
    pipeline=Pipeline(
        filters=[Mono(), ResampleSound(8000)],
        windows=WholeRecording(classes=DIGITS),
        features=[
            LogMel(low_hz=60),
            Tilt(-7.9),
            SpokenPart(range_db=34.0),
            LevelFloor(compression=0.35),
            NormalizeUtterance(variance=False),
        ],
    ),
    model=SpectrogramBiLSTM((12, 12), kernels=(5, 3), strides=(2, 1), width=56, hidden_size=48, dropout=0.3),
    settings=FitSettings(
        max_epochs=25,
        batch_size=48,
        learning_rate=3e-3,
        weight_decay=2e-2,
        class_weights=None,
        label_smoothing=0.1,
        average_decay=0.995,
        renew_every=5,
    ),
    task="labels",
    about="digits 0 to 9 said in English, one in each recording",
    members=3,
    augment=SpectrogramAugmentation(low_hz=60.0),
    sounds=SoundAugmentation(dynamics=0.38),
    voices=DigitVoices(snr_db=(15.0, 60.0), glide_s=(0.035, 0.15), sibilant_db=-11.0),
)
