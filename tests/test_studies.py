"""Every study is found by its file, runs in seconds when asked to, leaves its files and says the same for a seed."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import biosig_lstm as bl
from biosig_lstm import studies
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.studies import Claim, Findings, Study, StudyOptions, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FILES = (".csv", ".md", ".png", ".json")
TIMES = {"seconds", "ms", "time_s", "time_ms"}


@dataclass(frozen=True)
class Sizes:
    """How many numbers."""

    count: int = 3


def count_up(sizes: Sizes, options: StudyOptions) -> Iterator[tuple[Any, ...]]:
    for k in range(sizes.count):
        options.announce(f"number {k}")
        yield (k, k + options.seed / 10)


def conclude(sizes: Sizes, measured: Table) -> Findings:
    enough = len(measured) == sizes.count
    claim = Claim("Numbers grow", f"{len(measured)} numbers", "holds" if enough else "not decided")
    return Findings((Table(measured.columns, measured.rows, title="Numbers"),), (claim,))


def draw(sizes: Sizes, measured: Table, figure: Figure) -> None:
    figure.subplots().plot([float("nan") if value is None else value for value in measured.column("value")])


COUNTING = Study(
    name="counting",
    title="Counting",
    question="Do numbers grow?",
    about="One after the other.",
    full=Sizes(),
    quick=Sizes(2),
    columns=("number", "value"),
    measure=count_up,
    conclude=conclude,
    draw=draw,
)


QuickRun = Callable[[str], tuple[studies.StudyResult, Path]]


@pytest.fixture(scope="module")
def run_quick(tmp_path_factory: pytest.TempPathFactory) -> QuickRun:
    """Return what gives a study's quick run and the folder that it has been written to, running each once."""
    done: dict[str, tuple[studies.StudyResult, Path]] = {}

    def run(name: str) -> tuple[studies.StudyResult, Path]:
        if name not in done:
            out = tmp_path_factory.mktemp(name)
            done[name] = (studies.run(name, out=out, quick=True, seed=1), out)
        return done[name]

    return run


every_study = pytest.mark.parametrize("name", studies.names())


def without_times(table: Table) -> list[tuple[Any, ...]]:
    kept = [k for k, name in enumerate(table.columns) if name not in TIMES and not name.endswith(("_s", "_ms"))]
    return [tuple(row[k] for k in kept) for row in table.rows]


@every_study
def test_a_study_says_what_it_asks(name: str) -> None:
    study = studies.get(name)
    assert study.name == name
    assert study.question.endswith("?")
    assert len(study.title) < 80
    assert study.about.strip()
    assert study.full != study.quick
    assert all(value is not None for value in (study.measure, study.conclude, study.draw))


@every_study
def test_a_study_leaves_its_four_files(name: str, run_quick: QuickRun) -> None:
    result, out = run_quick(name)
    assert {path.name for path in out.iterdir()} == {name + ending for ending in FILES}
    with (out / f"{name}.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0]) == result.study.columns
    assert len(rows) == len(result.measured) + 1 > 1
    facts = json.loads((out / f"{name}.json").read_text(encoding="utf-8"))
    assert (facts["seed"], facts["quick"], facts["complete"], facts["device"]) == (1, True, True, "cpu")
    assert {"torch", "biosig-lstm"} <= set(facts["versions"])
    assert facts["settings"] == json.loads(json.dumps(result.settings_dict()))
    assert len(facts["rows"]) == len(result.measured)
    page = (out / f"{name}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {result.study.title}")
    assert f"]({name}.png)" in page
    assert all(line.endswith("|") for line in page.splitlines() if line.startswith("|")), "only tables begin with a bar"
    assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")


@every_study
def test_a_study_comes_to_tables_and_claims(name: str, run_quick: QuickRun) -> None:
    result, _ = run_quick(name)
    assert result.findings.tables
    assert all(len(table) for table in result.findings.tables)
    assert result.claims
    assert all(claim.claimed and claim.measured for claim in result.claims)
    assert result.claim_table.to_markdown() in repr(result)


@every_study
def test_a_study_concludes_and_draws_from_any_part_of_its_rows(name: str, run_quick: QuickRun) -> None:
    from matplotlib.figure import Figure

    result, _ = run_quick(name)
    study, rows = result.study, result.measured.rows
    for count in sorted({0, 1, len(rows) // 2, len(rows) - 1}):
        part = Table(study.columns, rows[:count])
        study.conclude(result.settings, part)
        study.draw(result.settings, part, Figure())
    undecided = study.conclude(result.settings, Table(study.columns)).claims
    assert {claim.verdict for claim in undecided} <= {"not decided"}


@pytest.mark.parametrize("name", ["gradient", "long-lags"])
def test_the_same_seed_gives_the_same_numbers_and_another_does_not(name: str, run_quick: QuickRun) -> None:
    result, _ = run_quick(name)
    again, other = studies.run(name, quick=True, seed=1), studies.run(name, quick=True, seed=2)
    assert without_times(again.measured) == without_times(result.measured)
    assert without_times(other.measured) != without_times(result.measured)


def test_what_is_measured_is_announced_and_drawn(tmp_path: Path) -> None:
    said: list[str] = []
    result = COUNTING.run(StudyOptions(seed=4, announce=said.append))
    assert said == ["number 0", "number 1", "number 2"]
    assert result.measured.rows == ((0, 0.4), (1, 1.4), (2, 2.4))
    assert result.complete
    assert [path.name for path in result.write(tmp_path)] == [f"counting{ending}" for ending in FILES]
    assert len(result.plot().axes[0].lines) == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_was_measured_before_an_interruption_is_kept(tmp_path: Path, error: type[BaseException]) -> None:
    def interrupted(text: str) -> None:
        if text == "number 2":
            raise error("stop")

    with pytest.raises(error, match="stop"):
        COUNTING.run(StudyOptions(announce=interrupted), keep=lambda part: part.write(tmp_path))
    assert (tmp_path / "counting.csv").read_text() == "number,value\n0,0.0\n1,1.0\n"
    facts = json.loads((tmp_path / "counting.json").read_text())
    assert facts["complete"] is False
    assert facts["claims"][0]["verdict"] == "not decided"
    assert "Broken off" in (tmp_path / "counting.md").read_text()


def test_an_interruption_before_the_first_row_leaves_nothing(tmp_path: Path) -> None:
    def interrupted(text: str) -> None:
        raise KeyboardInterrupt("stop")

    with pytest.raises(KeyboardInterrupt, match="stop"):
        COUNTING.run(StudyOptions(announce=interrupted), keep=lambda part: part.write(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_writing_again_replaces_and_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = COUNTING.run(StudyOptions())
    result.write(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full_disk(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(ParameterError, match=r"counting\.csv: No space left"):
        COUNTING.run(StudyOptions(seed=5)).write(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_what_is_no_number_is_null_in_json_and_a_dash_on_the_page(tmp_path: Path) -> None:
    def odd(sizes: Sizes, options: StudyOptions) -> Iterator[tuple[Any, ...]]:
        yield (0, float("nan"))
        yield (1, None)

    replace(COUNTING, measure=odd).run(StudyOptions()).write(tmp_path)
    assert json.loads((tmp_path / "counting.json").read_text())["rows"] == [[0, None], [1, None]]
    assert "| 1 | - |" in (tmp_path / "counting.md").read_text()
    assert (tmp_path / "counting.csv").read_text().endswith("0,nan\n1,\n")


def test_claims_of_all_studies_of_a_folder_are_one_table(tmp_path: Path) -> None:
    result = studies.run("gradient", out=tmp_path, quick=True)
    table = studies.read_claims(tmp_path)
    assert table.columns == ("study", "claimed", "measured", "verdict")
    assert table.column("study") == ["gradient (quick)"] * len(result.claims)
    assert table.column("verdict") == [claim.verdict for claim in result.claims]
    facts = json.loads((tmp_path / "gradient.json").read_text())
    for changed, name in (({"quick": False}, "gradient"), ({"complete": False}, "gradient (quick) (broken off)")):
        (tmp_path / "gradient.json").write_text(json.dumps(facts | changed))
        assert studies.read_claims(tmp_path).values("study") == [name]


def test_the_table_of_what_is_usually_said_holds_claims_of_every_study() -> None:
    page = (Path(__file__).parents[1] / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    table = page.partition("### What is usually said")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| `")]
    assert {row[0].strip("`") for row in rows} == set(studies.names())
    for _, *claim in rows:
        Claim(*claim)  # what is no verdict is refused


def test_a_folder_without_claims_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no NAME\.json of a study"):
        studies.read_claims(tmp_path)
    (tmp_path / "gradient.json").write_text('{"study": 1}')
    with pytest.raises(DataError, match=r"gradient\.json: is not what a study writes \(KeyError: 'claims'\)"):
        studies.read_claims(tmp_path)
    (tmp_path / "gradient.json").write_text("{")
    with pytest.raises(DataError, match="is not what a study writes"):
        studies.read_claims(tmp_path)


def test_an_unknown_study_is_guessed() -> None:
    with pytest.raises(ParameterError, match="'gradients'; did you mean 'gradient'"):
        bl.studies.run("gradients")
    with pytest.raises(ParameterError, match="study '3'; possible: gradient"):
        bl.studies.get(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"seed": -1}, "seed must be a whole number of at least 0, got -1"),
        ({"seed": True}, "seed must be a whole number of at least 0, got True"),
        ({"device": "gpu"}, "device 'gpu'; did you mean 'cpu'"),
        ({"quick": "no"}, "quick must be True or False, got 'no'"),
    ],
)
def test_options_out_of_range_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        StudyOptions(**wrong)


def test_a_gpu_that_is_not_there_is_refused_before_anything_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ParameterError, match="torch sees no GPU here"):
        COUNTING.run(StudyOptions(device="cuda"))
    assert StudyOptions(device="auto").device_name() == "cpu"


def test_where_databases_are() -> None:
    assert StudyOptions().root("mitdb") is None
    assert StudyOptions(data=Path("here")).root("mitdb") == Path("here/mitdb")


def test_a_page_says_how_it_is_made_again() -> None:
    assert "`biosig-lstm study counting --out DIR --seed 0`." in repr(COUNTING.run(StudyOptions()))
    how = StudyOptions(seed=2, quick=True, data=Path(), device="auto")
    said = "`biosig-lstm study counting --out DIR --seed 2 --quick --data DATA --device auto`."
    assert said in repr(COUNTING.run(how))


def test_a_verdict_is_one_of_four() -> None:
    with pytest.raises(ParameterError, match="verdict 'true'; possible: does not hold, holds"):
        Claim("a", "b", "true")  # type: ignore[arg-type]


def test_a_table_holds_rows_of_its_columns() -> None:
    table = Table(("cell", "steps"), (("lstm", 10), ("rnn", 10), ("lstm", None)))
    assert table.values("cell") == ["lstm", "rnn"]
    assert table.where(cell="lstm").numbers("steps") == [10.0]
    assert table.to_csv() == "cell,steps\nlstm,10\nrnn,10\nlstm,\n"
    assert table.to_markdown().splitlines()[-1] == "| lstm | - |"
    with pytest.raises(ParameterError, match=r"a row needs 2 values \(cell, steps\), got \(1,\)"):
        Table(("cell", "steps"), ((1,),))
    with pytest.raises(ParameterError, match="columns must have names of their own, got a, a"):
        Table(("a", "a"))
    with pytest.raises(ParameterError, match="column 'step'; did you mean 'steps'"):
        table.column("step")
    with pytest.raises(ParameterError, match="column 'sel'"):
        table.where(sel=1)


def test_numbers_of_a_page_have_three_figures_and_bars_do_not_break_it() -> None:
    table = Table(("a", "b", "c"), ((1 / 3, 12345, "x|y"), (1e-12, True, False)))
    assert table.to_markdown().splitlines()[2:] == ["| 0.333 | 12,345 | x\\|y |", "| 1e-12 | yes | no |"]
