"""P, QRS and T on every lead of an ECG."""

from __future__ import annotations

from biosig_lstm.augmentation.waves import WaveAugmentation
from biosig_lstm.estimators import Delineator
from biosig_lstm.filters import Bandpass, EcgLeads, FillGaps, Resample
from biosig_lstm.models.lstm_unet import LstmUNet
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.recipes._recipe import Recipe
from biosig_lstm.training import FitSettings
from biosig_lstm.windows.each_lead import EachLead

__all__ = ["RECIPE"]

_RATE_HZ, _LEADS = 250.0, 16

RECIPE = Recipe(
    name="ecg-waves",
    protocols=("ludb",),
    pipeline=Pipeline(
        filters=[EcgLeads(_LEADS), FillGaps(), Bandpass(0.5, 40), Resample(_RATE_HZ)],
        windows=EachLead(),
    ),
    model=LstmUNet((16, 32, 48, 64, 64), kernels=(9, 7, 7, 5, 5), hidden_size=64, num_layers=2, dropout=0.2),
    settings=FitSettings(
        max_epochs=12,
        items_per_epoch=3200,
        batch_size=32,
        learning_rate=3e-3,
        weight_decay=1e-2,
        class_weights=None,
        average_decay=0.99,
    ),
    task="waves",
    about="onset, peak and end of P waves, QRS complexes and T waves on every lead of an ECG",
    estimator=Delineator,
    augment=WaveAugmentation(rate_hz=_RATE_HZ),
)
