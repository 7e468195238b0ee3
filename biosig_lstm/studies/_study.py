"""What a study is: a question, what is measured for it, and what the measurement says of what is usually claimed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, get_args

from biosig_lstm.errors import ParameterError, options
from biosig_lstm.studies._table import Row, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Claim", "Findings", "Study", "StudyOptions", "StudyResult", "Verdict", "judged"]

Settings = TypeVar("Settings")

Verdict = Literal["holds", "holds in part", "does not hold", "not decided"]

_FIGURE_SIZE = (9.0, 5.0)  # inches
_DEVICES = ("auto", "cpu", "cuda")


def _silent(text: str) -> None:
    """Say nothing of what is being measured."""


@dataclass(frozen=True)
class Claim:
    """What is usually said, what was measured, and whether it holds.

    Parameters
    ----------
    claimed : str
        As a textbook or a blog would say it.
    measured : str
        The figures that decide, in a sentence.
    verdict : {"holds", "holds in part", "does not hold", "not decided"}
        Computed from the figures; not decided where too little was measured.

    Raises
    ------
    ParameterError
        When the verdict is another.
    """

    claimed: str
    measured: str
    verdict: Verdict

    def __post_init__(self) -> None:
        if self.verdict not in get_args(Verdict):
            raise ParameterError(f"verdict {options(self.verdict, get_args(Verdict))}")


def judged(cases: Iterable[bool]) -> Verdict:
    """Return the verdict on a claim: it holds in all of these cases, in some, or in none; not decided without any.

    Examples
    --------
    >>> judged([True, False]), judged([])
    ('holds in part', 'not decided')
    """
    each = list(cases)
    if not each:
        return "not decided"
    return "holds" if all(each) else "holds in part" if any(each) else "does not hold"


@dataclass(frozen=True)
class Findings:
    """What rows come to: tables to read, and claims that they decide."""

    tables: tuple[Table, ...]
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StudyOptions:
    """How a study is run, whichever it is.

    Parameters
    ----------
    seed : int [>= 0]
        Decides everything that is drawn: the same seed gives the same numbers, times excepted.
    quick : bool
        Whether the study takes its small settings: seconds, to see that it works; its numbers say little.
    data : path, optional
        Folder with a folder for each database; where databases are kept by default.
    device : {"cpu", "cuda", "auto"}
        Where networks compute; auto takes a GPU where there is one.
    announce : callable
        Told in a few words what is measured next.

    Raises
    ------
    ParameterError
        When the seed is negative, the device is not known, or `quick` is neither True nor False.
    """

    seed: int = 0
    quick: bool = False
    data: Path | None = None
    device: str = "cpu"
    announce: Callable[[str], None] = field(default=_silent, repr=False, compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise ParameterError(f"seed must be a whole number of at least 0, got {self.seed!r}")
        if not isinstance(self.quick, bool):
            raise ParameterError(f"quick must be True or False, got {self.quick!r}")
        if self.device not in _DEVICES:
            raise ParameterError(f"device {options(str(self.device), _DEVICES)}")

    def root(self, database: str) -> Path | None:
        """Return the folder of a database below `data`, or None: where databases are kept."""
        return None if self.data is None else Path(self.data) / database

    def device_name(self) -> str:
        """Return "cpu" or "cuda", auto being decided.

        Raises
        ------
        ParameterError
            When a GPU is asked for and there is none.
        """
        if self.device == "cpu":
            return "cpu"
        import torch

        if torch.cuda.is_available():
            return "cuda"
        if self.device == "cuda":
            raise ParameterError("device='cuda': torch sees no GPU here; take 'cpu' or 'auto'")
        return "cpu"


@dataclass(frozen=True, kw_only=True)
class Study(Generic[Settings]):
    """A question, and how it is put to the test.

    A study is one file in this folder with a ``STUDY``; it is found by its name, `_` being written as `-`.

    Parameters
    ----------
    name : str
        As on the command line.
    title : str
        What it is about, in a line.
    question : str
        What it answers, in a sentence.
    about : str
        How it is measured: networks, data, sizes, sources. Paragraphs of Markdown.
    full, quick : Settings
        Frozen dataclasses of plain values: the sizes of the study, and those of a run that only shows that it works.
    columns : tuple of str
        Names of what is measured.
    measure : callable
        (settings, options) to rows, one after the other. What has been yielded is kept when the study is interrupted.
    conclude : callable
        (settings, measured) to `Findings`; takes any number of the rows, none too.
    draw : callable
        (settings, measured, figure): the picture, of any number of rows.
    """

    name: str
    title: str
    question: str
    about: str
    full: Settings
    quick: Settings
    columns: tuple[str, ...]
    measure: Callable[[Settings, StudyOptions], Iterator[Row]] = field(repr=False)
    conclude: Callable[[Settings, Table], Findings] = field(repr=False)
    draw: Callable[[Settings, Table, Figure], None] = field(repr=False)

    def run(
        self,
        how: StudyOptions,
        *,
        settings: Settings | None = None,
        keep: Callable[[StudyResult], object] | None = None,
    ) -> StudyResult:
        """Measure, and conclude.

        Parameters
        ----------
        how : StudyOptions
            Seed, device and whether it is a quick run.
        settings : Settings, optional
            Other sizes than those of the study.
        keep : callable, optional
            Given what has been measured when the study does not come to its end, before the error goes on.

        Returns
        -------
        StudyResult
            Of all rows.
        """
        sizes = settings if settings is not None else self.quick if how.quick else self.full
        rows: list[Row] = []
        begun = time.perf_counter()
        how.device_name()
        try:
            for row in self.measure(sizes, how):
                rows.append(row)
        except BaseException:
            if keep is not None and rows:
                keep(self._result(sizes, how, rows, seconds=time.perf_counter() - begun, complete=False))
            raise
        return self._result(sizes, how, rows, seconds=time.perf_counter() - begun, complete=True)

    def _result(
        self, sizes: Settings, how: StudyOptions, rows: list[Row], *, seconds: float, complete: bool
    ) -> StudyResult:
        measured = Table(self.columns, tuple(rows))
        return StudyResult(
            study=self,
            settings=sizes,
            options=how,
            measured=measured,
            findings=self.conclude(sizes, measured),
            seconds=seconds,
            complete=complete,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class StudyResult:
    """What a study has measured; its repr is the tables and the claims.

    Attributes
    ----------
    study : Study
        Which.
    settings : dataclass
        Its sizes.
    options : StudyOptions
        Seed and device.
    measured : Table
        A row for each measurement.
    findings : Findings
        Tables and claims that follow.
    seconds : float [unit=s]
        What it took.
    complete : bool
        Whether it came to its end.
    """

    study: Study[Any]
    settings: Any
    options: StudyOptions
    measured: Table
    findings: Findings
    seconds: float
    complete: bool

    @property
    def claims(self) -> tuple[Claim, ...]:
        """What is usually said, and whether it holds."""
        return self.findings.claims

    @property
    def claim_table(self) -> Table:
        """The claims as a table: claimed, measured, verdict."""
        rows = tuple((claim.claimed, claim.measured, claim.verdict) for claim in self.claims)
        return Table(("claimed", "measured", "verdict"), rows, title="Claims")

    def settings_dict(self) -> dict[str, Any]:
        """Return the sizes as plain values."""
        sizes: dict[str, Any] = asdict(self.settings)
        return sizes

    def plot(self) -> Figure:
        """Return the picture as a matplotlib figure."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=_FIGURE_SIZE, layout="constrained")
        self.study.draw(self.settings, self.measured, figure)
        return figure

    def to_markdown(self) -> str:
        """Return title, question, tables, claims and settings as Markdown."""
        from biosig_lstm.studies._write import as_markdown

        return as_markdown(self)

    def write(self, out: str | Path) -> list[Path]:
        """Write NAME.csv, NAME.md, NAME.png and NAME.json to a folder, each whole or not at all.

        Returns
        -------
        list of Path
            The files.

        Raises
        ------
        ParameterError
            When the folder is a file or cannot be written.
        """
        from biosig_lstm.studies._write import write_result

        return write_result(self, out)

    def __repr__(self) -> str:
        return self.to_markdown()

    def _repr_markdown_(self) -> str:
        return self.to_markdown()
