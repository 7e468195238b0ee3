"""What is done with a signal by default, by what kind of signal it is."""

from __future__ import annotations

import math
import re
from typing import Literal

from biosig_lstm.containers.channel_names import is_eeg_channel
from biosig_lstm.filters import Bandpass, Channels, FillGaps, Lowpass, Normalize, Resample, ToUnit
from biosig_lstm.filters.leads import is_ecg_lead
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.steps import Step
from biosig_lstm.tables import Facts

__all__ = ["default_pipeline", "signal_kind"]

_MUSCLE = re.compile(r".*\bEMG\b.*", re.IGNORECASE)
_RATE_HZ, _RATES_HZ = 100.0, {"emg": 500.0}
_BANDS_HZ = {"ecg": (0.5, 40.0), "eeg": (0.5, 40.0), "emg": (20.0, 200.0)}
_NYQUIST_SHARE = 0.8
_VOLTS = ("V", "mV", "uV", "nV")
_UNITS: dict[str, Literal["mV", "uV"]] = {"ecg": "mV", "eeg": "uV", "emg": "uV"}


def signal_kind(facts: Facts) -> str:
    """Return ``sound``, ``ecg``, ``eeg``, ``emg`` or ``other``, by the names of all channels; EEG and EMG are voltages.

    Sound is in parts of full scale, ``FS``.

    Examples
    --------
    >>> signal_kind(Facts(250, ("MLII", "V5"), ("mV", "mV"), 10))
    'ecg'
    >>> signal_kind(Facts(100, ("EEG Fpz-Cz",), ("uV",), 30))
    'eeg'
    >>> signal_kind(Facts(25, ("RESP",), ("NU",), 30))
    'other'
    >>> signal_kind(Facts(8000, ("sound",), ("FS",), 1))
    'sound'
    """
    if facts.is_sound:
        return "sound"
    names = [name.strip().upper() for name in facts.channels]
    if all(is_ecg_lead(name) for name in names):
        return "ecg"
    if all(unit in _VOLTS for unit in facts.units):
        if all(is_eeg_channel(name) for name in names):
            return "eeg"
        if all(_MUSCLE.fullmatch(name) for name in names):
            return "emg"
    return "other"


def default_pipeline(facts: Facts, *, windows: Step, rate_hz: float | None = None) -> Pipeline:
    """Return the preparation for recordings like these, where they are no sound.

    Parameters
    ----------
    facts : Facts
        Rate, channels and units of the recordings.
    windows : Step
        How they are cut.
    rate_hz : float [unit=Hz], optional
        Rate to bring them to; by default 100 Hz, of EMG 500 Hz, or their own where it is lower.

    Notes
    -----
    Gaps are filled, and the rate is changed at the end. ECG: 0.5-40 Hz, in mV. EEG: 0.5-40 Hz, EMG: 20-200 Hz, both
    divided by their robust spread. Others, which may be slow (breath, skin), keep what lies below four fifths of half
    the rate, and are centred and divided by their robust spread; so is an ECG in no unit of voltage.
    """
    kind = signal_kind(facts)
    rate_hz = rate_hz or min(facts.fs, _RATES_HZ.get(kind, _RATE_HZ))
    volts = kind in _UNITS and all(unit in _VOLTS for unit in facts.units)
    unit: tuple[Step, ...] = (ToUnit(_UNITS[kind]),) if volts else ()
    scale: tuple[Step, ...] = () if volts and kind == "ecg" else (Normalize(),)
    return Pipeline(
        filters=[Channels(facts.channels), *unit, FillGaps(), _band(kind, rate_hz), *scale, Resample(rate_hz)],
        windows=windows,
    )


def _band(kind: str, rate_hz: float) -> Step:
    low_hz, high_hz = _BANDS_HZ.get(kind, (0.0, math.inf))
    high_hz = min(high_hz, _NYQUIST_SHARE * rate_hz / 2)
    return Bandpass(low_hz, high_hz) if 0 < 2 * low_hz < high_hz else Lowpass(high_hz)
