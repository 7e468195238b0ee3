"""From log-probabilities of symbols, frame by frame, to text: greedy, by prefix beam search, aligned in time."""

from biosig_lstm.decoding.alignment import align
from biosig_lstm.decoding.alphabet import BLANK, Alphabet
from biosig_lstm.decoding.beam import Hypothesis, Scorer, beam_search
from biosig_lstm.decoding.greedy import collapse, greedy

__all__ = ["BLANK", "Alphabet", "Hypothesis", "Scorer", "align", "beam_search", "collapse", "greedy"]
