"""Cross-validate detectors of anomalies on real electrocardiograms, by subject, beside PCA and an isolation forest.

python tests/benchmarks/cross_validate_anomaly.py --data MITDB --task failures    sensors fail at known times
python tests/benchmarks/cross_validate_anomaly.py --data MITDB --task beats       learn N, find V in other patients

All methods see the same windows, of the same subjects; thresholds are those of a stated rate of false alarms on the
normal signal of validation subjects, who take no part in the training of any method. "Against its recording" takes what
is usual in a recording, the lower quartile, from the scores of PCA and the forest, as the networks take it from their
residuals: no label is looked at. Differences are those of the same people in each draw of people.
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest

import biosig_lstm as bl
from biosig_lstm.augmentation.sensor_failure import KINDS
from biosig_lstm.containers import Annotations, Recording, Windows
from biosig_lstm.estimators._surprise import Surprise, against_recording, groups_of
from biosig_lstm.metrics import (
    alarm_events,
    alarm_scores,
    alarm_threshold,
    anomaly_scores,
    ranking_differences,
    roc_auc,
)
from biosig_lstm.recipes import recipe_for
from biosig_lstm.scoring.tasks.sensor_failures import failed as with_failures

PACED = ("102", "104", "107", "217")
WINDOW_S = 2.0
BEFORE_S, AFTER_S, BEAT_RATE_HZ, RUN = 0.25, 0.45, 60.0, 32
TREES = 200
AGAINST = ", against its recording"
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
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--out", type=Path, help="write the tables here too, as JSON")
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
        found = report(task, pooled, told)
        if chosen.out:
            chosen.out.write_text(json.dumps(found, indent=1), encoding="utf-8")


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


def report(task: Any, pooled: dict[str, Pooled], told: list[Told]) -> dict[str, Any]:
    whole = {name: np.concatenate([getattr(part, name) for part in told]) for name in vars(told[0])}
    known, names = whole["normal"] | whole["anomaly"], [name for part in told for name in np.unique(part.recordings)]
    subject = dict(zip(whole["recordings"].tolist(), whole["subjects"].tolist(), strict=True))
    lasting = [float(whole["end"][whole["recordings"] == name].max()) for name in names]
    kinds = task.kinds
    columns = ["AUROC", "average precision", "events found", "false alarms/h", "median delay (s)", *kinds]
    print(f"\n{len(names)} recordings, {int(known.sum())} scored, {whole['anomaly'].mean():.3f} anomalous\n")
    print(f"| method | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    table: dict[str, Any] = {}
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
        table[method] = dict(zip(columns, cells, strict=True))
    return {"methods": table, "differences": differences(task, pooled, whole, known)}


def differences(task: Any, pooled: dict[str, Pooled], whole: dict[str, Any], known: np.ndarray) -> dict[str, Any]:
    """Print by how much each of the task's own methods ranks better than each rival, people drawn together."""
    own = [name for name in pooled if name in task.own]
    rivals = [name for name in pooled if "LSTM" not in name]
    print(f"\n| AUROC and average precision less those of | {' | '.join(own)} |\n|---|{'---|' * len(own)}")
    found: dict[str, Any] = {}
    for rival in rivals:
        cells = []
        for name in own:
            ours, theirs = (np.concatenate(pooled[method].scores)[known] for method in (name, rival))
            less = ranking_differences(whole["anomaly"][known], ours, theirs, whole["subjects"][known])
            cells.append(f"{less['auroc']}; {less['average_precision']}")
        found[rival] = dict(zip(own, cells, strict=True))
        print(f"| {rival} | {' | '.join(cells)} |", flush=True)
    return found


def less_usual(scores: np.ndarray, recordings: np.ndarray) -> np.ndarray:
    """Return scores less the lower quartile of their recording."""
    return np.concatenate(against_recording([np.array([[s]]) for s in scores], recordings.tolist())).ravel()


def both_ways(name: str, score: Scorer, recordings: Callable[[Windows], np.ndarray]) -> Iterator[tuple[str, Scorer]]:
    """Yield a rival as it is, and against what is usual in a recording."""
    yield name, score
    yield name + AGAINST, lambda w: less_usual(score(w), recordings(w))


def against(model: Any, learned: Windows) -> Any:
    """Return a trained detector of the same networks that judges against the recording, or against training."""
    other = copy.copy(model)
    other.against = "training" if model.against == "recording" else "recording"
    other.surprise = other._usual(other._scale(other._only_normal(learned, side="train")))
    return other


class Failures:
    """Sensors fail in recordings that were kept out; the preparation is that of the recipe for them."""

    kinds = KINDS
    own = ("LSTM predictor" + AGAINST, "LSTM autoencoder" + AGAINST)

    def __init__(self, recordings: list[Recording], epochs: int) -> None:
        self.recordings, self.epochs = recordings, epochs
        self.recipe: Any = recipe_for("mitdb-failures")
        self.made: dict[tuple[str, bool], Windows] = {}
        self.marks: dict[str, Annotations] = {}
        self.fs = recordings[0].fs
        for one in recordings:
            bare, failed = one.with_annotations(Annotations()), with_failures(one)
            self.marks[one.id] = failed.annotations
            self.made[one.id, False], self.made[one.id, True] = (self.recipe.pipeline(r) for r in (bare, failed))

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
        learned = learned.select(np.arange(0, len(learned), self.recipe.every))
        held = self.windows(val, failed=False)
        how = vars(self.recipe.settings) | {"max_epochs": self.epochs, "progress": False, "device": "cpu"}
        networks = {"LSTM predictor": self.recipe.model, "LSTM autoencoder": bl.LSTMAutoencoder(48, code_size=8)}
        for name, network in networks.items():
            started = time.perf_counter()
            model = replace(self.recipe, model=network).new().fit(learned, held, false_alarms_per_h=6.0, **how)
            print(f"{name}: {time.perf_counter() - started:.0f} s", flush=True)
            for suffix, each in (("", against(model, learned)), (AGAINST, model)):
                yield name + suffix, lambda windows, model=each: np.log(model.predict(windows).scores)
        rows = learned.values.reshape(len(learned), -1)
        centre, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-6
        flat: Callable[[Windows], np.ndarray] = lambda w: (w.values.reshape(len(w), -1) - centre) / spread  # noqa: E731
        names: Callable[[Windows], np.ndarray] = lambda w: w.recordings  # noqa: E731
        for k in (10, 30):
            pca = PCA(k, random_state=0).fit(flat(learned))
            left: Any = lambda w, pca=pca: flat(w) - pca.inverse_transform(pca.transform(flat(w)))  # noqa: E731
            yield from both_ways(
                f"PCA of {k}, squared error",
                lambda w, left=left: np.log(np.square(left(w)).mean(axis=1)),
                names,
            )
            yield from as_the_networks(f"PCA of {k}", left, learned)
        yield from as_the_networks("no model at all", flat, learned)
        forest = IsolationForest(n_estimators=TREES, random_state=0).fit(flat(learned))
        yield from both_ways("isolation forest", lambda w: -forest.score_samples(flat(w)), names)


def as_the_networks(name: str, left: Callable[[Windows], np.ndarray], learned: Windows) -> Iterator[tuple[str, Scorer]]:
    """Yield what gives the residuals of another method to the score of the networks."""
    columns = len(learned.columns)
    groups = groups_of(columns, None)

    def residuals(windows: Windows) -> list[np.ndarray]:
        return list(left(windows).reshape(len(windows), -1, columns))

    for suffix in ("", AGAINST):
        names = learned.recordings.tolist() if suffix else None
        usual = Surprise.fit(residuals(learned), groups, recordings=names, as_rows=True)

        def score(windows: Windows, usual: Surprise = usual, suffix: str = suffix) -> np.ndarray:
            sizes = [usual.measures(item, groups) for item in residuals(windows)]
            sizes = against_recording(sizes, windows.recordings.tolist()) if suffix else sizes
            return np.log([usual.of_item(item) for item in sizes])

        yield f"{name}, scored as the networks{suffix}", score


class BeatsOfOthers:
    """The N beats of some patients are learned; V beats of others are to be found among their N beats."""

    kinds: tuple[str, ...] = ()
    own = ("LSTM autoencoder" + AGAINST, f"both LSTMs{AGAINST}, sum of scores")

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
        kind: dict[str, Any] = {"normal": ("N",), "scored": "step", "against": "recording"}
        whole = {"LSTM autoencoder": (bl.LSTMAutoencoder(48, code_size=4), RUN, {"max_epochs": 2 * self.epochs})}
        crops = {"crop_steps": 64, "items_per_epoch": 512, "max_epochs": self.epochs}
        whole["LSTM predictor"] = (bl.LSTMPredictor(64, dropout=0.1), None, crops)
        joined: list[Scorer] = []
        for name, (network, run, settings) in whole.items():
            started = time.perf_counter()
            cut: Any = lambda w, run=run: w if run is None else w.into_runs(run)  # noqa: E731
            model = bl.AnomalyDetector(self.pipeline, network, **kind)
            model.fit(cut(learned), cut(held), false_alarms_per_h=6.0, **(how | settings))
            print(f"{name}: {time.perf_counter() - started:.0f} s", flush=True)
            for suffix, each in (("", against(model, cut(learned))), (AGAINST, model)):
                yield name + suffix, lambda w, model=each, cut=cut: np.asarray(model.predict(cut(w)).scores)
            joined.append(lambda w, model=model, cut=cut: np.asarray(model.predict(cut(w)).scores))
        yield f"both LSTMs{AGAINST}, sum of scores", lambda w: np.sum([score(w) for score in joined], axis=0)
        yield from self.rivals(learned)

    def rivals(self, learned: Windows) -> Iterator[tuple[str, Scorer]]:
        rows = learned.values[np.asarray(learned.y) == 0]
        centre, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-6
        flat: Callable[[Windows], np.ndarray] = lambda w: (w.values - centre) / spread  # noqa: E731
        names: Callable[[Windows], np.ndarray] = lambda w: np.repeat(w.recordings, w.lengths)  # noqa: E731
        groups = groups_of(rows.shape[1], learned.window_shape, parts=2)
        of_row = names(learned)[np.asarray(learned.y) == 0]
        for k in (5, 10):
            pca = PCA(k, random_state=0).fit((rows - centre) / spread)
            left: Any = lambda v, pca=pca: v - pca.inverse_transform(pca.transform(v))  # noqa: E731
            yield from both_ways(
                f"PCA of {k}, squared error",
                lambda w, left=left: np.log(np.square(left(flat(w))).mean(axis=1)),
                names,
            )
            parts = [left((rows[of_row == name] - centre) / spread) for name in np.unique(of_row)]
            usual = Surprise.fit(parts, groups, recordings=np.unique(of_row).tolist())

            def score(w: Windows, left: Any = left, usual: Surprise = usual) -> np.ndarray:
                at = names(w)
                found = np.zeros(len(at))
                for name in np.unique(at):
                    (sizes,) = against_recording([usual.measures(left(flat(w)[at == name]), groups)], ["r"])
                    found[at == name] = usual.of_steps(sizes).clip(-2, 2).sum(axis=1)
                return found

            yield f"PCA of {k}, scored as the networks{AGAINST}", score
        forest = IsolationForest(n_estimators=TREES, random_state=0).fit((rows - centre) / spread)
        yield from both_ways("isolation forest", lambda w: -forest.score_samples(flat(w)), names)


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
