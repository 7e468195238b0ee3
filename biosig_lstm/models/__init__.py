"""Models: frozen specifications that build networks, (x, lengths) to logits; torch alone."""

from biosig_lstm.models._checks import check_batch, check_count
from biosig_lstm.models._readers import sequence_reader, with_cell, with_memory
from biosig_lstm.models._recurrent import (
    CELLS,
    BidirectionalGRU,
    BidirectionalLSTM,
    BidirectionalRNN,
    flip_within_length,
    initialise_gru,
    initialise_lstm,
    initialise_rnn,
    step_mask,
)
from biosig_lstm.models._spec import ModelSpec, answer_lengths, spec_from_dict, specs
from biosig_lstm.models._transformer import TransformerReader
from biosig_lstm.models.beat_runs import BeatRuns
from biosig_lstm.models.bilstm import BiLSTM
from biosig_lstm.models.cells import GRU, LSTM, RNN, Transformer
from biosig_lstm.models.conv_bilstm import ConvBiLSTM
from biosig_lstm.models.lstm_cell import GATES, LSTMCell, LSTMReader, LSTMStep, gate_traces
from biosig_lstm.models.pooling import AttentionPooling, last_pooling, max_pooling, mean_pooling

__all__ = [
    "CELLS",
    "GATES",
    "GRU",
    "LSTM",
    "RNN",
    "AttentionPooling",
    "BeatRuns",
    "BiLSTM",
    "BidirectionalGRU",
    "BidirectionalLSTM",
    "BidirectionalRNN",
    "ConvBiLSTM",
    "LSTMCell",
    "LSTMReader",
    "LSTMStep",
    "ModelSpec",
    "Transformer",
    "TransformerReader",
    "answer_lengths",
    "check_batch",
    "check_count",
    "flip_within_length",
    "gate_traces",
    "initialise_gru",
    "initialise_lstm",
    "initialise_rnn",
    "last_pooling",
    "max_pooling",
    "mean_pooling",
    "sequence_reader",
    "spec_from_dict",
    "specs",
    "step_mask",
    "with_cell",
    "with_memory",
]


def __getattr__(name: str) -> type[ModelSpec]:
    """Find the model of a file that is not named above."""
    found = specs() if name[:1].isupper() else {}
    if name not in found:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return found[name]
