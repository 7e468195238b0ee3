"""Advice on labelled sequences: a network, settings, reasons, and what would ruin the result."""

from __future__ import annotations

import html
import textwrap
import warnings
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from biosig_lstm.advice._facts import SequenceFacts, dangers, facts_of
from biosig_lstm.advice._rules import Choice, choices, model_of
from biosig_lstm.containers import Windows
from biosig_lstm.containers.arrays import is_arrays
from biosig_lstm.errors import BiosigWarning, ParameterError
from biosig_lstm.models import ModelSpec
from biosig_lstm.training import FitSettings

__all__ = ["Advice", "advise"]

_WIDTH = 118


@dataclass(frozen=True, repr=False)
class Advice:
    """What to train on sequences, and why.

    Parameters
    ----------
    facts : SequenceFacts
        What was looked at.
    lines : tuple of Choice
        Each part of the advice with its reason and the study that it stands on.
    warnings : tuple of str
        What would make a result worth little, whatever the model.

    Attributes
    ----------
    model : ModelSpec
        The network, as estimators take it.
    settings : FitSettings
        How to train it, as ``fit(settings=...)`` takes them.
    """

    facts: SequenceFacts
    lines: tuple[Choice, ...]
    warnings: tuple[str, ...] = ()

    @property
    def model(self) -> ModelSpec:
        """The network that is advised."""
        return model_of(self.lines)

    @property
    def settings(self) -> FitSettings:
        """The settings that are advised; what is not among `lines` is as it is by default."""
        chosen: dict[str, Any] = {line.name: line.value for line in self.lines if line.part == "settings"}
        return FitSettings(**chosen)

    def __repr__(self) -> str:
        width = max(len(line.what) for line in self.lines)
        indent = " " * (width + 4)
        rows = [f"  {line.what.ljust(width)}  {line.why} [{line.source}]" for line in self.lines]
        noted = [f"! {text}" for text in self.warnings]
        wrapped = [textwrap.fill(row, _WIDTH, subsequent_indent=indent) for row in rows]
        wrapped += [textwrap.fill(text, _WIDTH, subsequent_indent="  ") for text in noted]
        head = textwrap.fill(f"Advice for {self.facts}", _WIDTH, subsequent_indent="  ")
        return "\n".join([head, *wrapped])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td><code>{html.escape(line.what)}</code></td><td>{html.escape(line.why)}</td>"
            f"<td>{html.escape(line.source)}</td></tr>"
            for line in self.lines
        )
        noted = "".join(f"<li>{html.escape(text)}</li>" for text in self.warnings)
        ruin = f"<p><b>What ruins results</b></p><ul>{noted}</ul>" if noted else ""
        head = "<tr><th>advised</th><th>why</th><th>stands on</th></tr>"
        return f"<div><p>{html.escape(str(self.facts))}</p><table>{head}{rows}</table>{ruin}</div>"


def advise(
    data: Windows | npt.ArrayLike,
    y: Any = None,
    *,
    subjects: npt.ArrayLike | None = None,
    step_labels: bool = False,
    multi_label: bool = False,
) -> Advice:
    """Return which network suits labelled sequences, and how to train it, with the reason for each part.

    Nothing is trained: rules look at how many sequences there are, whose, how long and how labelled. Each rule names
    the study or the benchmark that it stands on, or says that it was not measured.

    Parameters
    ----------
    data : Windows, or array_like
        Labelled items, as the estimators take them: windows of a pipeline, or arrays of (steps, features).
    y, subjects, step_labels, multi_label
        Of arrays, as of `Windows.from_arrays`.

    Returns
    -------
    Advice
        ``advice.model`` is the network, ``advice.settings`` how to train it, ``print(advice)`` the reasons.

    Raises
    ------
    ParameterError
        When `data` are neither windows nor arrays, or labels, their kind or subjects come beside windows.
    DataError
        When nothing is labelled, or arrays do not fit together.

    Warns
    -----
    BiosigWarning
        Of what would make a result worth little: few subjects, a class that only one of them has.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> items, names = rng.standard_normal((200, 20, 3)), ["a", "b"] * 100
    >>> advice = advise(items, names, subjects=np.arange(200) % 25)
    >>> advice.model.cell, advice.settings.class_weights
    ('lstm', None)
    """
    if isinstance(data, Windows):
        if y is not None or subjects is not None or step_labels or multi_label:
            raise ParameterError("labels, their kind and subjects go with arrays: windows carry their own")
        windows = data
    elif is_arrays(data):
        windows = Windows.from_arrays(data, y, subjects=subjects, step_labels=step_labels, multi_label=multi_label)
    else:
        came = "an empty one" if isinstance(data, list | tuple) and not data else f"a {type(data).__name__}"
        raise ParameterError(f"advice is given on windows of a pipeline or a list of arrays, got {came}")
    facts = facts_of(windows)
    found = dangers(facts)
    if found:
        warnings.warn("; ".join(found), BiosigWarning, stacklevel=2)
    return Advice(facts, choices(facts), found)
