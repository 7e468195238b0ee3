"""Scores with intervals clustered by subject: pure functions, one file for each family of protocols."""

from biosig_lstm.metrics.anomaly import (
    Alarms,
    alarm_events,
    alarm_scores,
    alarm_threshold,
    anomaly_scores,
    average_precision,
)
from biosig_lstm.metrics.beats import AAMI, AAMI_CLASSES, WITHOUT_232, beat_scores, detected_beat_scores
from biosig_lstm.metrics.classification import (
    accuracy,
    balanced_accuracy,
    cohen_kappa,
    confusion_by_subject,
    confusion_matrix,
    f1_score,
    label_indices,
    macro_f1,
    macro_roc_auc,
    positive_predictivity,
    roc_auc,
    sensitivity,
)
from biosig_lstm.metrics.episodes import episode_counts, episode_scores
from biosig_lstm.metrics.events import EventMatch, event_scores, match_events
from biosig_lstm.metrics.forecast import (
    ForecastScores,
    check_levels,
    forecast_scores,
    interval_coverage,
    interval_width,
    mase,
    naive_scale,
    pinball_loss,
)
from biosig_lstm.metrics.intervals import Interval, bootstrap_by_subject, intervals_by_subject
from biosig_lstm.metrics.labels import label_scores, merge_probabilities
from biosig_lstm.metrics.multilabel import MultiLabelScores, f1_thresholds, multilabel_scores
from biosig_lstm.metrics.result import Scores
from biosig_lstm.metrics.rhythm import CINC2017_CLASSES, cinc2017_scores
from biosig_lstm.metrics.seizures import (
    SZCORE,
    SeizureCounts,
    SeizureRules,
    SeizureScores,
    seizure_counts,
    seizure_scores,
)
from biosig_lstm.metrics.stages import STAGE_CLASSES, WNR, merge_classes, stage_scores
from biosig_lstm.metrics.summary import class_scores, class_statistics, summarize
from biosig_lstm.metrics.transcripts import (
    EditCounts,
    TranscriptScores,
    character_error_rate,
    edit_counts,
    transcript_scores,
    word_error_rate,
)
from biosig_lstm.metrics.waves import BOUNDARIES, CSE_TWO_SD_MS, boundary_errors, wave_scores

__all__ = [
    "AAMI",
    "AAMI_CLASSES",
    "BOUNDARIES",
    "CINC2017_CLASSES",
    "CSE_TWO_SD_MS",
    "STAGE_CLASSES",
    "SZCORE",
    "WITHOUT_232",
    "WNR",
    "Alarms",
    "EditCounts",
    "EventMatch",
    "ForecastScores",
    "Interval",
    "MultiLabelScores",
    "Scores",
    "SeizureCounts",
    "SeizureRules",
    "SeizureScores",
    "TranscriptScores",
    "accuracy",
    "alarm_events",
    "alarm_scores",
    "alarm_threshold",
    "anomaly_scores",
    "average_precision",
    "balanced_accuracy",
    "beat_scores",
    "bootstrap_by_subject",
    "boundary_errors",
    "character_error_rate",
    "check_levels",
    "cinc2017_scores",
    "class_scores",
    "class_statistics",
    "cohen_kappa",
    "confusion_by_subject",
    "confusion_matrix",
    "detected_beat_scores",
    "edit_counts",
    "episode_counts",
    "episode_scores",
    "event_scores",
    "f1_score",
    "f1_thresholds",
    "forecast_scores",
    "interval_coverage",
    "interval_width",
    "intervals_by_subject",
    "label_indices",
    "label_scores",
    "macro_f1",
    "macro_roc_auc",
    "mase",
    "match_events",
    "merge_classes",
    "merge_probabilities",
    "multilabel_scores",
    "naive_scale",
    "pinball_loss",
    "positive_predictivity",
    "roc_auc",
    "seizure_counts",
    "seizure_scores",
    "sensitivity",
    "stage_scores",
    "summarize",
    "transcript_scores",
    "wave_scores",
    "word_error_rate",
]
