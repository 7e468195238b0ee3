"""What is scored, and what is written for a recording: one file for each task, found by its name."""

from __future__ import annotations

import importlib

from biosig_lstm.errors import ParameterError, options
from biosig_lstm.estimators import Estimator
from biosig_lstm.scoring.tasks._task import Answers, Events, Part, Task
from biosig_lstm.steps import names_in

__all__ = ["Answers", "Events", "Part", "Task", "task", "task_of"]


def task(name: str) -> Task:
    """Return a task by name.

    Raises
    ------
    ParameterError
        When there is none of that name.

    Examples
    --------
    >>> task("beats").counted
    'beats'
    """
    if name not in names_in(__name__):
        raise ParameterError(f"task {options(name, names_in(__name__))}")
    found: Task = importlib.import_module(f"{__name__}.{name}").TASK
    return found


def task_of(model: Estimator) -> Task:
    """Return the task that a model was made for: beats where a model of steps does not say, else labels."""
    return task(model.task or ("beats" if model.per_step else "labels"))
