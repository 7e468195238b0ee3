"""Cross-validate detectors of anomalies on real electrocardiograms, by subject, beside PCA and an isolation forest.

python tests/benchmarks/cross_validate_anomaly.py --data MITDB --task failures    sensors fail at known times
python tests/benchmarks/cross_validate_anomaly.py --data MITDB --task beats       learn N, find V in other patients

All methods see the same windows, of the same subjects; thresholds are those of a stated rate of false alarms on the
normal signal of validation subjects, who take no part in the training of any method.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest

import biosig_lstm as bl
from biosig_lstm.augmentation.sensor_failure import KINDS, SensorFailure
from biosig_lstm.containers import Annotations, Recording, Windows
from biosig_lstm.estimators._surprise import Surprise, groups_of
from biosig_lstm.metrics import alarm_events, alarm_scores, alarm_threshold, anomaly_scores, roc_auc

PACED = ("102", "104", "107", "217")
WINDOW_S, FRAME_S, RATE_HZ = 2.0, 0.1, 180.0
BEFORE_S, AFTER_S, BEAT_RATE_HZ, RUN = 0.25, 0.45, 60.0, 32
TREES = 200
Scorer = Callable[[Windows], np.ndarray]


@dataclass
class Pooled:
    """What one method said of the test subjects of all folds."""

    scores: list[np.ndarray] = field(default_factory=list)
    detected: list[np.ndarray] = field(default_factory=list)
    delays_s: list[float] = field(default_factory=list)


@dataclass
class Told:
    """What is scored, in order: each window or beat of a set of recordings."""

    begin: np.ndarray
    end: np.ndarray
    recordings: np.ndarray
    subjects: np.ndarray
    normal: np.ndarray
    anomaly: np.ndarray
    kinds: np.ndarray


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder of mitdb")
    parser.add_argument("--task", choices=("failures", "beats"), required=True)
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--false-alarms-per-h", type=float, default=6.0)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    recordings = list(bl.datasets.get("mitdb", chosen.data).recordings())
    task: Any = (Failures if chosen.task == "failures" else BeatsOfOthers)(recordings, chosen.epochs)
    ids = np.random.default_rng(0).permutation(sorted({r.subject for r in task.recordings}))
    pooled: dict[str, Pooled] = {}
    told: list[Told] = []
    for fold in range(chosen.folds):
        test = ids[fold :: chosen.folds].tolist()
        rest = [who for who in ids.tolist() if who not in test]
        val, train = rest[: len(rest) // 4], rest[len(rest) // 4 :]
        run_fold(task, train, val, test, pooled=pooled, told=told, rate=chosen.false_alarms_per_h)
        print(f"fold {fold}: {len(train)} subjects learned, {len(val)} for thresholds, {len(test)} tested", flush=True)
        report(task, pooled, told)


def run_fold(
    task: Any,
    train: list[str],
    val: list[str],
    test: list[str],
    *,
    pooled: dict[str, Pooled],
    told: list[Told],
    rate: float,
) -> None:
    held, tested = task.told(val, failed=False), task.told(test, failed=True)
    told.append(tested)
    for name, score in task.methods(train, val):
        on_val, on_test = score(task.windows(val, failed=False)), score(task.windows(test, failed=True))
        ok = held.normal
        threshold = alarm_threshold(
            on_val[ok], held.begin[ok], held.end[ok], recordings=held.recordings[ok], false_alarms_per_h=rate
        )
        found = pooled.setdefault(name, Pooled())
        found.scores.append(on_test)
        for recording in np.unique(tested.recordings):
            mine = tested.recordings == recording
            alarms = alarm_events(on_test[mine], tested.begin[mine], tested.end[mine], threshold=threshold)
            found.detected.append(np.stack([alarms.starts_s, alarms.stops_s], axis=1))
            flagged = mine & (on_test > threshold)
            found.delays_s += list(delays(task.events(recording), tested.begin[flagged], tested.end[flagged]))


def delays(events: np.ndarray, begin: np.ndarray, end: np.ndarray) -> Iterator[float]:
    """Yield for each event that was found the time from its onset to the end of the first window that alarms."""
    for onset, stop in events:
        over = (begin < stop) & (end > onset)
        if over.any():
            yield float(end[over].min() - onset)


def report(task: Any, pooled: dict[str, Pooled], told: list[Told]) -> None:
    whole = {name: np.concatenate([getattr(part, name) for part in told]) for name in vars(told[0])}
    known, names = whole["normal"] | whole["anomaly"], [name for part in told for name in np.unique(part.recordings)]
    subject = dict(zip(whole["recordings"].tolist(), whole["subjects"].tolist(), strict=True))
    lasting = [float(whole["end"][whole["recordings"] == name].max()) for name in names]
    kinds = task.kinds
    columns = ["AUROC", "average precision", "events found", "false alarms/h", "median delay (s)", *kinds]
    print(f"\n{len(names)} recordings, {int(known.sum())} scored, {whole['anomaly'].mean():.3f} anomalous\n")
    print(f"| method | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for method, said in pooled.items():
        scores = np.concatenate(said.scores)
        ranked = anomaly_scores(whole["anomaly"][known], scores[known], whole["subjects"][known])
        events = [np.minimum(task.events(name), end) for name, end in zip(names, lasting, strict=True)]
        spans = [np.minimum(one, end) for one, end in zip(said.detected, lasting, strict=True)]
        alarms = alarm_scores(events, spans, [subject[name] for name in names], duration_s=lasting)
        row = [ranked["auroc"], ranked["average_precision"], alarms["event_se"], alarms["false_alarms_per_h"]]
        cells = [str(cell) for cell in row] + [f"{np.median(said.delays_s):.2f}" if said.delays_s else "-"]
        for kind in kinds:
            part = whole["normal"] | (whole["anomaly"] & (whole["kinds"] == kind))
            cells.append(f"{roc_auc(whole['anomaly'][part], scores[part]):.3f}")
        print(f"| {method} | {' | '.join(cells)} |", flush=True)


class Failures:
    """Sensors fail in recordings that were kept out; windows of 2 s, one each second, in frames of 0.1 s."""

    kinds = KINDS

    def __init__(self, recordings: list[Recording], epochs: int) -> None:
        self.recordings, self.epochs = recordings, epochs
        cut = bl.FixedLength(WINDOW_S, step_s=1.0, epoch_s=FRAME_S, classes=KINDS)
        self.pipeline = bl.Pipeline(
            filters=[bl.EcgLeads(2), bl.FillGaps(), bl.Resample(RATE_HZ), bl.Normalize(method="percentile")],
            windows=cut,
        )
        self.made: dict[tuple[str, bool], Windows] = {}
        self.marks: dict[str, Annotations] = {}
        self.fs = recordings[0].fs
        for k, one in enumerate(recordings):
            bare = one.with_annotations(Annotations())
            failed = SensorFailure(n_each=4)(bare, np.random.default_rng([7, k]))
            self.marks[one.id] = failed.annotations
            self.made[one.id, False], self.made[one.id, True] = (
                leads_by_place(self.pipeline(r)) for r in (bare, failed)
            )

    def windows(self, subjects: list[str], *, failed: bool) -> Windows:
        return Windows.concatenate([self.made[r.id, failed] for r in self.recordings if r.subject in subjects])

    def events(self, recording: str) -> np.ndarray:
        marks = self.marks[recording]
        return np.stack([marks.starts, marks.stops], axis=1) / self.fs

    def told(self, subjects: list[str], *, failed: bool) -> Told:
        windows = self.windows(subjects, failed=failed)
        begin = windows.starts / windows.fs
        y = np.asarray(windows.y)
        touched = np.zeros(len(begin), dtype=bool)
        for name in np.unique(windows.recordings) if failed else ():
            for onset, stop in self.events(str(name)):
                touched |= (windows.recordings == name) & (begin < stop) & (begin + WINDOW_S > onset)
        kinds = np.array([*KINDS, ""])[y]
        return Told(begin, begin + WINDOW_S, windows.recordings, windows.subjects, ~touched, y >= 0, kinds)

    def methods(self, train: list[str], val: list[str]) -> Iterator[tuple[str, Scorer]]:
        learned = self.windows(train, failed=False)
        learned = learned.select(np.arange(0, len(learned), 4))
        held = self.windows(val, failed=False)
        how = {"max_epochs": self.epochs, "batch_size": 64, "learning_rate": 4e-3, "progress": False, "device": "cpu"}
        networks = {"LSTM predictor": bl.LSTMPredictor(64), "LSTM autoencoder": bl.LSTMAutoencoder(64, code_size=24)}
        for name, network in networks.items():
            started = time.perf_counter()
            model = bl.AnomalyDetector(self.pipeline, network).fit(learned, held, false_alarms_per_h=6.0, **how)
            print(f"{name}: {time.perf_counter() - started:.0f} s", flush=True)
            yield name, lambda windows, model=model: np.asarray(model.predict(windows).scores)
        rows = learned.values.reshape(len(learned), -1)
        groups = groups_of(len(learned.columns), learned.window_shape)
        for k in (20, 60):
            pca = PCA(k, random_state=0).fit(rows)
            yield (
                f"PCA of {k}, squared error",
                lambda windows, pca=pca: np.square(left_by(pca, windows)).mean(axis=(1, 2)),
            )
            usual = Surprise.fit(list(left_by(pca, learned)), groups)
            yield (
                f"PCA of {k}, scored as the networks",
                lambda windows, pca=pca, usual=usual: np.array(
                    [usual.of_item(r, groups) for r in left_by(pca, windows)]
                ),
            )
        forest = IsolationForest(n_estimators=TREES, random_state=0).fit(rows)
        yield "isolation forest", lambda windows: -forest.score_samples(windows.values.reshape(len(windows), -1))


def leads_by_place(windows: Windows) -> Windows:
    """Return the windows with leads named by their place: recordings have different ones."""
    leads, samples = windows.window_shape or (1, 1)
    return windows.with_values(windows.values, columns=[f"lead{k}[{j}]" for k in range(leads) for j in range(samples)])


def left_by(pca: PCA, windows: Windows) -> np.ndarray:
    """Return what a PCA of whole windows leaves of each, in its shape (items, steps, columns)."""
    rows = windows.values.reshape(len(windows), -1)
    return (rows - pca.inverse_transform(pca.transform(rows))).reshape(len(windows), -1, len(windows.columns))


class BeatsOfOthers:
    """The N beats of some patients are learned; V beats of others are to be found among their N beats."""

    kinds: tuple[str, ...] = ()

    def __init__(self, recordings: list[Recording], epochs: int) -> None:
        self.recordings, self.epochs = [r for r in recordings if r.id not in PACED], epochs
        self.pipeline = bl.Pipeline(
            filters=[bl.EcgLeads(2), bl.FillGaps(), bl.Bandpass(0.5, 40)],
            events=bl.Beats(),
            windows=bl.AroundEvents(BEFORE_S, AFTER_S, rate_hz=BEAT_RATE_HZ, leads=2),
            features=[bl.RRIntervals()],
        )
        self.made = {r.id: in_own_heights(self.pipeline(r)) for r in self.recordings}

    def windows(self, subjects: list[str], *, failed: bool) -> Windows:
        return Windows.concatenate([self.made[r.id] for r in self.recordings if r.subject in subjects])

    def events(self, recording: str) -> np.ndarray:
        windows = self.made[recording]
        at = windows.step_samples() / windows.fs[0]
        return np.array([[t - 0.05, t + 0.05] for t in at[np.asarray(windows.y) == 2]]).reshape(-1, 2).clip(0)

    def told(self, subjects: list[str], *, failed: bool) -> Told:
        windows = self.windows(subjects, failed=failed)
        at = windows.step_samples() / np.repeat(windows.fs, windows.lengths)
        y = np.asarray(windows.y)
        names, whose = (np.repeat(x, windows.lengths) for x in (windows.recordings, windows.subjects))
        return Told(at - 0.05, at + 0.05, names, whose, y == 0, y == 2, np.full(len(y), ""))

    def methods(self, train: list[str], val: list[str]) -> Iterator[tuple[str, Scorer]]:
        learned, held = self.windows(train, failed=False), self.windows(val, failed=False)
        how = {"batch_size": 32, "learning_rate": 6e-3, "progress": False, "device": "cpu"}
        kind = {"normal": ("N",), "scored": "step"}
        whole = {"LSTM autoencoder": (bl.LSTMAutoencoder(48, code_size=4), RUN, {"max_epochs": 2 * self.epochs})}
        crops = {"crop_steps": 64, "items_per_epoch": 512, "max_epochs": self.epochs}
        whole["LSTM predictor"] = (bl.LSTMPredictor(64, dropout=0.1), None, crops)
        joined: list[Scorer] = []
        for name, (network, run, settings) in whole.items():
            started = time.perf_counter()
            sides = [w if run is None else w.into_runs(run) for w in (learned, held)]
            model: Any = bl.AnomalyDetector(self.pipeline, network, **kind)
            model.fit(*sides, false_alarms_per_h=6.0, **(how | settings))
            print(f"{name}: {time.perf_counter() - started:.0f} s", flush=True)
            joined.append(
                lambda w, model=model, run=run: np.asarray(model.predict(w if run is None else w.into_runs(run)).scores)
            )
            yield name, joined[-1]
        yield "both LSTMs, sum of scores", lambda w: np.sum([score(w) for score in joined], axis=0)
        rows = learned.values[np.asarray(learned.y) == 0]
        centre, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-6
        normal = (rows - centre) / spread
        groups = groups_of(normal.shape[1], learned.window_shape, parts=3)
        for k in (5, 10):
            pca = PCA(k, random_state=0).fit(normal)
            left: Any = lambda v, pca=pca: v - pca.inverse_transform(pca.transform(v))  # noqa: E731
            usual = Surprise.fit(np.array_split(left(normal), 200), groups)
            yield (
                f"PCA of {k}, squared error",
                lambda w, left=left: np.square(left((w.values - centre) / spread)).mean(axis=1),
            )
            yield (
                f"PCA of {k}, scored as the networks",
                lambda w, left=left, usual=usual: (
                    usual.of_steps(left((w.values - centre) / spread), groups).clip(-3, 3).sum(axis=1)
                ),
            )
        forest = IsolationForest(n_estimators=TREES, random_state=0).fit(normal)
        yield "isolation forest", lambda w: -forest.score_samples((w.values - centre) / spread)


def in_own_heights(windows: Windows) -> Windows:
    """Return beats of one recording in units of each lead's median height of the QRS, at most 5 either way."""
    leads, samples = windows.window_shape or (1, 1)
    beats = windows.values[:, : leads * samples].reshape(-1, leads, samples)
    qrs = slice(round((BEFORE_S - 0.1) * BEAT_RATE_HZ), round((BEFORE_S + 0.1) * BEAT_RATE_HZ))
    height = np.median(np.ptp(beats[..., qrs], axis=-1), axis=0) + 1e-3
    scaled = np.clip(beats / height[:, None], -5, 5).reshape(len(beats), -1)
    return replace(windows, values=np.concatenate([scaled, windows.values[:, leads * samples :]], axis=1))


if __name__ == "__main__":
    main()
