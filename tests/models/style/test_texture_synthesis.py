"""Style transfer by texture synthesis: patches of the style alone, its colours, no grid, the same every time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from models.style import video
from models.style.colours import Colours, measure_picture, move_colours
from models.style.painters import SynthesisPainter
from models.style.texture_synthesis import (
    CLIP_PLAN,
    PICTURE_PLAN,
    SynthesisPlan,
    blend_textures,
    extract_texture,
    synthesise,
)
from models.style.video import VideoStyle
from models.style.video_contracts import StyledPart, VideoStyleRequest
from training.style_picture.patterns import draw_pattern


def draw(kind: str, seed: int, size: int = 96) -> Tensor:
    return torch.from_numpy(draw_pattern(kind, seed, size).copy()).permute(2, 0, 1)[None].float() / 255.0


def prepare(content: Tensor, style: Tensor) -> Tensor:
    return move_colours(content, measure_picture(content), measure_picture(style))


@given(st.integers(0, 99), st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_colours_become_those_that_are_wanted(first: int, second: int) -> None:
    generator = torch.Generator().manual_seed(first)
    content = torch.rand(1, 3, 40, 30, generator=generator)
    wanted = measure_picture(torch.rand(1, 3, 30, 40, generator=generator.manual_seed(second)) ** 2)
    found = measure_picture(move_colours(content, measure_picture(content), wanted))
    assert torch.allclose(found.mean, wanted.mean, atol=1e-4)
    assert torch.allclose(found.covariance, wanted.covariance, atol=1e-3)


def test_a_picture_in_its_own_patches_stays_itself_and_in_others_it_does_not() -> None:
    plan = SynthesisPlan(((1, 9, 3),), 10_000, 64, 0.0)
    content, other = draw("tiles", 3, 64), draw("strokes", 5, 64)
    own, theirs = extract_texture(content, plan), extract_texture(other, plan)
    kept = float((synthesise(content, own, plan) - content).abs().mean())
    changed = float((synthesise(prepare(content, other), theirs, plan) - content).abs().mean())
    assert kept < 0.03 < changed


def test_what_a_grey_picture_has_of_colour_stays_noise() -> None:
    generator = torch.Generator().manual_seed(3)
    light = torch.rand(1, 1, 64, 64, generator=generator)
    grey = light + 0.001 * torch.randn(1, 3, 64, 64, generator=generator)
    wanted = Colours(torch.full((1, 3), 0.5), 0.04 * torch.eye(3)[None])
    moved = move_colours(grey, measure_picture(grey), wanted)
    steps = (moved - moved.mean(dim=(2, 3), keepdim=True)).flatten(2)[0]
    spread = torch.linalg.svdvals(steps) / steps.shape[1] ** 0.5
    assert spread[0] > 0.15 and spread[1] < 0.05


@pytest.mark.parametrize("plan", [PICTURE_PLAN, CLIP_PLAN])
def test_it_has_the_colours_of_the_style_and_is_the_same_every_time(plan: SynthesisPlan) -> None:
    content, style = draw("wash", 2), draw("points", 4)
    texture = extract_texture(style, PICTURE_PLAN)
    made = synthesise(prepare(content, style), texture, plan)
    assert made.shape == content.shape
    assert torch.equal(made, synthesise(prepare(content, style), texture, plan))
    found, wanted = measure_picture(made), measure_picture(style)
    assert torch.allclose(found.mean, wanted.mean, atol=0.02)
    assert torch.allclose(found.covariance, wanted.covariance, atol=0.01)


def test_more_content_is_nearer_to_it() -> None:
    content, style = draw("tiles", 1), draw("strokes", 2)
    base, texture = prepare(content, style), extract_texture(style, CLIP_PLAN)
    gaps = [
        float((synthesise(base, texture, SynthesisPlan(CLIP_PLAN.passes, 800, 16, share)) - base).abs().mean())
        for share in (0.0, 0.5, 3.0)
    ]
    assert gaps == sorted(gaps, reverse=True) and gaps[0] > 1.5 * gaps[-1]


def test_strides_leave_no_grid() -> None:
    for plan in (PICTURE_PLAN, CLIP_PLAN):
        assert all(stride % 2 == 1 and stride < size for _, size, stride in plan.passes)
    assert set(CLIP_PLAN.books) <= set(PICTURE_PLAN.books)  # so that one style serves both


def test_two_styles_are_mixed_by_shares() -> None:
    first, second = (extract_texture(draw(kind, 2), CLIP_PLAN) for kind in ("strokes", "tiles"))
    ours = {tuple(row) for row in first.books[1, 9].patches.tolist()}
    for share in (0.0, 0.25, 1.0):
        mixed = blend_textures(first, second, share).books[1, 9].patches.tolist()
        found = sum(tuple(row) in ours for row in mixed) / len(mixed)
        assert found == pytest.approx(1 - share, abs=0.01)


@pytest.mark.parametrize("size", [(1, 1), (3, 90), (37, 21), (260, 30)])
def test_pictures_and_styles_of_any_size(size: tuple[int, int], tmp_path: object) -> None:
    model = VideoStyle(SynthesisPainter())
    small, usual = f"{tmp_path}/small.png", f"{tmp_path}/usual.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), np.uint8)).save(small)
    Image.fromarray(draw_pattern("tiles", 3, 64)).save(usual)
    for content, style in ((small, usual), (usual, small)):
        chunk = next(model.stream(VideoStyleRequest(content, style)))
        assert chunk.is_picture and chunk.last and chunk.frames.shape == chunk.source.shape
        assert chunk.move is not None and "colours" in chunk.move.style


def test_strength_0_is_the_content_and_another_strength_sketches_nothing_again(tmp_path: object) -> None:
    model, path, style = VideoStyle(SynthesisPainter()), f"{tmp_path}/a.png", f"{tmp_path}/b.png"
    Image.fromarray(draw_pattern("wash", 3, 64)).save(path)
    Image.fromarray(draw_pattern("strokes", 3, 64)).save(style)
    none, all_ = (next(model.stream(VideoStyleRequest(path, style, strength=strength))) for strength in (0.0, 1.0))
    assert np.array_equal(none.frames, none.source)
    assert np.abs(all_.frames.astype(int) - all_.source).mean() > 5
    assert model.sketched_frames == 1
    assert all_.move is not None and all_.move.measure_share("colours") > 0.7


def test_a_mixed_style_is_described_as_its_pictures_are() -> None:
    """The style's own picture lies at the style, by the components of the mixture too."""
    painter = SynthesisPainter()
    pictures = draw("tiles", 1), draw("wash", 2)
    first, second = map(painter.extract_style, pictures)
    mixed = painter.blend_styles(first, second, 0.0)
    seen, wanted = painter.describe(pictures[0], mixed), painter.describe_style(mixed)
    assert seen.keys() == wanted.keys()
    other = painter.describe(pictures[1], mixed)
    for name in wanted:
        assert np.abs(seen[name] - wanted[name]).mean() < 0.5 * np.abs(other[name] - wanted[name]).mean()


def test_a_picture_is_gone_over_with_the_brush_and_painted_in_part_or_without_its_colours(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The upper half counts as a person."""

    def find_upper(frame: np.ndarray) -> np.ndarray:
        found = np.zeros((*frame.shape[:2], 1), np.float32)
        found[: frame.shape[0] // 2] = 1
        return found

    monkeypatch.setattr(video, "find_people", find_upper)
    model, path, style = VideoStyle(SynthesisPainter()), f"{tmp_path}/a.png", f"{tmp_path}/b.png"
    Image.fromarray(draw_pattern("wash", 3, 96)).save(path)
    Image.fromarray(draw_pattern("tiles", 3, 64)).save(style)

    def paint(**changes: object) -> np.ndarray:
        return next(model.stream(VideoStyleRequest(path, style, **changes))).frames[0].astype(int)  # type: ignore[arg-type]

    source, whole = (paint(strength=strength) for strength in (0.0, 1.0))
    upper, lower = (paint(part=part) for part in (StyledPart.PERSON, StyledPart.BACKGROUND))
    assert np.array_equal(upper[:48], whole[:48]) and np.array_equal(upper[48:], source[48:])
    assert np.array_equal(lower[48:], whole[48:]) and np.array_equal(lower[:48], source[:48])
    grey = paint(keep_colours=True)
    inside = ((grey > 2) & (grey < 253)).all(axis=2)
    chroma = (grey - source) - (grey - source).mean(axis=2, keepdims=True)
    assert inside.mean() > 0.3 and np.abs(chroma[inside]).max() < 2 < np.abs(grey - source).mean()
    assert model.sketched_frames == 1
    large = paint(brush=2.0)
    assert model.sketched_frames == 2 and np.abs(large - whole).mean() > 2
