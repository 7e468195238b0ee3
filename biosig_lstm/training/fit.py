"""Train a network on windows: read from top to bottom, it is what happens."""

from __future__ import annotations

import logging
import signal
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as lightning
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import Logger, TensorBoardLogger
from torch import nn
from torch.utils.data import DataLoader

from biosig_lstm.containers import Windows
from biosig_lstm.decoding import Alphabet
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.training.batch import Augmentation, Batch, Items, LengthBuckets, SubjectDraws, collate
from biosig_lstm.training.callbacks import EpochLog, EpochSeed, Progress, Renew, WeightAverage
from biosig_lstm.training.forecasts import ForecastModule, ForecastTask, check_forecast
from biosig_lstm.training.module import ClassifierModule, class_weights
from biosig_lstm.training.reconstruction import ReconstructionModule, check_reconstruction
from biosig_lstm.training.settings import FitSettings
from biosig_lstm.training.transcripts import Targets, TranscriptModule, collate_transcripts

__all__ = ["FitHistory", "fit"]

_EXPECTED_WARNINGS = (
    ".*does not have many workers.*",
    ".*but have no `val_dataloader`.*",
    ".*smaller than the logging interval.*",
    ".*Checkpoint directory.*exists.*",
    ".*isinstance.*LeafSpec.*",
    ".*tensorboardX.*",
    ".*GPU available but not used.*",
)


@dataclass(frozen=True)
class FitHistory:
    """What training went through.

    Parameters
    ----------
    epochs : tuple of dict
        A row for each epoch: its number and losses.
    directory : Path or None
        Where the log and the checkpoints are, when a folder was given.
    """

    epochs: tuple[Mapping[str, float], ...]
    directory: Path | None = None


def fit(
    network: nn.Module,
    train: Windows,
    val: Windows | None = None,
    *,
    settings: FitSettings,
    augment: Augmentation | None = None,
    renew: Renew | None = None,
    directory: str | Path | None = None,
    resume: bool = False,
    progress: bool = True,
    tensorboard: bool = False,
    alphabet: Alphabet | None = None,
    ahead_steps: int | None = None,
    forecasting: ForecastTask | None = None,
) -> FitHistory:
    """Train `network` in place.

    Parameters
    ----------
    network : nn.Module
        (x, lengths) to logits.
    train, val : Windows
        Labelled items; validation subjects decide early stopping and which epoch is kept, so they are no test.
    settings : FitSettings
        How.
    augment : callable, optional
        ``(x, y, rng) -> (x, y)`` on each training item.
    renew : callable, optional
        ``rng -> Windows``: makes the training items anew, from recordings changed at random; class weights, and the
        largest number of batches, are still those of `train`. Not together with `val`.
    directory : path, optional
        Folder of ``metrics.csv`` and ``last.ckpt``.
    resume : bool
        Go on from ``last.ckpt`` in `directory` where there is one: the result is that of an unbroken run.
    progress : bool
        Show progress on stderr.
    tensorboard : bool
        Write TensorBoard events beside the CSV; needs the extra ``biosig-lstm[tensorboard]``.
    alphabet : Alphabet, optional
        Learn the texts of the items, by connectionist temporal classification: output 0 is the blank, then come these
        symbols.
    ahead_steps : int, optional
        Learn the values of the items, by least squares: an answer stands for the step so many after its own, 0 for
        that step itself. Labels do not count.
    forecasting : ForecastTask, optional
        Learn quantiles of the steps that follow each step. Labels do not count.

    Returns
    -------
    FitHistory
        Losses by epoch.

    Raises
    ------
    DataError
        When there is no labelled item, a text has other symbols or is longer than its item can say, or the weights
        have become infinite.
    ParameterError
        When early stopping or resuming is asked without what it needs.
    """
    targets = None if alphabet is None else Targets(alphabet, network)
    _check_run(settings, has_val=val is not None, directory=directory, resume=resume)
    if forecasting is not None:
        _check_forecast(train, val, forecasting)
    else:
        _check(train, val, settings=settings, targets=targets, ahead_steps=ahead_steps)
    if renew is not None and val is not None:
        raise ParameterError("renew cannot be combined with validation items yet: give settings a fixed max_epochs")
    with _folder(directory) as folder, _quiet(), _interruptible():
        torch.manual_seed(settings.seed)
        module = _module(
            network.train(),
            train,
            settings=settings,
            targets=targets,
            ahead_steps=ahead_steps,
            forecasting=forecasting,
        )
        averages, log = WeightAverage(settings.average_decay), EpochLog(folder / "metrics.csv")
        callbacks: list[Callback] = [
            EpochSeed(settings.seed, renew, every=settings.renew_every),
            averages,
            log,
            *([Progress()] if progress else []),
        ]
        trainer = lightning.Trainer(
            **_device(settings),
            max_epochs=settings.max_epochs,
            gradient_clip_val=settings.gradient_clip,
            callbacks=[*callbacks, *_checkpoints(folder, settings=settings, has_val=val is not None)],
            logger=_tensorboard(folder, wanted=tensorboard),
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            default_root_dir=folder,
        )
        last = folder / "last.ckpt"
        trainer.fit(
            module,
            _train_loader(train, settings=settings, augment=augment, targets=targets),
            None if val is None else _val_loader(val, settings=settings, targets=targets),
            ckpt_path=str(last) if resume and last.is_file() else None,
            weights_only=False if resume and last.is_file() else None,
        )
        _keep_best(network, trainer, averages=averages)
        network.eval().to("cpu")
        _check_weights(network)
        return FitHistory(log.rows(), Path(directory) if directory else None)


def _module(
    network: nn.Module,
    train: Windows,
    *,
    settings: FitSettings,
    targets: Targets | None,
    ahead_steps: int | None,
    forecasting: ForecastTask | None,
) -> ClassifierModule:
    if forecasting is not None:
        return ForecastModule(network, settings=settings, task=forecasting)
    if targets is not None:
        return TranscriptModule(network, settings=settings)
    if ahead_steps is not None:
        return ReconstructionModule(network, settings=settings, ahead_steps=ahead_steps)
    if hasattr(network, "answer_lengths"):
        raise ParameterError("this network answers fewer steps than it reads: it learns texts, not labels of steps")
    weights = class_weights(train, settings)
    return ClassifierModule(network, settings=settings, weights=weights, multi_label=train.multi_label)


def _check(
    train: Windows,
    val: Windows | None,
    *,
    settings: FitSettings,
    targets: Targets | None,
    ahead_steps: int | None,
) -> None:
    if targets is not None:
        _check_texts([train] if val is None else [train, val], targets, settings=settings)
    elif ahead_steps is not None:
        for side, what in ((train, "learn from"), (val, "validate on")):
            if side is not None:
                check_reconstruction(side, ahead_steps=ahead_steps, what=what)
    elif not sum(train.class_counts().values()):
        raise DataError("nothing to learn from: no training item has a label")
    elif val is not None:
        _check_val(train, val, settings=settings)


def _check_run(settings: FitSettings, *, has_val: bool, directory: str | Path | None, resume: bool) -> None:
    if settings.patience is not None and not has_val:
        raise ParameterError("patience needs validation items: give val, or patience=None")
    if resume and directory is None:
        raise ParameterError("resume needs the directory of the run to go on with")


def _check_forecast(train: Windows, val: Windows | None, forecasting: ForecastTask) -> None:
    for side, what in ((train, "learn from"), (val, "validate on")):
        if side is not None:
            check_forecast(side, forecasting, what=what)


def _check_texts(sides: Sequence[Windows], targets: Targets, *, settings: FitSettings) -> None:
    if settings.crop_steps is not None or settings.label_smoothing:
        raise ParameterError(
            "the text of an item is not that of a part, nor can it be smoothed: crop_steps must be None and "
            f"label_smoothing 0, got {settings.crop_steps} and {settings.label_smoothing:g}"
        )
    for side in sides:
        if not len(side):
            raise DataError("nothing to learn from or to validate on: there is no item")
        targets.check_all(side)


def _check_val(train: Windows, val: Windows, *, settings: FitSettings) -> None:
    counts = val.class_counts()
    if not sum(counts.values()):
        raise DataError("nothing to validate on: no validation item has a label")
    weights = None if train.multi_label else class_weights(train, settings)
    if weights is not None and not any(n and w for n, w in zip(counts.values(), weights.tolist(), strict=True)):
        held = ", ".join(name for name, n in counts.items() if n)
        raise DataError(f"nothing to validate on: validation holds {held} alone, which does not count in training")


def _check_weights(network: nn.Module) -> None:
    if not all(bool(torch.isfinite(p).all()) for p in network.parameters()):
        raise DataError(
            "training diverged, weights are not finite: try a lower learning_rate; are the features scaled?"
        )


def _train_loader(
    train: Windows, *, settings: FitSettings, augment: Augmentation | None, targets: Targets | None
) -> DataLoader[Any]:
    items = Items(train, seed=settings.seed, crop_steps=settings.crop_steps, augment=augment, targets=targets)
    sampler: SubjectDraws | LengthBuckets
    if settings.items_per_epoch:
        sampler = SubjectDraws(
            train.subjects, n_draws=settings.items_per_epoch, batch_size=settings.batch_size, seed=settings.seed
        )
    else:
        sampler = LengthBuckets(train.lengths, batch_size=settings.batch_size, seed=settings.seed)
    own_draws = torch.Generator().manual_seed(settings.seed)
    return DataLoader(items, batch_sampler=sampler, collate_fn=_collate(targets), generator=own_draws)


def _val_loader(val: Windows, *, settings: FitSettings, targets: Targets | None) -> DataLoader[Any]:
    sampler = LengthBuckets(val.lengths, batch_size=settings.batch_size, shuffle=False)
    return DataLoader(Items(val, targets=targets), batch_sampler=sampler, collate_fn=_collate(targets))


def _collate(targets: Targets | None) -> Callable[..., Batch]:
    return collate if targets is None else collate_transcripts


def _device(settings: FitSettings) -> dict[str, Any]:
    if settings.device == "cuda" and not torch.cuda.is_available():
        raise ParameterError("device cuda: torch finds no GPU here; device auto or cpu trains without one")
    on_gpu = settings.device == "cuda" or (settings.device == "auto" and torch.cuda.is_available())
    return {"accelerator": "gpu", "devices": 1, "precision": "16-mixed"} if on_gpu else {"accelerator": "cpu"}


def _checkpoints(folder: Path, *, settings: FitSettings, has_val: bool) -> list[Callback]:
    found: list[Callback] = []
    if has_val:
        found.append(ModelCheckpoint(folder, filename="best", monitor="val_loss", enable_version_counter=False))
    if settings.patience is not None:
        found.append(EarlyStopping("val_loss", patience=settings.patience, verbose=False))
    last = ModelCheckpoint(folder, filename="last", save_on_train_epoch_end=True, enable_version_counter=False)
    return [*found, last]


def _tensorboard(folder: Path, *, wanted: bool) -> Logger | bool:
    if not wanted:
        return False
    try:
        return TensorBoardLogger(folder, name="", version="tensorboard")
    except ModuleNotFoundError as error:
        raise ParameterError("tensorboard=True needs TensorBoard: pip install 'biosig-lstm[tensorboard]'") from error


def _keep_best(network: nn.Module, trainer: lightning.Trainer, *, averages: WeightAverage) -> None:
    if averages.mean:
        network.load_state_dict(averages.mean)
        return
    best = next((c for c in trainer.checkpoint_callbacks if getattr(c, "monitor", None) == "val_loss"), None)
    path = getattr(best, "best_model_path", "")
    if path:
        state = torch.load(path, map_location="cpu", weights_only=False)["state_dict"]
        network.load_state_dict({k.removeprefix("network."): v for k, v in state.items() if k.startswith("network.")})


@contextmanager
def _folder(directory: str | Path | None) -> Iterator[Path]:
    if directory is not None:
        Path(directory).mkdir(parents=True, exist_ok=True)
        yield Path(directory)
        return
    with tempfile.TemporaryDirectory(prefix="biosig-lstm-") as made:
        yield Path(made)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let an interruption be one: Lightning makes it an exit of the program, and leaves the signal switched off."""
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as error:
        if not isinstance(error.__context__, KeyboardInterrupt):
            raise
        signal.signal(signal.SIGINT, before)
        raise KeyboardInterrupt("training was interrupted") from error


@contextmanager
def _quiet() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for message in _EXPECTED_WARNINGS:
                warnings.filterwarnings("ignore", message)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
