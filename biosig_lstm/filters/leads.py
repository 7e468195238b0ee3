"""The leads of an ECG that can be used: voltages that vary, the usual ones first, in millivolts."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from biosig_lstm.containers import Recording
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.filters._base import Filter

__all__ = ["EcgLeads", "is_ecg_lead"]

_USUAL = ("MLII", "II", "ECG", "V1", "MLV1", "V5", "MLV5", "I", "MLI", "V2", "V4", "V3", "V6", "III", "AVF")
_NAME = re.compile(r"(ML|A)?(V[1-9]?[RLF]?|I{1,3})|E[CK]G.*|[ID]{1,3}|CM\d|CC\d|NASA")
_VOLTS = ("V", "mV", "uV", "nV")
_SMALLEST_MV, _LARGEST_MV = 0.02, 30.0


def is_ecg_lead(channel: str) -> bool:
    """Return whether a channel's name is one that ECG leads have: ``MLII``, ``V5``, ``aVR``, ``ECG lead I``, ``EKG 1``.

    Examples
    --------
    >>> [is_ecg_lead(name) for name in ("MLII", "aVF", "ECG lead II", "Resp", "EEG C4-A1")]
    [True, True, True, False, False]
    """
    return any(_NAME.fullmatch(name) for name in (_bare(channel), channel.strip().upper()))


def _bare(channel: str) -> str:
    name = channel.strip().upper()
    for prefix in ("LEAD ", "ECG LEAD ", "ECG ", "EKG "):
        name = name.removeprefix(prefix) if len(name) > len(prefix) else name
    return name


@dataclass(frozen=True)
class EcgLeads(Filter):
    """Keep the leads of an ECG that can be used, in millivolts and in their order.

    Left out, with a line in the history, are channels that are no voltage, that hold no sample or one value only, and,
    where some channels are named as ECG leads, those that are not. Of more than `most` the usual ones are kept.

    Parameters
    ----------
    most : int [>= 1]
        How many leads to keep.
    required : bool
        Whether a recording without any channel is refused; if not it stays as it is, for what its annotated beats tell.

    Raises
    ------
    ParameterError
        When `most` is below one.

    Notes
    -----
    A lead whose values span less than 0.02 mV or more than 30 mV is used with a `BiosigWarning`: its unit or gain is
    probably wrong.
    """

    accepts_nan: ClassVar[bool] = True
    chooses_channels: ClassVar[bool] = True

    most: int = 2
    required: bool = True

    def __post_init__(self) -> None:
        if self.most < 1:
            raise ParameterError(f"most must be at least 1, got {self.most}")

    def on_recording(self, recording: Recording) -> Recording:
        """Return the leads.

        Raises
        ------
        DataError
            When no channel can be used: each is named with the reason.
        """
        if not recording.channels and not self.required:
            return recording
        reasons = dict(_unusable(recording))
        usable = [name for name in recording.channels if name not in reasons]
        if not usable:
            why = "; ".join(f"{name} {reason}" for name, reason in reasons.items())
            raise DataError(f"{recording.id}: no usable ECG lead: {why or 'the recording has no channels'}")
        kept = _first(usable, self.most)
        if kept == list(recording.channels):
            chosen = recording.to_unit("mV")
        else:
            left_out = [
                f"{name} ({reasons.get(name, 'not needed')})" for name in recording.channels if name not in kept
            ]
            picked = recording.pick(kept)
            chosen = picked.with_signals(picked.signals, note=f"left out {', '.join(left_out)}").to_unit("mV")
        _check_size(chosen)
        return chosen


def _unusable(recording: Recording) -> Iterator[tuple[str, str]]:
    named = any(is_ecg_lead(name) for name in recording.channels)
    for name, unit, row in zip(recording.channels, recording.units, recording.signals, strict=True):
        finite = row[np.isfinite(row)]
        if unit not in _VOLTS:
            yield name, f"is no voltage but {unit or 'without a unit'}"
        elif named and not is_ecg_lead(name):
            yield name, "is not named as an ECG lead"
        elif not len(finite):
            yield name, "holds no sample"
        elif finite.min() == finite.max():
            yield name, "is flat"


def _first(usable: list[str], most: int) -> list[str]:
    rank = {name: k for k, name in enumerate(_USUAL)}
    chosen = sorted(usable, key=lambda name: rank.get(_bare(name), len(rank)))[:most]
    return [name for name in usable if name in chosen]


def _check_size(recording: Recording) -> None:
    for name, row in zip(recording.channels, recording.signals, strict=True):
        held = row[np.isfinite(row)]
        low, high = np.percentile(held[:: max(len(held) // 20_000, 1)], [0.5, 99.5])
        if not _SMALLEST_MV <= high - low <= _LARGEST_MV:
            warnings.warn(
                f"{recording.id}: lead {name} spans {high - low:.3g} mV, an ECG spans {_SMALLEST_MV:g} to "
                f"{_LARGEST_MV:g} mV: is its unit or gain right?",
                BiosigWarning,
                stacklevel=4,
            )
