"""One answer for a sequence of beats: convolutions over each beat, a BiLSTM over the beats, attention, and trees."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from math import prod
from typing import ClassVar

import torch
from torch import Tensor, nn

from biosig_lstm.errors import ParameterError
from biosig_lstm.models._checks import check_batch, check_count
from biosig_lstm.models._readers import MemorySteps, check_reader, sequence_reader
from biosig_lstm.models._recurrent import step_mask
from biosig_lstm.models._spec import ModelSpec
from biosig_lstm.models._trees import TreeSum, sequence_statistics
from biosig_lstm.models.pooling import mean_pooling

__all__ = ["BeatRhythm", "BeatRhythmNetwork"]

_KERNELS, _STRIDES = (15, 3), (5, 2)
_ATTENTION_SIZE = 32
_TREE_SHARE = 0.5


@dataclass(frozen=True)
class BeatRhythm(ModelSpec):
    """Convolutions read the wave of each beat, a bidirectional LSTM the sequence, attention sums it up.

    A step's features are its windows, its scalars, and `item_columns` numbers that hold for the whole item. With
    `tree_rounds`, boosted trees answer beside the network: they see how each scalar is distributed over the steps
    (`sequence_statistics`) and the numbers of the item. Network and trees are trained apart, and the answer is the
    mean of their log-probabilities.

    Parameters
    ----------
    channels : (int, int)
        Channels of the two convolutions.
    beat_embedding, embedding : int
        Size of an encoded window, and of a step's vector.
    hidden_size : int
        Units of each direction of the LSTM.
    heads : int
        How many weighted means of the states attention takes; their plain mean stands beside them.
    classifier_size : int
        Units between what was pooled and the answer.
    dropout : float
        Dropped after the convolutions, from a step's vector and before linear layers in training, in [0, 1).
    views : int
        Windows of equal length in a row of the window.
    item_columns : int
        Columns at the end of each step that are alike in all steps; for the trees alone.
    tree_rounds, tree_depth : int
        Trees of each class, and questions from the root to a leaf; no rounds: no trees.
    memory_steps : int, optional
        As of `BiLSTM`, in beats.
    cell : {"lstm", "gru", "rnn", "transformer"}
        What reads the sequence; see `biosig_lstm.models.sequence_reader`.

    Raises
    ------
    ParameterError
        When a parameter is out of range.

    Notes
    -----
    Trees are no parameters: gradients do not reach them. `BeatRhythmNetwork.trees` is empty until they are put there,
    and in training the network answers alone. Convolutions are normalised by statistics of the training batches over
    valid steps, as in `BeatRuns`.

    Examples
    --------
    >>> spec = BeatRhythm(hidden_size=16, views=2)
    >>> network = spec.build(n_features=2 * 110 + 4, n_outputs=4, window_shape=(1, 220))
    >>> network(torch.zeros(8, 40, 224), torch.full((8,), 40)).shape
    torch.Size([8, 4])
    """

    answers_per_step: ClassVar[tuple[bool, ...]] = (False,)

    channels: tuple[int, int] = (24, 32)
    _: KW_ONLY
    beat_embedding: int = 32
    embedding: int = 48
    hidden_size: int = 48
    heads: int = 2
    classifier_size: int = 64
    dropout: float = 0.3
    views: int = 1
    item_columns: int = 0
    tree_rounds: int = 0
    tree_depth: int = 4
    memory_steps: MemorySteps = None
    cell: str = "lstm"

    def __post_init__(self) -> None:
        object.__setattr__(self, "channels", tuple(self.channels))
        if len(self.channels) != len(_KERNELS):
            raise ParameterError(f"channels must be of {len(_KERNELS)} convolutions, got {self.channels}")
        for count in self.channels:
            check_count("channels", count)
        for name in ("beat_embedding", "embedding", "heads", "classifier_size", "views", "tree_depth"):
            check_count(name, getattr(self, name))
        for name in ("item_columns", "tree_rounds"):
            check_count(name, getattr(self, name), least=0)
        check_reader(
            self.hidden_size, num_layers=1, dropout=self.dropout, memory_steps=self.memory_steps, cell=self.cell
        )

    def build(
        self,
        *,
        n_features: int,
        n_outputs: int,
        window_shape: tuple[int, int] | None = None,
        per_step: bool = False,
    ) -> BeatRhythmNetwork:
        """Return a freshly initialised network; see `ModelSpec.build`.

        Raises
        ------
        ParameterError
            When a size is below 1, an answer for each step is asked, or the windows do not fit into the features.
        """
        check_count("n_features", n_features)
        check_count("n_outputs", n_outputs)
        if per_step:
            raise ParameterError("BeatRhythm gives one answer for each item; for one of each step take BeatRuns")
        if window_shape is None:
            raise ParameterError("BeatRhythm needs window_shape=(leads, samples): each step must be a window, got None")
        if window_shape[1] % self.views or prod(window_shape) + self.item_columns > n_features:
            raise ParameterError(
                f"{self.views} views in windows {window_shape} and {self.item_columns} columns of the item do not fit "
                f"into {n_features} features"
            )
        return BeatRhythmNetwork(self, n_features=n_features, n_outputs=n_outputs, window_shape=window_shape)


class BeatRhythmNetwork(nn.Module):
    """The network of a `BeatRhythm` specification: (x, lengths) to logits."""

    def __init__(self, spec: BeatRhythm, *, n_features: int, n_outputs: int, window_shape: tuple[int, int]) -> None:
        super().__init__()
        self.n_features, self.n_window, self.item_columns = n_features, prod(window_shape), spec.item_columns
        n_scalars = n_features - self.n_window - spec.item_columns
        self.encode = BeatEncoder(spec, rows=window_shape[0] * spec.views, samples=window_shape[1] // spec.views)
        self.join = nn.Sequential(nn.Linear(spec.beat_embedding + n_scalars, spec.embedding), nn.ReLU())
        self.dropout = nn.Dropout(spec.dropout)
        self.lstm = sequence_reader(spec.cell, spec.embedding, spec.hidden_size, memory_steps=spec.memory_steps)
        states = 2 * spec.hidden_size + spec.embedding
        self.attention = AttentionHeads(states, heads=spec.heads)
        self.head = nn.Sequential(
            nn.Dropout(spec.dropout),
            nn.Linear((spec.heads + 1) * states, spec.classifier_size),
            nn.ReLU(),
            nn.Dropout(spec.dropout),
            nn.Linear(spec.classifier_size, n_outputs),
        )
        trees = spec.tree_rounds > 0
        self.trees = TreeSum(rounds=spec.tree_rounds, n_outputs=n_outputs, depth=spec.tree_depth) if trees else None

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return the logits: x (batch, steps, n_features) and lengths (batch,); see `ModelSpec.build`."""
        check_batch(x, lengths, n_features=self.n_features)
        logits: Tensor = self.head(self._summary(x, lengths))
        if self.training or self.trees is None or not bool(self.trees.grown):
            return logits
        voted: Tensor = self.trees(self.statistics(x, lengths))
        return (1 - _TREE_SHARE) * logits.log_softmax(dim=1) + _TREE_SHARE * voted.log_softmax(dim=1)

    def statistics(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return what the trees see, (batch, 9 * scalars + item_columns)."""
        scalars = x[..., self.n_window : self.n_features - self.item_columns]
        return torch.cat([sequence_statistics(scalars, lengths), x[:, 0, self.n_features - self.item_columns :]], dim=1)

    def _summary(self, x: Tensor, lengths: Tensor) -> Tensor:
        valid = step_mask(lengths, x.shape[1])
        rows = valid.flatten().nonzero().squeeze(1)
        vectors = self.dropout(self._vectors(x.flatten(0, 1).index_select(0, rows)))
        padded = vectors.new_zeros(valid.numel(), vectors.shape[1]).index_copy(0, rows, vectors)
        steps = padded.view(*valid.shape, -1)
        states = torch.cat([self.lstm(steps, lengths), steps], dim=2)
        return torch.cat([self.attention(states, lengths), mean_pooling(states, lengths)], dim=1)

    def _vectors(self, steps: Tensor) -> Tensor:
        scalars = steps[:, self.n_window : self.n_features - self.item_columns]
        vectors: Tensor = self.join(torch.cat([self.encode(steps[:, : self.n_window]), scalars], dim=1))
        return vectors


class BeatEncoder(nn.Module):
    """Two strided convolutions over the windows of a beat: (n, rows * samples) to (n, beat_embedding)."""

    def __init__(self, spec: BeatRhythm, *, rows: int, samples: int) -> None:
        super().__init__()
        self.rows, self.samples, left, given = rows, samples, samples, rows
        layers: list[nn.Module] = []
        for made, kernel, stride in zip(spec.channels, _KERNELS, _STRIDES, strict=True):
            conv = nn.Conv1d(given, made, kernel, stride=stride, padding=kernel // 2, bias=False)
            layers += [conv, nn.BatchNorm1d(made), nn.ReLU()]
            left, given = (left - 1) // stride + 1, made
        self.convolve = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(spec.dropout))
        self.join = nn.Sequential(nn.Linear(given * left, spec.beat_embedding), nn.ReLU())

    def forward(self, windows: Tensor) -> Tensor:
        """Return the encoded windows."""
        encoded: Tensor = self.join(self.convolve(windows.reshape(-1, self.rows, self.samples)))
        return encoded


class AttentionHeads(nn.Module):
    """Several means of the valid steps, each weighted by a score of its own; see `AttentionPooling`."""

    def __init__(self, features: int, *, heads: int) -> None:
        super().__init__()
        self.score = nn.Sequential(
            nn.Linear(features, _ATTENTION_SIZE), nn.Tanh(), nn.Linear(_ATTENTION_SIZE, heads, bias=False)
        )

    def forward(self, states: Tensor, lengths: Tensor) -> Tensor:
        """Return (batch, heads * features) of states (batch, steps, features) that are zero in the padding."""
        valid = step_mask(lengths, states.shape[1]).unsqueeze(2)
        weights: Tensor = self.score(states).where(valid, -torch.inf).softmax(dim=1)
        return (weights.transpose(1, 2) @ states).flatten(1)
