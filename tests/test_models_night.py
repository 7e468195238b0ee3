"""Nights: what an epoch's encoder reads, how large the network is, one pass and chunks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import spectrogram
from torch import Tensor, nn

from biosig_lstm.containers import Windows
from biosig_lstm.errors import ParameterError
from biosig_lstm.estimators import StepClassifier
from biosig_lstm.estimators._chunks import Chunks
from biosig_lstm.models import NightBiLSTM
from biosig_lstm.models._steps import StepsNetwork
from biosig_lstm.models.night_bilstm import SMALL_POWER
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.windows import Epochs

CLASSES = ("W", "N1", "N2", "N3", "R")
STEPS, COLUMNS = 150, 6


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def network(encoder: str, *, channels: int = 1, samples: int = 3000, scalars: int = 0, **fields: int) -> StepsNetwork:
    torch.manual_seed(0)
    spec = NightBiLSTM(encoder, **fields)
    made = spec.build(
        n_features=channels * samples + scalars, n_outputs=5, window_shape=(channels, samples), per_step=True
    )
    return made.eval()


def answer(net: nn.Module, x: Tensor) -> Tensor:
    with torch.inference_mode():
        said: Tensor = net(x, torch.full((len(x),), x.shape[1]))
    return said


@pytest.mark.parametrize("encoder", ["conv", "spectrogram"])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_network_for_epochs_of_100_hz_has_under_half_a_million_parameters(encoder: str, channels: int) -> None:
    n_parameters = sum(p.numel() for p in network(encoder, channels=channels).parameters())
    assert 100_000 < n_parameters < 500_000


@pytest.mark.parametrize("encoder", ["conv", "spectrogram", "features"])
def test_every_encoder_learns_and_answers_each_step(encoder: str) -> None:
    torch.manual_seed(0)
    net = network(encoder, channels=2, samples=600, scalars=1, hidden_size=8, embedding=8).train()
    x, lengths = torch.randn(2, 6, 1201), torch.tensor([6, 4])
    said = net(x, lengths)
    assert said.shape == (2, 6, 5)
    assert (said[1, 4:] == 0).all()
    said.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in net.parameters())


@pytest.mark.parametrize("encoder", ["conv", "spectrogram"])
def test_a_long_night_is_encoded_in_slices_that_change_nothing(encoder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    net = network(encoder, samples=300, hidden_size=8)
    x = torch.randn(1, 150, 300)
    sliced = answer(net, x)
    monkeypatch.setattr(net, "at_once", 10_000)
    torch.testing.assert_close(sliced, answer(net, x), atol=1e-5, rtol=0)


def test_no_more_than_so_many_epochs_are_encoded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    net, seen = network("conv", samples=60, hidden_size=4), []
    original = net.steps.forward
    monkeypatch.setattr(net.steps, "forward", lambda steps: seen.append(len(steps)) or original(steps))
    answer(net, torch.randn(1, 150, 60))
    assert seen == [64, 64, 22]


def test_the_short_time_spectrum_is_scipys() -> None:
    net = network("spectrogram", samples=3000)
    epochs = torch.randn(2, 1, 3000)
    hann = net.steps.encode.window.numpy()
    _, _, power = spectrogram(
        epochs[:, 0].numpy(), fs=1.0, window=hann, noverlap=100, detrend="constant", scaling="density", mode="psd"
    )
    expected = np.log(power[:, 1:81] / 2 + SMALL_POWER)  # scipy's density is one-sided, that here is not doubled
    np.testing.assert_allclose(net.steps.encode.log_power(epochs).numpy(), expected, atol=2e-3)


def test_one_artefact_counts_no_more_than_the_clip() -> None:
    net = network("conv", samples=300, hidden_size=4)
    x = torch.randn(1, 3, 300)
    x[0, 1, 50] = 20.0
    huge = x.clone()
    huge[0, 1, 50] = 1e6
    assert torch.equal(answer(net, x), answer(net, huge))
    free = network("conv", samples=300, hidden_size=4, clip=None)
    assert not torch.equal(answer(free, x), answer(free, huge))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"encoder": "convolution"}, "encoder is not known: 'convolution'; possible: conv, features, spectrogram"),
        ({"channels": ()}, "channels must name at least one convolution, got none"),
        ({"frame_samples": 3}, "frame_samples must be a whole number of at least 4, got 3"),
        ({"clip": 0}, "clip must be positive, or None for any value, got 0"),
        ({"bands": 0}, "bands must be a whole number of at least 1, got 0"),
        ({"memory_steps": 2}, "memory_steps must be a whole number of at least 3"),
    ],
)
def test_a_wrong_specification_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        NightBiLSTM(**fields)


def test_windows_are_needed_by_the_encoders_that_read_them_alone() -> None:
    with pytest.raises(ParameterError, match=r"the encoder 'conv' needs window_shape=.*'features' takes any columns"):
        NightBiLSTM("conv").build(n_features=72, n_outputs=5, per_step=True)
    with pytest.raises(ParameterError, match="a window of 2 channels x 60 samples needs 120 features, got 100"):
        NightBiLSTM("spectrogram").build(n_features=100, n_outputs=5, window_shape=(2, 60), per_step=True)
    assert NightBiLSTM("features").build(n_features=72, n_outputs=5, per_step=True)


class Nearby(nn.Module):
    """A network that sees three steps ahead and three behind, and nothing else."""

    REACH = 3

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(COLUMNS, 5, 2 * self.REACH + 1, padding=self.REACH)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        del lengths
        said: Tensor = self.conv(x.transpose(1, 2)).transpose(1, 2)
        return said


def night(n_steps: int = STEPS, *, seed: int = 0, n_nights: int = 1) -> Windows:
    rng = np.random.default_rng(seed)
    names = np.array([f"night{k}" for k in range(n_nights)])
    return Windows(
        values=rng.normal(0, 1, (n_nights * n_steps, COLUMNS)),
        offsets=n_steps * np.arange(n_nights + 1),
        columns=[f"c{k}" for k in range(COLUMNS)],
        rate_hz=1 / 30,
        subjects=names,
        recordings=names,
        starts=np.zeros(n_nights),
        fs=np.full(n_nights, 1 / 30),
        y=rng.integers(0, 5, n_nights * n_steps),
        classes=CLASSES,
        step_labels=True,
    )


@pytest.fixture(scope="module")
def bilstm() -> StepClassifier:
    model = StepClassifier(
        Pipeline(windows=Epochs(30)), NightBiLSTM("features", hidden_size=16, embedding=16), members=2
    )
    return model.fit(night(n_nights=3), max_epochs=3, device="cpu", progress=False)


@pytest.fixture(scope="module")
def nearby(bilstm: StepClassifier) -> StepClassifier:
    torch.manual_seed(0)
    model = StepClassifier(bilstm.pipeline, bilstm.model)
    model.fit(night(n_nights=2), max_epochs=1, device="cpu", progress=False)
    model.networks = nn.ModuleList([Nearby()])
    return model


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 200), st.integers(1, 60), st.data())
def test_every_step_counts_in_some_chunk_and_has_its_margin(n_steps: int, steps: int, data: st.DataObject) -> None:
    overlap = data.draw(st.integers(0, steps - 1))
    chunks = Chunks(steps=steps, overlap=overlap, margin=data.draw(st.integers(0, overlap // 2)))
    starts, width = chunks.starts(n_steps), min(steps, n_steps)
    counted = np.zeros(n_steps, dtype=int)
    for start in starts.tolist():
        first = start + (chunks.margin or 0) * (start > 0)
        stop = start + width - (chunks.margin or 0) * (start + width < n_steps)
        counted[first:stop] += 1
    assert counted.min() >= 1
    assert starts[0] == 0
    assert starts[-1] + width == n_steps


def test_a_network_that_looks_no_further_than_the_margin_says_the_same_in_chunks(nearby: StepClassifier) -> None:
    windows = night(seed=5, n_nights=2)
    whole = nearby.predict(windows)
    for chunk, overlap in ((20, 6), (31, 12), (64, 40)):
        parts = nearby.predict(windows, chunk_steps=chunk, overlap_steps=overlap, margin_steps=Nearby.REACH)
        np.testing.assert_allclose(parts.log_probabilities, whole.log_probabilities, atol=1e-5)
        assert parts.samples.tolist() == whole.samples.tolist()
        assert parts.recordings.tolist() == whole.recordings.tolist()
    short = nearby.predict(windows, chunk_steps=20, overlap_steps=4, margin_steps=Nearby.REACH - 1)
    assert np.abs(short.log_probabilities - whole.log_probabilities).max() > 1e-3


def test_a_bilstm_comes_the_nearer_to_one_pass_the_longer_the_margin(bilstm: StepClassifier) -> None:
    windows = night(500, seed=5)
    whole = bilstm.predict(windows).log_probabilities
    away = []
    for margin in (0, 4, 16, 64):
        parts = bilstm.predict(windows, chunk_steps=200, overlap_steps=2 * margin, margin_steps=margin)
        away.append(float(np.abs(parts.log_probabilities - whole).max()))
    assert away[0] > 1e-3
    assert away == sorted(away, reverse=True)
    assert away[-1] < 1e-4


@pytest.mark.parametrize("chunk", [STEPS, STEPS + 1, 10_000])
def test_a_chunk_as_long_as_the_night_is_one_pass(bilstm: StepClassifier, chunk: int) -> None:
    windows = night(seed=5)
    parts = bilstm.predict(windows, chunk_steps=chunk, overlap_steps=50)
    np.testing.assert_array_equal(parts.log_probabilities, bilstm.predict(windows).log_probabilities)


def test_log_probabilities_are_averaged_where_chunks_overlap(bilstm: StepClassifier) -> None:
    windows = night(90, seed=5)
    parts = bilstm.predict(windows, chunk_steps=60, overlap_steps=30, margin_steps=0)

    def alone(first: int, stop: int) -> np.ndarray:
        cut = night(stop - first, seed=5).with_values(windows.values[first:stop])
        return bilstm.predict(cut).log_probabilities

    first, second = alone(0, 60), alone(30, 90)
    np.testing.assert_allclose(parts.log_probabilities[:30], first[:30], atol=1e-5)
    mean = (first[30:] + second[:30]) / 2
    expected = mean - np.log(np.exp(mean).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(parts.log_probabilities[30:60], expected, atol=1e-5)
    np.testing.assert_allclose(parts.probabilities.sum(axis=1), 1.0, atol=1e-5)


def test_nights_too_large_to_go_together_go_one_by_one(bilstm: StepClassifier, monkeypatch: pytest.MonkeyPatch) -> None:
    windows = night(60, n_nights=5)
    together = bilstm.predict(windows)
    sizes: list[int] = []
    original = bilstm.networks[0].forward
    monkeypatch.setattr(bilstm.networks[0], "forward", lambda x, n: sizes.append(len(x)) or original(x, n))
    bilstm.predict(windows)
    monkeypatch.setattr("biosig_lstm.estimators._base._BATCH_VALUES", 2 * 60 * COLUMNS)
    apart = bilstm.predict(windows)
    assert sizes == [5, 2, 2, 1]
    np.testing.assert_allclose(apart.log_probabilities, together.log_probabilities, atol=1e-5)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"chunk_steps": 0}, "chunks need at least one step and an overlap of fewer, got chunk_steps=0"),
        ({"chunk_steps": 10.5}, "chunks, overlaps and margins are whole numbers of steps, got"),
        ({"chunk_steps": 5, "overlap_steps": 5}, "got chunk_steps=5 and overlap_steps=5"),
        ({"chunk_steps": 9, "overlap_steps": 5, "margin_steps": 3}, "margin_steps must lie in 0 to 2, half of overlap"),
        ({"overlap_steps": 5}, "overlap_steps=5 and margin_steps=None need chunk_steps"),
    ],
)
def test_chunks_that_do_not_fit_together_are_refused(
    bilstm: StepClassifier, given: dict[str, float], message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        bilstm.predict(night(), **given)
