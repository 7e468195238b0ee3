"""The preparation as one value: filters, events, windows, features, always in this order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, overload

from biosig_lstm import events as event_steps
from biosig_lstm import features as feature_steps
from biosig_lstm import filters as filter_steps
from biosig_lstm import windows as window_steps
from biosig_lstm.containers import Recording, Windows
from biosig_lstm.containers.raw import as_recording, is_raw
from biosig_lstm.errors import DataError, ParameterError, options
from biosig_lstm.events.beats import Beats
from biosig_lstm.filters.channels import Channels
from biosig_lstm.steps import Step

if TYPE_CHECKING:
    from biosig_lstm.containers.raw import BaseRaw

__all__ = ["Pipeline"]

StepLike = Callable[[Any], Any]


@dataclass(frozen=True)
class Pipeline:
    """What is done to every recording before a model sees it; equal, printable, and saved with the model.

    Parameters
    ----------
    filters : sequence of Step
        Recording to Recording: units, leads, gaps, frequencies, rate.
    events : sequence of Step
        Recording to Recording with annotations: beats, quality.
    windows : Step
        Recording to Windows.
    features : sequence of Step
        Windows to Windows.

    Raises
    ------
    ParameterError
        When a step stands where its kind does not belong.

    Examples
    --------
    >>> from biosig_lstm.filters import Bandpass
    >>> from biosig_lstm.windows import FixedLength
    >>> prepare = Pipeline(filters=[Bandpass(0.5, 40)], windows=FixedLength(10))
    >>> Pipeline.from_dict(prepare.to_dict()) == prepare
    True
    """

    windows: Step
    filters: Sequence[Step] = ()
    events: Sequence[Step] = ()
    features: Sequence[Step] = ()

    def __init__(
        self,
        *,
        windows: Step,
        filters: Sequence[Step] = (),
        events: Step | Sequence[Step] = (),
        features: Sequence[Step] = (),
    ) -> None:
        places = {
            "filter": tuple(filters),
            "event": (events,) if isinstance(events, Step) else tuple(events),
            "windows": (windows,),
            "feature": tuple(features),
        }
        for kind, steps in places.items():
            _check_kind(kind, steps)
        object.__setattr__(self, "filters", places["filter"])
        object.__setattr__(self, "events", places["event"])
        object.__setattr__(self, "windows", windows)
        object.__setattr__(self, "features", places["feature"])

    @classmethod
    def of_arrays(cls) -> Pipeline:
        """Return the pipeline of a model that learns from plain arrays: nothing is done to them.

        Examples
        --------
        >>> Pipeline.of_arrays().takes_arrays
        True
        """
        return cls(windows=window_steps.Arrays())

    @property
    def takes_arrays(self) -> bool:
        """Whether items come as arrays rather than as recordings."""
        return isinstance(self.windows, window_steps.Arrays)

    def __call__(self, recordings: Recording | BaseRaw | Iterable[Recording | BaseRaw]) -> Windows:
        """Prepare one recording or many; the items of all are put together.

        Parameters
        ----------
        recordings : Recording, mne.io.BaseRaw or iterable of them
            An `mne.io.Raw` is taken as `Recording.from_mne` does, under the name of its file.

        Raises
        ------
        DataError
            When a recording cannot be prepared, or two have one id: the message names it.
        ParameterError
            When something else comes, such as the path of a file.
        """
        one = isinstance(recordings, (Recording, str)) or is_raw(recordings) or not isinstance(recordings, Iterable)
        many: Iterable[Any] = [recordings] if one else recordings  # type: ignore[assignment]
        parts = list(self._cut_each(map(as_recording, many)))
        if not parts:
            raise DataError("no recordings came to be prepared")
        return Windows.concatenate(parts)

    def _cut_each(self, recordings: Iterable[Recording]) -> Iterator[Windows]:
        seen: set[str] = set()
        for recording in recordings:
            if recording.id in seen:
                raise DataError(f"two recordings have the id {recording.id!r}: their answers could not be told apart")
            seen.add(recording.id)
            yield self.cut(self.find(self.filter(recording)))

    @overload
    def filter(self, recording: Recording) -> Recording: ...

    @overload
    def filter(self, recording: BaseRaw) -> BaseRaw: ...

    def filter(self, recording: Any) -> Any:
        """Return the recording, or the `mne.io.Raw`, after the filters: a new one."""
        for step in self.filters:
            try:
                recording = step(recording)
            except ParameterError as error:
                seen = as_recording(recording)
                at = f"{seen.id or 'recording'}: recorded at {seen.fs:g} Hz"
                raise DataError(f"{at}, which does not fit {step!r}: {error}") from error
        return recording

    def find(self, recording: Recording) -> Recording:
        """Return a filtered recording with the events that windows are cut around."""
        found: Recording = _apply(self.events, recording)
        return found

    def cut(self, recording: Recording) -> Windows:
        """Return the windows of a filtered recording with events, with their features, in runs where asked."""
        windows: Windows = _apply((self.windows, *self.features), recording)
        run = getattr(self.windows, "run", None)
        return windows.into_runs(run) if run else windows

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names of the channels that the first `Channels` among the filters keeps.

        Empty where there is none, or where a filter before it needs other channels too, as `Rereference` does.
        """
        for step in self.filters:
            if isinstance(step, Channels):
                return step.names
            if getattr(step, "mixes_channels", False):
                break
        return ()

    def with_positions(self, positions: str) -> Pipeline:
        """Return the pipeline with beats taken from elsewhere: "auto", "annotated" or "detected", as in `Beats`."""
        moved = [replace(step, positions=positions) if isinstance(step, Beats) else step for step in self.events]
        return Pipeline(windows=self.windows, filters=self.filters, events=moved, features=self.features)

    def to_dict(self) -> dict[str, Any]:
        """Return the pipeline as plain JSON values."""
        return {
            "filters": [step.to_dict() for step in self.filters],
            "events": [step.to_dict() for step in self.events],
            "windows": self.windows.to_dict(),
            "features": [step.to_dict() for step in self.features],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Pipeline:
        """Return the pipeline that `to_dict` wrote; only steps of this package can be named.

        Raises
        ------
        DataError
            When a step or a parameter is not known.
        """
        try:
            return cls(
                filters=[_step(filter_steps.steps(), v) for v in values["filters"]],
                events=[_step(event_steps.steps(), v) for v in values["events"]],
                windows=_step(window_steps.steps(), values["windows"]),
                features=[_step(feature_steps.steps(), v) for v in values["features"]],
            )
        except (KeyError, TypeError) as error:
            raise DataError(f"not the description of a pipeline: {error}") from error

    def digest(self) -> str:
        """Return a hash of the configuration that is the same on every machine and in every run."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()[:16]


def _check_kind(kind: str, steps: Sequence[Step]) -> None:
    for step in steps:
        got = getattr(step, "kind", type(step).__name__)
        if got != kind:
            raise ParameterError(f"{step!r} is a step of kind {got!r}, a step of kind {kind!r} belongs here")


def _apply(steps: Iterable[Step], value: Any) -> Any:
    for step in steps:
        value = step(value)
    return value


def _step(known: Mapping[str, type[Step]], values: Mapping[str, Any]) -> Step:
    if not isinstance(values, Mapping):
        raise TypeError(f"a step is written as its name and fields, got {values!r}")
    fields = dict(values)
    name = str(fields.pop("step"))
    if name not in known:
        raise DataError(f"this version has no step {options(name, known)}")
    return known[name].from_fields(fields)
