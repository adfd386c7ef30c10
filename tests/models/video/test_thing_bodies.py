"""Bodies below heads: every thing whose picture is a head or a bust becomes whole, and steps."""

from __future__ import annotations

import numpy as np
import pytest

from models.registry.registry import WEIGHTS_DIR
from models.video.cutouts import CUTOUT_NAMES, CUTOUT_PICTURES, CutoutPack, find_skin, load_cutouts, tint
from models.video.thing_bodies import BODIES, STEPS, dress_body


@pytest.fixture(scope="module")
def pack() -> CutoutPack:
    return load_cutouts(WEIGHTS_DIR / CUTOUT_PICTURES, WEIGHTS_DIR / CUTOUT_NAMES)


def test_every_head_has_a_body(pack: CutoutPack) -> None:
    heads = {name for name, thing in pack.things.items() if thing.pose == "head"}
    assert heads - BODIES.keys() <= {"skull", "pumpkin", "space invader"}
    assert heads >= BODIES.keys()


@pytest.mark.parametrize("name", ["fox", "astronaut", "robot", "chicken"])
def test_a_body_is_below_the_head_and_steps(pack: CutoutPack, name: str) -> None:
    thing, head = pack.things[name], pack.load(name)
    steps = dress_body(head, name, thing.pose)
    assert len(steps) == STEPS and len({each.shape for each in steps}) == 1
    still = dress_body(head, name, thing.pose, walks=False)
    assert len(still) == 1
    for each in (*steps, *still):
        assert each.min() >= 0 and each.max() <= 1.001 and np.isfinite(each).all()
        assert (each[..., :3] <= each[..., 3:] + 1e-3).all()
        assert each[: each.shape[0] // 4, :, 3].max() > 0.9 and each[-6:, :, 3].max() > 0.9
    assert np.abs(steps[1] - steps[5]).max() > 0.5


def test_people_have_pictures_for_what_they_do(pack: CutoutPack) -> None:
    woman = pack.things["woman"]
    assert {"walk", "run", "stand", "dance", "swim", "bicycle"} <= woman.poses.keys()
    assert (pack.load("woman", "run").shape != pack.load("woman", "stand").shape) or (
        pack.load("woman", "run") != pack.load("woman", "stand")
    ).any()


def test_clothes_are_coloured_and_skin_stays(pack: CutoutPack) -> None:
    woman = pack.load("woman", "stand")
    skin = find_skin(woman) > 0.9
    assert 0.1 < skin[woman[..., 3] > 0.9].mean() < 0.6
    green = tint(woman, "green", keeps_skin=True)
    np.testing.assert_allclose(green[skin], woman[skin], atol=0.12)
    assert (green[..., 1] - green[..., 2] > 0.15)[~skin].sum() > (woman[..., 1] - woman[..., 2] > 0.15)[~skin].sum()
