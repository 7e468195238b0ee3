"""One label for every item: a window, a recording, a word."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Self, cast

from biosig_lstm.containers import Recording, Windows
from biosig_lstm.estimators._base import Estimator
from biosig_lstm.estimators._from_bids import classifier_from_bids
from biosig_lstm.estimators._from_table import Validation, classifier_from_table
from biosig_lstm.estimators._long_sound import windows_of_sound
from biosig_lstm.estimators.predictions import Predictions
from biosig_lstm.formats.audio import AudioFile
from biosig_lstm.models import ModelSpec
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.training import FitSettings

__all__ = ["Classifier"]


class Classifier(Estimator):
    """A model that names every item; see `Estimator` for its parameters.

    Examples
    --------
    >>> import biosig_lstm as bl
    >>> prepare = bl.Pipeline(filters=[bl.Bandpass(0.5, 40)], windows=bl.FixedLength(10, classes=("N", "A")))
    >>> model = bl.Classifier(prepare, bl.BiLSTM(hidden_size=16, pooling="attention"))
    """

    validation: Validation | None = None
    """How models of this kind did across subjects, where `from_table` made it in this session."""

    @classmethod
    def from_table(
        cls,
        path: str | Path,
        *,
        channels: Sequence[str] | None = None,
        rate_hz: float | None = None,
        window_s: float = 30.0,
        pipeline: Pipeline | None = None,
        model: ModelSpec | None = None,
        settings: FitSettings | None = None,
        n_splits: int = 5,
        progress: bool = True,
        announce: Callable[[str], None] | None = None,
        **changes: Any,
    ) -> Self:
        """Return a classifier trained on the recordings of a table, with its scores on subjects it had not seen.

        Parameters
        ----------
        path : path
            A CSV file with columns ``path,label,subject`` and optionally ``start_s,stop_s``; paths are relative to it.
        channels : sequence of str, optional
            Channels to use; by default those of the recordings, which must then be the same in all.
        rate_hz : float [unit=Hz, > 0], optional
            Rate that all recordings are brought to, theirs may then differ. By default theirs must be alike, and are
            brought to 100 Hz (EMG: 500 Hz) where they are above it; sounds may differ, and are brought to the lowest
            of their rates, at most 16 kHz.
        window_s : float [unit=s]
            Longer recordings are looked at in equal pieces of at most this length.
        pipeline, model, settings : optional
            Instead of what the kind of signal suggests; single settings can be given by name, as in `fit`. A pipeline
            of your own also sees to channels and rate, and its windows name the table's classes.
        n_splits : int [0, or >= 2]
            Folds of the validation by subject, fewer where a class has fewer subjects; 0 leaves it out.
        progress : bool
            Show progress on stderr.
        announce : callable, optional
            Called with the id of each recording before it is read.

        Returns
        -------
        Classifier
            Trained on every recording; `validation` holds the scores of the folds, the card repeats them.

        Raises
        ------
        DataError
            When the table cannot be used: recordings that are not there or cannot be read (all of them in one
            message), that differ in rate, channels or units (with what it would take), a class of one subject, a
            recording that stands, or a copy of which stands, under two subjects.
        ParameterError
            When a parameter is out of range, or channels or a rate are given beside a pipeline.
        """
        made = classifier_from_table(
            cls,
            path,
            channels=channels,
            rate_hz=rate_hz,
            window_s=window_s,
            pipeline=pipeline,
            model=model,
            settings=settings,
            n_splits=n_splits,
            progress=progress,
            announce=announce,
            **changes,
        )
        return cast("Self", made)

    @classmethod
    def from_bids(
        cls,
        root: str | Path,
        label: str = "trial_type",
        *,
        classes: Sequence[str] = (),
        types: Sequence[str] = (),
        stretch_s: tuple[float, float] | None = None,
        **settings: Any,
    ) -> Self:
        """Return a classifier trained on a BIDS tree, with its scores on subjects it had not seen.

        Parameters
        ----------
        root : path
            The folder that holds the ``sub-*`` folders.
        label : str
            What is to be told: a column of ``events.tsv`` (each event is an item), a column of ``participants.tsv`` or
            an entity of the names such as ``task`` (each recording is one); see `biosig_lstm.datasets.open_bids`.
        classes : sequence of str, optional
            Labels to tell apart; all that occur by default. Others are left out.
        types : sequence of str, optional
            Types of channels to use, as in ``("EEG",)``.
        stretch_s : (float, float) [unit=s], optional
            Stretch of each event that is looked at, from its onset; the event itself by default.
        **settings
            As of `from_table`: channels, rate_hz, window_s, pipeline, model, settings, n_splits, progress, announce,
            and single settings of the training.

        Returns
        -------
        Classifier
            Trained on everything; `validation` holds the scores of the folds by subject.

        Raises
        ------
        DataError
            When the tree cannot be used, or as in `from_table`: recordings differ in channels, rate or units, or a
            class has one subject.
        ParameterError
            When no table has the column, a class does not occur, or events are instants and no stretch is given.
        """
        made = classifier_from_bids(
            cls, root, label=label, classes=classes, types=types, stretch_s=stretch_s, **settings
        )
        return cast("Self", made)

    def predict(self, data: Windows | Recording | AudioFile | Iterable[Recording]) -> Predictions:
        """Return a row for each item, in order.

        Parameters
        ----------
        data : Windows, Recording or recordings, AudioFile, mne.Epochs or mne.io.Raw
            Recordings go through the model's own preparation, and so do the objects of MNE. Of an open sound file, no
            more than a piece is in memory at a time where the model looks at pieces, as those of `from_table` do.

        Raises
        ------
        DataError
            When a recording cannot be prepared, or a sound file of more than ten minutes would be one item.
        """
        if isinstance(data, AudioFile):
            parts = [self.predict(windows) for windows in windows_of_sound(data, self.pipeline)]
            return Predictions.concatenate(parts)
        return Predictions(**self._item_rows(data))
