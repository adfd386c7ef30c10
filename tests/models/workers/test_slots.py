"""What `--workers` names, and what goes between processes."""

from __future__ import annotations

import pickle
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import ModelError
from models.workers.host import make_portable
from models.workers.processes import MOST_SLOTS, Slot, read_slots


def test_slots_are_read_as_they_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,7")
    slots = read_slots("gpu:0, gpu:1,gpu:1 cpu:2,cpu:1")
    assert [each.name for each in slots] == ["gpu:0", "gpu:1", "gpu:1-2", "cpu:0", "cpu:1", "cpu:2"]
    assert [each.environment["CUDA_VISIBLE_DEVICES"] for each in slots] == ["4", "7", "7", "", "", ""]
    assert Slot("gpu:3", 3).environment == {"CUDA_VISIBLE_DEVICES": "3"}


@settings(max_examples=50, deadline=None)
@given(st.text("gpcu:,0123 x", max_size=20))
def test_whatever_is_written_names_workers_or_is_refused(text: str) -> None:
    try:
        slots = read_slots(text)
    except ValueError as error:
        assert "--workers" in str(error)
        return
    assert 0 < len(slots) <= MOST_SLOTS and len({each.name for each in slots}) == len(slots)
    assert all(re.fullmatch(r"(gpu|cpu):\d+(-\d+)?", each.name) for each in slots)


def test_errors_keep_their_words_and_kind_on_the_way() -> None:
    told = pickle.loads(pickle.dumps(ModelError("No room.", "memory")))
    assert (str(told), told.kind) == ("No room.", "memory")
    assert str(make_portable(ValueError("speed is 9."))) == "speed is 9."
    foreign = make_portable(OSError(5, "the disk"))
    assert isinstance(foreign, ModelError) and "the disk" in str(foreign) and foreign.kind == "loader"
