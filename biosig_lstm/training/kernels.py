"""A kernel machine beside a network: solved on the mean rows of the same items, and put into it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize

from biosig_lstm.containers import Windows
from biosig_lstm.errors import DataError
from biosig_lstm.models._kernel import KernelMachine
from biosig_lstm.models.kernel_bilstm import KernelBiLSTMNetwork
from biosig_lstm.training.batch import collate
from biosig_lstm.training.module import class_weights
from biosig_lstm.training.settings import FitSettings

__all__ = ["add_kernel", "item_rows", "kernel_logistic"]

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_TINY = 1e-9


def add_kernel(network: KernelBiLSTMNetwork, windows: Windows, *, settings: FitSettings, seed: int) -> None:
    """Solve the kernel machine of a network on labelled items; a network without one is left as it is.

    Parameters
    ----------
    network : KernelBiLSTMNetwork
        Its specification says how many items are kept; of more, so many are drawn.
    windows : Windows
        Items with one label each, scaled as the network sees them; those without are left out.
    settings : FitSettings
        Its weights of classes hold for the kernel machine too.
    seed : int
        Of the draw.

    Raises
    ------
    DataError
        When no item has a label.
    """
    machine = network.machine
    if machine is None:
        return
    labelled = np.flatnonzero(windows.y >= 0) if windows.y is not None else np.zeros(0, dtype=np.int64)
    if windows.y is None or not len(labelled):
        raise DataError("a kernel machine has nothing to be solved on: no item has a label")
    if len(labelled) > len(machine.known):
        drawn = np.random.default_rng(seed).choice(labelled, len(machine.known), replace=False)
        labelled = np.sort(drawn)
    y, weights = windows.y[labelled], class_weights(windows, settings)
    each = np.ones(len(y)) if weights is None else weights.numpy().astype(np.float64)[y]
    rows = item_rows(network, windows)[labelled]
    centre, spread = rows.mean(axis=0), rows.std(axis=0)
    spread[spread < _TINY] = 1.0
    known = (rows - centre) / spread
    likeness = _likeness(machine, known)
    solved, offset = kernel_logistic(
        likeness, y, n_classes=len(windows.classes), weights=each / each.mean(), penalty=network.penalty
    )
    found = {"centre": centre, "spread": spread, "known": known, "weights": solved, "offset": offset}
    machine.put(**{name: torch.from_numpy(values).float() for name, values in found.items()})


def _likeness(machine: KernelMachine, known: Float64) -> Float64:
    rows = torch.from_numpy(known)
    return np.asarray(machine.kernel(rows, rows).numpy(), dtype=np.float64)


def item_rows(network: KernelBiLSTMNetwork, windows: Windows) -> Float64:
    """Return what the kernel machine of a network sees of each item, shape (items, columns)."""
    found = []
    for k in range(len(windows)):
        x, lengths, _ = collate([(windows.item(k), np.zeros(1, dtype=np.int64))])
        found.append(network.statistics(x.double(), lengths).numpy()[0])
    return np.stack(found)


def kernel_logistic(
    kernel: Float64, y: Int64, *, n_classes: int, weights: Float64, penalty: float
) -> tuple[Float64, Float64]:
    """Return the weights of items and the offsets of a kernel logistic regression.

    Parameters
    ----------
    kernel : np.ndarray [shape=(n, n)]
        Likeness of all items, positive semidefinite.
    y : np.ndarray of int [shape=(n,), range=[0, n_classes)]
        Class of each.
    n_classes : int
        How many classes there are.
    weights : np.ndarray [shape=(n,)]
        How much the loss of each item counts.
    penalty : float [> 0]
        Of the squared norm in the kernel's space, against the sum of the losses: half of it times the square.

    Returns
    -------
    weights, offset : np.ndarray [shape=(n, n_classes) and (n_classes,)]
        The logits of items are ``kernel @ weights + offset``; the offset is not penalised.

    Notes
    -----
    Zhu and Hastie, "Kernel logistic regression and the import vector machine", J Comput Graph Stat 14(1), 2005,
    equation 6 for several classes, all items being kept. Solved in the kernel's own axes, where the penalty is that of
    plain logistic regression, by L-BFGS.
    """
    values, axes = np.linalg.eigh(kernel)
    kept = values > _TINY * values[-1]
    root = np.sqrt(values[kept])
    columns = axes[:, kept] * root
    truth = np.eye(n_classes)[y]

    def loss(flat: Float64) -> tuple[float, Float64]:
        slopes, offset = flat[:-n_classes].reshape(-1, n_classes), flat[-n_classes:]
        logits = columns @ slopes + offset
        logits -= logits.max(axis=1, keepdims=True)
        logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        wrong = weights[:, None] * (np.exp(logs) - truth)
        gradient = np.concatenate([(columns.T @ wrong + penalty * slopes).ravel(), wrong.sum(axis=0)])
        return float(-(weights[:, None] * truth * logs).sum() + penalty / 2 * (slopes**2).sum()), gradient

    start = np.zeros((columns.shape[1] + 1) * n_classes)
    flat = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 1000}).x
    return axes[:, kept] @ (flat[:-n_classes].reshape(-1, n_classes) / root[:, None]), flat[-n_classes:]
