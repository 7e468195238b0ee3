"""What every trained model has in common: fit, probabilities, one file to save to and load from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from biosig_lstm.containers import Recording, Windows
from biosig_lstm.containers.arrays import is_arrays
from biosig_lstm.decoding import Alphabet
from biosig_lstm.errors import DataError, LeakageError, ParameterError, options
from biosig_lstm.estimators._checks import check_layout, check_run
from biosig_lstm.estimators._data import windows_of, windows_of_arrays
from biosig_lstm.estimators._file import read_kind, rebuilding, versions, write_model
from biosig_lstm.estimators._training import Training, seen_in
from biosig_lstm.estimators.gates import Gates, read_gates
from biosig_lstm.estimators.predictions import Predictions
from biosig_lstm.features.standardize import FittedStandardize, Standardize
from biosig_lstm.metrics import beat_scores, class_scores
from biosig_lstm.metrics.result import Scores
from biosig_lstm.models import BiLSTM, ModelSpec, answer_lengths, spec_from_dict, with_memory
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.splits import audit
from biosig_lstm.training import FitHistory, FitSettings, fit
from biosig_lstm.training.batch import Augmentation, LengthBuckets, collate
from biosig_lstm.training.callbacks import Renew
from biosig_lstm.training.forecasts import ForecastTask

__all__ = ["Estimator", "Training"]

Float32 = npt.NDArray[np.float32]

_BATCH_SIZE = 16
_BATCH_VALUES = 2**25  # so many at most go together, or one item: whole nights of samples would not fit into memory


class Estimator:
    """A preparation and a model that are trained, scored, saved and loaded as one.

    Parameters
    ----------
    pipeline : Pipeline, optional
        How recordings become windows, in training and ever after. None: none, items come as arrays, and are scaled by
        `Standardize` unless another scaling is given.
    model : ModelSpec, optional
        Which network; by default ``BiLSTM(pooling="attention")``.
    members : int
        How many networks are trained from different seeds; their probabilities are averaged.
    standardize : Standardize, optional
        Scaling of the features, learned from the training items.
    task : str
        What the model answers, such as ``beats``, for those who score it or write its answers to files; empty where
        the kind of estimator says enough.
    """

    per_step: ClassVar[bool] = False
    multi_label: ClassVar[bool] = False
    alphabet: Alphabet | None = None
    """Symbols of the texts that are learned, where texts are."""
    ahead_steps: int | None = None
    """How far ahead of its own step an answer lies, where the items' own values are learned."""
    forecasting: ForecastTask | None = None
    """What is foreseen, where the steps that follow are learned."""

    def __init__(
        self,
        pipeline: Pipeline | None = None,
        model: ModelSpec | None = None,
        *,
        members: int = 1,
        standardize: Standardize | None = None,
        task: str = "",
    ) -> None:
        if members < 1:
            raise ParameterError(f"members must be at least 1, got {members}")
        self.pipeline = Pipeline.of_arrays() if pipeline is None else pipeline
        self.model = BiLSTM(pooling="attention") if model is None else model
        self.members = members
        self.standardize = Standardize() if pipeline is None and standardize is None else standardize
        self.task = task
        self.networks: nn.ModuleList = nn.ModuleList()
        self.scaling: FittedStandardize | None = None
        self.classes: tuple[str, ...] = ()
        self.columns: tuple[str, ...] = ()
        self.window_shape: tuple[int, int] | None = None
        self.unit = ""
        self.rate_hz: float | None = None
        self.training: Training | None = None
        self.history: tuple[FitHistory, ...] = ()
        self.card: dict[str, Any] = {}

    def __repr__(self) -> str:
        state = f"trained on {len(self.training.subjects)} subjects" if self.training else "not trained"
        return (
            f"{type(self).__name__}({self.model!r}, members={self.members}; {state}; classes {' '.join(self.classes)})"
        )

    def fit(
        self,
        train: Windows,
        val: Windows | None = None,
        *,
        subjects: npt.ArrayLike | None = None,
        settings: FitSettings | None = None,
        augment: Augmentation | None = None,
        renew: Renew | None = None,
        directory: str | Path | None = None,
        resume: bool = False,
        progress: bool = True,
        tensorboard: bool = False,
        protocol: str = "",
        same_person: Sequence[Sequence[str]] = (),
        **changes: Any,
    ) -> Self:
        """Train on windows that `pipeline` made, or on what it makes windows of.

        Parameters
        ----------
        train, val : Windows, recordings, mne.Epochs, mne.io.Raw, or X and y
            Labelled items of different subjects. Validation decides when to stop and, unless weights are averaged,
            which epoch is kept: it is no test. Epochs of MNE are items as they are: of `pipeline` each goes through
            the filters and all through the features; they are labelled by the names of ``event_id``. Arrays come as
            ``fit(X, y, subjects=...)``, see `Windows.from_arrays`, without validation.
        subjects : array_like [shape=(n,)], optional
            Whose each item of X is.
        settings : FitSettings, optional
            How; single settings can be given by name instead, as in ``fit(train, val, max_epochs=20)``.
        augment : callable, optional
            ``(x, y, rng) -> (x, y)`` on each training item.
        renew : callable, optional
            ``rng -> Windows``: makes the training items of each epoch anew; unscaled, as `train` is.
        directory, resume, progress, tensorboard
            As in `biosig_lstm.training.fit`; each member has a folder of its own below `directory`.
        protocol : str
            The frozen split that `train` belongs to, for the record.
        same_person : sequence of sequences of str
            Subjects that are one person, for the audit.

        Raises
        ------
        LeakageError
            When a subject is on both sides.
        """
        if subjects is not None or is_arrays(train):
            train, val = self._of_arrays(train, val, subjects), None
        train = windows_of(train, self.pipeline)
        val = None if val is None else windows_of(val, self.pipeline, classes=train.classes)
        if val is not None:
            audit(train, val, same_person=same_person)
        how = _settings(settings, changes)
        self.training, self.card = None, {}
        self._take_layout(train)
        self.model = with_memory(self.model, train.lengths.tolist())
        if directory is not None:
            check_run(directory, run=self._run(train, val, settings=how), resume=resume)
        self.scaling = self.standardize.fit(train) if self.standardize else None
        scaled_train, scaled_val = self._scale(train), None if val is None else self._scale(val)
        self._before_training(scaled_train)
        self.networks, histories = nn.ModuleList(), []
        for k in range(self.members):
            each = replace(how, seed=how.seed + 1000 * k)
            torch.manual_seed(each.seed)
            network = self._build()
            folder = None if directory is None else Path(directory) / (f"member{k}" if self.members > 1 else "")
            histories.append(
                fit(
                    network,
                    scaled_train,
                    scaled_val,
                    settings=each,
                    augment=augment,
                    renew=None if renew is None else lambda rng: self._scale(renew(rng)),
                    directory=folder,
                    resume=resume,
                    progress=progress,
                    tensorboard=tensorboard,
                    alphabet=self.alphabet,
                    ahead_steps=self.ahead_steps,
                    forecasting=self.forecasting,
                )
            )
            self.networks.append(network)
        self.history = tuple(histories)
        self.training = seen_in([train] if val is None else [train, val], how, protocol=protocol)
        return self

    def prepare(self, data: Windows | Recording | Iterable[Recording]) -> Windows:
        """Return windows as the model takes them; recordings go through the pipeline first.

        Raises
        ------
        DataError
            When columns, unit or rate differ from those the model was trained on, or a recording cannot be prepared.
        """
        return self._scale(self._windows(data))

    def _windows(self, data: Windows | Recording | Iterable[Recording], *, need_subject: bool = False) -> Windows:
        if not self.training:
            raise ParameterError(f"{type(self).__name__} is not trained yet: call fit, or load a trained one")
        if is_arrays(data):
            data = self._of_arrays(data, layout=True)
        prepared_here = not isinstance(data, Windows)
        windows = windows_of(data, self.pipeline, classes=self.classes, need_subject=need_subject)
        check_layout(windows, columns=self.columns, unit=self.unit, rate_hz=self.rate_hz, prepared_here=prepared_here)
        return windows

    def _of_arrays(self, items: Any, y: Any = None, subjects: Any = None, *, layout: bool = False) -> Windows:
        if y is None and not layout and is_arrays(items):
            raise ParameterError("labels are missing: arrays are learned as fit(X, y, subjects=...)")
        names = ("columns", "classes", "rate_hz", "unit") if layout else ()
        how = {"step_labels": self.per_step, "multi_label": self.multi_label}
        known = {name: getattr(self, name) for name in names}
        return windows_of_arrays(items, y, self.pipeline, subjects=subjects, **how, **known)

    def log_probabilities(self, data: Windows | Recording | Iterable[Recording]) -> list[Float32]:
        """Return the log-probability of each class, an array (classes,) or (steps, classes) for each item."""
        return self._log_probabilities(self.prepare(data))

    def _item_rows(self, data: Windows | Recording | Iterable[Recording]) -> dict[str, Any]:
        """Return the fields of predictions that have a row for each item, in order."""
        windows = self._windows(data)
        logs = self.log_probabilities(windows)
        return {
            "recordings": windows.recordings,
            "subjects": windows.subjects,
            "samples": windows.starts,
            "fs": windows.fs,
            "log_probabilities": np.array(logs, dtype=np.float32).reshape(-1, len(self.classes)),
            "classes": self.classes,
            "durations_s": windows.lengths / windows.rate_hz if windows.rate_hz else np.zeros(len(windows)),
            "rejected": windows.rejected,
        }

    def _log_probabilities(self, windows: Windows) -> list[Float32]:
        found: list[Float32] = [np.zeros(0, dtype=np.float32)] * len(windows)
        self.networks.eval()
        with torch.inference_mode():
            for batch in LengthBuckets(windows.lengths, batch_size=_items_together(windows), shuffle=False):
                x, lengths, _ = collate([(windows.item(k), np.zeros(1, dtype=np.int64)) for k in batch])
                logs, ends = self._ensemble(x, lengths), answer_lengths(self.networks[0], lengths)
                for row, k in enumerate(batch):
                    found[k] = logs[row, : ends[row]].numpy() if self.per_step else logs[row].numpy()
        return found

    def gates(self, data: Windows | Recording | Iterable[Recording], *, member: int = 0) -> Gates:
        """Return what the gates of the LSTM of one of the `members` do at each of its steps, and what it remembers.

        Raises
        ------
        ParameterError
            When the model reads by another cell, or there is no such member.
        """
        windows = self.prepare(data)
        if not 0 <= member < self.members:
            raise ParameterError(f"member must lie in 0 to {self.members - 1}, got {member}")
        batches = list(LengthBuckets(windows.lengths, batch_size=_items_together(windows), shuffle=False))
        return read_gates(self.networks[member].eval(), windows, batches)

    def predict(self, data: Windows | Recording | Iterable[Recording]) -> Predictions:
        """Return a row of probabilities for each answer."""
        raise NotImplementedError(f"{type(self).__name__} does not say what a row of its predictions is")

    def evaluate(
        self,
        test: Windows | Iterable[Recording],
        y: npt.ArrayLike | None = None,
        *,
        subjects: npt.ArrayLike | None = None,
        allow_seen: bool = False,
        seed: int = 0,
        leave_out: Mapping[str, Sequence[str]] | None = None,
    ) -> Scores:
        """Return the scores on labels of subjects the model has not seen.

        Parameters
        ----------
        test : Windows, recordings, mne.Epochs or mne.io.Raw
            With labels; what has none is left out.
        y, subjects : array_like, optional
            Where `test` are arrays: their labels, and whose they are.
        allow_seen : bool
            Score subjects of the training set too, when that is what is asked.
        seed : int
            Of the bootstrap over subjects.
        leave_out : mapping of str to sequence of str, optional
            Suffix of metric names and the subjects that those metrics leave out.

        Raises
        ------
        LeakageError
            When a subject has been trained on.
        DataError
            When nothing has a label, or windows have other classes than the model.
        """
        if y is not None or subjects is not None:
            test = self._of_arrays(test, y, subjects, layout=True)
        windows = self._windows(test, need_subject=True)
        if windows.y is not None and windows.classes != self.classes:
            raise DataError(f"windows of the classes {windows.classes}, the model has {self.classes}")
        if not allow_seen:
            self.check_unseen(windows)
        known = _known(windows)
        if windows.y is None or not known.any():
            names = ", ".join(sorted(set(windows.recordings.tolist()))[:8])
            raise DataError(f"nothing to score: no label in {names}; annotations are needed to evaluate")
        said = self.predict(windows)
        return self._scores(windows.y[known], said, known, seed=seed, leave_out=leave_out or {})

    def _scores(
        self,
        truth: npt.NDArray[np.int64],
        said: Predictions,
        known: npt.NDArray[np.bool_],
        *,
        seed: int,
        leave_out: Mapping[str, Sequence[str]],
    ) -> Scores:
        score = beat_scores if {"N", "S", "V"} <= set(self.classes) else class_scores
        index, subjects = said.index[known], said.subjects[known]
        return score(truth, index, subjects, classes=self.classes, seed=seed, leave_out=leave_out)

    def check_unseen(self, windows: Windows) -> None:
        """Refuse to score subjects that the model was trained on.

        Raises
        ------
        LeakageError
            Naming them.
        """
        if self.training is None:
            return
        both = sorted(set(self.training.subjects) & set(windows.subjects.tolist()))
        if both:
            raise LeakageError(
                f"the model has been trained on {len(both)} of these subjects ({', '.join(both[:8])}"
                f"{', ...' if len(both) > 8 else ''}): a score on them says nothing about anyone else; "
                "score subjects it has not seen, or pass allow_seen=True and say so with the score"
            )

    def save(self, path: str | Path, *, half: bool = False) -> None:
        """Write the model to one file: preparation, scaling, classes, what it has seen, versions, card, weights.

        Parameters
        ----------
        path : path
            Usually ``*.biosig``.
        half : bool
            Store weights as float16: half the size, answers that differ in the third digit.
        """
        if self.training is None:
            raise ParameterError(f"{type(self).__name__} is not trained yet: nothing to save")
        write_model(path, header=self._header(), weights=self.networks.state_dict(), half=half)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Return the model that `save` wrote. Nothing in the file is executed.

        Raises
        ------
        DataError
            When the file is absent, damaged, foreign, or holds another kind of model.
        """
        header, weights = read_kind(path, cls)
        with rebuilding(path):
            return cls._from_header(header, weights)

    def _take_layout(self, train: Windows) -> None:
        if train.step_labels != self.per_step:
            kind, other = ("steps", "items") if self.per_step else ("items", "steps")
            raise ParameterError(f"{type(self).__name__} learns labels of {kind}, these windows label {other}")
        if train.y is not None and train.multi_label != self.multi_label:
            mine, theirs = ("several labels", "one") if self.multi_label else ("one label", "several")
            raise ParameterError(f"{type(self).__name__} learns {mine} for each item, these windows have {theirs}")
        self.classes, self.columns = tuple(train.classes), tuple(train.columns)
        self.window_shape, self.unit, self.rate_hz = train.window_shape, train.unit, train.rate_hz

    def _run(self, train: Windows, val: Windows | None, *, settings: FitSettings) -> dict[str, Any]:
        free = ("max_epochs", "device")
        return {
            "pipeline": self.pipeline.to_dict(),
            "model": self.model.to_dict(),
            "members": self.members,
            "columns": len(self.columns),
            "classes": list(self.classes),
            "training recordings": sorted(set(train.recordings.tolist())),
            "training subjects": sorted(set(train.subjects.tolist())),
            "validation recordings": sorted(set(val.recordings.tolist())) if val is not None else [],
            "validation subjects": sorted(set(val.subjects.tolist())) if val is not None else [],
            "labels": _digest(train.y, None if val is None else val.y),
            "scaling": repr(self.standardize),
            **{name: value for name, value in settings.to_dict().items() if name not in free},
        }

    def _build(self) -> nn.Module:
        return self.model.build(
            n_features=len(self.columns),
            n_outputs=len(self.classes),
            window_shape=self.window_shape,
            per_step=self.per_step,
        )

    def _before_training(self, scaled: Windows) -> None:
        """Take from the scaled training items what networks begin with, where a kind of model does."""

    def _scale(self, windows: Windows) -> Windows:
        return self.scaling(windows) if self.scaling else windows

    def _ensemble(self, x: Tensor, lengths: Tensor) -> Tensor:
        logs = torch.stack([self._logs(network(x, lengths)) for network in self.networks])
        return torch.logsumexp(logs, dim=0) - float(np.log(len(self.networks)))

    def _logs(self, logits: Tensor) -> Tensor:
        return torch.log_softmax(logits, dim=-1)

    def _header(self) -> dict[str, Any]:
        seen = self.training or Training((), (), {})
        return {
            "estimator": type(self).__name__,
            "task": self.task,
            "pipeline": self.pipeline.to_dict(),
            "pipeline_digest": self.pipeline.digest(),
            "model": self.model.to_dict(),
            "members": self.members,
            "classes": list(self.classes),
            "columns": list(self.columns),
            "window_shape": self.window_shape,
            "unit": self.unit,
            "rate_hz": self.rate_hz,
            "standardize": vars(self.standardize) if self.standardize else None,
            "scaling": self.scaling.to_dict() if self.scaling else None,
            "training": {**vars(seen), "split_digest": seen.split_digest},
            "versions": versions(),
            "card": self.card,
        }

    @classmethod
    def _from_header(cls, header: Mapping[str, Any], weights: Mapping[str, Tensor]) -> Self:
        made = cls(
            Pipeline.from_dict(header["pipeline"]),
            spec_from_dict(header["model"]),
            members=int(header["members"]),
            standardize=Standardize(**header["standardize"]) if header.get("standardize") else None,
            task=str(header.get("task", "")),
        )
        made.unit, made.rate_hz = header.get("unit", ""), header.get("rate_hz")
        made.classes, made.columns = tuple(header["classes"]), tuple(header["columns"])
        made.window_shape = tuple(header["window_shape"]) if header["window_shape"] else None
        made.scaling = FittedStandardize.from_dict(header["scaling"]) if header["scaling"] else None
        seen = header["training"]
        made.training = Training(
            tuple(seen["subjects"]), tuple(seen["recordings"]), dict(seen["settings"]), seen["protocol"]
        )
        made.card = dict(header["card"])
        made._restore(header)
        made.networks = nn.ModuleList(made._build() for _ in range(made.members))
        made.networks.load_state_dict(dict(weights))
        made.networks.eval()
        return made

    def _restore(self, header: Mapping[str, Any]) -> None:
        """Take what a kind of model has written of its own, before the networks are built."""


def _settings(settings: FitSettings | None, changes: Mapping[str, Any]) -> FitSettings:
    known = [field.name for field in fields(FitSettings)]
    for name in changes:
        if name not in known:
            raise ParameterError(f"fit has no setting {options(name, known)}")
    return replace(settings or FitSettings(), **changes)


def _items_together(windows: Windows) -> int:
    largest = int(windows.lengths.max(initial=1)) * max(len(windows.columns), 1)
    return max(min(_BATCH_SIZE, _BATCH_VALUES // largest), 1)


def _known(windows: Windows) -> npt.NDArray[np.bool_]:
    if windows.y is None:
        return np.zeros(0, dtype=bool)
    known = windows.y >= 0
    return np.asarray(known.any(axis=1)) if windows.multi_label else known


def _digest(*labels: npt.NDArray[np.int64] | None) -> str:
    parts = (b"" if y is None else y.tobytes() for y in labels)
    return hashlib.sha256(b"|".join(parts)).hexdigest()[:16]
