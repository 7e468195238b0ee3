"""What advice looks at: how many sequences there are, whose, how long, how labelled."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from biosig_lstm.containers import Windows
from biosig_lstm.errors import DataError

__all__ = ["SequenceFacts", "dangers", "facts_of"]

FEW_SUBJECTS = 10
MOST_OF_ONE = 0.5
UNEQUAL = 20
SHORTEST_WINDOW = 16  # samples: what convolutions need
_UNNAMED = "item-"  # how `Windows.from_arrays` names subjects that it is not told


@dataclass(frozen=True)
class SequenceFacts:
    """What is known of labelled sequences before anything is trained.

    Parameters
    ----------
    n_items, n_subjects : int
        Sequences, and whose they are.
    named_subjects : bool
        Whether the subjects were told, rather than taken to be one for each item.
    median_steps, longest_steps : int
        Of the sequences.
    n_features : int
        Of a step.
    rate_hz : float or None
        Steps a second, where they are evenly spaced.
    window_shape : (int, int) or None
        Leads and samples, where a step is a window.
    per_step, multi_label : bool
        Whether every step has a label; whether an item may bear several.
    class_counts : dict of str to int
        Labels of each class.
    subjects_of_class : dict of str to int
        Subjects that have at least one label of the class.
    largest_subject : float [0 to 1]
        Share of all steps that are of one subject.
    """

    n_items: int
    n_subjects: int
    named_subjects: bool
    median_steps: int
    longest_steps: int
    n_features: int
    rate_hz: float | None
    window_shape: tuple[int, int] | None
    per_step: bool
    multi_label: bool
    class_counts: dict[str, int]
    subjects_of_class: dict[str, int]
    largest_subject: float

    @property
    def steps_are_windows(self) -> bool:
        """Whether a step is a window of samples, rather than a row of features."""
        return self.window_shape is not None and self.window_shape[1] >= SHORTEST_WINDOW

    @property
    def imbalance(self) -> float:
        """How many times as many labels the largest class has as the smallest that occurs; 1 without labels."""
        counts = [n for n in self.class_counts.values() if n]
        return max(counts) / min(counts) if counts else 1.0

    def __str__(self) -> str:
        spread = f"{self.median_steps:,} steps in the median"
        longest = "" if self.longest_steps == self.median_steps else f", {self.longest_steps:,} at most"
        whose = f"{self.n_subjects:,} subjects" if self.named_subjects else "subjects not told"
        each = "step" if self.per_step else "sequence"
        labels = f"{'labels' if self.multi_label else 'a label'} for each {each}"
        sizes = f"{self.n_items:,} sequences, {whose}, {spread}{longest}, {self.n_features} features"
        return f"{sizes}; {len(self.class_counts)} classes, {labels}"


def facts_of(windows: Windows) -> SequenceFacts:
    """Return what is known of labelled windows.

    Raises
    ------
    DataError
        When there is none, or none has a label.
    """
    if not len(windows) or windows.y is None or not (windows.y >= 0).any():
        what = "texts" if windows.texts is not None else "no labels"
        raise DataError(f"advice is given on labelled sequences, got {len(windows)} items with {what}")
    lengths = windows.lengths
    subjects = windows.subjects.tolist()
    steps: Counter[str] = Counter()
    for name, length in zip(subjects, lengths.tolist(), strict=True):
        steps[name] += length
    return SequenceFacts(
        n_items=len(windows),
        n_subjects=len(steps),
        named_subjects=not all(name.startswith(_UNNAMED) for name in steps),
        median_steps=round(float(np.median(lengths))),
        longest_steps=int(lengths.max()),
        n_features=len(windows.columns),
        rate_hz=windows.rate_hz,
        window_shape=windows.window_shape,
        per_step=windows.step_labels,
        multi_label=windows.multi_label,
        class_counts=windows.class_counts(),
        subjects_of_class=_subjects_of_class(windows),
        largest_subject=max(steps.values()) / sum(steps.values()),
    )


def _subjects_of_class(windows: Windows) -> dict[str, int]:
    y = np.asarray(windows.y)
    whose = np.repeat(windows.subjects, windows.lengths) if windows.step_labels else windows.subjects
    bears = [y[:, k] == 1 if windows.multi_label else y == k for k in range(len(windows.classes))]
    return {name: len(np.unique(whose[rows])) for name, rows in zip(windows.classes, bears, strict=True)}


def dangers(facts: SequenceFacts) -> tuple[str, ...]:
    """Return what would make any result on these sequences worth little, whatever the model."""
    found = []
    if not facts.named_subjects:
        found.append("no subjects told: if some items are of one person, a split mixes them up; give subjects=")
    elif facts.n_subjects < FEW_SUBJECTS:
        found.append(f"{facts.n_subjects} subjects: a score on so few says little of others; leave one out at a time")
    if len(facts.class_counts) == 1 and not facts.multi_label:
        found.append(f"class {next(iter(facts.class_counts))} is the only one: there is nothing to tell apart")
    for name, n in facts.subjects_of_class.items():
        if not n:
            found.append(f"class {name} occurs nowhere: nothing can be learned of it")
        if n == 1:
            found.append(f"class {name} occurs in 1 subject: it cannot be learned from one and tested on another")
    if facts.named_subjects and facts.n_subjects > 1 and facts.largest_subject > MOST_OF_ONE:
        found.append(f"one subject has {facts.largest_subject:.0%} of all steps: draw subjects alike, items_per_epoch=")
    if facts.longest_steps > UNEQUAL * facts.median_steps:
        found.append(
            f"the longest sequence has {facts.longest_steps:,} steps, half have {facts.median_steps:,} or fewer: look "
            "whether they are of one kind, or cut the long ones"
        )
    return tuple(found)
