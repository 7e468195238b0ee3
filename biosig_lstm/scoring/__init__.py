"""Scoring recordings: folders of files, and databases by their frozen protocols."""

from biosig_lstm.scoring._output import Failure, output_folder, some
from biosig_lstm.scoring.bids import evaluate_bids
from biosig_lstm.scoring.detection import Detected, DetectionReport, detect_files
from biosig_lstm.scoring.files import FilesReport, classify_files
from biosig_lstm.scoring.forecasting import ForecastReport, forecast_files
from biosig_lstm.scoring.protocol import Evaluation, evaluate_protocol

__all__ = [
    "Detected",
    "DetectionReport",
    "Evaluation",
    "Failure",
    "FilesReport",
    "ForecastReport",
    "classify_files",
    "detect_files",
    "evaluate_bids",
    "evaluate_protocol",
    "forecast_files",
    "output_folder",
    "some",
]
