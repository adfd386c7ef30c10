"""The mixing desk: its text, who is heard, and what that does to the sound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.music.desk import MAX_DB, MAX_PAN, MIN_DB, ChannelStrip, MixingDesk

STRIPS = st.builds(
    ChannelStrip, st.integers(MIN_DB, MAX_DB), st.integers(-MAX_PAN, MAX_PAN), st.booleans(), st.booleans()
)


@given(st.lists(STRIPS, max_size=17))
def test_a_desk_comes_back_from_its_text(strips: list[ChannelStrip]) -> None:
    desk = MixingDesk(tuple(strips))
    assert MixingDesk.parse(str(desk)) == desk
    assert all(desk.find_strip(track) == strip for track, strip in enumerate(strips))


@given(st.text("-+036dBLR mutesolo,é", max_size=40))
def test_any_text_is_a_desk_or_a_sentence(text: str) -> None:
    try:
        MixingDesk.parse(text)
    except ValueError as error:
        assert str(error).endswith(".")


def test_mute_and_solo_say_who_is_heard() -> None:
    heard = [MixingDesk.parse("0dB, -6dB L30 mute, 0dB solo, 3dB solo mute").is_heard(track) for track in range(5)]
    assert heard == [False, False, True, False, False]
    assert MixingDesk.parse("0dB mute").is_heard(1)


def test_gains_follow_volume_and_pan() -> None:
    desk = MixingDesk.parse("-6dB, 0dB R100, 0dB L50, 0dB mute")
    assert desk.find_gains(0) == pytest.approx((10**-0.3, 10**-0.3))
    assert desk.find_gains(1) == pytest.approx((0.0, 1.0))
    assert desk.find_gains(2) == pytest.approx((1.0, 0.5))
    assert np.array_equal(desk.find_gains(3), (1.0, 1.0)) and desk.find_gains(9) == (1.0, 1.0)


@pytest.mark.parametrize("text", ["7dB", "-37dB", "L101", "quiet", "0dB," * 18 + "mute"])
def test_what_no_desk_has_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"Volume|Pan|Mixing desk"):
        MixingDesk.parse(text)
