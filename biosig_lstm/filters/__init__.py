"""Filters: functions on arrays of (channels, samples), and the steps Recording -> Recording around them."""

from __future__ import annotations

from biosig_lstm.filters.artefacts import MarkArtefacts
from biosig_lstm.filters.bandpass import Bandpass, bandpass
from biosig_lstm.filters.baseline import BaselineWander, remove_baseline_wander
from biosig_lstm.filters.bipolar import MONTAGES, Bipolar
from biosig_lstm.filters.causal import CausalFilter
from biosig_lstm.filters.channel_names import ChannelNames
from biosig_lstm.filters.channels import Channels
from biosig_lstm.filters.gaps import FillGaps, Gap, fill_gaps, find_gaps
from biosig_lstm.filters.highpass import Highpass, highpass
from biosig_lstm.filters.leads import EcgLeads
from biosig_lstm.filters.lowpass import Lowpass, lowpass
from biosig_lstm.filters.mono import Mono, mono
from biosig_lstm.filters.normalize import Normalize, normalize
from biosig_lstm.filters.notch import Notch, notch
from biosig_lstm.filters.one_way import OneWay, one_way
from biosig_lstm.filters.pre_emphasis import PreEmphasis, pre_emphasis
from biosig_lstm.filters.rereference import Rereference, rereference
from biosig_lstm.filters.resample import Resample, resample
from biosig_lstm.filters.resample_sound import ResampleSound, resample_sound
from biosig_lstm.filters.trim_silence import TrimSilence, voice_activity
from biosig_lstm.filters.unit import ToUnit
from biosig_lstm.steps import Step, find_steps

__all__ = [
    "MONTAGES",
    "Bandpass",
    "BaselineWander",
    "Bipolar",
    "CausalFilter",
    "ChannelNames",
    "Channels",
    "EcgLeads",
    "FillGaps",
    "Gap",
    "Highpass",
    "Lowpass",
    "MarkArtefacts",
    "Mono",
    "Normalize",
    "Notch",
    "OneWay",
    "PreEmphasis",
    "Rereference",
    "Resample",
    "ResampleSound",
    "ToUnit",
    "TrimSilence",
    "bandpass",
    "fill_gaps",
    "find_gaps",
    "highpass",
    "lowpass",
    "mono",
    "normalize",
    "notch",
    "one_way",
    "pre_emphasis",
    "remove_baseline_wander",
    "rereference",
    "resample",
    "resample_sound",
    "steps",
    "voice_activity",
]


def steps() -> dict[str, type[Step]]:
    """Return every filter step by name: those of each module in this folder, so a new file appears by itself."""
    return find_steps(__name__)
