"""Scenes by rule: what is asked for, in every shape, the same in stretches as at once, in loops without a jump."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.contracts import VideoRequest
from models.hub.spec import Bundled
from models.registry.catalog import CATALOG
from models.registry.registry import WEIGHTS_DIR
from models.video import drawn_scenes
from models.video.drawn_scenes import NO_PICTURE, RATE, SceneDrawer, draw_frames, load_bundled
from models.video.prompt_reading import ALL_BY_RULE
from models.video.scene_spec import CAMERAS, COLOURS, DIRECTIONS
from models.video.scenes import SceneView, draw_spec, film
from models.video.shapes import cut_to, fit_shorter_side, measure_shape

SEA = VideoRequest("blue ocean waves at dusk, camera pans right", frames=8, pixels=64)


@pytest.fixture(scope="module")
def drawer() -> SceneDrawer:
    """Return the shipped one."""
    (spec,) = (each for each in CATALOG if each.key == "video/scenes")
    (source,) = spec.sources
    assert isinstance(source, Bundled)
    return load_bundled({name: WEIGHTS_DIR / name for name in source.files}, spec)


def draw(drawer: SceneDrawer, request: VideoRequest) -> np.ndarray:
    return np.concatenate([chunk.frames for chunk in drawer.stream(request)])


def test_the_scene_is_the_one_that_was_asked_for_and_controls_come_before_words(drawer: SceneDrawer) -> None:
    spec = drawer.describe(SEA)
    assert (spec.kind, spec.colour, spec.time_of_day, spec.camera) == ("ocean", "blue", "dusk", "pan right")
    other = drawer.describe(replace(SEA, camera=1, colour=1, speed=3))
    assert (other.camera, other.colour, other.speed) == ("still", "red", "fast")
    assert drawer.describe(replace(SEA, loop=True)).camera == "still"
    assert drawer.list_laid(replace(SEA, prompt="a cat walking on the beach"))[1:] == ("cat",)


def test_a_control_that_a_scene_does_not_have_leaves_what_the_words_say(drawer: SceneDrawer) -> None:
    birds = replace(SEA, prompt="birds flying left at dusk", direction=DIRECTIONS.index("up"))
    assert [drawer.describe(replace(birds, seed=seed)).direction for seed in range(6)] == ["left"] * 6
    aurora = replace(SEA, prompt="a pink aurora", colour=1 + list(COLOURS).index("white"))
    assert drawer.describe(aurora).colour == "pink"
    city = replace(SEA, prompt="a city at night, camera pans left", camera=1 + CAMERAS.index("zoom in"))
    assert drawer.describe(city).camera == "pan left"


@pytest.mark.parametrize(
    ("prompt", "kind", "unread"),
    [
        ("sunset", "sunrise", ()),
        ("space", "starfield", ()),
        ("the sea", "ocean", ()),
        ("stars", "meteors", ()),
        ("a beautiful night sky in 4k", "meteors", ()),
        ("cinematic drone shot of a coastline at golden hour", "ocean", ()),
        ("submarine under the sea", "underwater", ("submarine",)),
        ("a scuba diver", "underwater", ("scuba", "diver")),
        ("northern lights over a snowy cabin", "aurora", ()),
        ("an old man fishing on a lake", "ocean", ("fishing",)),
    ],
)
def test_a_scene_is_known_by_its_name_and_what_it_does_not_hold_is_told(
    drawer: SceneDrawer, prompt: str, kind: str, unread: tuple[str, ...]
) -> None:
    assert drawer.describe(replace(SEA, prompt=prompt)).kind == kind
    reading = drawer.read(prompt)
    assert reading is not None and reading.unread == unread
    assert bool(reading.to_sentence()) == bool(unread)


def test_a_time_lapse_is_fast_and_a_drone_moves(drawer: SceneDrawer) -> None:
    assert drawer.describe(replace(SEA, prompt="city at night timelapse")).speed == "fast"
    assert drawer.describe(replace(SEA, prompt="drone shot of mountains")).camera == "zoom in"


def test_what_is_laid_over_a_scene_has_it_to_itself(drawer: SceneDrawer) -> None:
    for kind in ("snow", "flowers", "rain"):
        spec = replace(draw_spec(np.random.default_rng(2), kind), camera="still")
        own, other = (draw_frames(spec, (72, 72), range(1), 48, gone) for gone in (frozenset(), frozenset({"subject"})))
        assert np.abs(own.astype(int) - other).mean() > 0.5
    boat = replace(draw_spec(np.random.default_rng(2), "boat"), time_of_day="night", camera="still")
    with_moon, without = (
        draw_frames(boat, (72, 72), range(1), 48, gone) for gone in (frozenset(), frozenset({"moon"}))
    )
    assert with_moon.max() > without.max()


def test_what_stands_still_is_drawn_once_and_the_same_in_every_stretch() -> None:
    spec = replace(draw_spec(np.random.default_rng(2), "city"), camera="still")
    whole, last = draw_frames(spec, (48, 84), range(6), 48), draw_frames(spec, (48, 84), range(5, 6), 48)
    assert np.abs(whole[-1].astype(int) - last[0]).max() <= 2
    assert whole[0][:20].std() > 5 and np.abs(whole[0].astype(int) - whole[-1]).max() > 20, "its traffic moves"


def test_what_is_no_scene_is_said_to_be_none(drawer: SceneDrawer) -> None:
    chunk = next(iter(drawer.stream(replace(SEA, prompt="asdfgh"))))
    assert chunk.notes[0].startswith("Nothing of this is in this model's world") and chunk.notes[1] == ALL_BY_RULE
    assert "people who walk" not in chunk.notes[0], "the renderer draws no characters"
    with_cat = next(iter(drawer.stream(replace(SEA, prompt="a cat walking on the beach"))))
    assert with_cat.notes == ("The cat is drawn by rule from Fluent emoji; so is the scene.",)
    assert drawer.list_laid(replace(SEA, prompt="a woman walks left"))[1:] == ("woman",)


@pytest.mark.parametrize(("aspect", "shape"), [("", (64, 64)), ("16:9", (64, 114)), ("9:16", (114, 64))])
def test_a_clip_has_the_shape_and_the_length_that_were_asked_for(
    drawer: SceneDrawer, aspect: str, shape: tuple[int, int]
) -> None:
    made = draw(drawer, replace(SEA, aspect=aspect))
    assert made.shape == (round(RATE), *shape, 3) and made.std() > 8


def test_stretches_are_the_whole(drawer: SceneDrawer, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = draw(drawer, SEA)
    monkeypatch.setattr(drawn_scenes, "PIXELS_AT_ONCE", 5 * 64 * 64)
    chunks = list(drawer.stream(SEA))
    assert len(chunks) == 5 and [chunk.done for chunk in chunks] == [1, 2, 3, 4, 5] and chunks[-1].last
    apart = np.abs(np.concatenate([chunk.frames for chunk in chunks]).astype(int) - whole)
    assert apart.max() <= 2 and apart.mean() < 0.05


def test_a_loop_has_no_jump(drawer: SceneDrawer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn_scenes, "PIXELS_AT_ONCE", 4 * 64 * 64)
    made = draw(drawer, replace(SEA, loop=True)).astype(float)
    steps = np.abs(np.diff(np.concatenate([made, made[:1]]), axis=0)).mean(axis=(1, 2, 3))
    assert len(made) == round(RATE) and steps[-1] < 2 * np.median(steps)
    line = draw(drawer, replace(SEA, prompt="blue ocean waves at dusk, the camera stands still")).astype(float)
    assert np.abs(line[0] - line[-1]).mean() > 2 * steps[-1], "a plain clip does jump"


def test_a_first_picture_is_refused_with_a_sentence(drawer: SceneDrawer) -> None:
    with pytest.raises(ValueError, match=NO_PICTURE):
        next(iter(drawer.stream(replace(SEA, image=np.zeros((64, 64, 3), np.uint8)))))


@pytest.mark.parametrize("kind", ["city", "fire", "planet", "aurora", "boat"])
def test_a_wide_picture_shows_the_same_scene(kind: str) -> None:
    spec = draw_spec(np.random.default_rng(5), kind)
    square = film(spec, SceneView(1, (192, 192))).frames[0].astype(float)
    wide = film(spec, SceneView(1, (108, 192))).frames[0].astype(float)
    rows, columns = round(108 / 1.2), round(192 / 1.2)  # the wide one shows 1.2 of the world across
    inner = wide[(108 - rows) // 2 :, (192 - columns) // 2 :][:rows, :columns]
    import cv2

    middle = cv2.resize(inner, (192, 108), interpolation=cv2.INTER_AREA)
    assert np.abs(middle - square[42:150]).mean() < 16


def test_frames_are_cut_and_enlarged_to_what_was_asked_for() -> None:
    frames = np.zeros((2, 256, 256, 3), np.uint8)
    assert cut_to(frames, "16:9").shape == (2, 144, 256, 3) and cut_to(frames, "9:16").shape == (2, 256, 144, 3)
    assert cut_to(frames, "1:1") is frames
    assert cut_to(np.zeros((1, 480, 832, 3), np.uint8), "16:9").shape == (1, 468, 832, 3)
    assert fit_shorter_side(cut_to(frames, "16:9"), 512).shape == (2, 512, 910, 3)
    assert fit_shorter_side(frames, 256) is frames
    assert measure_shape("16:9", 720) == (720, 1280) and measure_shape("", 512) == (512, 512)


@pytest.mark.parametrize(("field", "value"), [("aspect", "2:1"), ("pixels", 20), ("pixels", 4000)])
def test_wrong_shapes_are_named(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=field):
        replace(SEA, **{field: value})


def test_nothing_but_the_reader_is_loaded(drawer: SceneDrawer, tmp_path: Path) -> None:
    assert not drawer.draws_things and drawer.read("a cat on the moon") is not None
