"""The 3D U-Net: shapes, conditioning, rows that do not see each other."""

from __future__ import annotations

import json

import pytest
import torch

from models.video.unet3d import Condition, UNet3DConfig, patchify, unpatchify
from tests.models.video.debug_unet import CLIP, CONFIG, make_condition, make_empty_condition, make_network

T = torch.tensor([0.3, 0.3])


def test_patches_come_back() -> None:
    grid = patchify(CLIP, (2, 4))
    assert grid.shape == (2, 2, 96, 4, 4)
    assert torch.equal(unpatchify(grid, (2, 4)), CLIP)
    assert torch.equal(grid[1, 1, :, 2, 3], CLIP[1, :, 2:4, 8:12, 12:16].flatten())


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(2, 8, 8), (4, 16, 16), (6, 16, 24), (16, 32, 8)])
def test_shapes_at_several_sizes(shape: tuple[int, int, int]) -> None:
    assert make_network()(torch.randn(2, 3, *shape), T, make_condition()).shape == (2, 3, *shape)


def test_an_odd_size_is_named() -> None:
    with pytest.raises(ValueError, match="multiple"):
        make_network()(torch.randn(1, 3, 3, 16, 16), T[:1], make_condition(1))


def test_time_text_attributes_and_known_frames_change_the_output() -> None:
    model = make_network()
    wanted = make_condition()
    base = model(CLIP, T, wanted)
    known = torch.tensor([[True, False, False, False]] * 2)
    others = {
        "time": model(CLIP, T + 0.2, make_condition()),
        "text": model(CLIP, T, make_condition(seed=2)),
        "order": model(CLIP, T, Condition(wanted.words.flip(1), wanted.said, wanted.attributes)),
        "attributes": model(CLIP, T, make_condition(attributes=1)),
        "known": model(CLIP, T, make_condition(), known),
        "nothing": model(CLIP, T, make_empty_condition()),
    }
    for name, other in others.items():
        assert (other - base).abs().max() > 1e-4, name


def test_padding_changes_nothing_and_rows_do_not_see_each_other() -> None:
    model = make_network()
    padded = Condition.cat([make_condition(1), make_condition(1, words=9, seed=7)])
    both = model(CLIP, T, padded)
    assert torch.allclose(both[:1], model(CLIP[:1], T[:1], make_condition(1)), atol=1e-5)
    assert torch.allclose(both[1:], model(CLIP[1:], T[1:], make_condition(1, 9, 7)), atol=1e-5)


def test_every_frame_hears_of_every_other() -> None:
    clip = CLIP.clone().requires_grad_()
    seen = make_network()(clip, T, make_condition())[0, :, 3].sum()
    gradient = torch.autograd.grad(seen, clip)[0]
    assert (gradient[0].abs().amax(dim=(0, 2, 3)) > 0).all()
    assert gradient[1].abs().max() == 0


def test_configuration_survives_json() -> None:
    assert UNet3DConfig.from_dict(json.loads(json.dumps(CONFIG.to_dict()))) == CONFIG
    with pytest.raises(ValueError, match="widths"):
        UNet3DConfig(widths=(10,))
