"""Sound that says words: a tone of its own for each of four words, and a model that has learned them in seconds."""

from __future__ import annotations

from functools import cache

import numpy as np

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.estimators import Transcriber
from biosig_lstm.features.log_mel import LogMel
from biosig_lstm.features.standardize import Standardize
from biosig_lstm.models.speech_bilstm import SpeechBiLSTM
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.windows.utterance import Utterance

FS = 8000
TONES_HZ = {"do": 300.0, "mi": 700.0, "so": 1400.0, "ti": 2800.0}


def sound_of(words: list[str], *, seed: int, pause_s: float = 0.12) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """Return samples that say the words, and where each begins and ends in seconds."""
    rng = np.random.default_rng(seed)
    parts, places = [np.zeros(round(0.15 * FS))], []
    for word in words:
        t = np.arange(round(rng.uniform(0.12, 0.18) * FS)) / FS
        at = sum(len(part) for part in parts) / FS
        places.append((at, at + len(t) / FS))
        parts.append(0.2 * np.hanning(len(t)) ** 0.5 * np.sin(2 * np.pi * TONES_HZ[word] * t))
        parts.append(np.zeros(round(rng.uniform(0.7, 1.3) * pause_s * FS)))
    values = np.concatenate([*parts, np.zeros(round(0.1 * FS))])
    return values + rng.normal(0, 0.002, len(values)), places


def spoken(words: list[str], *, seed: int, name: str = "", subject: str = "") -> Recording:
    """Return a recording of the words, under its transcript."""
    values, _ = sound_of(words, seed=seed)
    mark = Annotations([0], [len(values)], ["transcript"], [" ".join(words)])
    return Recording(values[None], FS, ["sound"], ["FS"], id=name or f"u{seed}", subject=subject, annotations=mark)


def utterances(n: int, *, first: int = 0, longest: int = 5) -> list[Recording]:
    """Return recordings of one to `longest` words, of four speakers."""
    found = []
    for seed in range(first, first + n):
        rng = np.random.default_rng([7, seed])
        words = rng.choice(list(TONES_HZ), size=rng.integers(1, longest + 1)).tolist()
        found.append(spoken(words, seed=seed, subject=f"speaker{seed % 4}{'x' if first else ''}"))
    return found


def untrained(unit: str = "words", **how: object) -> Transcriber:
    prepare = Pipeline(windows=Utterance(), features=[LogMel(n_mels=16, hop_s=0.02)])
    network = SpeechBiLSTM((16,), kernels=(3,), strides=(2,), hidden_size=16, num_layers=1, dropout=0.0)
    return Transcriber(prepare, network, unit=unit, standardize=Standardize(), **how)  # type: ignore[arg-type]


QUICK = {"max_epochs": 12, "batch_size": 4, "learning_rate": 0.02, "device": "cpu", "progress": False}


@cache
def trained(unit: str = "words") -> Transcriber:
    """Return the model that all tests share: nobody may change it."""
    model = untrained(unit)
    return model.fit(model.pipeline(utterances(80)), **QUICK)
