"""Runs of epochs of raw signals changed at random when they are drawn: shifted in time, scaled, turned over, noisy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import ParameterError

__all__ = ["NightAugmentation"]

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class NightAugmentation:
    """Change a run of epochs whose features are the samples of each channel, one channel after the other.

    Parameters
    ----------
    channels : int [>= 1]
        Channels of an epoch.
    shift : float [0 to 0.5]
        Largest shift of the run against its labels, as a share of an epoch; what leaves at one end enters at the other.
    scale : float [>= 0]
        Standard deviation of the logarithm of what each channel is multiplied with.
    noise : float [>= 0]
        Standard deviation of noise on every sample, in units of the signal.
    flip : bool
        Turn each channel over, one time in two: what is recorded against what is a matter of the montage.

    Raises
    ------
    ParameterError
        When one is out of range.

    Examples
    --------
    >>> change = NightAugmentation(shift=0.5, scale=0.0, noise=0.0, flip=False)
    >>> x, y = change(np.arange(8, dtype=np.float32).reshape(2, 4), np.array([0, 1]), np.random.default_rng(1))
    >>> x.tolist()
    [[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]]
    """

    channels: int = 1
    shift: float = 0.1
    scale: float = 0.2
    noise: float = 0.05
    flip: bool = True

    def __post_init__(self) -> None:
        if self.channels < 1 or not 0 <= self.shift <= 0.5 or self.scale < 0 or self.noise < 0:
            raise ParameterError(
                f"channels must be at least 1, shift lie in [0, 0.5], scale and noise be 0 or more, got {self!r}"
            )

    def __call__(self, x: Float32, y: Int64, rng: np.random.Generator) -> tuple[Float32, Int64]:
        """Return the run changed, shape (steps, channels * samples), and its labels as they are.

        Raises
        ------
        ParameterError
            When an epoch is not so many channels.
        """
        if x.shape[1] % self.channels:
            raise ParameterError(f"epochs of {x.shape[1]} samples are not those of {self.channels} channels")
        steps, samples = len(x), x.shape[1] // self.channels
        lanes = x.reshape(steps, self.channels, samples).transpose(1, 0, 2).reshape(self.channels, -1)
        most = int(self.shift * samples)
        moved = np.roll(lanes, int(rng.integers(-most, most + 1)), axis=1)
        gains = np.exp(self.scale * rng.standard_normal((self.channels, 1)))
        signs = rng.choice([-1.0, 1.0], (self.channels, 1)) if self.flip else np.ones((self.channels, 1))
        changed = moved * (gains * signs).astype(np.float32)
        if self.noise:
            changed = changed + np.float32(self.noise) * rng.standard_normal(changed.shape, dtype=np.float32)
        return changed.reshape(self.channels, steps, samples).transpose(1, 0, 2).reshape(steps, -1), y
