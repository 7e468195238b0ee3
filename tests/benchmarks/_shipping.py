"""What all scripts that make shipped weights do: train a recipe or keep the weights, write the card, save, say so."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import torch

from biosig_lstm import shipped
from biosig_lstm.estimators import Estimator, load
from biosig_lstm.metrics import Interval
from biosig_lstm.recipes import train_protocol

__all__ = ["Card", "ship", "tidy"]

Card = Callable[[Estimator, Path], dict[str, Any]]


def ship(name: str, *, protocol: str, card: Card, doc: str | None, half: bool = True) -> None:
    """Make the weights of that name as the command line says.

    Parameters
    ----------
    name, protocol : str
        Of the shipped model, and what it is trained for.
    card : callable
        ``(model, path of the cross-validation) -> input, networks, figures, limits``.
    doc : str
        Shown by ``--help``.
    half : bool
        Whether weights are stored as float16.
    """
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder of the database")
    parser.add_argument("--cv", required=True, type=Path, help="what the script of the cross-validation wrote")
    parser.add_argument("--out", type=Path, default=Path(shipped.__file__).parent / "pretrained" / f"{name}.biosig")
    parser.add_argument("--directory", help="folder to go on from where a training was interrupted")
    parser.add_argument("--card-only", action="store_true", help="keep the weights that are there")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    model = load(chosen.out) if chosen.card_only else _trained(protocol, chosen)
    made = model.card.get("made", date.today().isoformat())
    model.card |= {"name": name, "made": made, **card(model, chosen.cv)}
    model.save(chosen.out, half=half)
    print(f"{chosen.out}: {chosen.out.stat().st_size} bytes")


def _trained(protocol: str, chosen: argparse.Namespace) -> Estimator:
    return train_protocol(protocol, root=chosen.data, device="cpu", directory=chosen.directory, announce=print)


def tidy(interval: Interval) -> list[float | None]:
    """Return value, low and high end with four places; what is not defined as None."""
    return [None if math.isnan(v) else round(v, 4) for v in (interval.value, interval.low, interval.high)]
