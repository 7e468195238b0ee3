"""Beats of an ECG to the AAMI classes N, S, V, F, Q."""

from __future__ import annotations

from biosig_lstm.augmentation import BeatAugmentation, RunAugmentation
from biosig_lstm.events.beats import Beats
from biosig_lstm.features.own_beat import SCALARS, AgainstOwnBeat
from biosig_lstm.features.rr import RRIntervals
from biosig_lstm.filters import Bandpass, EcgLeads, FillGaps
from biosig_lstm.models import BeatRuns
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.recipes._beats import BeatRecipe
from biosig_lstm.training import FitSettings
from biosig_lstm.windows import AroundEvents

__all__ = ["RECIPE"]

_BEFORE_S, _AFTER_S, _RATE_HZ, _LEADS = 0.40, 0.45, 100.0, 2
_SAMPLES = round((_BEFORE_S + _AFTER_S) * _RATE_HZ)

RECIPE = BeatRecipe(
    name="ecg-beats",
    protocols=("mitdb-aami",),
    pipeline=Pipeline(
        filters=[EcgLeads(_LEADS), FillGaps(), Bandpass(0.5, 40)],
        events=Beats(),
        windows=AroundEvents(_BEFORE_S, _AFTER_S, rate_hz=_RATE_HZ, leads=_LEADS),
        features=[AgainstOwnBeat(_BEFORE_S, _RATE_HZ), RRIntervals()],
    ),
    model=BeatRuns(
        channels=(16, 32, 32),
        lead_embedding=32,
        embedding=64,
        hidden_size=48,
        dropout=0.3,
        views=2,
        lead_scalars=len(SCALARS),
    ),
    settings=FitSettings(
        max_epochs=14,
        batch_size=8,
        learning_rate=3e-3,
        weight_decay=1e-2,
        class_weights=(1.0, 2.0, 1.5, 3.0, 1.0),
        label_smoothing=0.02,
        average_decay=0.99,
        renew_every=2,
    ),
    run=96,
    training_rate_hz=_RATE_HZ,
    members=5,
    recordings=BeatAugmentation(fibrillation=0.75),
    runs=RunAugmentation(leads=_LEADS, views=2, samples=_SAMPLES, scalars=len(SCALARS)),
)
