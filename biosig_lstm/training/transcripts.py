"""Transcripts as targets: symbols without places, and the loss that sums over all places they may have."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from biosig_lstm.containers import Windows
from biosig_lstm.decoding import Alphabet
from biosig_lstm.decoding.alphabet import frames_needed
from biosig_lstm.errors import DataError
from biosig_lstm.models import answer_lengths
from biosig_lstm.training.batch import NO_LABEL, Batch, pad_steps
from biosig_lstm.training.module import ClassifierModule
from biosig_lstm.training.settings import FitSettings

__all__ = ["Targets", "TranscriptModule", "collate_transcripts"]

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]


class Targets:
    """The symbols of items' texts, checked against what a network can say of them.

    Parameters
    ----------
    alphabet : Alphabet
        The symbols.
    network : nn.Module
        Tells how many of an item's steps it answers.
    """

    def __init__(self, alphabet: Alphabet, network: nn.Module) -> None:
        self.alphabet = alphabet
        self.network = network

    def of(self, windows: Windows, item: int) -> Int64:
        """Return the symbols of an item's text, shape (symbols,).

        Raises
        ------
        DataError
            When items have no texts, or the text holds what is no symbol: the message names the utterance.
        """
        if windows.texts is None:
            raise DataError(f"{windows.recordings[item]}: no transcript to learn from")
        return self.alphabet.encode(str(windows.texts[item]), name=str(windows.recordings[item]))

    def check(self, symbols: Int64, n_steps: int, *, name: str, why: str = "") -> None:
        """Refuse symbols that so many steps cannot say: their loss would be infinite.

        Raises
        ------
        DataError
            Naming the utterance.
        """
        answers = int(answer_lengths(self.network, torch.tensor([n_steps]))[0])
        needed = frames_needed(symbols)
        if needed > answers:
            raise DataError(
                f"{name}: {len(symbols)} {self.alphabet.unit} need {needed} answers (one each, and a blank between two "
                f"alike), its {n_steps} steps{why} give {answers}: is it cut short, or the text another's? "
                "A model with smaller strides gives more"
            )

    def check_all(self, windows: Windows) -> None:
        """Refuse windows of which an item cannot be learned; see `of` and `check`."""
        for item, n_steps in enumerate(windows.lengths.tolist()):
            self.check(self.of(windows, item), n_steps, name=str(windows.recordings[item]))


def collate_transcripts(items: Sequence[tuple[Float32, Int64]]) -> Batch:
    """Pad items to the longest of them, and their symbols to the longest text with -1.

    Parameters
    ----------
    items : sequence of (np.ndarray [shape=(steps, features)], np.ndarray of int64 [shape=(symbols,)])
        Values and symbols.
    """
    x, lengths = pad_steps([values for values, _ in items])
    symbols = np.full((len(items), max(1, *(len(y) for _, y in items))), NO_LABEL, dtype=np.int64)
    for row, (_, y) in enumerate(items):
        symbols[row, : len(y)] = y
    return Batch(x, lengths, torch.from_numpy(symbols))


class TranscriptModule(ClassifierModule):
    """A network with the loss of connectionist temporal classification and an optimiser.

    Notes
    -----
    Graves, Fernandez, Gomez and Schmidhuber, ICML 2006, equation 8: the negative logarithm of the probability of the
    text, over all paths that say it. Each item's is divided by its number of symbols (by one where nothing is said),
    and the mean over items is taken, as in ``torch.nn.CTCLoss``.
    """

    def __init__(self, network: nn.Module, *, settings: FitSettings) -> None:
        super().__init__(network, settings=settings, weights=None)

    def _loss(self, batch: Batch) -> tuple[Tensor, bool]:
        ends = answer_lengths(self.network, batch.lengths)
        logs = torch.log_softmax(self(batch.x, batch.lengths).float(), dim=-1)
        sizes = (batch.y != NO_LABEL).sum(dim=1)
        loss = nn.functional.ctc_loss(logs.transpose(0, 1), batch.y.clamp(min=0), ends, sizes, reduction="none")
        return (loss / sizes.clamp(min=1)).mean(), True
