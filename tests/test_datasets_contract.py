"""What every database must keep to; a new file in `biosig_lstm/datasets` is tested from the moment that it exists."""

from __future__ import annotations

import importlib
import pickle
from pathlib import Path

import numpy as np
import pytest

from biosig_lstm import datasets
from biosig_lstm.augmentation.sensor_failure import KINDS
from biosig_lstm.errors import DataError, ParameterError

NAMES = datasets.names()


@pytest.fixture(scope="module", params=NAMES)
def written(request, tmp_path_factory) -> datasets.Dataset:
    root = tmp_path_factory.mktemp(request.param)
    importlib.import_module(f"biosig_lstm.datasets.{request.param}").write_sample(root)
    return datasets.get(request.param, root)


def test_every_module_is_listed_and_has_a_card():
    folder = Path(datasets.__file__).parent
    assert {path.stem for path in folder.glob("[!_]*.py")} == set(NAMES)
    assert {"mitdb", "sample"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_card_says_whose_it_is(name):
    card = datasets.card(name)
    assert card.name == name
    assert all([card.title, card.licence, card.citation, card.version])
    assert card.address.startswith("https://") or (card.folder / f"{card.records[0]}.hea").is_file()


@pytest.mark.parametrize("name", NAMES)
def test_frozen_splits_name_records_once_and_protocols_keep_the_sides_apart(name):
    card = datasets.card(name)
    for records in card.splits.values():
        assert len(set(records)) == len(records) > 0
    for protocol in card.protocols.values():
        assert protocol.dataset == name
        assert not set(protocol.train) & set(protocol.test)
        put_in = protocol.task == "sensor_failures"  # what fails is no label of the database
        assert set(protocol.classes) <= set(KINDS if put_in else card.classes)
        both = {card.subject_of(r) for r in protocol.train} & {card.subject_of(r) for r in protocol.test}
        assert set(protocol.shared_subjects) == both
        assert all(record in protocol.notes for subject in both for record in subject.split("+"))
        assert datasets.get_protocol(protocol.name) == protocol


def test_recordings_are_finite_read_only_and_labelled_as_the_card_declares(written):
    seen = list(written.recordings())
    assert len(seen) == len(written) > 0
    for recording in seen:
        assert np.isfinite(recording.signals).all()
        assert not recording.signals.flags.writeable
        assert all(recording.units)
        assert set(recording.annotations.labels.tolist()) <= set(written.card.symbols)


def test_recordings_come_in_order_under_their_names_with_their_subjects(written):
    seen = list(written.recordings())
    assert tuple(recording.id for recording in seen) == written.record_names
    assert {recording.id: recording.subject for recording in seen} == written.subjects


def test_recordings_are_read_when_their_turn_comes(written, monkeypatch):
    calls: list[str] = []
    original = type(written).read

    def read(self, record):
        calls.append(record)
        return original(self, record)

    monkeypatch.setattr(type(written), "read", read)
    recordings = written.recordings()
    assert calls == []
    next(recordings)
    assert calls == [written.record_names[0]]


def test_channels_are_kept_in_the_order_asked_for(written):
    record = written.record_names[0]
    whole = next(written.recordings([record]))
    last = next(written.recordings([record], channels=[whole.channels[-1]]))
    assert last.channels == whole.channels[-1:]
    np.testing.assert_array_equal(last.signals, whole.signals[-1:])
    turned = next(written.recordings(record, channels=range(len(whole.channels) - 1, -1, -1)))
    np.testing.assert_array_equal(turned.signals, whole.signals[::-1])
    with pytest.raises(DataError, match=rf"{record}: channel 'nowhere'.* possible: "):
        next(written.recordings([record], channels=["nowhere"]))
    with pytest.raises(DataError, match=rf"{record}: channel '99'"):
        next(written.recordings([record], channels=[99]))


def test_unknown_record_or_split_is_refused_at_once(written):
    with pytest.raises(ParameterError, match="split or record 'no such'; possible:"):
        written.recordings("no such")
    with pytest.raises(ParameterError, match="record 'no such'; possible:"):
        written.recordings([written.record_names[0], "no such"])


def test_record_whose_signal_is_gone_is_named(tmp_path, written):
    importlib.import_module(f"biosig_lstm.datasets.{written.name}").write_sample(tmp_path)
    again = datasets.get(written.name, tmp_path)
    first = again.record_names[0]
    for path in tmp_path.rglob(f"{first}*"):
        if path.suffix != ".hea":
            path.unlink()
    if first not in again.record_names:
        pytest.skip(f"a record of {written.name} is one file")
    with pytest.raises(DataError, match=f"{written.name}: record {first} cannot be read"):
        next(again.recordings())


def test_write_sample_writes_the_same_bytes_again(tmp_path, written):
    importlib.import_module(f"biosig_lstm.datasets.{written.name}").write_sample(tmp_path)
    files = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(written.root) for path in written.root.rglob("*") if path.is_file())
    for path in files:
        assert (tmp_path / path).read_bytes() == (written.root / path).read_bytes(), path


def test_repr_gives_the_facts_of_the_card(written):
    assert f"'{written.name}': {len(written)} records" in repr(written)
    assert written.card.licence in repr(written)
    page = written._repr_html_()
    assert written.card.address in page
    assert "<script" not in page


def test_dataset_travels_to_another_process(written):
    assert pickle.loads(pickle.dumps(written)) == written
