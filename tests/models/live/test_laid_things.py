"""Named things over live pictures."""

from __future__ import annotations

import numpy as np
import pytest

from models.live.laid_things import LaidThings
from models.registry.registry import WEIGHTS_DIR
from models.video.prompt_reader import PromptReader, load_reader


@pytest.fixture(scope="module")
def reader() -> PromptReader:
    return load_reader(frozenset(WEIGHTS_DIR.iterdir()))


GREY = np.full((64, 64, 3), 120, np.uint8)


def measure_change(frame: np.ndarray) -> int:
    return int((np.abs(frame.astype(int) - 120).sum(axis=2) > 60).sum())


def test_a_scene_alone_stays_as_it_is(reader: PromptReader) -> None:
    assert LaidThings(reader, "blue ocean waves at sunset").lay(GREY, 3.0) is GREY


def test_things_move_for_ever_and_are_the_same_at_the_same_time(reader: PromptReader) -> None:
    things = LaidThings(reader, "a cat walking to the right", 3)
    frames = [things.lay(GREY, time_s) for time_s in (1.0, 1.5, 121.0, 5000.0)]
    assert all(measure_change(frame) > 100 for frame in frames[:3])
    assert (frames[0] != frames[1]).any()
    np.testing.assert_array_equal(frames[0], frames[2])


def test_things_come_and_go_with_their_prompt(reader: PromptReader) -> None:
    things = LaidThings(reader, "a green aurora over a lake")
    things.lead_to("a red car standing", 10.0, 4.0)
    before, half, after = (things.lay(GREY, time_s) for time_s in (10.0, 12.0, 14.0))
    np.testing.assert_array_equal(before, GREY)
    assert 0 < np.abs(half.astype(int) - 120).max() < np.abs(after.astype(int) - 120).max()
    things.lead_to("a green aurora over a lake", 20.0, 0.0)
    np.testing.assert_array_equal(things.lay(GREY, 21.0), GREY)
