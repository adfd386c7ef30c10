"""The procedural world: every kind, at every size, with true captions, directions and event times."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.video.scene_spec import COLOURS
from models.video.scene_words import COLOUR_WORDS, DIRECTION_WORDS, SPEED_WORDS, SUBJECTS, TIME_WORDS
from models.video.scenes import KINDS, SceneSpec, SceneView, draw_spec, film, render, write_caption
from models.video.scenes.noise import TILE, build_pyramid, sample_fbm


def spec_of(kind: str, seed: int = 3, **changes: Any) -> SceneSpec:
    """Return a spec of that kind with a still camera where it can be."""
    spec = draw_spec(np.random.default_rng(seed), kind)
    return replace(spec, camera="still", speed="normal", **changes)


def test_there_are_at_least_24_kinds_and_all_have_words() -> None:
    assert len(KINDS) >= 24
    assert set(SUBJECTS) == set(KINDS)


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_kind_renders_moves_is_not_clipped_and_repeats_exactly(kind: str) -> None:
    spec = spec_of(kind)
    clip = render(spec, frames=6, size=32)
    assert clip.frames.shape == (6, 32, 32, 3)
    assert clip.frames.dtype == np.uint8
    assert np.array_equal(clip.frames, render(spec, frames=6, size=32).frames)
    assert np.abs(np.diff(clip.frames.astype(int), axis=0)).mean() > 0.2, "nothing moves"
    assert clip.frames.std() > 8, "nothing to see"
    assert (clip.frames == 255).all(axis=-1).mean() < 0.2
    assert not np.array_equal(clip.frames, render(replace(spec, seed=spec.seed + 1), 6, 32).frames)


@pytest.mark.parametrize("kind", ["ocean", "boat", "fire", "city", "planet", "flowers", "ball", "fireworks"])
def test_the_same_scene_at_every_size(kind: str) -> None:
    spec = spec_of(kind)
    small, large = (render(spec, frames=2, size=size).frames.astype(np.float32) for size in (32, 128))
    shrunk = large.reshape(2, 32, 4, 32, 4, 3).mean(axis=(2, 4))
    correlation = np.corrcoef(small.ravel(), shrunk.ravel())[0, 1]
    assert correlation > 0.8


def test_frames_do_not_depend_on_how_many_are_drawn_with_a_still_camera() -> None:
    spec = spec_of("ocean")
    assert np.array_equal(render(spec, 4, 32).frames, render(spec, 9, 32).frames[:4])


@pytest.mark.parametrize("kind", ["fireworks", "lightning", "meteors", "ripples"])
def test_what_comes_now_and_then_comes_to_the_end_of_a_long_clip(kind: str) -> None:
    spec = replace(spec_of(kind), speed="fast")
    views = (SceneView(60, (32, 32), 12, first, 480) for first in (0, 420))  # of 40 seconds, the first and last five
    early, late = (film(spec, view) for view in views)
    moving = [np.abs(np.diff(clip.frames.astype(int), axis=0)).mean() for clip in (early, late)]
    assert moving[1] > 0.4 * moving[0] and late.events[-1].time_s > 36


@pytest.mark.parametrize(("kind", "way"), [("boat", "left"), ("boat", "right"), ("balloons", "up")])
def test_what_leaves_the_picture_comes_back_in_a_long_clip(kind: str, way: str) -> None:
    spec = replace(spec_of(kind), colour="red", time_of_day="day", direction=way, speed="fast")
    frames = film(spec, SceneView(60, (32, 32), 2)).frames.astype(float)
    red = (frames[..., 0] > 1.8 * frames[..., 1]).mean(axis=(1, 2))
    gone = int(np.argmax(red < 0.004))
    assert red[0] > 0.02 and 0 < gone < 40 and red[gone:].max() > 0.02


@pytest.mark.parametrize("shape", [(32, 32), (32, 56)])
def test_the_risen_sun_stays_in_the_picture(shape: tuple[int, int]) -> None:
    spec = replace(spec_of("sunrise"), direction="up", speed="fast")
    frames = film(spec, SceneView(40, shape, 2)).frames.astype(float)
    suns = (frames[..., 2] > 165).mean(axis=(1, 2))
    assert suns.min() > 0.005


@pytest.mark.parametrize("kind", ["ball", "lightning", "rain", "galaxy"])
def test_a_finer_frame_rate_shows_the_same_clip(kind: str) -> None:
    spec = replace(spec_of(kind), camera=KINDS[kind].cameras[-1])
    coarse, fine = render(spec, 4, 32), render(spec, 12, 32, frames_per_second=24)
    assert np.abs(fine.frames[::3].astype(int) - coarse.frames).max() <= 2
    assert fine.events == coarse.events
    assert fine.frames_per_second == 24
    with pytest.raises(ValueError, match="frames_per_second"):
        render(spec, 4, 32, frames_per_second=0)


def shift_of(first: np.ndarray, second: np.ndarray) -> int:
    """By how many columns the second frame lies right of the first."""
    limits = range(-6, 7)
    a = first[:, 8:-8].mean(axis=-1).astype(np.float32)
    errors = [np.abs(a - np.roll(second.mean(axis=-1), -d, axis=1)[:, 8:-8]).mean() for d in limits]
    return limits[int(np.argmin(errors))]


@pytest.mark.parametrize("kind", ["clouds", "lava", "boat"])
def test_left_is_left_and_right_is_right(kind: str) -> None:
    for direction, sign in (("left", -1), ("right", 1)):
        frames = render(spec_of(kind, direction=direction), frames=5, size=64).frames
        region = slice(20, 44) if kind == "boat" else slice(0, 64)
        assert np.sign(shift_of(frames[0, region], frames[4, region])) == sign


def test_a_panning_camera_moves_the_scene_the_other_way() -> None:
    spec = replace(spec_of("mountains", direction="left"), camera="pan right")
    frames = render(spec, frames=9, size=64).frames
    assert shift_of(frames[0, 44:], frames[8, 44:]) < 0


def test_events_are_where_the_picture_shows_them() -> None:
    for seed in range(5):
        clip = render(spec_of("lightning", seed), frames=24, size=32)
        brightness = clip.frames.mean(axis=(1, 2, 3))
        assert list(clip.events) == sorted(clip.events, key=lambda event: event.time_s)
        for event in clip.events:
            frame = int(np.ceil(event.time_s * clip.frames_per_second))
            if 1 <= frame < 23:
                assert brightness[frame] > brightness[frame - 1] or brightness[frame + 1] > brightness[frame - 1]
    clip = render(spec_of("ball"), frames=32, size=64)
    assert len([event for event in clip.events if event.kind == "impact"]) >= 3


def test_the_main_colour_is_seen() -> None:
    for colour, channel in (("red", 0), ("green", 1), ("blue", 2)):
        frames = render(spec_of("plasma", colour=colour), frames=2, size=32).frames
        assert frames.mean(axis=(0, 1, 2)).argmax() == channel


def test_training_and_held_out_wordings_share_no_subject_nor_motion() -> None:
    for words in (SUBJECTS, DIRECTION_WORDS, SPEED_WORDS, TIME_WORDS):
        for training, held_out in words.values():
            assert not (set(training) & set(held_out)) - {""}
    for colour in COLOURS:
        assert COLOUR_WORDS[colour][0]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.booleans())
def test_captions_are_tidy_and_tell_the_truth(seed: int, held_out: bool) -> None:
    rng = np.random.default_rng(seed)
    spec = draw_spec(rng)
    text = write_caption(spec, rng, held_out, {"colour": 1.0, "time": 1.0})
    assert text == text.strip()
    assert "  " not in text
    assert "{" not in text
    index = 1 if held_out else 0
    assert any(word in text for word in COLOUR_WORDS[spec.colour][index])
    assert any(word in text for word in TIME_WORDS[spec.time_of_day][index])


def test_noise_repeats_and_stays_in_range() -> None:
    u, v = np.meshgrid(np.linspace(0, 3, 40, dtype=np.float32), np.linspace(0, 3, 40, dtype=np.float32))
    first, again = sample_fbm(u[None], v[None]), sample_fbm(u[None] + np.float32(TILE), v[None] - np.float32(TILE))
    assert np.allclose(first, again, atol=2e-3)
    assert 0 <= first.min() < first.max() <= 1
    assert build_pyramid(0)[0].std() == pytest.approx(0.18, abs=0.02)


@pytest.mark.parametrize(
    ("changes", "frames", "size", "names"),
    [
        ({"kind": "castle"}, 2, 32, "kind"),
        ({"colour": "beige"}, 2, 32, "colour"),
        ({"direction": "up"}, 2, 32, "direction"),
        ({}, 0, 32, "frames"),
        ({}, 10_000, 32, "frames"),
        ({}, 2, 4, "size"),
    ],
)
def test_wrong_values_are_named(changes: dict[str, Any], frames: int, size: int, names: str) -> None:
    with pytest.raises(ValueError, match=names):
        render(replace(spec_of("ocean"), **changes), frames, size)
