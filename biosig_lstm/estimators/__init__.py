"""The faces of the package: a preparation and a model that are fitted, scored, saved and loaded as one."""

from pathlib import Path

from biosig_lstm.estimators._base import Estimator, Training
from biosig_lstm.estimators._beside import Compared
from biosig_lstm.estimators._file import check_writable, read_header
from biosig_lstm.estimators._from_table import Validation
from biosig_lstm.estimators._from_text_table import TranscriptValidation
from biosig_lstm.estimators.anomalies import Anomalies, AnomalyEvent
from biosig_lstm.estimators.anomaly_detector import AnomalyDetector
from biosig_lstm.estimators.classifier import Classifier
from biosig_lstm.estimators.delineator import Delineator
from biosig_lstm.estimators.forecaster import Forecaster
from biosig_lstm.estimators.forecasts import Forecasts
from biosig_lstm.estimators.gates import Gates
from biosig_lstm.estimators.language_model import LanguageModel
from biosig_lstm.estimators.multi_label_classifier import MultiLabelClassifier, MultiLabelPredictions
from biosig_lstm.estimators.predictions import Predictions
from biosig_lstm.estimators.step_classifier import StepClassifier
from biosig_lstm.estimators.transcriber import Decoding, Transcriber
from biosig_lstm.estimators.transcripts import Transcript, Transcripts, Word

__all__ = [
    "Anomalies",
    "AnomalyDetector",
    "AnomalyEvent",
    "Classifier",
    "Compared",
    "Decoding",
    "Delineator",
    "Estimator",
    "Forecaster",
    "Forecasts",
    "Gates",
    "LanguageModel",
    "MultiLabelClassifier",
    "MultiLabelPredictions",
    "Predictions",
    "StepClassifier",
    "Training",
    "Transcriber",
    "Transcript",
    "TranscriptValidation",
    "Transcripts",
    "Validation",
    "Word",
    "check_writable",
    "load",
    "read_header",
]


def load(path: str | Path) -> Estimator:
    """Return the trained model in a file, whichever kind it is."""
    from biosig_lstm.errors import DataError, options

    kinds: dict[str, type[Estimator]] = {
        kind.__name__: kind
        for kind in (
            Classifier,
            StepClassifier,
            MultiLabelClassifier,
            Delineator,
            Transcriber,
            AnomalyDetector,
            Forecaster,
        )
    }
    name = str(read_header(path).get("estimator"))
    if name not in kinds:
        raise DataError(f"{path}: kind of model {options(name, kinds)}")
    return kinds[name].load(path)
