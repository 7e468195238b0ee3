"""Cards: what they must hold, where they are found, how a database is opened by name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from biosig_lstm import datasets
from biosig_lstm.datasets._card import card_folder, read_card
from biosig_lstm.errors import DataError, ParameterError

MINIMAL = """
title = "Some database"
licence = "CC0"
citation = "Somebody. Somewhere (2020)."
address = "https://example.org/some/"
version = "1.0"
"""


def write_card(folder: Path, text: str = MINIMAL) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "card.toml").write_text(text, encoding="utf-8")
    return folder


def test_minimal_card_is_read(tmp_path):
    card = read_card(write_card(tmp_path / "some"))
    assert (card.name, card.citation, card.splits, card.sha256()) == ("some", ("Somebody. Somewhere (2020).",), {}, {})


@pytest.mark.parametrize("key", ["title", "licence", "citation", "address", "version"])
def test_card_without_a_required_fact_is_refused(tmp_path, key):
    text = "\n".join(line for line in MINIMAL.splitlines() if not line.startswith(key))
    with pytest.raises(DataError, match=f"the card lacks {key}; every card has title, licence, citation, address"):
        read_card(write_card(tmp_path / "some", text))


def test_empty_fact_counts_as_missing(tmp_path):
    with pytest.raises(DataError, match="the card lacks licence"):
        read_card(write_card(tmp_path / "some", MINIMAL.replace("CC0", "")))


def test_misspelt_key_is_refused_with_a_guess(tmp_path):
    with pytest.raises(DataError, match="key 'splitz'; did you mean 'splits'"):
        read_card(write_card(tmp_path / "some", MINIMAL + "[splitz]\na = ['1']\n"))


@pytest.mark.parametrize("addition", ['same_person = [["1", "7"]]', '[splits]\ntrain = ["1", "7"]'])
def test_record_that_the_database_lacks_is_refused(tmp_path, addition):
    with pytest.raises(DataError, match="records that the database lacks: 7"):
        read_card(write_card(tmp_path / "some", MINIMAL + 'records = ["1", "2"]\n' + addition))


def test_file_that_is_not_toml_or_not_there_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"card\.toml: no readable card"):
        read_card(write_card(tmp_path / "some", "title = "))
    with pytest.raises(DataError, match=r"card\.toml: no readable card"):
        read_card(tmp_path / "nothing")


def test_protocol_names_who_is_on_both_sides(tmp_path):
    text = (
        MINIMAL
        + 'classes = ["N"]\nsame_person = [["1", "2"]]\n[splits]\na = ["1", "3"]\nb = ["2"]\n'
        + '[protocols.some-own]\ntrain = "a"\ntest = "b"\n'
    )
    protocol = read_card(write_card(tmp_path / "some", text)).protocols["some-own"]
    assert (protocol.train, protocol.test, protocol.shared_subjects) == (("1", "3"), ("2",), ("1+2",))
    assert "on both sides: 1+2" in repr(protocol)
    with pytest.raises(ParameterError, match="some: split 'c'; possible: a, b"):
        read_card(write_card(tmp_path / "some", text.replace('test = "b"', 'test = "c"')))


def test_card_is_found_in_an_installed_package_and_in_a_source_tree(tmp_path):
    installed, source = tmp_path / "site-packages" / "biosig_lstm", tmp_path / "checkout" / "biosig_lstm"
    inside = write_card(installed / "_datasets" / "some")
    beside = write_card(source.parent / "datasets" / "some")
    assert card_folder("some", package=installed) == inside
    assert card_folder("some", package=source) == beside
    with pytest.raises(DataError, match=r"'other' has no card\.toml; looked in .*_datasets.* and .*datasets"):
        card_folder("other", package=source)


def test_a_foreign_package_named_datasets_beside_an_installed_one_is_not_taken(tmp_path):
    installed = tmp_path / "site-packages" / "biosig_lstm"
    write_card(installed.parent / "datasets" / "some", "title = 'of somebody else'")
    inside = write_card(installed / "_datasets" / "some")
    assert card_folder("some", package=installed) == inside


def test_unknown_names_are_refused_with_what_exists():
    with pytest.raises(ParameterError, match="database 'mitbd'; did you mean 'mitdb'"):
        datasets.get("mitbd")
    with pytest.raises(ParameterError, match=r"database '_base'.* possible: .*mitdb"):
        datasets.card("_base")
    with pytest.raises(ParameterError, match="protocol 'mitdb-ami'; did you mean 'mitdb-aami'"):
        datasets.get_protocol("mitdb-ami")
    with pytest.raises(ParameterError, match="sample: setting 'lead_order'; possible: none"):
        datasets.get("sample", lead_order="named")


def test_missing_folder_says_where_it_looked_and_where_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("BIOSIG_LSTM_DATA", str(tmp_path))
    where = str(tmp_path / "mitdb").replace("\\", "\\\\")
    with pytest.raises(DataError, match=f"is not in {where}; download version 1.0.0 from https://physionet.org/"):
        datasets.get("mitdb")
    with pytest.raises(DataError, match=r"is not in .*elsewhere;"):
        datasets.get("mitdb", tmp_path / "elsewhere")


def test_cache_folder_is_the_one_of_platformdirs(monkeypatch):
    platformdirs = pytest.importorskip("platformdirs")
    monkeypatch.delenv("BIOSIG_LSTM_DATA", raising=False)
    assert datasets.cache_folder() == Path(platformdirs.user_cache_dir("biosig_lstm"))


def test_cache_folder_of_other_systems(monkeypatch, tmp_path):
    monkeypatch.delenv("BIOSIG_LSTM_DATA", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "win32")
    assert datasets.cache_folder() == tmp_path / "biosig_lstm" / "biosig_lstm" / "Cache"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert datasets.cache_folder() == Path.home() / "Library" / "Caches" / "biosig_lstm"
    monkeypatch.setattr(sys, "platform", "linux")
    assert datasets.cache_folder() == Path.home() / ".cache" / "biosig_lstm"
    monkeypatch.setenv("BIOSIG_LSTM_DATA", "~/recordings")
    assert datasets.cache_folder() == Path.home() / "recordings"
