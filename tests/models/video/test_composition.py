"""Cut-outs over frames: where they are, how they move, and that the same seed gives the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.errors import ModelError
from models.registry.registry import WEIGHTS_DIR
from models.video.composition import compose, find_view
from models.video.cutouts import CUTOUT_NAMES, CUTOUT_PICTURES, TINTS, CutoutPack, lay_over, load_cutouts, tint
from models.video.ground import draw_floor, move_floor
from models.video.prompt_parsing import ParsedPrompt
from models.video.staging import PLACE_SETTINGS, Staging
from models.video.thing_motion import find_path
from models.video.thing_parsing import ThingPrompt
from models.video.thing_words import ACT_NAMES

SIDE, RATE = 64, 8.0
SCENE = ParsedPrompt("flowers", "green", "", "", "day", "")


@pytest.fixture(scope="module")
def pack() -> CutoutPack:
    return load_cutouts(WEIGHTS_DIR / CUTOUT_PICTURES, WEIGHTS_DIR / CUTOUT_NAMES)


def stage(place: str = "meadow", **values: Any) -> Staging:
    return Staging(ThingPrompt(**({"thing": "cat", "act": "walk"} | values)), SCENE, "", PLACE_SETTINGS[place], ())


def lay(
    pack: CutoutPack, staging: Staging, frames: int = 8, seed: int = 1, wide: int = SIDE, **values: Any
) -> np.ndarray:
    grey = np.full((frames, SIDE, wide, 3), 120, np.uint8)
    return compose(grey, RATE, staging, pack, seed, frames / RATE, **values)


def find_middles(frames: np.ndarray) -> np.ndarray:
    """Return the mean column of what was laid over grey."""
    changed = np.abs(frames.astype(int) - 120).sum(axis=3) > 60
    return np.array([np.nonzero(each)[1].mean() for each in changed])


@pytest.mark.parametrize(("direction", "sign"), [("left", -1), ("right", 1)])
def test_a_thing_goes_where_it_is_said_to(pack: CutoutPack, direction: str, sign: int) -> None:
    way = np.diff(find_middles(lay(pack, stage(direction=direction))))
    assert (way * sign > -0.3).all() and way.sum() * sign > 4


def test_equal_seeds_are_equal_and_a_longer_clip_begins_elsewhere(pack: CutoutPack) -> None:
    first, second = (lay(pack, stage(direction="left")) for _ in range(2))
    assert (first == second).all()
    assert (first != lay(pack, stage(direction="left"), seed=2)).any()


@pytest.mark.parametrize("act", ACT_NAMES)
def test_a_loop_ends_where_it_begins(act: str) -> None:
    t = np.linspace(0, 2, 33, dtype=np.float32)
    way = "clockwise" if act == "spin" else "left" if act in {"walk", "fly", "drive", "roll", "hop", "swim"} else ""
    path = find_path(act, way, t, np.random.default_rng(3), 0.6, -0.6, loop_s=2.0)
    for name in ("x", "y", "size", "stretch", "lift"):
        values = getattr(path, name)
        assert abs(float(values[-1] - values[0])) < 2e-2, name
    assert abs(np.sin((path.angle[-1] - path.angle[0]) / 2)) < 2e-2


def test_in_a_loop_no_camera_moves_things_away(pack: CutoutPack) -> None:
    staging = stage(act="stand", camera="pan right")
    line, ring = (np.ptp(find_middles(lay(pack, staging, frames=16, loop=loop))) for loop in (False, True))
    assert ring < 1 and line > 4


def test_all_ways_to_stand_together_can_be_drawn(pack: CutoutPack) -> None:
    for values in (
        {"thing": "astronaut", "other": "horse", "relation": "riding"},
        {"thing": "cat", "other": "skateboard", "relation": "riding", "act": "drive"},
        {"thing": "panda", "other": "pizza", "relation": "holding"},
        {"thing": "mouse", "other": "elephant", "colour": "red", "other_colour": "brown"},
        {"thing": "unicorn", "other": "rainbow"},
        {"thing": "robot", "count": 3, "act": "dance"},
    ):
        frames = lay(pack, stage("beach", **values), 2)
        assert frames.dtype == np.uint8 and frames.shape == (2, SIDE, SIDE, 3) and frames.std() > 5


def test_a_wide_picture_shows_the_same_thing_as_tall(pack: CutoutPack) -> None:
    square, wide = (lay(pack, stage(act="stand"), 2, wide=side) for side in (SIDE, 2 * SIDE))
    rows = [np.nonzero((np.abs(each[0].astype(int) - 120).sum(axis=2) > 60).any(axis=1))[0] for each in (square, wide)]
    assert abs(len(rows[0]) - len(rows[1])) <= 1


def test_what_is_laid_over_is_in_the_middle_and_has_soft_edges() -> None:
    image, white = np.zeros((40, 40, 3), np.float32), np.ones((20, 20, 4), np.float32)
    lay_over(image, white, (19.5, 19.5), (0.5, 0.5), 0.3)
    assert image[20, 20].min() > 0.99 and image[:8].max() == 0
    assert abs(image.sum() / 3 - 100) < 2
    assert ((image > 0.05) & (image < 0.95)).any()
    lay_over(image, white, (-50, 5), (0.5, 0.5))
    assert np.isfinite(image).all()


def test_colours_are_painted_and_shape_stays(pack: CutoutPack) -> None:
    car = pack.load("car")
    for name, rgb in TINTS.items():
        made = tint(car, name)
        np.testing.assert_array_equal(made[..., 3], car[..., 3])
        assert made.min() >= 0 and np.isfinite(made).all()
        if max(rgb) - min(rgb) > 0.5:
            assert int(made[..., :3].mean(axis=(0, 1)).argmax()) == int(np.argmax(rgb))


def test_every_picture_of_the_pack_can_be_read(pack: CutoutPack) -> None:
    for name in list(pack.things)[::12]:
        picture = pack.load(name)
        assert picture.shape[2] == 4 and 100 <= max(picture.shape) <= 192 and picture[..., 3].max() > 0.9


def test_damaged_packs_are_refused(tmp_path: Path, pack: CutoutPack) -> None:
    (tmp_path / "names.json").write_text('[{"name": "cat"}]', encoding="utf-8")
    with pytest.raises(ModelError, match=r"names\.json"):
        load_cutouts(tmp_path / "pictures.zip", tmp_path / "names.json")
    (tmp_path / "pictures.zip").write_bytes(b"no pack")
    with pytest.raises(ModelError, match="cat"):
        CutoutPack(tmp_path / "pictures.zip", pack.things).load("cat")


def test_the_maker_of_the_pack_trims_and_names(tmp_path: Path) -> None:
    from training.video.cutouts import draw_cutout, find_codes, list_entries, read_list

    picture = np.zeros((256, 256, 4), np.uint8)
    picture[28:228, 78:178] = (20, 200, 40, 255)
    Image.fromarray(picture).save(tmp_path / "1f408.webp", lossless=True)
    text = "[animal whole walk meadow 0.36]\ncat: kitten | hop snow 0.5\n"
    codes = find_codes([{"label": "cat", "hexcode": "1F408", "tags": ["pet"]}], tmp_path)
    (entry,) = list_entries(read_list(text), codes)
    assert (entry["act"], entry["home"], entry["size"], entry["code"]) == ("hop", "snow", 0.5, "1f408")
    (tmp_path / "made.webp").write_bytes(draw_cutout(tmp_path / "1f408.webp"))
    assert Image.open(tmp_path / "made.webp").size == (96, 192)


def test_in_a_long_clip_the_camera_moves_no_farther_and_never_leaves_what_there_is_to_see() -> None:
    for camera in ("pan left", "zoom out", "zoom in"):
        ends = [find_view(camera, np.linspace(0, length, 5, dtype=np.float32), length) for length in (5.0, 20.0)]
        np.testing.assert_allclose(ends[0][0], ends[1][0], rtol=1e-5)
        np.testing.assert_allclose(ends[0][1], ends[1][1], rtol=1e-5, atol=1e-6)
        assert ends[1][0].min() > 0.9
    zooms, _ = find_view("zoom out", np.array([0, 2], np.float32), 2.0)
    np.testing.assert_allclose(zooms, np.exp([0.1, -0.1]), rtol=1e-5)


def test_the_ground_moves_with_the_camera_as_what_stands_on_it() -> None:
    floor = draw_floor(PLACE_SETTINGS["street"], 64, 114, 1, margin=20)
    assert floor is not None and floor.shape[1] == 154
    still = move_floor(floor, (64, 114), 1.0, 0.0)
    np.testing.assert_allclose(still, floor[:, 20:134], atol=1e-5)
    moved = move_floor(floor, (64, 114), 1.0, 8 / 32)  # eight pixels of half the height
    np.testing.assert_allclose(moved, floor[:, 28:142], atol=1e-4)


def test_things_may_be_laid_into_the_frames_themselves(pack: CutoutPack) -> None:
    frames = np.random.default_rng(0).integers(0, 255, (6, 48, 48, 3), dtype=np.uint8)
    made = compose(frames.copy(), 8.0, stage(), pack, 1, 1.0)
    assert compose(frames, 8.0, stage(), pack, 1, 1.0, out=frames) is frames
    np.testing.assert_array_equal(made, frames)
