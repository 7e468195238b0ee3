"""Sensors of an ECG that fail: leads that fall off, rails, lost packets, mains, motion, without having heard of any."""

from __future__ import annotations

from biosig_lstm.augmentation.sensor_failure import KINDS
from biosig_lstm.estimators import AnomalyDetector
from biosig_lstm.features.against_recording import AgainstRecording
from biosig_lstm.features.log_activity import LogActivity
from biosig_lstm.features.scalars_only import ScalarsOnly
from biosig_lstm.features.standardize import Standardize
from biosig_lstm.filters import EcgLeads, FillGaps, Normalize, Resample
from biosig_lstm.models.lstm_predictor import LSTMPredictor
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.recipes._anomalies import AnomalyRecipe
from biosig_lstm.training import FitSettings
from biosig_lstm.windows import FixedLength

__all__ = ["RECIPE"]

_LEADS, _RATE_HZ, _WINDOW_S, _STEP_S, _FRAME_S = 2, 180.0, 2.0, 1.0, 0.1

RECIPE = AnomalyRecipe(
    name="ecg-sensor-failure",
    protocols=("mitdb-failures",),
    pipeline=Pipeline(
        filters=[EcgLeads(_LEADS), FillGaps(), Resample(_RATE_HZ), Normalize(method="percentile")],
        windows=FixedLength(_WINDOW_S, step_s=_STEP_S, epoch_s=_FRAME_S, classes=KINDS),
        features=[LogActivity(leads=_LEADS), ScalarsOnly(), AgainstRecording()],
    ),
    model=LSTMPredictor(48),
    settings=FitSettings(max_epochs=6, batch_size=64, learning_rate=4e-3),
    task="sensor_failures",
    about="sensors of an ECG that fail, by windows of 2 s, one each second",
    estimator=AnomalyDetector,
    standardize=Standardize(),
    against="recording",
    false_alarms_per_h=6.0,
    merge_s=1.0,
    every=4,
)
