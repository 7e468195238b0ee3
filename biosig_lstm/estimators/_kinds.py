"""What is done with a signal by default, by what kind of signal it is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from biosig_lstm.filters import Bandpass, Channels, FillGaps, Normalize, Resample, ToUnit
from biosig_lstm.filters.leads import is_ecg_lead
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.steps import Step
from biosig_lstm.tables import Facts
from biosig_lstm.windows import Pieces

__all__ = ["default_pipeline", "signal_kind"]

_SCALP = re.compile(r"(FP|AF|F|FC|FT|C|CP|T|TP|P|PO|O|I|A|M)(Z|\d{1,2})([-/](.*))?", re.IGNORECASE)
_RATE_HZ, _LOW_HZ, _HIGH_HZ = 100.0, 0.5, 40.0
_NYQUIST_SHARE = 0.8


def signal_kind(facts: Facts) -> str:
    """Return ``ecg``, ``eeg`` or ``other``, by the names of channels and by their units.

    Examples
    --------
    >>> signal_kind(Facts(250, ("MLII", "V5"), ("mV", "mV"), 10))
    'ecg'
    >>> signal_kind(Facts(100, ("EEG Fpz-Cz",), ("uV",), 30))
    'eeg'
    """
    if all(is_ecg_lead(name) for name in facts.channels):
        return "ecg"
    scalp = [bool(_SCALP.fullmatch(name.strip().upper().removeprefix("EEG").strip())) for name in facts.channels]
    return "eeg" if all(scalp) else "other"


def default_pipeline(facts: Facts, *, classes: Sequence[str], window_s: float) -> Pipeline:
    """Return the preparation for recordings like these.

    Parameters
    ----------
    facts : Facts
        Rate, channels and units of the recordings.
    classes : sequence of str
        Labels of the recordings.
    window_s : float [unit=s]
        Longest piece that is looked at as one.

    Notes
    -----
    All signals: gaps filled, 0.5-40 Hz (or up to four fifths of half the rate), brought to 100 Hz or to their own
    lower rate. ECG in mV, EEG in uV and divided by its robust spread, others divided by their robust spread.
    """
    kind = signal_kind(facts)
    rate_hz = min(facts.fs, _RATE_HZ)
    high_hz = min(_HIGH_HZ, _NYQUIST_SHARE * rate_hz / 2)
    unit: dict[str, tuple[Step, ...]] = {"ecg": (ToUnit("mV"),), "eeg": (ToUnit("uV"),)}
    scale: tuple[Step, ...] = () if kind == "ecg" else (Normalize(),)
    return Pipeline(
        filters=[
            Channels(facts.channels),
            *unit.get(kind, ()),
            FillGaps(),
            Bandpass(_LOW_HZ, high_hz),
            *scale,
            Resample(rate_hz),
        ],
        windows=Pieces(window_s, classes=tuple(classes)),
    )
