"""From a recording to windows, one file for each way: around events, of fixed length, or the whole recording."""

from biosig_lstm.steps import Step, find_steps
from biosig_lstm.windows.around_events import AroundEvents, sample_around
from biosig_lstm.windows.arrays import Arrays
from biosig_lstm.windows.epochs import Epochs
from biosig_lstm.windows.fixed_length import FixedLength
from biosig_lstm.windows.pieces import Pieces
from biosig_lstm.windows.whole_recording import WholeRecording

__all__ = ["AroundEvents", "Arrays", "Epochs", "FixedLength", "Pieces", "WholeRecording", "sample_around", "steps"]


def steps() -> dict[str, type[Step]]:
    """Return every step from a recording to windows by the name of its class."""
    return find_steps(__name__)
