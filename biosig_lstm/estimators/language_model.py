"""What is likely to be said next: an LSTM over characters, words or phones."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch

from biosig_lstm.containers import Windows
from biosig_lstm.decoding import Alphabet
from biosig_lstm.errors import DataError, ParameterError, options
from biosig_lstm.estimators._file import read_kind, rebuilding, versions, write_model
from biosig_lstm.models import spec_from_dict, with_memory
from biosig_lstm.models.causal_lstm import CausalLSTM, CausalLSTMNetwork, LSTMState
from biosig_lstm.training import FitHistory, FitSettings, fit
from biosig_lstm.training.batch import LengthBuckets, collate

__all__ = ["LanguageModel", "LanguageScorer"]

Float64 = npt.NDArray[np.float64]

_END = "<end>"
_BATCH_SIZE = 32


class LanguageModel:
    """A model of texts, symbol by symbol: trained on texts, it says how probable another is.

    Parameters
    ----------
    model : CausalLSTM
        The network; the number of its symbols is set by the texts.
    unit : {"characters", "words", "phones"}
        What a symbol is: that of the `Transcriber` that it is to help.
    alphabet : sequence of str, optional
        The symbols; by default those of the texts it is trained on.

    Attributes
    ----------
    history : FitHistory or None
        Losses by epoch, where it was trained in this session.

    Examples
    --------
    >>> model = LanguageModel(CausalLSTM(8), unit="words")
    >>> fitted = model.fit(["yes no yes no"] * 4, max_epochs=2, device="cpu", progress=False)
    >>> fitted.perplexity(["yes no"]) > 1
    True
    """

    def __init__(
        self,
        model: CausalLSTM | None = None,
        *,
        unit: str = "characters",
        alphabet: Sequence[str] | None = None,
    ) -> None:
        self.model = model or CausalLSTM()
        self.unit = unit
        self.alphabet = None if alphabet is None else Alphabet(tuple(alphabet), unit)
        self.network: CausalLSTMNetwork | None = None
        self.history: FitHistory | None = None
        self.settings: dict[str, Any] = {}
        self.card: dict[str, Any] = {}

    def __repr__(self) -> str:
        symbols = f"{len(self.alphabet)} {self.unit}" if self.alphabet else self.unit
        return f"LanguageModel({self.model!r}, {symbols}; {'trained' if self.network else 'not trained'})"

    def fit(
        self,
        texts: Iterable[str],
        val: Iterable[str] | None = None,
        *,
        settings: FitSettings | None = None,
        directory: str | Path | None = None,
        progress: bool = True,
        **changes: Any,
    ) -> Self:
        """Train on texts, each from its beginning to its end.

        Parameters
        ----------
        texts, val : iterable of str
            Texts to learn, and texts that choose the epoch.
        settings : FitSettings, optional
            How; single settings can be given by name instead.
        directory : path, optional
            As in `biosig_lstm.training.fit`.
        progress : bool
            Show progress on stderr.

        Raises
        ------
        DataError
            When there is no text, or one holds a symbol that the alphabet lacks.
        """
        known = [field.name for field in fields(FitSettings)]
        unknown = [name for name in changes if name not in known]
        if unknown:
            raise ParameterError(f"fit has no setting {options(unknown[0], known)}")
        how = replace(settings or FitSettings(class_weights=None), **changes)
        said = list(texts)
        if self.alphabet is None:
            self.alphabet = Alphabet.of(said, unit=self.unit)
        train = _windows(said, self.alphabet)
        val_windows = None if val is None else _windows(list(val), self.alphabet)
        self.model = with_memory(self.model, train.lengths.tolist())
        torch.manual_seed(how.seed)
        network = self._build(self.alphabet)
        self.history = fit(network, train, val_windows, settings=how, directory=directory, progress=progress)
        self.network, self.settings = network, how.to_dict()
        return self

    def _build(self, alphabet: Alphabet) -> CausalLSTMNetwork:
        n_symbols = len(alphabet) + 1
        return replace(self.model, symbols=n_symbols).build(n_features=1, n_outputs=n_symbols)

    def _trained(self) -> tuple[CausalLSTMNetwork, Alphabet]:
        if self.network is None or self.alphabet is None:
            raise ParameterError("LanguageModel is not trained yet: call fit, or load a trained one")
        return self.network, self.alphabet

    def score(self, texts: Sequence[str]) -> Float64:
        """Return the natural logarithm of the probability of each text, its end included, shape (texts,).

        Raises
        ------
        DataError
            When a text holds a symbol that the alphabet lacks.
        """
        network, alphabet = self._trained()
        windows = _windows(texts, alphabet)
        found = np.zeros(len(windows))
        network.eval()
        with torch.inference_mode():
            for batch in LengthBuckets(windows.lengths, batch_size=_BATCH_SIZE, shuffle=False):
                items = [(windows.item(k), np.asarray(windows.item_y(k))) for k in batch]
                x, lengths, y = collate(items)
                logs = torch.log_softmax(network(x, lengths), dim=-1)
                y = y.view(len(batch), -1)
                each = logs.gather(2, y.clamp(min=0).unsqueeze(2)).squeeze(2).where(y >= 0, 0.0)
                found[batch] = each.double().sum(dim=1).numpy()
        return found

    def perplexity(self, texts: Sequence[str]) -> float:
        """Return the perplexity of texts: the exponential of the mean surprise of their symbols and ends.

        Of a model that knows nothing it is the number of symbols and one, of one that is always right 1.
        """
        _, alphabet = self._trained()
        n_symbols = sum(len(alphabet.encode(text)) + 1 for text in texts)
        if not n_symbols:
            raise DataError("the perplexity of no text is not defined")
        return math.exp(-float(self.score(texts).sum()) / n_symbols)

    def scorer(self, alphabet: Alphabet, *, weight: float = 0.5, bonus: float = 0.0) -> LanguageScorer:
        """Return the model as `biosig_lstm.decoding.beam_search` asks it, for a transcriber of this alphabet.

        Raises
        ------
        ParameterError
            When its symbols are of another unit, or the model has never seen one of them.
        """
        network, own = self._trained()
        if alphabet.unit != own.unit:
            raise ParameterError(f"a language model of {own.unit} cannot help a transcriber of {alphabet.unit}")
        foreign = [symbol for symbol in alphabet.symbols if symbol not in own.places]
        if foreign:
            raise ParameterError(
                f"the language model has never seen {', '.join(map(repr, foreign[:8]))}: train it on texts that hold "
                "all symbols of the transcriber, or give it their alphabet"
            )
        return LanguageScorer(network, [own.places[s] for s in alphabet.symbols], weight=weight, bonus=bonus)

    def save(self, path: str | Path, *, half: bool = False) -> None:
        """Write the model to one file; parameters as of `Estimator.save`."""
        network, alphabet = self._trained()
        header = {
            "estimator": type(self).__name__,
            "task": "language",
            "model": self.model.to_dict(),
            "alphabet": alphabet.to_dict(),
            "settings": self.settings,
            "versions": versions(),
            "card": self.card,
        }
        write_model(path, header=header, weights=network.state_dict(), half=half)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Return the model that `save` wrote. Nothing in the file is executed.

        Raises
        ------
        DataError
            When the file is absent, damaged, foreign, or holds another kind of model.
        """
        header, weights = read_kind(path, cls)
        with rebuilding(path):
            spec = spec_from_dict(header["model"])
            if not isinstance(spec, CausalLSTM):
                raise DataError(f"a {type(spec).__name__} is no language model")
            made = cls(spec, unit=header["alphabet"]["unit"], alphabet=header["alphabet"]["symbols"])
            made.settings, made.card = dict(header["settings"]), dict(header["card"])
            made.network = made._build(Alphabet(**header["alphabet"]))
            made.network.load_state_dict(weights)
            made.network.eval()
        return made


class LanguageScorer:
    """A language model in a beam search: its weighted log-probabilities, and a bonus for each symbol.

    Parameters
    ----------
    network : CausalLSTMNetwork
        The trained network.
    places : sequence of int
        Its output for each symbol of the transcriber, in order.
    weight : float
        Of its log-probabilities.
    bonus : float
        Added for each symbol: models of language make texts short.
    """

    def __init__(
        self, network: CausalLSTMNetwork, places: Sequence[int], *, weight: float = 0.5, bonus: float = 0.0
    ) -> None:
        self.network = network.eval()
        self.places = np.asarray(places, dtype=np.int64)
        self.weight = weight
        self.bonus = bonus
        self.begin: Any = None
        self.ends = True

    def start(self) -> Any:
        """Return the state of the empty text, or of what `go_on` was told."""
        if self.begin is None:
            self.begin = self._read([0], None)[0]
        return self.begin

    def go_on(self, symbols: Sequence[int]) -> None:
        """Begin the next search after these symbols."""
        state = self.start()
        for symbol in symbols:
            (state,) = self.advance([state], [symbol])
        self.begin = state

    def advance(self, states: Sequence[Any], symbols: Sequence[int]) -> list[Any]:
        """Return the states of texts that are each one symbol longer."""
        if not states:
            return []
        before = [state for state, _ in states]
        joined = [
            tuple(torch.cat(parts, dim=1) for parts in zip(*layer, strict=True)) for layer in zip(*before, strict=True)
        ]
        return self._read(self.places[np.asarray(symbols) - 1].tolist(), joined)

    def _read(self, indices: Sequence[int], state: LSTMState | None) -> list[Any]:
        x = torch.tensor(indices, dtype=torch.float32).view(-1, 1, 1)
        with torch.inference_mode():
            logits, after = self.network.read(x, state)
            logs = torch.log_softmax(logits[:, 0].double(), dim=-1).numpy()
        each = range(len(indices))
        return [([tuple(part[:, k : k + 1] for part in layer) for layer in after], logs[k]) for k in each]

    def scores(self, states: Sequence[Any]) -> Float64:
        """Return what is added for each next symbol, shape (states, symbols)."""
        logs = np.stack([logs[self.places] for _, logs in states])
        weighted: Float64 = self.weight * logs + self.bonus
        return weighted

    def final(self, states: Sequence[Any]) -> Float64:
        """Return what is added where a text ends, shape (states,); nothing where `ends` is False: it goes on."""
        return np.array([self.weight * logs[0] if self.ends else 0.0 for _, logs in states])


def _windows(texts: Sequence[str], alphabet: Alphabet) -> Windows:
    """Return an item for each text: its steps the symbols from the beginning (0), their labels the next ones."""
    if not texts:
        raise DataError("a language model needs texts, got none")
    coded = [np.concatenate([[0], alphabet.encode(text, name=f"text {k}"), [0]]) for k, text in enumerate(texts)]
    n = len(coded)
    names = np.array([f"text {k}" for k in range(n)])
    return Windows(
        values=np.concatenate([code[:-1] for code in coded])[:, None],
        offsets=np.concatenate([[0], np.cumsum([len(code) - 1 for code in coded])]),
        columns=["symbol"],
        rate_hz=None,
        subjects=names,
        recordings=names,
        starts=np.zeros(n, dtype=np.int64),
        fs=np.ones(n),
        y=np.concatenate([code[1:] for code in coded]),
        classes=(_END, *alphabet.symbols),
        step_labels=True,
    )
