"""Advice: which network suits the sequences at hand, with the reason for each part of it."""

from biosig_lstm.advice._advise import Advice, advise
from biosig_lstm.advice._facts import SequenceFacts, facts_of
from biosig_lstm.advice._rules import Choice

__all__ = ["Advice", "Choice", "SequenceFacts", "advise", "facts_of"]
