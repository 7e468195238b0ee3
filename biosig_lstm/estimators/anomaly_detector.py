"""What normal signal does not do: networks that learn it alone, and are surprised by the rest."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Literal, Self, get_args

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from biosig_lstm.containers import Recording, Windows
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError, options
from biosig_lstm.estimators._surprise import Surprise, against_recording, groups_of
from biosig_lstm.estimators._unlabelled import UnlabelledEstimator
from biosig_lstm.estimators.anomalies import Anomalies, AnomalyTruth, anomaly_report
from biosig_lstm.features.standardize import Standardize
from biosig_lstm.metrics.anomaly import alarm_threshold, covered_h
from biosig_lstm.metrics.result import Scores
from biosig_lstm.models import ModelSpec
from biosig_lstm.models.lstm_predictor import LSTMPredictor
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.training.batch import LengthBuckets, pad_steps

__all__ = ["AnomalyDetector"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Int64 = npt.NDArray[np.int64]
Unit = Literal["window", "step"]
Reference = Literal["training", "recording"]

_HIDDEN = 32
_BATCH_SIZE = 64
_LONGEST_STEP_S = 2.0
_PARTS_OF_A_STEP = 2
_MOST_SD = 2.0  # one part that is far off says less than several that are off


class AnomalyDetector(UnlabelledEstimator):
    """A network that learns normal signal alone, and a threshold on how far another signal is from what it expects.

    Parameters
    ----------
    pipeline : Pipeline, optional
        How recordings become windows. What is scored is a window (an item), or a step of it, such as a beat. None:
        items come as arrays of (steps, features); where these have no rate, a step is taken for a second.
    model : LSTMAutoencoder or LSTMPredictor, optional
        Writes a window again from a short code, or says of each step what the next one will be. By default
        ``LSTMPredictor(32)``.
    normal : tuple of str
        Classes of the windows that are normal signal. Empty: those without a label are, or all where there are no
        labels.
    scored : {"window", "step"}
        What gets a score. Of windows whose steps are samples too small a residual counts too: a lead that has fallen
        off is easily foreseen. Of those whose steps are rows of features the distance of the residuals counts.
    against : {"training", "recording"}
        What residuals are large against: those of the training items, or, before that, those of the same recording.
    merge_s : float [unit=s, >= 0]
        What is strange and no further apart is one event.
    members, standardize, task
        As of `Estimator`; features are standardised by default.

    Attributes
    ----------
    threshold : float or None
        What a score must exceed to alarm; set by `fit`, and may be set by hand.

    Raises
    ------
    ParameterError
        When the model does not stand for the items' own values, or a setting is out of range.

    Notes
    -----
    Residuals are standardised by those of the normal training items; see `biosig_lstm.estimators._surprise.Surprise`.
    Several members are averaged before the residual is taken. Before the first step that a predictor foresees, the
    mean of the training items is expected.

    Against ``"recording"``, the lower quartile of the log energies of a recording's residuals is taken from all of them
    first, in training as afterwards. So a person or a sensor that is foreseen less well than others does not alarm all
    the time. No label is looked at, but the whole recording is: scores of its first minute need the last, and one of a
    few windows says little. What fills three quarters of a recording is its usual signal.

    Examples
    --------
    >>> import biosig_lstm as bl
    >>> prepare = bl.Pipeline(windows=bl.FixedLength(2.0, epoch_s=0.1))
    >>> bl.AnomalyDetector(prepare, bl.LSTMPredictor(32)).scored
    'window'
    """

    instead = "an AnomalyDetector gives scores, no probabilities: call predict or step_scores"

    def __init__(
        self,
        pipeline: Pipeline | None = None,
        model: ModelSpec | None = None,
        *,
        normal: Sequence[str] = (),
        scored: Unit = "window",
        against: Reference = "training",
        merge_s: float = 0.0,
        members: int = 1,
        standardize: Standardize | None = Standardize(),  # noqa: B008 (frozen, without state)
        task: str = "anomalies",
    ) -> None:
        model = LSTMPredictor(_HIDDEN) if model is None else model
        super().__init__(pipeline, model, members=members, standardize=standardize, task=task)
        if not hasattr(model, "ahead_steps"):
            raise ParameterError(
                f"{type(model).__name__} tells classes; an AnomalyDetector takes LSTMAutoencoder or LSTMPredictor"
            )
        if scored not in get_args(Unit):
            raise ParameterError(f"scored must be {options(str(scored), get_args(Unit))}")
        if against not in get_args(Reference):
            raise ParameterError(f"against must be {options(str(against), get_args(Reference))}")
        if not 0 <= merge_s < np.inf:
            raise ParameterError(f"merge_s must be finite, 0 or more, got {merge_s}")
        self.normal = tuple(normal)
        self.scored: Unit = scored
        self.against: Reference = against
        self.merge_s = float(merge_s)
        self.ahead_steps = int(model.ahead_steps)
        self.surprise: Surprise | None = None
        self.threshold: float | None = None

    def __repr__(self) -> str:
        state = "not trained" if self.training is None else f"trained on {len(self.training.subjects)} subjects"
        limit = "no threshold" if self.threshold is None else f"threshold {self.threshold:.3g}"
        how = f"scored={self.scored!r}, against={self.against!r}, members={self.members}"
        return f"AnomalyDetector({self.model!r}, {how}; {state}; {limit})"

    def fit(
        self,
        train: Any,
        val: Any = None,
        *,
        subjects: npt.ArrayLike | None = None,
        false_alarms_per_h: float = 1.0,
        **how: Any,
    ) -> Self:
        """Learn normal signal, and set the threshold on that of other subjects.

        Parameters
        ----------
        train, val : Windows, recordings, mne.Epochs, mne.io.Raw, or arrays of (steps, features)
            Of different subjects; what is not normal is left out, of `val` before the threshold is set.
        subjects : array_like [shape=(n,)], optional
            Whose each array of `train` is.
        false_alarms_per_h : float [unit=1/h, > 0]
            How often normal signal of `val` may alarm.
        **how
            As of `Estimator.fit`: settings or single ones by name, directory, progress and so on.

        Raises
        ------
        ParameterError
            Without `val`: a threshold on subjects that were learned says nothing about others.
        LeakageError
            When a subject is on both sides.
        """
        if val is None:
            raise ParameterError("a threshold needs normal signal of subjects that are not trained on: give val")
        if not false_alarms_per_h > 0:
            raise ParameterError(f"false_alarms_per_h must be positive, got {false_alarms_per_h}")
        train = self._series(train, subjects)
        val = self._series(val, classes=train.classes)
        self.surprise = self.threshold = None
        learned = self._only_normal(train, side="train")
        super().fit(learned, self._only_normal(val, side="val"), **how)
        self.surprise = self._usual(self._scale(learned))
        self.set_threshold(val, false_alarms_per_h=false_alarms_per_h)
        return self

    def set_threshold(self, val: Windows | Iterable[Recording], *, false_alarms_per_h: float) -> None:
        """Set the threshold so that normal signal alarms so often an hour and no oftener.

        Parameters
        ----------
        val : Windows or recordings
            Of subjects whose weights were not learned; what is not normal does not count. From then on they count as
            seen: `evaluate` refuses them.
        false_alarms_per_h : float [unit=1/h, > 0]
            Alarms allowed.
        """
        windows = self._windows(val)
        scored, normal = self._scored(windows), self._normal(windows)
        begin, end, names = scored.starts_s[normal], scored.stops_s[normal], scored.recordings[normal]
        self.threshold = alarm_threshold(
            scored.scores[normal],
            begin,
            end,
            false_alarms_per_h=false_alarms_per_h,
            recordings=names,
            merge_s=self.merge_s,
        )
        self.training = None if self.training is None else self.training.with_windows(windows)
        hours = covered_h(begin, end, np.unique(names, return_inverse=True)[1])
        if false_alarms_per_h * hours < 1:
            warnings.warn(
                f"{hours:.2g} h of normal signal allow no false alarm at {false_alarms_per_h:g} an hour: the threshold "
                "is the highest score that was seen; give more, or allow more",
                BiosigWarning,
                stacklevel=2,
            )

    def predict(self, data: Windows | Recording | Iterable[Recording]) -> Anomalies:  # type: ignore[override]
        """Return a score for each window, or step, and the events in which it exceeds the threshold."""
        return self._scored(self._windows(data))

    def step_scores(self, data: Windows | Recording | Iterable[Recording]) -> list[Float64]:
        """Return how far the residual of each step is from usual, an array (steps, groups) for each item.

        A group is a channel, then all scalars, where steps are frames; a half of either where steps are scored, as
        beats are; else a column. Values are standardised: 3 is a residual far larger than usual, -3 one far smaller,
        such as of a flat line.
        """
        surprise = self._fitted()
        return [surprise.of_steps(item) for item in self._sizes(self.prepare(data))]

    def sample_scores(self, data: Windows | Recording | Iterable[Recording]) -> list[Float64]:
        """Return how large the residual of each value is against what is usual, an array (steps, columns) for each."""
        surprise = self._fitted()
        return [surprise.of_samples(rows) for rows in self._residuals(self.prepare(data))]

    def evaluate(  # type: ignore[override]
        self, test: Windows | Iterable[Recording], *, allow_seen: bool = False, seed: int = 0
    ) -> Scores:
        """Return how well labelled anomalies are found in subjects that the model has not seen.

        Parameters
        ----------
        test : Windows or recordings
            With labels: what is of a class that is not among `normal` is an anomaly; where `normal` is given, what
            bears no label is left out.
        allow_seen : bool
            Score subjects of the training set too, when that is what is asked.
        seed : int
            Of the bootstrap over subjects.

        Returns
        -------
        Scores
            As `biosig_lstm.metrics.anomaly_scores` and `alarm_scores` name them; an event is a run of anomalous windows
            that touch, and an alarm begins where its first window does, although it is known at the end of that.

        Raises
        ------
        LeakageError
            When a subject has been trained on.
        DataError
            When there is no normal signal or no anomaly.
        """
        windows = self._windows(test, need_subject=True)
        if not allow_seen:
            self.check_unseen(windows)
        return anomaly_report(self.predict(windows), self.truth(windows), seed=seed)

    def truth(self, windows: Windows) -> AnomalyTruth:
        """Return which windows, or steps where these are scored, labels say are strange, and which are normal.

        Raises
        ------
        DataError
            When there are no labels.
        """
        labels = self._labels(windows)
        if labels is None:
            raise DataError("nothing to score: these windows have no labels")
        normal = self._normal(windows)
        return AnomalyTruth((labels >= 0) & ~normal, normal)

    @property
    def _groups(self) -> tuple[slice, ...]:
        parts = _PARTS_OF_A_STEP if self.scored == "step" else 1
        return groups_of(len(self.columns), self.window_shape, parts=parts)

    def _fitted(self) -> Surprise:
        if self.surprise is None:
            raise ParameterError(f"{type(self).__name__} is not trained yet: call fit, or load a trained one")
        return self.surprise

    def _scored(self, windows: Windows) -> Anomalies:
        surprise, sizes = self._fitted(), self._sizes(self._scale(windows))
        if self.scored == "window":
            scores = np.array([surprise.of_item(item) for item in sizes], dtype=np.float64)
            begin = windows.starts / windows.fs
            end = begin + windows.lengths / (windows.rate_hz or 1.0)
            recordings, subjects = windows.recordings, windows.subjects
        else:
            parts = [surprise.of_steps(item).clip(-_MOST_SD, _MOST_SD).sum(axis=1) for item in sizes]
            scores = np.concatenate(parts) if parts else np.zeros(0)
            begin, end = _step_spans(windows)
            recordings, subjects = (
                np.repeat(names, windows.lengths) for names in (windows.recordings, windows.subjects)
            )
        threshold = np.inf if self.threshold is None else self.threshold
        return Anomalies(recordings, subjects, begin, end, scores, float(threshold), self.merge_s)

    def _usual(self, learned: Windows) -> Surprise:
        """Return what residuals of the scaled training items look like."""
        return Surprise.fit(
            list(self._residuals(learned)),
            self._groups,
            recordings=learned.recordings.tolist() if self.against == "recording" else None,
            as_rows=self.scored == "window" and self.window_shape is None,
        )

    def _sizes(self, windows: Windows) -> list[Float64]:
        """Return the log sizes of the residuals of each scaled item, (steps, groups) or one more."""
        surprise, groups = self._fitted(), self._groups
        sizes = [surprise.measures(rows, groups) for rows in self._residuals(windows)]
        return sizes if self.against == "training" else against_recording(sizes, windows.recordings.tolist())

    def _residuals(self, windows: Windows) -> Iterator[Float32]:
        """Yield what the networks did not foresee of each item, (steps, columns), in order."""
        found: dict[int, Float32] = {}
        self.networks.eval()
        together = max(min(_BATCH_SIZE, 2**22 // max(int(windows.lengths.max(initial=1)) * len(self.columns), 1)), 1)
        with torch.inference_mode():
            for batch in LengthBuckets(windows.lengths, batch_size=together, shuffle=False):
                x, lengths = pad_steps([windows.item(k) for k in batch])
                left = (x - self._expected(x, lengths)).numpy()
                found |= {k: left[row, : int(lengths[row])] for row, k in enumerate(batch)}
        yield from (found[k] for k in range(len(windows)))

    def _expected(self, x: Tensor, lengths: Tensor) -> Tensor:
        said = torch.stack([network(x, lengths) for network in self.networks]).mean(dim=0)
        if not self.ahead_steps:
            return said
        return torch.cat([torch.zeros_like(said[:, : self.ahead_steps]), said[:, : -self.ahead_steps]], dim=1)

    def _labels(self, windows: Windows) -> Int64 | None:
        """Return the label of what is scored, one for each, or None where nothing is labelled."""
        if windows.multi_label or (windows.step_labels and self.scored == "window"):
            raise ParameterError(f"a {self.scored} is scored by one label of its own, got {windows!r}")
        if windows.y is None or self.scored == "window" or windows.step_labels:
            return windows.y
        return np.repeat(windows.y, windows.lengths)

    def _normal(self, windows: Windows) -> Bool:
        labels = self._labels(windows)
        if labels is None:
            return np.ones(len(windows) if self.scored == "window" else len(windows.values), dtype=bool)
        if not self.normal:
            return np.asarray(labels < 0)
        for name in self.normal:
            if name not in windows.classes:
                raise ParameterError(f"normal class {options(name, windows.classes)}")
        return np.isin(labels, [windows.classes.index(name) for name in self.normal])

    def _only_normal(self, windows: Windows, *, side: str) -> Windows:
        """Return the normal items, or items without the steps that are not normal; labels are left behind."""
        normal = self._normal(windows)
        if not normal.any():
            held = ", ".join(f"{name} {n}" for name, n in windows.class_counts().items() if n)
            raise DataError(f"{side}: nothing is normal signal ({held or 'no labels'}); normal={self.normal!r}")
        if self.scored == "window":
            return replace(windows.select(normal), y=None, step_labels=False)
        inside = np.concatenate([[0], np.cumsum(normal)])[windows.offsets]
        kept = np.diff(inside) > 0
        return replace(
            windows.select(kept),
            values=windows.values[normal],
            offsets=np.concatenate([[0], inside[1:][kept]]),
            positions=windows.step_samples()[normal],
            y=None,
            step_labels=False,
        )

    def _build(self) -> torch.nn.Module:
        return self.model.build(
            n_features=len(self.columns),
            n_outputs=len(self.columns),
            window_shape=self.window_shape,
            per_step=True,
        )

    def _header(self) -> dict[str, Any]:
        return super()._header() | {
            "normal": list(self.normal),
            "scored": self.scored,
            "against": self.against,
            "merge_s": self.merge_s,
            "threshold": self.threshold,
            "surprise": self._fitted().to_dict(),
        }

    @classmethod
    def _from_header(cls, header: Mapping[str, Any], weights: Mapping[str, Tensor]) -> Self:
        made = super()._from_header(header, weights)
        made.normal, made.scored = tuple(header["normal"]), header["scored"]
        made.against = header.get("against", "training")
        made.merge_s, made.threshold = float(header["merge_s"]), header["threshold"]
        made.surprise = Surprise.from_dict(header["surprise"])
        return made


def _step_spans(windows: Windows) -> tuple[Float64, Float64]:
    """Return where steps begin and end, in seconds: an event lasts to the next one, 2 s at most."""
    rates = np.repeat(windows.fs, windows.lengths)
    begin = windows.step_samples() / rates
    if windows.rate_hz:
        return begin, begin + 1 / windows.rate_hz
    lasting = np.full(len(begin), _LONGEST_STEP_S)
    for first, stop in pairwise(windows.offsets.tolist()):
        gaps = np.diff(begin[first:stop])
        lasting[first:stop] = np.append(gaps, np.median(gaps) if len(gaps) else _LONGEST_STEP_S)
    return begin, begin + np.clip(lasting, 0.0, _LONGEST_STEP_S)
