"""The rules of advice, each a function of what is known of the sequences, with the study that it stands on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from biosig_lstm.advice._facts import SequenceFacts
from biosig_lstm.models import ModelSpec, specs

__all__ = ["RULES", "Choice", "choices", "model_of"]

Part = Literal["model", "settings"]

LONG_STEPS = 1000  # the farthest that the gradient was followed
SHORT_STEPS, MANY_SUBJECTS = 40, 1000  # of the study training-size
WIDE_SAMPLES = 1000
FEW_LABELS = 1000
UPDATES, BATCH = 800, 16
LEAST_EPOCHS, MOST_EPOCHS = 10, 60
UNEVEN = 1.5
CROP_STEPS = 300
MEASURED = "benchmarks, Memory and advice"
UNMEASURED = "not measured"


@dataclass(frozen=True)
class Choice:
    """One line of advice.

    Parameters
    ----------
    part : {"model", "settings"}
        What it is a parameter of.
    name, value
        The parameter; of a model ``model`` is its kind.
    why : str
        The reason, with the figures of the data at hand.
    source : str
        The study or the benchmark that the rule stands on; "the data" where their shape leaves no choice, and "not
        measured" where a rule of thumb says how much.
    """

    part: Part
    name: str
    value: Any
    why: str
    source: str

    @property
    def what(self) -> str:
        """What is chosen, as it is written."""
        return f"{self.value}(...)" if (self.part, self.name) == ("model", "model") else f"{self.name}={self.value!r}"


Rule = Callable[[SequenceFacts], Iterator[Choice]]


def _kind(facts: SequenceFacts) -> Iterator[Choice]:
    if facts.steps_are_windows:
        leads, samples = facts.window_shape or (0, 0)
        name = "BeatRuns" if leads * samples < WIDE_SAMPLES else "NightBiLSTM"
        why = f"a step is a window of {samples:,} samples: convolutions that all steps share read it first"
        yield Choice("model", "model", name, why, "the data")
    elif not facts.per_step and facts.median_steps > LONG_STEPS:
        why = f"{facts.median_steps:,} steps are more than any gradient was followed: convolutions make 16 of them one"
        yield Choice("model", "model", "ConvBiLSTM", why, "study gradient")
    else:
        why = f"a step is a plain row of features; a label for each {'step' if facts.per_step else 'sequence'}"
        yield Choice("model", "model", "BiLSTM", why, "the data")


def _cell(facts: SequenceFacts) -> Iterator[Choice]:
    why = (
        "up to 1,000 patients a GRU was not surely better, with 3,000 by 0.02; on a CPU it takes 1 to 31 times as long"
    )
    if facts.longest_steps >= LONG_STEPS:
        why += "; from 1,000 steps on a Transformer takes 1.9 to 14 times"
    elif facts.longest_steps <= SHORT_STEPS and facts.n_subjects >= MANY_SUBJECTS:
        why += "; with so many and so short ones plain units did better by 0.05, in few updates: try 'rnn' too"
    yield Choice("model", "cell", "lstm", why, "studies training-size, speed")


def _memory(_: SequenceFacts) -> Iterator[Choice]:
    why = "'auto' is for answers that hang on one far step; on rhythms and nights it cost accuracy"
    yield Choice("model", "memory_steps", None, why, f"study long-lags; {MEASURED}")


def _pooling(facts: SequenceFacts) -> Iterator[Choice]:
    if facts.steps_are_windows:
        return
    if facts.per_step:
        yield Choice("model", "pooling", None, "every step has an answer of its own", "the data")
    else:
        why = "the standard; of it and 'last' neither was better on all real sets"
        yield Choice("model", "pooling", "attention", why, MEASURED)


def _units(facts: SequenceFacts) -> Iterator[Choice]:
    labels = sum(facts.class_counts.values())
    few = labels < FEW_LABELS
    why = (
        f"{labels:,} labels: on so few 64 units did no better"
        if few
        else f"{labels:,} labels: 32 units were too few for nights"
    )
    yield Choice("model", "hidden_size", 32 if few else 64, why, MEASURED)


def _class_weights(facts: SequenceFacts) -> Iterator[Choice]:
    if facts.imbalance < UNEVEN:
        why = f"the largest class has {facts.imbalance:.1f} times the labels of the smallest"
        yield Choice("settings", "class_weights", None, why, "the data")
        return
    counts = {name: n for name, n in facts.class_counts.items() if n}
    rare = min(counts, key=lambda name: counts[name])
    why = f"{rare} has {counts[rare]:,} labels, {facts.imbalance:.0f} times fewer than the largest class"
    yield Choice("settings", "class_weights", "sqrt", why, MEASURED)


def _crops(facts: SequenceFacts) -> Iterator[Choice]:
    if facts.per_step and facts.longest_steps > LONG_STEPS:
        why = f"up to {facts.longest_steps:,} steps: a batch of stretches is of more parts of more sequences"
        yield Choice("settings", "crop_steps", CROP_STEPS, why, UNMEASURED)
        yield Choice("settings", "items_per_epoch", _drawn(facts), "as many stretches as there are in all", UNMEASURED)


def _epochs(facts: SequenceFacts) -> Iterator[Choice]:
    drawn = _drawn(facts) if facts.per_step and facts.longest_steps > LONG_STEPS else facts.n_items
    batches = math.ceil(drawn / BATCH)
    epochs = min(max(math.ceil(UPDATES / batches), LEAST_EPOCHS), MOST_EPOCHS)
    why = f"{epochs * batches:,} batches of {BATCH} are learned from"
    yield Choice("settings", "max_epochs", epochs, why, UNMEASURED)


RULES: tuple[Rule, ...] = (_kind, _cell, _memory, _pooling, _units, _class_weights, _crops, _epochs)


def _drawn(facts: SequenceFacts) -> int:
    return max(math.ceil(facts.n_items * facts.median_steps / CROP_STEPS), facts.n_items)


def choices(facts: SequenceFacts) -> tuple[Choice, ...]:
    """Return what all rules choose, in their order."""
    return tuple(choice for rule in RULES for choice in rule(facts))


def model_of(chosen: tuple[Choice, ...]) -> ModelSpec:
    """Return the network that was chosen."""
    values = {choice.name: choice.value for choice in chosen if choice.part == "model"}
    return specs()[values.pop("model")](**values)
