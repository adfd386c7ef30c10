"""Text-to-video and image-to-video pipelines stream through the Video tab's contract."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_type_hints

import numpy as np
import pytest
from PIL import Image

from models.backends.library import import_backend
from models.backends.video import PIPELINES, preview_latents
from models.contracts import VideoChunk, VideoRequest
from models.errors import ModelError
from models.hub.describe import describe
from models.hub.formats import BY_NAME, find_sampler_defaults
from models.media.program import MediaError
from models.registry.registry import Registry
from tests.hub_server import HubServer
from tests.tiny_models import tiny

Load = Callable[..., Any]
ASKED: dict[str, Any] = {"prompt": "the sea in morning light", "frames": 4, "steps": 3, "seed": 5}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures as small as possible: even tiny networks take long for large ones."""
    monkeypatch.setattr("models.backends.video.CPU_LONGEST_SIDE", 64)


def seen(model: Any, **asked: Any) -> tuple[list[VideoChunk], np.ndarray]:
    chunks = list(model.stream(VideoRequest(**(ASKED | asked))))
    return chunks, np.concatenate([chunk.frames for chunk in chunks if len(chunk.frames)])


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["wan", "ltx", "cogvideox", "animatediff", "skyreels", "sana", "hunyuan-1.5", "kandinsky", "wan-vace"]
)
def test_a_clip_comes_step_by_step_and_is_the_same_again(load: Load, kind: str) -> None:
    model = load(kind)
    line = PIPELINES[model.spec.backend]
    chunks, clip = seen(model)
    assert clip.dtype == np.uint8 and clip.ndim == 4 and clip.shape[0] == line.fit_frames(0.5)
    assert clip.shape[1:] == (*reversed(line.fit_size("cpu")), 3)
    assert [chunk.done for chunk in chunks] == sorted(chunk.done for chunk in chunks)
    assert {chunk.step for chunk in chunks} >= {1, 2, 3} and chunks[-1].last
    assert sum(chunk.last for chunk in chunks) == 1 and chunks[-1].done == chunks[-1].total
    previews = [chunk.preview for chunk in chunks if len(chunk.preview)]
    assert previews and all(each.ndim == 4 and each.shape[3] == 3 for each in previews)
    assert chunks[-1].frames_per_second == line.rate
    if kind == "wan":
        assert np.array_equal(seen(model)[1], clip), "the same request gives the same clip"
        assert not np.array_equal(seen(model, seed=6)[1], clip)


@pytest.mark.slow
def test_a_clip_whose_numbers_are_none_is_told(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = SimpleNamespace(frames=[np.full((5, 64, 64, 3), np.nan, np.float32)])
    monkeypatch.setattr("models.backends.pipeline_call.call_pipeline", lambda *_: broken)
    with pytest.raises(ModelError, match="lost its picture"):
        seen(load("wan"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["cogvideox-image", "ltx-image", "sana-image", "kandinsky-image"])
def test_a_picture_is_set_in_motion(load: Load, kind: str) -> None:
    model = load(kind)
    with pytest.raises(ModelError, match="picture in motion"):
        seen(model)
    picture = np.random.default_rng(1).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    chunks, clip = seen(model, image=picture)
    assert chunks[-1].last and len(clip) > 1
    assert not np.array_equal(seen(model, image=255 - picture)[1], clip)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["wan-ti2v", "ltx", "wan-vace"])
def test_weights_that_do_both_make_clips_of_words_and_of_pictures(load: Load, kind: str) -> None:
    model = load(kind)
    _, of_words = seen(model)
    picture = np.random.default_rng(1).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    chunks, of_picture = seen(model, image=picture)
    assert "takes no picture" not in " ".join(chunks[-1].notes)
    assert not np.array_equal(of_picture, of_words)
    assert not np.array_equal(seen(model, image=255 - picture)[1], of_picture)
    assert np.array_equal(seen(model)[1], of_words), "a picture leaves nothing behind"


@pytest.mark.slow
def test_size_and_rate_are_those_of_the_repository_not_of_the_class(load: Load) -> None:
    defaults = load("wan-ti2v").model.defaults
    assert (defaults.width, defaults.height, defaults.rate, defaults.most_frames) == (1280, 704, 24, 121)
    assert defaults.side == 32 and defaults.fit_frames(5) == 121


@pytest.mark.slow
def test_the_first_picture_is_read_as_everywhere_else(load: Load, tmp_path: Path) -> None:
    model = load("ltx-image")
    small = np.zeros((64, 64, 3), np.uint8)
    picture = Image.fromarray(np.random.default_rng(2).integers(0, 255, (32, 48, 3), dtype=np.uint8))
    picture.save(tmp_path / "upright.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter to the right
    picture.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    still = picture.rotate(180)
    picture.save(tmp_path / "moving.png", save_all=True, append_images=[still, still], duration=100)
    clips = {
        name: seen(model, image=small, picture_path=str(tmp_path / f"{name}.png"))[1]
        for name in ("upright", "turned", "moving")
    }
    assert np.array_equal(clips["turned"], clips["upright"]), "a phone's picture comes upright"
    assert np.array_equal(clips["moving"], clips["upright"]), "of what moves, the first frame"
    assert not np.array_equal(seen(model, image=small)[1], clips["upright"])
    (tmp_path / "torn.png").write_bytes(b"no picture")
    with pytest.raises(MediaError, match=r"torn\.png"):
        seen(model, image=small, picture_path=str(tmp_path / "torn.png"))


def test_a_repository_with_half_precision_weights_alone_is_run(hub: HubServer, registry: Registry) -> None:
    files = {path.replace(".safetensors", ".fp16.safetensors"): content for path, content in tiny("wan").items()}
    assert any(path.endswith(".fp16.safetensors") for path in files)
    hub.add_repo("tiny/half", files)
    spec = describe("tiny/half", cache_dir=registry.cache_dir, endpoint=hub.url)
    registry.add(spec)
    assert seen(registry.load(spec.key))[0][-1].last


def test_what_it_cannot_do_is_said(load: Load) -> None:
    model = load("wan")
    with pytest.raises(ModelError, match="no loops"):
        seen(model, loop=True)
    notes = " ".join(seen(model, image=np.zeros((64, 64, 3), np.uint8), motion=1)[0][-1].notes)
    assert "takes no picture" in notes and "no knobs" in notes and "frames of" in notes


def test_stopping_ends_between_steps_and_leaves_the_model_usable(load: Load) -> None:
    model = load("wan")
    stream = model.stream(VideoRequest(**(ASKED | {"steps": 50})))
    next(chunk for chunk in stream if chunk.step)
    stream.close()
    assert seen(model)[0][-1].last


def test_lengths_and_sizes_are_those_that_a_pipeline_can_make() -> None:
    for line in PIPELINES.values():
        extra = 1 if line.plus_one else 0
        for seconds in (0.1, 1.0, 2.5, 100.0):
            frames = line.fit_frames(seconds)
            assert (frames - extra) % line.group == 0 and 1 <= frames <= line.most_frames
        for device in ("cpu", "cuda"):
            assert all(side % line.side == 0 and side > 0 for side in line.fit_size(device))
        assert max(line.fit_size("cuda")) >= max(line.fit_size("cpu"))


@pytest.mark.parametrize("name", list(PIPELINES))
def test_steps_and_guidance_are_the_librarys_own(name: str) -> None:
    kind = BY_NAME[name]
    made = import_backend(kind)
    known = inspect.signature(made.__call__).parameters
    guided = known if "guidance_scale" in known else _read_guider(made)
    assert find_sampler_defaults(name) == (known["num_inference_steps"].default, guided["guidance_scale"].default)
    assert find_sampler_defaults("StableAudioPipeline") is None and find_sampler_defaults("") is None


def _read_guider(made: Any) -> Mapping[str, inspect.Parameter]:
    """Return what the guider of a pipeline takes, where guidance is a part of its own."""
    return inspect.signature(get_type_hints(made.__init__)["guider"].__init__).parameters


@pytest.mark.slow
def test_size_and_guidance_are_the_repositorys_until_another_guidance_is_asked_for(load: Load) -> None:
    model = load("hunyuan-1.5")
    seen(model, steps=1, guidance=12.0)
    assert model.model.pipeline.guider.guidance_scale == 12.0
    seen(model, steps=1, guidance=7.5)
    assert model.model.pipeline.guider.guidance_scale == 6.0, "as the repository has it"
    defaults = model.model.defaults
    assert defaults.width * defaults.height == pytest.approx(640 * 640, rel=0.05) and defaults.width > defaults.height


@pytest.mark.slow
def test_frames_come_with_the_sound_that_was_drawn_with_them(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.backends.video.CPU_LONGEST_SIDE", 128)
    model = load("ltx-2")
    chunks, clip = seen(model, steps=2)
    last = chunks[-1]
    assert last.sound is not None and last.sound.shape[0] == 2 and last.sound_rate == 24_000
    assert last.sound.shape[1] / last.sound_rate == pytest.approx(len(clip) / 24, abs=0.1)
    assert all(chunk.sound is None for chunk in chunks[:-1])
    picture = np.random.default_rng(1).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    of_picture = seen(model, steps=2, image=picture)[0][-1]
    assert of_picture.sound is not None and not np.array_equal(of_picture.frames, clip)


@pytest.mark.slow
def test_sizes_that_a_configuration_names_are_taken(load: Load) -> None:
    assert [load("sana-large").model.defaults.width, load("sana").model.defaults.width] == [1280, 832]


def test_previews_of_every_shape_of_latents() -> None:
    import torch

    assert preview_latents(torch.rand(1, 16, 3, 8, 12), (96, 64)).shape == (3, 8, 12, 3)  # channels first
    assert preview_latents(torch.rand(1, 3, 16, 8, 12), (96, 64)).shape == (3, 8, 12, 3)  # frames first
    assert preview_latents(torch.rand(1, 2 * 8 * 12, 128), (96, 64)).shape[1:3] == (8, 12)  # packed
    assert preview_latents(None, (8, 8)).shape[0] == 0
