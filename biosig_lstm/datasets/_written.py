"""What the written samples of several databases share: generated recordings, marks beside beats, header details."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets._synthetic_ecg import Float32, synthetic_ecg

__all__ = ["TWELVE_LEADS", "declare_uncalibrated", "generated_recording", "joined", "twelve_leads"]

TWELVE_LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
"""The standard leads in their usual order."""


def twelve_leads(signals: Float32) -> Float32:
    """Return twelve leads made from lead II and lead V1: the limb leads obey Einthoven and Goldberger.

    Parameters
    ----------
    signals : np.ndarray [shape=(2, samples), unit=mV]
        Leads II and V1.

    Returns
    -------
    np.ndarray [shape=(12, samples), dtype=float32, unit=mV]
        In the order of `TWELVE_LEADS`.
    """
    second, first_chest = signals
    first = np.float32(0.6) * second
    limbs = [first, second, second - first, -(first + second) / 2, first - second / 2, second - first / 2]
    chest = [first_chest + share * (second - first_chest) for share in np.linspace(0, 1, 6, dtype=np.float32)]
    return np.stack([*limbs, *chest]).astype(np.float32)


def generated_recording(
    record: str,
    *,
    fs: float,
    channels: Sequence[str],
    seed: int,
    duration_s: float = 20.0,
) -> Recording:
    """Return a generated recording of two or twelve leads in mV, its beats labelled ``N``, ``A`` and ``V``."""
    signals, peaks, labels = synthetic_ecg(
        fs=fs, duration_s=duration_s, seed=seed, p_supraventricular=0.25, p_ventricular=0.2
    )
    leads = signals if len(channels) == 2 else twelve_leads(signals)
    marks = Annotations(peaks, labels=labels)
    return Recording(leads, fs, channels, ("mV",) * len(channels), id=record, annotations=marks)


def joined(*parts: Annotations) -> Annotations:
    """Return the annotations of all parts in order of time."""
    fields = ("starts", "stops", "labels", "notes")
    return Annotations(*(np.concatenate([getattr(part, name) for part in parts]) for name in fields))


def declare_uncalibrated(header: Path) -> None:
    """Write a gain of 0 into every signal line: WFDB's word for not calibrated, read as 200 steps a millivolt."""
    text = header.read_text(encoding="utf-8").replace(" 200(0)/mV ", " 0 ")
    header.write_text(text, encoding="utf-8", newline="\n")
