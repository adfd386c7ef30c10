"""VGG of the Hub paints pictures and clips."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from models.errors import ModelError
from models.style.gatys import compute_gram
from models.style.vgg import STYLE_LAYERS, WIDTHS, Vgg, load_vgg
from models.style.video_contracts import VideoStyleRequest

Load = Callable[..., Any]


def picture(path: Path, seed: int) -> str:
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 255, (6, 8, 3), dtype=np.uint8))
    small.resize((64, 48), Image.Resampling.BICUBIC).save(path)
    return str(path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["vgg19", "vgg16"])
def test_a_picture_moves_to_the_style(load: Load, tmp_path: Path, kind: str) -> None:
    model = load(kind)
    asked = VideoStyleRequest(picture(tmp_path / "a.png", 1), picture(tmp_path / "b.png", 2), size=64)
    chunks = list(model.stream(asked))
    done = [chunk.done for chunk in chunks]
    assert done == sorted(done) and chunks[-1].last and chunks[-1].done == chunks[-1].total
    assert len(chunks) > 5 and all(not len(chunk.frames) for chunk in chunks[:-1]), "progress while it works"
    move = chunks[-1].move
    assert move is not None and move.measure_share("level 3") > 0.2 and move.measure_share("colours") > 0.1
    assert chunks[-1].frames.shape == chunks[-1].source.shape == (1, 48, 64, 3)
    again = list(model.stream(VideoStyleRequest(asked.path, asked.style, size=64, strength=0.0)))
    assert len(again) == 1, "another strength is not painted again"
    assert np.array_equal(again[0].frames, again[0].source)


@pytest.mark.slow
def test_a_file_that_was_replaced_is_painted_anew(load: Load, tmp_path: Path) -> None:
    model = load("vgg16")
    asked = VideoStyleRequest(picture(tmp_path / "a.png", 1), picture(tmp_path / "b.png", 2), size=64)
    list(model.stream(asked))
    picture(tmp_path / "a.png", 3)
    assert len(list(model.stream(asked))) > 1, "another picture of the same name"


def test_the_layers_are_those_of_the_paper() -> None:
    for architecture, numbers in (("vgg16", [0, 2, 5, 7, 10, 12, 14, 17]), ("vgg19", [0, 2, 5, 7, 10, 12, 14, 16, 19])):
        network = Vgg(architecture)
        assert [int(number) for number in network.features] == numbers
        with torch.inference_mode():
            layers = network(torch.rand(1, 3, 32, 48))
        assert [layers[name].shape[1] for name in STYLE_LAYERS] == list(WIDTHS)
        assert layers["4_1"].shape[2:] == (4, 6)
    flat = torch.randn(1, 5, 4, 3)
    assert torch.allclose(compute_gram(flat)[0], torch.einsum("cij,dij->cd", flat[0], flat[0]) / 12, atol=1e-6)


def test_another_network_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"conv1.weight": torch.zeros(2, 3, 3, 3)}, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="holds no VGG"):
        load_vgg(tmp_path / "model.safetensors", "vgg19")
    with pytest.raises(ModelError, match=r"no VGG-16 or VGG-19"):
        load_vgg(tmp_path / "model.safetensors", "resnet50")
