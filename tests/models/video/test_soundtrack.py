"""Scene sounds, onsets of the picture, and the soundtrack made of both."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.music.mastering import measure_loudness
from models.video.sound_synthesis import EVENT_SOUNDS, LAYERS, RATE, add_sound, make_noise, make_sway, mix_texture
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
from models.video.visual_onsets import Onset, find_light, find_low_points, find_period, measure_motion
from training.video.scenes import KINDS, draw_spec, render, write_caption


def scene(kind: str, frames: int = 48, seed: int = 3) -> tuple[np.ndarray, list[float]]:
    spec = replace(draw_spec(np.random.default_rng(seed), kind), camera="still", speed="normal")
    clip = render(spec, frames, 32, 24.0)
    return clip.frames, [event.time_s for event in clip.events]


@pytest.mark.parametrize("name", list(LAYERS))
def test_a_texture_is_sound_repeats_and_fits_its_own_end(name: str) -> None:
    n = RATE
    made = mix_texture(((name, 1.0),), n, np.random.default_rng(5))
    assert made.shape == (n, 2)
    assert made.dtype == np.float32
    assert np.isfinite(made).all()
    assert np.abs(made).max() < 1.5
    assert np.array_equal(made, mix_texture(((name, 1.0),), n, np.random.default_rng(5)))
    steps = np.abs(np.diff(made, axis=0))
    assert np.abs(made[0] - made[-1]).max() <= 1.5 * steps.max() + 1e-6


@pytest.mark.parametrize("name", list(EVENT_SOUNDS))
def test_an_event_sound_begins_at_once_and_dies_away(name: str) -> None:
    for seed in range(3):
        made = EVENT_SOUNDS[name](np.random.default_rng(seed))
        peak = np.abs(made).max()
        assert made.dtype == np.float32
        assert 0.2 < peak < 2.5
        assert np.argmax(np.abs(made) > 0.3 * peak) < 0.03 * RATE
        assert np.abs(made[-round(0.005 * RATE) :]).max() < 0.25 * peak


def test_noise_and_sway_keep_their_bounds() -> None:
    rng = np.random.default_rng(0)
    band = make_noise(RATE, rng, 1000, 2000)
    spectrum = np.abs(np.fft.rfft(band)) ** 2
    assert spectrum[800:2500].sum() > 0.9 * spectrum.sum()
    assert np.sqrt(np.mean(band**2)) == pytest.approx(1, abs=1e-3)
    curve = make_sway(RATE, rng, 2.0, 0.25, 0.75)
    assert 0.249 <= curve.min() <= curve.max() <= 0.751


def test_adding_places_pans_cuts_and_wraps() -> None:
    track = np.zeros((10, 2), np.float32)
    add_sound(track, 8, np.ones(4, np.float32), x=-1.0)
    assert track[8:, 0].tolist() == [1, 1]
    assert np.abs(track[:, 1]).max() < 1e-6
    add_sound(track, 8, np.ones(4, np.float32), x=1.0, wrap=True)
    assert track[:2, 1].tolist() == [1, 1]
    add_sound(track, -2, np.full(3, 5, np.float32), x=-1.0)
    assert track[0, 0] == 5


@pytest.mark.parametrize(
    ("kind", "manner"), [("lightning", find_light), ("tiles", find_light), ("ball", find_low_points)]
)
def test_onsets_are_near_the_true_events(kind: str, manner: object) -> None:
    hits = total = 0
    for seed in range(4):
        frames, moments = scene(kind, seed=seed)
        found = [onset.time_s for onset in manner(frames, 24.0)]  # type: ignore[operator]
        inside = [moment for moment in moments if 0.15 < moment < 1.85]
        total += len(inside)
        hits += sum(any(abs(moment - other) < 0.085 for other in found) for moment in inside)
        assert len(found) <= len(moments) + 3
    assert hits >= 0.7 * total > 0


def test_nothing_happens_in_a_still_or_single_picture() -> None:
    still = np.full((24, 20, 20, 3), 90, np.uint8)
    for frames in (still, still[:1], still[:0]):
        assert find_light(frames, 24.0) == []
        assert find_low_points(frames, 24.0) == []
        assert measure_motion(frames).sum() == 0
    assert find_period(still, 24.0) == 0.0
    wave = np.abs(np.arange(48) % 12 - 6)[:, None, None, None] * np.full((1, 20, 20, 3), 30)
    assert find_period(wave.astype(np.uint8), 24.0) == pytest.approx(0.5)


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
