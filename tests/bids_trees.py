"""BIDS trees as the specification has them, for tests: EDF recordings, tables, sidecars."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from edf_files import EdfFile, Signal

GROUPS = ("patient", "control")
CHANNELS = ("Fz", "Cz", "Oz")
TYPES = ("EEG", "EEG", "EEG")
HZ = {"patient": 4.0, "control": 11.0, "left": 4.0, "right": 11.0}
EVENTS = ((1.0, 2.0, "left"), (4.0, 2.0, "right"), (7.0, 2.0, "left"), (9.0, 0.0, "n/a"))


def table(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    """Write a TSV file."""
    path.write_text("\n".join("\t".join(map(str, row)) for row in [header, *rows]) + "\n", encoding="utf-8")
    return path


def signals(fs: int, n_s: int, *, hz: float, seed: int, events: Sequence[tuple[float, float, str]]) -> list[Signal]:
    """Return three channels of noise with a rhythm of `hz`, or of what each event has, in it."""
    rng, time_s = np.random.default_rng(seed), np.arange(n_s * fs) / fs
    rate_hz = np.full(len(time_s), hz)
    for onset_s, duration_s, label in events:
        rate_hz[(time_s >= onset_s) & (time_s < onset_s + duration_s)] = HZ.get(label, hz)
    wave = 300 * np.sin(2 * np.pi * rate_hz * time_s)
    made = [(wave * (k + 1) / 3 + rng.normal(0, 40, len(time_s))).round().astype(int) for k in range(3)]
    return [Signal(name, values, fs, "uV") for name, values in zip(CHANNELS, made, strict=True)]


def write_tree(
    root: Path,
    *,
    n_subjects: int = 6,
    sessions: Sequence[str] = ("",),
    events: Sequence[tuple[float, float, str]] = EVENTS,
    n_s: int = 10,
    fs: int = 64,
    bad: Mapping[str, str] | None = None,
) -> Path:
    """Write a tree of subjects, half of them patients; return its root.

    `bad` names the channel that is marked as bad for a subject, as in ``{"sub-01": "Oz"}``.
    """
    root.mkdir(parents=True, exist_ok=True)
    described = {"Name": "Rhythms", "BIDSVersion": "1.10.0", "License": "CC0", "DatasetType": "raw"}
    (root / "dataset_description.json").write_text(json.dumps({**described, "Authors": ["A. Author"]}))
    subjects = [f"sub-{k + 1:02}" for k in range(n_subjects)]
    rows = [[who, 20 + k, GROUPS[k % 2]] for k, who in enumerate(subjects)]
    table(root / "participants.tsv", ["participant_id", "age", "group"], rows)
    sidecar = {"TaskName": "imagery", "SamplingFrequency": fs, "PowerLineFrequency": 50, "EEGReference": "Cz"}
    (root / "task-imagery_eeg.json").write_text(json.dumps({**sidecar, "SoftwareFilters": "n/a"}))
    for k, who in enumerate(subjects):
        for session in sessions:
            folder = root / who / (f"ses-{session}" if session else "") / "eeg"
            folder.mkdir(parents=True)
            stem = f"{who}_{f'ses-{session}_' if session else ''}task-imagery"
            waves = signals(fs, n_s, hz=HZ[GROUPS[k % 2]], seed=10 * k + len(session), events=events)
            EdfFile(waves).write(folder / f"{stem}_eeg.edf")
            states = ["bad" if (bad or {}).get(who) == name else "good" for name in CHANNELS]
            columns = zip(CHANNELS, TYPES, ["uV"] * 3, states, strict=True)
            table(folder / f"{stem}_channels.tsv", ["name", "type", "units", "status"], list(columns))
            table(folder / f"{stem}_events.tsv", ["onset", "duration", "trial_type"], events)
    return root
