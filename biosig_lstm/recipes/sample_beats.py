"""Beats of the generated sample: the preparation of `ecg_beats`, a smaller network, seconds of training."""

from __future__ import annotations

from dataclasses import replace

from biosig_lstm.features.own_beat import SCALARS
from biosig_lstm.models import BeatRuns
from biosig_lstm.recipes import ecg_beats
from biosig_lstm.training import FitSettings

__all__ = ["RECIPE"]

RECIPE = replace(
    ecg_beats.RECIPE,
    name="sample-beats",
    protocols=("sample-aami",),
    model=BeatRuns(
        channels=(8, 16), lead_embedding=16, embedding=32, hidden_size=16, dropout=0.1, views=2,
        lead_scalars=len(SCALARS),
    ),
    settings=FitSettings(max_epochs=30, batch_size=4, learning_rate=1e-2),
    run=32,
    members=1,
    recordings=None,
)  # fmt: skip
