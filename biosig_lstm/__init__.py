"""Biosignals from raw recording to trustworthy answer with long short-term memory networks.

Names are imported when they are first used, so that ``import biosig_lstm`` loads neither torch nor mne.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_PLACES = {
    "biosig_lstm.advice": ("Advice", "advise"),
    "biosig_lstm.containers": ("Annotations", "Recording", "Waves", "Windows"),
    "biosig_lstm.containers.channel_names": ("canonical_channel",),
    "biosig_lstm.errors": ("BiosigError", "BiosigWarning", "DataError", "LeakageError", "ParameterError"),
    "biosig_lstm.datasets": ("open_bids",),
    "biosig_lstm.formats": ("find_recordings", "open_recording", "read_bids_events", "write_bids_events"),
    "biosig_lstm.formats.eeg": ("read_edf_annotations", "write_edf_annotations"),
    "biosig_lstm.formats.audio": ("open_audio", "read_audio", "write_audio"),
    "biosig_lstm.filters": (
        "Bandpass", "BaselineWander", "Bipolar", "ChannelNames", "Channels", "EcgLeads", "FillGaps", "Highpass",
        "Lowpass", "MarkArtefacts", "Mono", "Normalize", "Notch", "OneWay", "PreEmphasis", "Rereference", "Resample",
        "ResampleSound", "ToUnit", "TrimSilence",
    ),
    "biosig_lstm.events.beats": ("AAMI", "Beats"),
    "biosig_lstm.events.rpeaks": ("RPeaks",),
    "biosig_lstm.events.quality": ("SignalQuality",),
    "biosig_lstm.events.rr_series": ("RRSeries",),
    "biosig_lstm.events.sleep_stages": ("SleepStages",),
    "biosig_lstm.windows.each_lead": ("EachLead",),
    "biosig_lstm.windows": ("AroundEvents", "Epochs", "FixedLength", "Pieces", "WholeRecording"),
    "biosig_lstm.windows.beat_intervals": ("BeatIntervals",),
    "biosig_lstm.windows.utterance": ("Utterance",),
    "biosig_lstm.features.against_night": ("AgainstNight",),
    "biosig_lstm.features.against_recording": ("AgainstRecording",),
    "biosig_lstm.features.band_envelope": ("BandEnvelope",),
    "biosig_lstm.features.band_power": ("BandPower", "band_power"),
    "biosig_lstm.features.coherence": ("Coherence",),
    "biosig_lstm.features.complexity": ("Complexity",),
    "biosig_lstm.features.delay_covariance": ("DelayCovariance",),
    "biosig_lstm.features.deltas": ("Deltas", "deltas"),
    "biosig_lstm.features.hjorth": ("Hjorth",),
    "biosig_lstm.features.hrv": ("HRV", "hrv"),
    "biosig_lstm.features.line_length": ("LineLength",),
    "biosig_lstm.features.local_hrv": ("LocalHRV",),
    "biosig_lstm.features.log_activity": ("LogActivity", "log_activity"),
    "biosig_lstm.features.log_mel": ("LogMel", "log_mel"),
    "biosig_lstm.features.mfcc": ("MFCC", "mfcc"),
    "biosig_lstm.features.night_heart": ("NightHeart",),
    "biosig_lstm.features.normalize_utterance": ("NormalizeUtterance", "normalize_speaker"),
    "biosig_lstm.features.own_beat": ("AgainstOwnBeat",),
    "biosig_lstm.features.reject_artefacts": ("RejectArtefacts",),
    "biosig_lstm.features.rr": ("RRIntervals",),
    "biosig_lstm.features.scalars_only": ("ScalarsOnly",),
    "biosig_lstm.features.spectral_shape": ("SpectralShape",),
    "biosig_lstm.features.standardize": ("Standardize",),
    "biosig_lstm.features.wave_intervals": ("corrected_qt", "median_intervals", "wave_intervals"),
    "biosig_lstm.pipeline": ("Pipeline",),
    "biosig_lstm.splits": ("audit", "kfold_by_subject", "leave_one_subject_out", "split_by_subject"),
    "biosig_lstm.models": (
        "BeatRuns", "BiLSTM", "ConvBiLSTM", "GRU", "LSTM", "LSTMCell", "NightBiLSTM", "RNN", "Transformer",
    ),
    "biosig_lstm.models.causal_lstm": ("CausalLSTM",),
    "biosig_lstm.models.lstm_autoencoder": ("LSTMAutoencoder",),
    "biosig_lstm.models.lstm_predictor": ("LSTMPredictor",),
    "biosig_lstm.augmentation.sensor_failure": ("SensorFailure",),
    "biosig_lstm.models.speech_bilstm": ("SpeechBiLSTM",),
    "biosig_lstm.training.settings": ("FitSettings",),
    "biosig_lstm.estimators": (
        "Anomalies", "AnomalyDetector", "Classifier", "Decoding", "Delineator", "Forecaster", "Forecasts",
        "LanguageModel", "MultiLabelClassifier", "Predictions", "StepClassifier", "Transcriber", "load",
    ),
    "biosig_lstm.scoring": ("classify_files", "detect_files", "evaluate_bids", "evaluate_protocol", "forecast_files"),
    "biosig_lstm.scoring.transcription": ("transcribe_files",),
    "biosig_lstm.shipped": ("pretrained",),
}  # fmt: skip
_MODULES = ("datasets", "events", "features", "filters", "formats", "metrics", "models", "plot", "recipes", "studies")
_HOMES = {name: module for module, names in _PLACES.items() for name in names}

__all__ = ["__version__", *sorted(_HOMES), *_MODULES]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"biosig_lstm.{name}")
    from biosig_lstm.errors import options

    raise AttributeError(f"biosig_lstm has no attribute {options(name, __all__)}")


def __dir__() -> list[str]:
    return sorted(__all__)
