"""One word out of thirty-five, or ten words, silence and anything else, in a second of sound."""

from __future__ import annotations

from collections.abc import Sequence

from biosig_lstm.augmentation.spectrogram import SpectrogramAugmentation
from biosig_lstm.datasets.speech_commands import CLASSES_12, WORDS_V1, WORDS_V2
from biosig_lstm.features.log_mel import LogMel
from biosig_lstm.features.normalize_utterance import NormalizeUtterance
from biosig_lstm.filters.mono import Mono
from biosig_lstm.filters.resample_sound import ResampleSound
from biosig_lstm.models.spectrogram_bilstm import SpectrogramBiLSTM
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.recipes._recipe import Recipe
from biosig_lstm.training import FitSettings
from biosig_lstm.windows.whole_recording import WholeRecording

__all__ = ["RECIPES"]


def _recipe(protocols: tuple[str, ...], classes: Sequence[str], about: str) -> Recipe:
    return Recipe(
        name=f"speech-commands-{len(classes)}",
        protocols=protocols,
        pipeline=Pipeline(
            filters=[Mono(), ResampleSound(16000)],
            windows=WholeRecording(classes=tuple(classes)),
            features=[LogMel(), NormalizeUtterance(variance=False)],
        ),
        model=SpectrogramBiLSTM((24, 32), kernels=(5, 3), strides=(2, 2), width=96, hidden_size=96, dropout=0.2),
        settings=FitSettings(
            max_epochs=30,
            batch_size=64,
            learning_rate=2e-3,
            class_weights=None,
            label_smoothing=0.05,
            average_decay=0.999,
        ),
        task="labels",
        about=about,
        augment=SpectrogramAugmentation(
            warp=0.08, bend=0.0, stretch=0.1, cut=8, masked_share=0.15, masks=2, high_hz=8000.0
        ),
    )


RECIPES = (
    _recipe(
        ("speech-commands-v2-12", "speech-commands-v1-12"), CLASSES_12, "ten words in English, silence and other words"
    ),
    _recipe(("speech-commands-v2-35",), WORDS_V2, "35 words in English"),
    _recipe(("speech-commands-v1-30",), WORDS_V1, "30 words in English"),
)
