"""Scene sounds, onsets of the picture, and the soundtrack made of both."""

from __future__ import annotations

import numpy as np
import pytest

from models.music.mastering import measure_loudness
from models.video.scenes import KINDS, draw_spec, write_caption
from models.video.sound_synthesis import EVENT_SOUNDS, LAYERS, RATE
from models.video.soundtrack import (
    CEILING,
    SCENES,
    TARGET_LUFS,
    find_scene,
    level_loudness,
    make_soundtrack,
    place_events,
)
from models.video.soundtrack import _find_table as table_path
from models.video.text_embedding import load_text_table
from models.video.visual_onsets import Onset
from tests.models.video.rendered_scene import scene


@pytest.mark.slow
def test_words_choose_the_scene_even_when_new() -> None:
    table = load_text_table(table_path())
    rng = np.random.default_rng(0)
    right = [
        find_scene(write_caption(spec, rng, held_out=held), table) == spec.kind
        for held in (False, True)
        for spec in (draw_spec(rng, kind) for kind in KINDS)
    ]
    assert np.mean(right) > 0.9
    for prompt, kind in {
        "sea at dusk": "ocean", "campfire": "fire", "a woman with pink hair walks left": "person",
        "northern lights": "aurora", "my grandmother's kitchen": "unknown", "": "unknown", "zzzz": "unknown",
    }.items():  # fmt: skip
        assert find_scene(prompt, table) == kind, prompt


def test_every_kind_of_scene_has_a_sound_that_is_there() -> None:
    assert set(KINDS) <= set(SCENES)
    for scene_sound in SCENES.values():
        assert {name for name, _ in scene_sound.layers} <= set(LAYERS)
        assert not scene_sound.event or scene_sound.event in EVENT_SOUNDS


@pytest.mark.slow
@pytest.mark.parametrize(
    "prompt", ["a red ball bouncing", "purple lightning over a plain", "sea at dusk", "something odd"]
)
def test_a_soundtrack_is_as_long_as_the_picture_loud_enough_and_never_clipped(prompt: str) -> None:
    frames, _ = scene("lightning" if "light" in prompt else "ball", frames=50)
    made = make_soundtrack(prompt, frames, 24.0, seed=1)
    assert made.shape == (round(50 / 24 * RATE), 2)
    assert made.dtype == np.float32
    assert np.abs(made).max() <= CEILING + 1e-6
    assert measure_loudness(np.ascontiguousarray(made.T), RATE) == pytest.approx(TARGET_LUFS, abs=2.5)
    assert np.array_equal(made, make_soundtrack(prompt, frames, 24.0, seed=1))
    assert not np.array_equal(made, make_soundtrack(prompt, frames, 24.0, seed=2))


def test_event_sounds_fall_on_the_events_and_come_from_where_they_are() -> None:
    track = np.zeros((2 * RATE, 2), np.float32)
    rng = np.random.default_rng(0)
    place_events(track, "impact", [Onset(0.5, 1.0, -1.0), Onset(1.5, 1.0, 1.0)], rng, loop=False)
    left, right = (np.flatnonzero(np.abs(track[:, channel]) > 0.3)[0] / RATE for channel in (0, 1))
    assert left == pytest.approx(0.5, abs=0.01)
    assert np.abs(track[: RATE // 2]).max() == 0
    assert np.abs(track[:RATE, 0]).max() > 3 * np.abs(track[:RATE, 1]).max()
    assert right == pytest.approx(0.5, abs=0.01) or right == pytest.approx(1.5, abs=0.01)
    assert np.abs(track[RATE:, 1]).max() > 3 * np.abs(track[RATE + RATE // 2 + 20_000 :, 0]).max()


def test_very_short_and_silent_clips_do_not_fail() -> None:
    single = np.zeros((1, 8, 8, 3), np.uint8)
    assert make_soundtrack("rain", single, 8.0).shape == (round(RATE / 8), 2)
    assert not level_loudness(np.zeros((RATE, 2), np.float32)).any()


@pytest.mark.parametrize(("frames", "rate"), [(0, 8.0), (2, 0.0), (2, float("nan")), (1300, 8.0)])
def test_wrong_lengths_and_rates_are_refused(frames: int, rate: float) -> None:
    with pytest.raises(ValueError, match=r"frames_per_second|the clip has"):
        make_soundtrack("rain", np.zeros((frames, 8, 8, 3), np.uint8), rate)
