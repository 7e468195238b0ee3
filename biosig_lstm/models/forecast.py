"""A network around a causal reader: at every step, quantiles of the steps that follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, softplus

from biosig_lstm.errors import ParameterError
from biosig_lstm.models._season import season_of, seasonal_places
from biosig_lstm.models._spec import ModelSpec

__all__ = ["ForecastNetwork", "Past", "in_order", "past_moments", "season_of"]

FLOOR = 1e-4
_MEDIAN = 0.5
_CHECKED_STEPS = 12
_LEAST_STEP = 1e-4


def past_moments(values: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of each step and all before it.

    Parameters
    ----------
    values : Tensor [shape=(batch, steps, targets)]
        Series.

    Returns
    -------
    (Tensor, Tensor) [shape=(batch, steps, targets)]
        The deviation is at least 1e-4.

    Examples
    --------
    >>> mean, deviation = past_moments(torch.tensor([[[1.0], [3.0], [5.0]]]))
    >>> mean.flatten().tolist()
    [1.0, 2.0, 3.0]
    """
    first = values[:, :1].double()
    shifted = values.double() - first
    count = torch.arange(1, values.shape[1] + 1, device=values.device, dtype=torch.float64)[:, None]
    mean, square = shifted.cumsum(dim=1) / count, shifted.square().cumsum(dim=1) / count
    spread = ((square - mean.square()).clamp(min=0.0) + FLOOR**2).sqrt()
    return (mean + first).to(values.dtype), spread.to(values.dtype)


def in_order(raw: Tensor, *, middle: int) -> Tensor:
    """Return quantiles that cannot cross: what is beside the middle one is added to it, or taken off, and positive.

    Parameters
    ----------
    raw : Tensor [shape=(..., levels, targets)]
        Any numbers.
    middle : int
        Which level stands for itself.

    Returns
    -------
    Tensor [shape=(..., levels, targets)]
        Ascending along the levels.

    Examples
    --------
    >>> made = in_order(torch.randn(3, 5, 1), middle=2)
    >>> bool((made.diff(dim=1) > 0).all())
    True
    """
    centre = raw[..., middle : middle + 1, :]
    above = centre + softplus(raw[..., middle + 1 :, :]).cumsum(dim=-2)
    below = centre - softplus(raw[..., :middle, :]).flip(-2).cumsum(dim=-2).flip(-2)
    return torch.cat([below, centre, above], dim=-2)


class Past(NamedTuple):
    """Targets at each step, and mean and deviation of each until then: (batch, steps, targets) all.

    Attributes
    ----------
    values, level, spread : Tensor
        Level 0 and spread 1 where the network does not scale by the past.
    """

    values: Tensor
    level: Tensor
    spread: Tensor

    def scaled(self, found: Tensor) -> Tensor:
        """Return values, (batch, steps, targets, ...), in units of the past of each step."""
        more = (...,) + (None,) * (found.ndim - 3)
        return (found - self.level[more]) / self.spread[more]


class ForecastNetwork(nn.Module):
    """Quantiles of the `horizon` steps after every step, by a reader that never looks ahead.

    Parameters
    ----------
    reader : ModelSpec
        Gives an answer for each step from that step and those before it.
    n_features : int
        Columns of a step.
    targets : sequence of int
        Columns that are foreseen.
    ahead : sequence of int
        Columns that are known before they come: the reader is given them for all of the horizon.
    horizon : int
        How many steps are foreseen.
    levels : sequence of float
        Of the quantiles, 0.5 among them.
    lags : int [>= 1]
        The last values that a linear part sees.
    scaled : bool
        Whether targets are brought to mean 0 and deviation 1 by the item's own past.
    season : int or "auto", optional
        Steps of a season; "auto": as `season_of` finds in the last `context` steps before each origin. The network is
        then given the last season.
    context : int
        Steps in which a season is looked for.

    Raises
    ------
    ParameterError
        When the reader's answer at a step depends on later steps.

    Notes
    -----
    The median is the sum of a linear map of the last values, one of what is known of the step that is foreseen, and the
    reader's answer, as in LSTNet (Lai et al., "Modeling long- and short-term temporal patterns with deep neural
    networks", SIGIR 2018, section 3.6); every step of the horizon has answers of its own (Wen et al., "A multi-horizon
    quantile recurrent forecaster", arXiv 1711.11053). The scaling is that of Kim et al. ("Reversible instance
    normalization", ICLR 2022), except that a step is scaled by the mean and the deviation of what came until then,
    never of the whole item. The reader is given the scaled value, its change, and mean and log deviation themselves, so
    that nothing is lost.
    """

    def __init__(
        self,
        reader: ModelSpec,
        *,
        n_features: int,
        targets: Sequence[int],
        ahead: Sequence[int] = (),
        horizon: int,
        levels: Sequence[float],
        lags: int,
        scaled: bool = True,
        season: int | Literal["auto"] | None = None,
        context: int = 64,
    ) -> None:
        super().__init__()
        self.targets, self.ahead = list(targets), list(ahead)
        self.others = [k for k in range(n_features) if k not in self.targets]
        self.horizon, self.lags, self.scaled = horizon, lags, scaled
        self.n_levels, self.middle = len(levels), list(levels).index(_MEDIAN)
        self.season, self.context = season, context
        n_extras = len(self.ahead) + (season is not None)
        n_ahead = len(self.ahead) + (season is not None) * len(self.targets)
        n_inputs = 4 * len(self.targets) + len(self.others) + horizon * n_ahead
        self.reader = reader.build(
            n_features=n_inputs, n_outputs=horizon * len(levels) * len(self.targets), per_step=True
        )
        self.linear = nn.Parameter(torch.zeros(len(self.targets), lags, horizon))
        self.known = nn.Parameter(torch.zeros(len(self.targets), n_extras, horizon))
        self.beside = nn.Parameter(torch.zeros(horizon, len(levels), len(self.targets)))
        _check_causal(self.reader, n_inputs, name=type(reader).__name__)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return quantiles, (batch, steps, horizon, levels, targets), of x (batch, steps, n_features)."""
        past = self.past(x)
        extras = self.extras(x, past)
        said = self.reader(self._inputs(x, past, extras), lengths)
        raw = said.unflatten(2, (self.horizon, self.n_levels, -1)) + self.beside
        made = in_order(raw, middle=self.middle)
        straight = torch.einsum("btkl,klh->bthk", self.last_values(past), self.linear)
        straight = straight + torch.einsum("bthka,kah->bthk", extras, self.known)
        return past.level[:, :, None, None] + past.spread[:, :, None, None] * (made + straight.unsqueeze(3))

    @torch.no_grad()
    def begin(self, linear: Tensor, known: Tensor, residuals: Tensor) -> None:
        """Begin as a linear forecast whose residuals are spread alike at all origins.

        Parameters
        ----------
        linear : Tensor [shape=(targets, lags, horizon)]
            The map from `last_values`.
        known : Tensor [shape=(targets, extras, horizon)]
            That from `extras`.
        residuals : Tensor [shape=(horizon, levels, targets)]
            Quantiles of what it leaves, ascending along the levels.

        Notes
        -----
        Where the reader ends in a linear layer named ``head``, as `CausalLSTM` does, that begins at zero: what is
        learned starts from this forecast.
        """
        self.linear.copy_(linear)
        self.known.copy_(known)
        steps = residuals.diff(dim=1).clamp(min=_LEAST_STEP)
        inverse = steps + torch.log(-torch.expm1(-steps))
        middle = residuals[:, self.middle : self.middle + 1]
        self.beside.copy_(torch.cat([inverse[:, : self.middle], middle, inverse[:, self.middle :]], dim=1))
        head = getattr(self.reader, "head", None)
        if isinstance(head, nn.Linear):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    def past(self, x: Tensor) -> Past:
        """Return the targets of x (batch, steps, n_features), and what they are scaled by at each step."""
        values = x[:, :, self.targets]
        if not self.scaled:
            return Past(values, torch.zeros_like(values), torch.ones_like(values))
        return Past(values, *past_moments(values))

    def last_values(self, past: Past) -> Tensor:
        """Return what the linear part sees: the last values, scaled, (batch, steps, targets, lags), the last one last.

        Before the first step its value is taken to have been there always.
        """
        before = past.values[:, :1].expand(-1, self.lags - 1, -1)
        return past.scaled(torch.cat([before, past.values], dim=1).unfold(1, self.lags, 1))

    def extras(self, x: Tensor, past: Past) -> Tensor:
        """Return what is known of each step that is foreseen, (batch, steps, horizon, targets, extras).

        The columns `ahead` and, with a season, the scaled value of the same place in the last season.
        """
        known = self.coming(x, self.ahead).unsqueeze(3).expand(-1, -1, -1, len(self.targets), -1)
        if self.season is None:
            return known
        return torch.cat([known, self._last_season(past).unsqueeze(4)], dim=4)

    def _last_season(self, past: Past) -> Tensor:
        values = past.values
        n_items, n_steps, n_targets = values.shape
        steps = torch.arange(n_steps, device=values.device)
        if self.season == "auto":
            before = values.new_full((n_items, self.context - 1, n_targets), torch.nan)
            season = season_of(torch.cat([before, values], dim=1).unfold(1, self.context, 1))
        else:
            season = torch.full(values.shape, int(self.season or 1), dtype=torch.int64, device=values.device)
        season = torch.where(season <= steps[:, None] + 1, season, 1)
        place = steps[:, None, None] - seasonal_places(season, self.horizon)
        row = torch.arange(n_items, device=values.device)[:, None, None, None]
        found = values[row, place, torch.arange(n_targets, device=values.device)[:, None]]
        return past.scaled(found).transpose(2, 3)

    def coming(self, x: Tensor, columns: Sequence[int]) -> Tensor:
        """Return columns of the steps that follow each step, (batch, steps, horizon, columns); zero beyond the end."""
        later = pad(x[:, 1:, list(columns)], (0, 0, 0, self.horizon))
        return later.unfold(1, self.horizon, 1).transpose(2, 3)

    def _inputs(self, x: Tensor, past: Past, extras: Tensor) -> Tensor:
        change = past.values.diff(dim=1, prepend=past.values[:, :1]) / past.spread
        n_ahead = len(self.ahead)
        known = [extras[:, :, :, 0, :n_ahead].flatten(2), extras[..., n_ahead:].flatten(2)]
        own = [past.scaled(past.values), change, past.level, past.spread.log()]
        return torch.cat([*own, x[:, :, self.others], *known], dim=2)


@torch.no_grad()
def _check_causal(reader: nn.Module, n_inputs: int, *, name: str) -> None:
    training = reader.training
    reader.eval()
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, _CHECKED_STEPS, n_inputs, generator=generator)
    other = torch.cat([x[:, : _CHECKED_STEPS // 2], -x[:, _CHECKED_STEPS // 2 :]], dim=1)
    lengths = torch.tensor([_CHECKED_STEPS])
    one, two = (reader(rows, lengths)[:, : _CHECKED_STEPS // 2] for rows in (x, other))
    reader.train(training)
    if not torch.allclose(one, two, atol=1e-6):
        raise ParameterError(
            f"{name} looks ahead: its answer at a step changes with the steps after it, which a forecast cannot know; "
            "take CausalLSTM, or a reader of one direction"
        )
