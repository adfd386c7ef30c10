"""The plan of a music video and its choreography: cuts, accents, easing, the camera."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.beats.detector import BeatTrack
from models.music_video.contracts import FRAME_RATE, MusicVideoRequest, VisualEffects
from models.music_video.drawing import Choreography, ease, fold_back, locate_beats, make_camera, make_colours
from models.music_video.features import Section
from models.music_video.plan import plan_video
from tests.models.music_video.debug_video import request_for, steady_track


@pytest.fixture(scope="module")
def request_20s(tmp_path_factory: pytest.TempPathFactory) -> MusicVideoRequest:
    request = request_for(tmp_path_factory.mktemp("plan"), 20.0, key_clips=0)
    sections = (Section(0.0, 8.2, "A"), Section(8.2, 16.2, "B"), Section(16.2, 20.0, "A"))
    return replace(request, features=replace(request.features, sections=sections))


def test_shots_cover_the_song_and_are_cut_on_downbeats(request_20s: MusicVideoRequest) -> None:
    plan = plan_video(request_20s)
    assert plan.shots[0].start == 0 and plan.shots[-1].end == plan.frames == 480
    assert all(a.end == b.start for a, b in zip(plan.shots, plan.shots[1:], strict=False))
    downs = request_20s.track.downbeats_s
    assert all(np.abs(downs - shot.start / FRAME_RATE).min() <= 0.5 / FRAME_RATE + 1e-9 for shot in plan.shots[1:])
    assert plan_video(request_20s).shots == plan.shots


def test_more_cuts_when_asked(request_20s: MusicVideoRequest) -> None:
    counts = [len(plan_video(replace(request_20s, look=VisualEffects(cuts=cuts))).shots) for cuts in (0.0, 0.5, 1.0)]
    assert counts[0] == 3 and counts[0] < counts[1] < counts[2]


def test_prompts_belong_to_kinds_of_section(request_20s: MusicVideoRequest) -> None:
    plan = plan_video(request_20s)
    for shot in plan.shots:
        clip = plan.clips[shot.clip]
        middle_s = (shot.start + shot.end) / 2 / FRAME_RATE
        assert clip.label == ("B" if 8.2 <= middle_s < 16.2 else "A")
        assert clip.prompt == request_20s.prompts["AB".index(clip.label)]
    assert len({clip.seed for clip in plan.clips}) == len(plan.clips)


def test_prompts_beyond_the_kinds_of_section_are_seen_too(request_20s: MusicVideoRequest) -> None:
    looks = ("a", "b", "c", "d", "e")
    plan = plan_video(replace(request_20s, prompts=looks, key_clips=8))
    seen = {label: {clip.prompt for clip in plan.clips if clip.label == label} for label in "AB"}
    assert seen == {"A": {"a", "c", "e"}, "B": {"b", "d"}}


def test_an_accent_lies_in_the_frame_nearest_to_its_beat(request_20s: MusicVideoRequest) -> None:
    plan = plan_video(request_20s)
    assert len(plan.accents) == len(request_20s.track.times_s)
    assert np.abs(plan.accents / FRAME_RATE - request_20s.track.times_s).max() <= 0.5 / FRAME_RATE + 1e-9
    assert plan.strengths[0] > plan.strengths[1]  # a downbeat counts more


def test_a_song_without_beats_follows_its_loud_moments(request_20s: MusicVideoRequest) -> None:
    nothing = BeatTrack(np.zeros(0), np.zeros(0, dtype=np.int64))
    plan = plan_video(replace(request_20s, track=nothing))
    assert "No steady beat" in plan.notes[0] and plan.shots[-1].end == 480
    percussion = np.zeros_like(request_20s.features.percussion)
    silent = replace(request_20s, track=nothing, features=replace(request_20s.features, percussion=percussion))
    assert len(plan_video(silent).accents) == 0
    Choreography(silent, plan_video(silent), 46).find_moment(100)


@given(st.integers(0, 20), st.floats(0, 1))
def test_easing_keeps_the_beats_and_is_quickest_there(beat: int, strength: float) -> None:
    at = ease(np.array([beat, beat + 0.001, beat + 0.5, beat + 0.501]), strength)
    assert at[0] == pytest.approx(beat)
    assert at[1] - at[0] >= at[3] - at[2] - 1e-9
    assert at[2] == pytest.approx(beat + 0.5)


def test_beat_positions_go_on_beyond_the_beats() -> None:
    accents = np.array([10, 20, 30, 45])
    found = locate_beats(accents, np.array([0.0, 10.0, 25.0, 45.0, 65.0]))
    np.testing.assert_allclose(found, [-1.0, 0.0, 1.5, 3.0, 5.0])
    np.testing.assert_allclose(fold_back(np.array([0.0, 3.0, 10.0, 12.0, 20.0, -1.0]), 10.0), [0, 3, 10, 8, 0, 1])


def test_motion_is_quickest_on_the_beats_and_turns_between_them(request_20s: MusicVideoRequest) -> None:
    request = replace(request_20s, look=VisualEffects(motion=1.0))
    plan = plan_video(request)
    dance = Choreography(request, plan, 46)
    shot = plan.shots[1]
    places = np.array([dance.find_moment(frame).place for frame in range(shot.start, shot.end)])
    steps = np.abs(np.diff(places))
    on = [a - shot.start for a in plan.accents if shot.start + 1 < a < shot.end - 2]
    between = [int((a + b) / 2) - shot.start for a, b in zip(plan.accents, plan.accents[1:], strict=False)
               if shot.start < a and b < shot.end - 2]  # fmt: skip
    assert np.mean(steps[on]) > 3 * np.mean(steps[between])
    assert places.min() >= 0 and places.max() <= 45


def test_with_all_strengths_at_zero_nothing_kicks(request_20s: MusicVideoRequest) -> None:
    still = VisualEffects(*[0.0] * 7)
    request = replace(request_20s, look=still)
    plan = plan_video(request)
    dance = Choreography(request, plan, 46)
    shot = plan.shots[0]
    before, on = dance.find_moment(int(plan.accents[2]) - 1), dance.find_moment(int(plan.accents[2]))
    np.testing.assert_allclose(
        make_camera(shot, before, request, 64, (640, 360)), make_camera(shot, on, request, 64, (640, 360))
    )
    np.testing.assert_allclose(make_colours(shot, on, request), np.eye(3, 4), atol=1e-6)


def test_the_camera_fills_the_frame_of_a_close_shot(request_20s: MusicVideoRequest) -> None:
    plan = plan_video(request_20s)
    moment = Choreography(request_20s, plan, 46).find_moment(30)
    close = replace(plan.shots[0], framing=1.0, turn=0.0, drift=(0.0, 0.0), zoom=0.0)
    matrix = make_camera(close, replace(moment, pulse=0.0), request_20s, 100, (640, 360))
    corners = matrix @ np.array([[0, 100, 0, 100], [0, 0, 100, 100], [1, 1, 1, 1]])
    assert corners[0].min() <= 0 and corners[0].max() >= 640
    assert corners[1].min() <= 0 and corners[1].max() >= 360


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"prompts": ()}, "prompts is empty"),
        ({"prompts": (" ",)}, "prompts is empty"),
        ({"prompts": ("x",) * 27}, "at most 26"),
        ({"prompts": ("x" * 3000,)}, "longer than"),
        ({"aspect": "4:3"}, "aspect is '4:3'"),
        ({"shorter_side": 500}, "shorter_side is 500"),
        ({"duration_s": 700.0}, "to 10 minutes"),
        ({"duration_s": 0.2}, "lasts 0.2 s"),
        ({"title": "x" * 200}, "title"),
        ({"steps": 0}, "steps is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"key_clips": 99}, "key_clips is 99"),
    ],
)
def test_a_request_names_what_is_wrong(request_20s: MusicVideoRequest, fields: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        replace(request_20s, **fields)


def test_strengths_are_checked_and_scaled() -> None:
    with pytest.raises(ValueError, match="zoom is 2"):
        VisualEffects(zoom=2)
    assert VisualEffects(zoom=0.6).scale(2.0).zoom == 1.0 and VisualEffects(cuts=0.3).scale(0.0) == VisualEffects(
        0.3, *[0.0] * 6
    )


@pytest.mark.parametrize(
    ("aspect", "side", "size"),
    [("16:9", 720, (1280, 720)), ("9:16", 720, (720, 1280)), ("1:1", 1080, (1080, 1080)), ("16:9", 480, (854, 480))],
)
def test_frame_sizes(request_20s: MusicVideoRequest, aspect: str, side: int, size: tuple[int, int]) -> None:
    request = replace(request_20s, aspect=aspect, shorter_side=side)
    assert request.frame_size == size
    assert min(replace(request, preview=True).frame_size) == 360
    assert replace(request, preview=True).frame_count == 240


def test_the_debug_track_is_what_it_says() -> None:
    assert steady_track(4.0).bpm == pytest.approx(120)
