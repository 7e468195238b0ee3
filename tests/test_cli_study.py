"""Studies through the command line: what it lists, leaves and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from biosig_lstm import studies
from biosig_lstm.cli import main

Captured = pytest.CaptureFixture[str]


@pytest.mark.parametrize("arguments", [["study"], ["study", "--list"]])
def test_studies_are_listed_with_a_line_each(arguments: list[str], capsys: Captured) -> None:
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == studies.names()
    assert all(studies.get(line.split()[0]).title in line for line in lines)


def test_a_study_says_its_tables_and_leaves_its_files(tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "new" / "folder"
    assert main(["study", "gradient", "--out", str(out), "--quick", "--seed", "7"]) == 0
    said = capsys.readouterr().out
    assert "| cell | start |" in said
    assert "| claimed | measured | verdict |" in said
    assert {path.name for path in out.iterdir()} == {f"gradient.{kind}" for kind in ("csv", "md", "png", "json")}
    assert json.loads((out / "gradient.json").read_text())["seed"] == 7
    assert "biosig-lstm study gradient --out DIR --seed 7 --quick" in (out / "gradient.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["study", "gradents", "--out", "x"], "study 'gradents'; did you mean 'gradient'? possible: "),
        (["study", "gradient"], "study gradient: --out DIR says where its table and picture go"),
        (["study", "--out", "x"], "--out DIR goes with the NAME of a study"),
        (["study", "gradient", "--out", "x", "--data", "y"], "data: y is no folder; name the one that holds a folder"),
        (["study", "gradient", "--out", "file"], "cannot write results to file: it is a file; name a folder"),
    ],
)
def test_wrong_usage_is_refused_before_anything_is_measured(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_cannot_be_written_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    assert main(["study", "gradient", "--out", str(tmp_path), "--quick"]) == 2
    assert "permission denied; name another folder" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [["--seed", "-1"], ["--seed", "x"], ["--device", "tpu"]])
def test_options_out_of_range_are_refused_by_the_parser(wrong: list[str], capsys: Captured) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["study", "gradient", "--out", "x", *wrong])
    assert wrong[0] in capsys.readouterr().err


def test_an_interruption_keeps_what_has_been_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    from biosig_lstm.studies import gradient

    networks = gradient._one_network
    drawn: list[str] = []

    def interrupted(
        settings: gradient.GradientSettings, cell: str, start: gradient.Start, *, device: str
    ) -> list[float]:
        drawn.append(cell)
        if len(drawn) == 4:
            raise KeyboardInterrupt
        return networks(settings, cell, start, device=device)

    monkeypatch.setattr(gradient, "_one_network", interrupted)
    assert main(["study", "gradient", "--out", str(tmp_path), "--quick"]) == 130
    assert f"interrupted; what had been measured until then is in {tmp_path}" in capsys.readouterr().err
    facts = json.loads((tmp_path / "gradient.json").read_text())
    assert facts["complete"] is False
    assert {tuple(row[:2]) for row in facts["rows"]} == set(list(gradient.STARTS)[:3])
