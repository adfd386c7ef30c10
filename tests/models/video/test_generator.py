"""The video generator: streaming equals whole, seeds, long clips, a given first frame, bad requests."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from models.contracts import Generator, Task, VideoRequest
from models.errors import ModelError
from models.hub.spec import Bundled, ModelSpec
from models.video.first_picture import move_picture
from models.video.generator import TEXT_WEIGHTS, UNET_WEIGHTS, VideoGenerator, load_bundled
from models.video.text_embedding import TextTable
from models.video.unet3d import UNet3D, UNet3DConfig
from models.weights_io import save_safetensors

CONFIG = UNet3DConfig.debug()
REQUEST = VideoRequest("a red fire", frames=8, size=32, steps=3, seed=4)


@pytest.fixture(scope="module")
def generator() -> VideoGenerator:
    """Return a debug network with random weights."""
    torch.manual_seed(0)
    model = UNet3D(CONFIG)
    for parameter in model.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.1)
    return VideoGenerator(model, TextTable(["a", "red", "blue", "fire"], torch.randn(4, CONFIG.text_width)), stretch=8)


def whole(generator: VideoGenerator, request: VideoRequest) -> np.ndarray:
    """All frames of a request."""
    return np.concatenate([chunk.frames for chunk in generator.stream(request)])


def test_previews_come_first_and_progress_is_told(generator: VideoGenerator) -> None:
    assert isinstance(generator, Generator)
    chunks = list(generator.stream(REQUEST))
    assert [len(chunk.frames) for chunk in chunks] == [0, 0, 8]
    assert [(chunk.done, chunk.total) for chunk in chunks] == [(1, 3), (2, 3), (3, 3)]
    assert [chunk.last for chunk in chunks] == [False, False, True]
    assert all(chunk.preview.shape == (8, 32, 32, 3) for chunk in chunks)
    assert np.array_equal(chunks[-1].preview, chunks[-1].frames)


@pytest.mark.slow
@pytest.mark.parametrize("frames", [2, 7, 8, 9, 12, 13, 21])
def test_any_length_and_the_start_does_not_depend_on_it(generator: VideoGenerator, frames: int) -> None:
    clip = whole(generator, replace(REQUEST, frames=frames))
    assert clip.shape == (frames, 32, 32, 3)
    assert np.array_equal(clip[:8], whole(generator, REQUEST)[:frames])


@pytest.mark.slow
def test_everything_that_is_said_counts_and_a_seed_fixes_all(generator: VideoGenerator) -> None:
    base = whole(generator, REQUEST)
    assert np.array_equal(base, whole(generator, REQUEST))
    changes: list[dict[str, Any]] = [
        {"seed": 5},
        {"prompt": "a blue fire"},
        {"negative_prompt": "blue"},
        {"guidance": 1.0},
        {"colour": 2},
        {"camera": 1},
    ]
    for change in changes:
        assert not np.array_equal(base, whole(generator, replace(REQUEST, **change))), change


def test_a_given_picture_is_the_first_frame(generator: VideoGenerator) -> None:
    image = np.random.default_rng(0).integers(0, 255, (32, 32, 3)).astype(np.uint8)
    clip = whole(generator, replace(REQUEST, image=image))
    assert np.array_equal(clip[0], image)
    assert not np.array_equal(clip[1], image)


@pytest.mark.slow
@pytest.mark.parametrize("frames", [6, 8, 14, 20])
def test_a_loop_is_a_ring_of_its_own(generator: VideoGenerator, frames: int) -> None:
    request = replace(REQUEST, frames=frames, loop=True)
    chunks = list(generator.stream(request))
    assert [len(chunk.frames) for chunk in chunks] == [0, 0, frames] and chunks[-1].last
    assert np.array_equal(chunks[-1].frames, whole(generator, request))
    assert not np.array_equal(chunks[-1].frames, whole(generator, replace(request, loop=False)))
    image = np.full((32, 32, 3), 200, np.uint8)
    assert np.array_equal(whole(generator, replace(request, image=image))[0], image)


def test_a_loop_of_one_step_in_one_window_is_the_plain_clip(generator: VideoGenerator) -> None:
    plain, loop = replace(REQUEST, steps=1), replace(REQUEST, steps=1, loop=True)
    assert np.array_equal(whole(generator, plain), whole(generator, loop))


def test_stopping_frees_the_model_for_the_next_request(generator: VideoGenerator) -> None:
    chunks: Any = generator.stream(REQUEST)
    next(chunks)
    chunks.close()
    assert len(whole(generator, REQUEST)) == 8


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prompt", "  "),
        ("prompt", "x" * 10_000),
        ("negative_prompt", "x" * 10_000),
        ("frames", 0),
        ("frames", 10_000),
        ("frames", 7.0),
        ("size", 33),
        ("size", 4096),
        ("steps", 0),
        ("guidance", float("nan")),
        ("seed", -1),
        ("image", np.zeros((3, 3, 3), np.uint8)),
    ],
)
def test_bad_requests_are_a_sentence(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=field):
        replace(REQUEST, **{field: value})


def test_a_loop_of_an_odd_number_of_frames_is_refused() -> None:
    with pytest.raises(ValueError, match="even"):
        replace(REQUEST, frames=9, loop=True)


def test_an_attribute_that_the_model_does_not_have_is_named(generator: VideoGenerator) -> None:
    with pytest.raises(ValueError, match="camera"):
        next(generator.stream(replace(REQUEST, camera=99)))


def test_bundled_files_load_and_a_foreign_one_is_refused(generator: VideoGenerator, tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in (UNET_WEIGHTS, TEXT_WEIGHTS)}
    spec = ModelSpec(
        "video/test", Task.VIDEO, "Test", "A test.", "MIT", True, "", (Bundled(tuple(files)),), 100, False, "fast",
        "models.video.generator:load_bundled",
    )  # fmt: skip
    state, table = generator.model.state_dict(), generator.table
    save_safetensors(files[UNET_WEIGHTS], state, {"config": json.dumps(CONFIG.to_dict())})
    save_safetensors(files[TEXT_WEIGHTS], {"vectors": table.vectors}, {"vocabulary": json.dumps(list(table.index))})
    loaded = load_bundled(files, spec)
    assert whole(loaded, replace(REQUEST, steps=1)).shape == (8, 32, 32, 3)
    save_safetensors(files[UNET_WEIGHTS], state)
    with pytest.raises(ModelError, match="another kind"):
        load_bundled(files, spec)


def test_a_clip_with_a_first_picture_begins_with_that_picture_under_a_camera(generator: VideoGenerator) -> None:
    noise = torch.randn(1, 3, 4, 32, 32, generator=torch.Generator().manual_seed(0))
    assert generator.begin_with_picture(REQUEST, noise, 0) == (noise, 1.0)
    image = np.random.default_rng(0).integers(0, 255, (32, 32, 3)).astype(np.uint8)
    request = replace(REQUEST, image=image)
    begun, level = generator.begin_with_picture(request, noise, 2)
    moved = move_picture(image, 6, "zoom in")[2:]
    expected = (1 - level) * (torch.from_numpy(moved).permute(3, 0, 1, 2)[None] / 127.5 - 1) + level * noise
    torch.testing.assert_close(begun, expected)
    cameras = [generator.find_picture_camera(replace(request, **each)) for each in ({}, {"camera": 2}, {"loop": True})]
    assert cameras == ["zoom in", "pan left", "still"]
