"""What accompanies training: seeds by epoch, averaged weights, progress on stderr."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import lightning.pytorch as lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from biosig_lstm.containers import Windows

__all__ = ["EpochLog", "EpochSeed", "Progress", "Renew", "WeightAverage"]

Renew = Callable[[np.random.Generator], Windows]


class EpochSeed(Callback):
    """Seed every epoch by itself, so that a run that was interrupted goes on as if it had not been.

    Parameters
    ----------
    seed : int
        Of the run.
    renew : callable, optional
        ``rng -> Windows``: makes the training items anew.
    every : int
        Epochs that go over the same items.
    """

    def __init__(self, seed: int, renew: Renew | None = None, *, every: int = 1) -> None:
        self.seed = seed
        self.renew = renew
        self.every = every
        self.drawn = -1

    def on_train_epoch_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:  # noqa: ARG002
        """Seed torch, and tell data and sampler which epoch it is."""
        epoch = trainer.current_epoch
        torch.manual_seed(self.seed * 1_000_003 + epoch)
        loader: Any = trainer.train_dataloader
        loader.dataset.epoch = epoch
        loader.batch_sampler.epoch = epoch
        if self.renew is not None and epoch // self.every != self.drawn:
            self.drawn = epoch // self.every
            loader.dataset.windows = self.renew(np.random.default_rng([self.seed, self.drawn]))
            loader.batch_sampler.take(loader.dataset.windows)


class WeightAverage(Callback):
    """The running average of the weights, which stands in for them in the end (Polyak and Juditsky 1992).

    Parameters
    ----------
    decay : float [0 to 1)
        What it keeps at each step; 0: no average. It begins after the first epoch.
    """

    def __init__(self, decay: float) -> None:
        self.decay = decay
        self.mean: dict[str, torch.Tensor] = {}

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,  # noqa: ARG002
        batch: Any,  # noqa: ARG002
        batch_idx: int,  # noqa: ARG002
    ) -> None:
        """Take this step's weights into the average."""
        if not self.decay or (trainer.current_epoch == 0 and (trainer.max_epochs or 1) > 1):
            return
        network: Any = pl_module.network
        for name, value in network.state_dict().items():
            now = value.detach()
            if name in self.mean and now.is_floating_point():
                self.mean[name] = self.mean[name].to(now.device).lerp_(now, 1 - self.decay)
            else:
                self.mean[name] = now.clone()

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"mean": self.mean}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up what a checkpoint kept."""
        self.mean = state_dict["mean"]


class EpochLog(Callback):
    """A CSV row of losses for each epoch; a run that goes on keeps the rows of the epochs before.

    Parameters
    ----------
    path : Path
        The file.
    """

    names = ("epoch", "train_loss", "val_loss")

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:  # noqa: ARG002
        """Drop rows of epochs that are to be run, all of them in a new run."""
        self._write([row for row in self.rows() if row["epoch"] < trainer.current_epoch])

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:  # noqa: ARG002
        """Add the row of this epoch."""
        losses = {k: float(trainer.callback_metrics[k]) for k in self.names[1:] if k in trainer.callback_metrics}
        self._write([*self.rows(), {"epoch": trainer.current_epoch, **losses}])

    def rows(self) -> tuple[dict[str, float], ...]:
        """Return the rows written so far."""
        if not self.path.is_file():
            return ()
        with self.path.open(newline="") as file:
            return tuple({k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file))

    def _write(self, rows: Iterable[Mapping[str, float]]) -> None:
        with self.path.open("w", newline="") as file:
            writer = csv.DictWriter(file, self.names)
            writer.writeheader()
            writer.writerows(rows)


class Progress(Callback):
    """A bar of epochs on stderr with the losses."""

    def __init__(self) -> None:
        self.bar: Bar | None = None
        self.task: Any = None

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:  # noqa: ARG002
        """Show the bar."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self.bar = Bar(*columns, console=Console(stderr=True))
        self.task = self.bar.add_task("training", total=trainer.max_epochs, completed=trainer.current_epoch)
        self.bar.start()

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:  # noqa: ARG002
        """Move on by an epoch."""
        shown = ("train_loss", "val_loss")
        losses = [f"{name} {trainer.callback_metrics[name]:.4f}" for name in shown if name in trainer.callback_metrics]
        if self.bar is not None:
            self.bar.update(self.task, advance=1, description=" ".join(["epoch", *losses]))

    def teardown(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, stage: str) -> None:  # noqa: ARG002
        """Take the bar away, also after an error."""
        if self.bar is not None:
            self.bar.stop()
            self.bar = None
