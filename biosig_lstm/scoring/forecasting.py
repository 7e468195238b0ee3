"""Foresee what comes after the end of recordings, one by one: what fails is reported, what is done is on disk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from biosig_lstm.errors import ParameterError
from biosig_lstm.estimators import Estimator, Forecaster, Forecasts
from biosig_lstm.scoring._output import Announce, Failure, output_folder
from biosig_lstm.scoring._paths import find_all, one_by_one, open_for

__all__ = ["ForecastReport", "forecast_files"]


@dataclass(frozen=True)
class ForecastReport:
    """What became of the files.

    Parameters
    ----------
    said : dict of str to Forecasts
        What is foreseen after the end of each recording.
    failed : tuple of Failure
        Files that were skipped.
    out : Path
        Folder of ``forecasts.csv``.
    """

    said: dict[str, Forecasts]
    failed: tuple[Failure, ...]
    out: Path


def forecast_files(
    model: Estimator,
    paths: Iterable[str | Path],
    *,
    out: str | Path,
    annotator: str | None = None,
    announce: Announce | None = None,
) -> ForecastReport:
    """Foresee what comes after the end of every recording under `paths`.

    Parameters
    ----------
    model : Forecaster
        Trained.
    paths : iterable of path
        Records, files, or folders that are searched for records.
    out : path
        Folder for ``forecasts.csv``, made where it is not there: rows as of `Forecasts.csv_rows`. An earlier one is
        taken away, also where every recording fails.
    annotator : str, optional
        Take the positions of beats from annotation files of this extension, such as ``atr``. None: detect the beats.
    announce : callable, optional
        Called with the name of each recording before it is read.

    Returns
    -------
    ForecastReport
        A recording that cannot be read, or is too short, is in `failed`; the others are done.

    Raises
    ------
    ParameterError
        When nothing can be written to `out`, or the model is none that foresees, or must be told of what comes.
    """
    if not isinstance(model, Forecaster) or model.pipeline.takes_arrays:
        raise ParameterError(f"what comes after recordings is foreseen by a Forecaster with a pipeline, got {model!r}")
    if model.known_ahead:
        raise ParameterError(
            f"the model must be told {', '.join(model.known_ahead)} of what comes, which no file holds: call predict "
            "with ahead=..."
        )
    folder = output_folder(out)
    found, failed = find_all(paths)
    table, said = folder / "forecasts.csv", dict[str, Forecasts]()
    table.unlink(missing_ok=True)

    def foresee(path: Path, name: str) -> Forecasts:
        return model.predict(open_for(model.pipeline, path, name=name, annotator=annotator))

    for name, one in one_by_one(found, foresee, failed, announce=announce):
        with table.open("a" if said else "w", encoding="utf-8", newline="") as file:
            file.write(one.csv_rows(header=not said))
        said[name] = one
    return ForecastReport(said, tuple(failed), folder)
