"""When sound and pictures go to the page, and how long the rest will take."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from studio.page import stream_pacing
from studio.page.stream_pacing import Pace, sound_tail

RATE = 1000


@dataclass
class GrowingTake:
    """A take of which a test says how far it is."""

    sample_rate: int = RATE
    samples_count: int = 0
    done: int = 0
    total: int = 100

    def sound_since(self, start: int) -> NDArray[np.float32]:
        """Return silence."""
        return np.zeros(self.samples_count - start, np.float32)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    made = SimpleNamespace(now_s=50.0)
    made.monotonic = lambda: made.now_s
    monkeypatch.setattr(stream_pacing, "time", made)
    return made


@pytest.mark.parametrize(
    ("elapsed_s", "done", "left_s"),
    [
        (10.0, 0, None),
        (0.69, 50, None),
        (0.75, 50, 0.75),
        (10.0, 25, 30.0),
        (10.0, 80, 2.5),
        (10.0, 100, 0.0),
        (10.0, 120, 0.0),
    ],
)
def test_the_time_left_follows_the_pace_so_far(
    clock: SimpleNamespace, elapsed_s: float, done: int, left_s: float | None
) -> None:
    pace = Pace(began_s=clock.now_s)
    clock.now_s += elapsed_s
    assert pace.seconds_left(GrowingTake(done=done)) == (None if left_s is None else pytest.approx(left_s))


def test_the_first_piece_of_sound_is_short_and_later_ones_are_spaced(clock: SimpleNamespace) -> None:
    pace, take = Pace(), GrowingTake(samples_count=249)
    assert not pace.sound_due(take)
    take.samples_count = 250
    assert pace.sound_due(take)
    assert pace.next_sound(take)[:4] == b"RIFF"
    take.samples_count = 749
    clock.now_s += 10
    assert not pace.sound_due(take)
    take.samples_count = 750
    assert pace.sound_due(take)
    pace.next_sound(take)
    take.samples_count = 5000
    clock.now_s += 0.14
    assert not pace.sound_due(take)
    clock.now_s += 0.02
    assert pace.sound_due(take)
    assert pace.sent_samples == 750


def test_pictures_come_every_half_second_and_later_for_long_texts(clock: SimpleNamespace) -> None:
    pace = Pace()
    assert pace.view_due()
    clock.now_s += 0.49
    assert not pace.view_due()
    clock.now_s += 0.02
    assert pace.view_due()
    clock.now_s += 0.98
    assert not pace.view_due(words=150)
    clock.now_s += 0.04
    assert pace.view_due(words=150)


@pytest.mark.parametrize("start", [0, 1, 3, 4, 7, 9, 10, 12])
def test_the_tail_of_a_sound_is_what_was_not_sent(start: int) -> None:
    whole = np.arange(10, dtype=np.float32)
    pieces = [whole[:3], whole[3:3], whole[3:8], whole[8:]]
    assert np.array_equal(sound_tail(pieces, 10, start), whole[start:])
    stereo = [np.stack([piece, -piece]) for piece in pieces]
    assert np.array_equal(sound_tail(stereo, 10, start, channels=(2,)), np.stack([whole[start:], -whole[start:]]))
