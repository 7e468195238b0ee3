"""What is done with sound by default: one channel, one rate, frames of log-mel, networks that read them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from biosig_lstm.augmentation.spoken import SpokenAugmentation
from biosig_lstm.errors import ParameterError
from biosig_lstm.features.level_floor import LevelFloor
from biosig_lstm.features.log_mel import LogMel, log_mel
from biosig_lstm.features.normalize_utterance import NormalizeUtterance
from biosig_lstm.features.quiet_floor import QuietFloor
from biosig_lstm.features.spoken_part import SpokenPart
from biosig_lstm.filters import Channels, Mono, ResampleSound
from biosig_lstm.models.spectrogram_bilstm import SpectrogramBiLSTM
from biosig_lstm.models.speech_bilstm import SpeechBiLSTM
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.steps import Step
from biosig_lstm.training import FitSettings
from biosig_lstm.windows.utterance import Utterance

__all__ = [
    "SOUND_AUGMENTATION",
    "SOUND_MODEL",
    "sound_pipeline",
    "speech_augmentation",
    "speech_models",
    "speech_pipeline",
    "speech_settings",
]

_FILTERS = (40, 32, 24, 16, 12, 8)
_STEPS, _EPOCHS = 2500, (25, 100)
_FEW = 200

SOUND_MODEL = SpectrogramBiLSTM((16, 24), kernels=(5, 3), strides=(2, 2), width=64, hidden_size=64, dropout=0.3)
"""Network for one label."""

SOUND_AUGMENTATION = SpokenAugmentation(masks=1, mask_steps=10, mask_columns=6, noise=0.1, warp=0.15, stretch=0.2)
"""How items of one label are changed in training."""


def sound_pipeline(rate_hz: float, *, windows: Step, channels: Sequence[str] | None = None) -> Pipeline:
    """Return the preparation of sounds that bear a label.

    Parameters
    ----------
    rate_hz : float [unit=Hz, > 0]
        Rate to bring them to.
    windows : Step
        How they are cut.
    channels : sequence of str, optional
        Channels that are mixed; all by default.

    Notes
    -----
    Frames from the first to the last that is nearly as loud as the loudest, relative to the level of the loud ones,
    what lies far below it levelled: how loud and how noisy a recording is does not count, what it sounds like does.
    """
    features = [log_mel_at(rate_hz), SpokenPart(), LevelFloor()]
    return Pipeline(filters=_one_channel(rate_hz, channels), windows=windows, features=features)


def speech_pipeline(rate_hz: float, *, channels: Sequence[str] | None = None) -> Pipeline:
    """Return the preparation of sounds in which something is said; parameters as of `sound_pipeline`."""
    features = [log_mel_at(rate_hz), QuietFloor(), NormalizeUtterance()]
    return Pipeline(filters=_one_channel(rate_hz, channels), windows=Utterance(), features=features)


def _one_channel(rate_hz: float, channels: Sequence[str] | None) -> list[Step]:
    chosen: list[Step] = [Channels(tuple(channels))] if channels else []
    return [*chosen, Mono(), ResampleSound(rate_hz)]


def log_mel_at(rate_hz: float) -> LogMel:
    """Return frames of 40 filters, or of as many as a low rate can tell apart.

    Raises
    ------
    ParameterError
        When there are not even a few.

    Examples
    --------
    >>> log_mel_at(16000).n_mels, log_mel_at(1000).n_mels
    (40, 24)
    """
    for n_mels in _FILTERS:
        if _tells_apart(rate_hz, n_mels):
            return LogMel(n_mels=n_mels)
    raise ParameterError(
        f"{rate_hz:g} Hz are too few for sound: frames of 25 ms hold no {_FILTERS[-1]} bands of frequencies; give a "
        "pipeline of your own"
    )


def _tells_apart(rate_hz: float, n_mels: int) -> bool:
    try:
        log_mel(np.zeros(1), rate_hz, n_mels=n_mels)
    except ParameterError:
        return False
    return True


def speech_models(unit: str) -> tuple[SpeechBiLSTM, ...]:
    """Return networks for texts that differ in how many frames make one answer: 4, 2 and 1."""
    hidden_size, num_layers = (64, 1) if unit == "words" else (96, 2)
    return tuple(
        SpeechBiLSTM(
            (64, 64, 64),
            kernels=(5, 5, 5),
            strides=strides,
            hidden_size=hidden_size,
            num_layers=num_layers,
            dropout=0.3,
        )
        for strides in ((2, 2, 1), (2, 1, 1), (1, 1, 1))
    )


def speech_augmentation(unit: str, *, stretch: float = 0.2) -> SpokenAugmentation:
    """Return how items of texts are changed in training: of words some come in another order."""
    reorder = 0.5 if unit == "words" else 0.0
    return SpokenAugmentation(
        reorder=reorder, masks=2, mask_steps=12, mask_columns=6, noise=0.3, warp=0.15, stretch=stretch
    )


def speech_settings(n_items: int) -> FitSettings:
    """Return how texts are learned: about 2,500 steps, in 25 epochs at least and 100 at most, in small batches of few.

    Examples
    --------
    >>> speech_settings(40).max_epochs, speech_settings(5000).max_epochs
    (100, 25)
    """
    fewest, most = _EPOCHS
    batch_size = 4 if n_items < _FEW else 8
    epochs = min(max(math.ceil(_STEPS * batch_size / n_items), fewest), most)
    return FitSettings(
        max_epochs=epochs, batch_size=batch_size, learning_rate=4e-3, class_weights=None, average_decay=0.98
    )
