"""Models: frozen specifications that build networks, (x, lengths) to logits; torch alone."""

from biosig_lstm.models._checks import check_batch, check_count
from biosig_lstm.models._recurrent import BidirectionalLSTM, flip_within_length, initialise_lstm, step_mask
from biosig_lstm.models._spec import ModelSpec, answer_lengths, spec_from_dict, specs
from biosig_lstm.models.beat_runs import BeatRuns
from biosig_lstm.models.bilstm import BiLSTM
from biosig_lstm.models.conv_bilstm import ConvBiLSTM
from biosig_lstm.models.pooling import AttentionPooling, last_pooling, max_pooling, mean_pooling

__all__ = [
    "AttentionPooling",
    "BeatRuns",
    "BiLSTM",
    "BidirectionalLSTM",
    "ConvBiLSTM",
    "ModelSpec",
    "answer_lengths",
    "check_batch",
    "check_count",
    "flip_within_length",
    "initialise_lstm",
    "last_pooling",
    "max_pooling",
    "mean_pooling",
    "spec_from_dict",
    "specs",
    "step_mask",
]


def __getattr__(name: str) -> type[ModelSpec]:
    """Find the model of a file that is not named above."""
    found = specs() if name[:1].isupper() else {}
    if name not in found:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return found[name]
