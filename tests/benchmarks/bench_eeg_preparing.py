"""Time the preparation of EEG beside MNE: references, derivations, filters on a raw object, artefacts.

Usage: python tests/benchmarks/bench_eeg_preparing.py
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import mne
import numpy as np

import biosig_lstm as bl

FS, SECONDS, REPEATS = 256.0, 1800, 5
ANODES = [
    "Fp1",
    "F7",
    "T7",
    "P7",
    "Fp1",
    "F3",
    "C3",
    "P3",
    "Fz",
    "Cz",
    "Fp2",
    "F4",
    "C4",
    "P4",
    "Fp2",
    "F8",
    "T8",
    "P8",
]
CATHODES = ["F7", "T7", "P7", "O1", "F3", "C3", "P3", "O1", "Cz", "Pz", "F4", "C4", "P4", "O2", "F8", "T8", "P8", "O2"]


def best_ms(work: Callable[[], Any]) -> float:
    """Return the shortest of several times, after one that does not count."""
    work()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


def rejected_by_mne(raw: Any) -> Any:
    """Return epochs of a second that keep to the limits."""
    epochs = mne.make_fixed_length_epochs(raw, 1, preload=True)
    return epochs.drop_bad(reject={"eeg": 150e-6}, flat={"eeg": 0.5e-6})


def main() -> None:
    """Print the table."""
    mne.set_log_level("error")
    names = list(dict.fromkeys([*ANODES, *CATHODES]))
    signals = 20 * np.random.default_rng(0).standard_normal((len(names), int(FS * SECONDS))).astype(np.float32)
    recording = bl.Recording(signals, FS, names, ["uV"] * len(names), id="noise")
    raw = recording.to_mne()
    montage, mark = bl.Bipolar("double banana", keep_others=False), bl.MarkArtefacts(peak_to_peak_uv=150, flat_uv=0.5)
    rows: list[tuple[str, Callable[[], Any] | None, Callable[[], Any] | None, Callable[[], Any]]] = [
        (
            "average reference",
            lambda: bl.Rereference()(recording),
            lambda: bl.Rereference()(raw),
            lambda: mne.set_eeg_reference(raw, "average", projection=False),
        ),
        (
            "double banana, 18 derivations",
            lambda: montage(recording),
            lambda: montage(raw),
            lambda: mne.set_bipolar_reference(raw, ANODES, CATHODES),
        ),
        (
            "band-pass 0.5-40 Hz, zero phase, order 2",
            lambda: bl.Bandpass(0.5, 40)(recording),
            lambda: bl.Bandpass(0.5, 40)(raw),
            lambda: raw.copy().filter(0.5, 40, method="iir", iir_params={"order": 2, "ftype": "butter"}),
        ),
        (
            "256 to 100 Hz (MNE: polyphase)",
            lambda: bl.Resample(100)(recording),
            lambda: bl.Resample(100)(raw),
            lambda: raw.copy().resample(100, method="polyphase"),
        ),
        (
            "peak-to-peak and flat, windows of 1 s",
            lambda: mark(recording),
            lambda: mark(raw),
            lambda: rejected_by_mne(raw),
        ),
    ]
    lines = ["| work | recording, ms | mne.Raw, ms | MNE, ms |", "|---|---|---|---|"]
    for what, *each in rows:
        lines.append(f"| {what} | " + " | ".join(f"{best_ms(work):.0f}" for work in each if work) + " |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
