"""Clips of named things: cut-outs moved over places."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.video.text_embedding import TextTable
from models.video.thing_parsing import ThingPrompt
from models.video.thing_words import ACT_NAMES, PLACE_NAMES, THING_NAMES
from tests.training.video.debug_plan import CONFIG, PLAN
from training.video.clip_pool import ATTRIBUTES, ClipPool
from training.video.photos import PhotoSpec
from training.video.things import CODES, draw_thing_prompt, load_cutout, render_thing, tint


@pytest.fixture
def cutouts(tmp_path: Path) -> Path:
    """Return a folder in which every thing is a green square with an empty border."""
    picture = np.zeros((24, 24, 4), np.uint8)
    picture[4:20, 4:20] = (20, 200, 40, 255)
    Image.fromarray(picture).save(tmp_path / "square.webp", lossless=True)
    for code in CODES.values():
        (tmp_path / f"{code}.webp").write_bytes((tmp_path / "square.webp").read_bytes())
    return tmp_path


def find_green(frames: np.ndarray) -> np.ndarray:
    """Return the mean column of the green pixels in each frame, -1 without any."""
    green = (frames[..., 1] > 120) & (frames[..., 0] < 80) & (frames[..., 2] < 90)
    return np.array([np.nonzero(frame)[1].mean() if frame.any() else -1 for frame in green])


@pytest.mark.parametrize("direction", ["left", "right"])
def test_a_thing_goes_where_it_is_said_to(cutouts: Path, direction: str) -> None:
    spec = ThingPrompt("cat", act="drive", direction=direction, place="room")
    clip = render_thing(spec, cutouts, seed=1, frames=8, size=32)
    assert clip.frames.shape == (8, 32, 32, 3) and clip.frames.dtype == np.uint8
    way = np.diff(find_green(clip.frames))
    assert (way < 0).all() if direction == "left" else (way > 0).all()


def test_every_act_and_place_can_be_drawn_and_equal_seeds_are_equal(cutouts: Path) -> None:
    for number, act in enumerate(ACT_NAMES):
        place = PLACE_NAMES[number % len(PLACE_NAMES)]
        spec = ThingPrompt("dog", "car", act=act, place=place, time="" if place in {"space", "moon", "room"} else "day")
        first, second = (render_thing(spec, cutouts, 5, 3, 16).frames for _ in range(2))
        assert (first == second).all()
    for place in PLACE_NAMES:
        frames = render_thing(ThingPrompt("dog", act="fly", place=place), cutouts, 5, 2, 16).frames
        assert frames.std() > 5


def test_a_colour_that_is_asked_for_is_painted(cutouts: Path) -> None:
    green = load_cutout(cutouts, "cat")
    red = tint(green, "red")
    assert green.shape == (16, 16, 4)
    assert red[..., 0].mean() > 0.5 > red[..., 1].mean()
    np.testing.assert_array_equal(red[..., 3], green[..., 3])


def test_prompts_are_drawn_over_all_things() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_thing_prompt(rng) for _ in range(2000)]
    assert {prompt.thing for prompt in drawn} == set(THING_NAMES)
    assert {prompt.act for prompt in drawn} == set(ACT_NAMES)
    assert all(prompt.other != prompt.thing for prompt in drawn)


def test_the_pool_draws_things_and_moves_over_photographs(table: TextTable, cutouts: Path) -> None:
    photos = cutouts / "photos"
    photos.mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (40, 60, 3)).astype(np.uint8)
    Image.fromarray(noise).save(photos / "roses_1.png")
    plan = replace(PLAN, thing_share=0.5, photo_share=1.0, strange_words=0.0)
    pool = ClipPool(plan, table, CONFIG.max_words, 0, things=cutouts, photos=photos)
    clips = [pool.render() for _ in range(20)]
    kinds = {type(clip.spec) for clip in clips}
    assert kinds == {ThingPrompt, PhotoSpec}
    thing = ATTRIBUTES.index("thing")
    for clip in clips:
        assert clip.frames.shape == (plan.frames, plan.size, plan.size, 3)
        assert len(clip.attributes) == len(ATTRIBUTES)
        if isinstance(clip.spec, ThingPrompt):
            assert THING_NAMES[clip.attributes[thing] - 1] == clip.spec.thing
        else:
            assert not any(clip.attributes[3:]) and "roses" in clip.write_caption(pool.rng)
