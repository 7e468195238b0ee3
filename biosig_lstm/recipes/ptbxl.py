"""Statements of a twelve-lead ECG of 10 s, by the tasks of PTB-XL: one recipe for each."""

from __future__ import annotations

from biosig_lstm.datasets.ptbxl import LEADS, TASKS, task_classes
from biosig_lstm.estimators import MultiLabelClassifier
from biosig_lstm.filters import Channels, FillGaps, Resample, ToUnit
from biosig_lstm.models import ConvBiLSTM
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.recipes._recipe import Recipe
from biosig_lstm.training import FitSettings
from biosig_lstm.windows import WholeRecording

__all__ = ["RECIPE", "RECIPES"]

_RATE_HZ, _CROP_S = 100.0, 2.5


def _recipe(task: str) -> Recipe:
    classes = task_classes(task)
    return Recipe(
        name=f"ptbxl-{task}",
        protocols=(f"ptbxl-{task}",),
        task="multilabel",
        about=f"{len(classes)} labels of a twelve-lead ECG, by the {task} statements of PTB-XL",
        pipeline=Pipeline(
            filters=[Channels(LEADS), ToUnit("mV"), FillGaps(), Resample(_RATE_HZ)],
            windows=WholeRecording(classes=classes, multi_label=True),
        ),
        model=ConvBiLSTM(
            channels=(64, 64, 128, 128),
            kernels=(7, 5, 5, 5),
            strides=(1, 2, 1, 2),
            hidden_size=256,
            num_layers=2,
            dropout=0.4,
            pooling="attention",
        ),
        settings=FitSettings(
            max_epochs=50,
            batch_size=128,
            learning_rate=1e-3,
            weight_decay=1e-2,
            class_weights=None,
            crop_steps=round(_CROP_S * _RATE_HZ),
            average_decay=0.999,
        ),
        estimator=MultiLabelClassifier,
        members=3,
    )


RECIPES = tuple(_recipe(task) for task in TASKS)
"""One recipe for each task."""

RECIPE = RECIPES[TASKS.index("all")]
