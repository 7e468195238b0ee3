"""The rhythm of a single-lead ECG of some ten seconds to a minute: normal, atrial fibrillation, other, too noisy."""

from __future__ import annotations

from biosig_lstm.augmentation.sequences import SequenceAugmentation
from biosig_lstm.events.rpeaks import RPeaks
from biosig_lstm.features.rhythm import RECORD_COLUMNS, BeatSequence
from biosig_lstm.filters import Bandpass, EcgLeads, FillGaps, Normalize, Resample
from biosig_lstm.models.beat_rhythm import BeatRhythm
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.recipes._rhythm import RhythmRecipe
from biosig_lstm.training import FitSettings
from biosig_lstm.windows.recording_with_beats import RecordingWithBeats

__all__ = ["RECIPE"]

_RATE_HZ, _BEFORE_S, _AFTER_S = 100.0, 0.5, 0.6
_SAMPLES = round((_BEFORE_S + _AFTER_S) * _RATE_HZ)

RECIPE = RhythmRecipe(
    name="ecg-rhythm",
    protocols=("cinc2017",),
    pipeline=Pipeline(
        filters=[EcgLeads(1), FillGaps(), Resample(_RATE_HZ), Bandpass(0.5, 40), Normalize("robust")],
        events=RPeaks(keep=True),
        windows=RecordingWithBeats(classes=("N", "A", "O", "~")),
        features=[BeatSequence(_BEFORE_S, _AFTER_S)],
    ),
    model=BeatRhythm(views=2, item_columns=len(RECORD_COLUMNS), tree_rounds=200),
    settings=FitSettings(
        max_epochs=12,
        batch_size=32,
        learning_rate=3e-3,
        weight_decay=2e-2,
        class_weights="sqrt",
        label_smoothing=0.06,
        average_decay=0.995,
    ),
    task="rhythm",
    about="rhythm of a single-lead ECG: normal (N), atrial fibrillation (A), other (O), too noisy (~)",
    members=2,
    augment=SequenceAugmentation(2 * _SAMPLES),
)
