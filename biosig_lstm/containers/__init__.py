"""What travels through the package: recordings, their annotations, and windows cut from them."""

from biosig_lstm.containers.annotations import DETECTED, Annotations, freeze
from biosig_lstm.containers.recording import Recording, canonical_unit
from biosig_lstm.containers.rejections import Rejection, Rejections
from biosig_lstm.containers.waves import WAVES, Waves
from biosig_lstm.containers.windows import Windows

__all__ = [
    "DETECTED",
    "WAVES",
    "Annotations",
    "Recording",
    "Rejection",
    "Rejections",
    "Waves",
    "Windows",
    "canonical_unit",
    "freeze",
]
