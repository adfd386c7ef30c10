"""Shots painted in a style: how strongly in each frame, which of them, and that nothing else changes."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.music_video import stylist
from models.music_video.contracts import FRAME_RATE, MusicVideoRequest, Painting, VisualEffects
from models.music_video.drawing import Choreography, FramePainter
from models.music_video.filming import REACH, Filming
from models.music_video.key_clips import PREPARED_FRAMES
from models.music_video.material import look_at
from models.music_video.own_views import OwnShots
from models.music_video.painted import PaintedPixels, compute_amounts
from models.music_video.plan import plan_video
from models.music_video.shot_keys import make_shot_key
from models.music_video.storyboard import UNPAINTED, Storyboard, StoryShot
from models.music_video.stylist import (
    EVERY,
    MOVING_PLAN,
    PHOTO_PLAN,
    StyleShelf,
    Stylist,
    carry_between,
    enlarge_painting,
)
from models.style.video_contracts import StyledPart
from tests.models.music_video.debug_video import BlobVideo, encoded, film, request_for

Pixels = np.ndarray[Any, np.dtype[np.uint8]]


@pytest.fixture(scope="module")
def style(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a style of blue and yellow stripes."""
    path = tmp_path_factory.mktemp("style") / "stripes.png"
    rows = np.zeros((96, 96, 3), np.uint8)
    rows[np.arange(96) % 12 < 6] = (20, 40, 160)
    rows[np.arange(96) % 12 >= 6] = (230, 210, 60)
    Image.fromarray(rows).save(path)
    return path


def photo(path: Path, seed: int) -> Path:
    """Write a photo of soft grey blots."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(60, 200, (6, 9), np.uint8))
    small.resize((144, 96), Image.Resampling.BICUBIC).convert("RGB").save(path)
    return path


def board(*styles: str, beats: int = 4) -> Storyboard:
    return Storyboard(tuple(StoryShot(beats, f"{n}.png", seed=n, style=name) for n, name in enumerate(styles)))


@pytest.fixture
def request_4s(tmp_path: Path, style: Path) -> MusicVideoRequest:
    media = (photo(tmp_path / "0.png", 0), photo(tmp_path / "1.png", 1))
    painting = Painting(pictures=(("stripes", style),))
    return request_for(
        tmp_path,
        4.0,
        aspect="1:1",
        media=media,
        painting=painting,
        storyboard=board("stripes", ""),
        look=VisualEffects(),
    )


def test_more_is_painted_where_the_song_is_louder_and_on_its_beats(request_4s: MusicVideoRequest) -> None:
    count = len(request_4s.features.loudness)
    loudness = np.where(np.arange(count) < count / 2, 0.2, 0.9).astype(np.float32)
    request = replace(request_4s, features=replace(request_4s.features, loudness=loudness))
    plan = plan_video(request)
    amounts = compute_amounts(request, plan)
    assert len(amounts) == plan.frames and amounts.min() > 0 and amounts.max() <= 1
    before = [at - 1 for at in plan.accents[1:]]
    assert (amounts[plan.accents[1:]] > amounts[before]).all()
    assert amounts[:FRAME_RATE].mean() + 0.2 < amounts[-FRAME_RATE:].mean()
    still = compute_amounts(replace(request, look=VisualEffects(motion=0.0)), plan)
    assert np.abs(np.diff(still)).max() < 0.05 < np.diff(amounts).max()
    half = replace(request.painting, strength=0.5)
    np.testing.assert_allclose(compute_amounts(replace(request, painting=half), plan), amounts / 2)


def test_a_card_is_painted_as_it_says_or_as_the_whole(request_4s: MusicVideoRequest) -> None:
    def styles(request: MusicVideoRequest) -> list[str]:
        return [shot.style for shot in plan_video(request).shots]

    assert styles(request_4s) == ["stripes", ""]
    whole = replace(request_4s, painting=replace(request_4s.painting, style="stripes"), storyboard=board("", UNPAINTED))
    assert styles(whole) == ["stripes", ""]
    assert styles(replace(whole, painting=replace(whole.painting, strength=0.0))) == ["", ""]
    assert set(styles(replace(whole, storyboard=Storyboard((StoryShot(8),)), scene="spectrum"))) == {""}
    with pytest.raises(ValueError, match="Shot 2 of the storyboard is painted as 'oil'"):
        plan_video(replace(request_4s, storyboard=board("", "oil")))
    with pytest.raises(ValueError, match="style is 'oil'"):
        Painting("oil", request_4s.painting.pictures)
    with pytest.raises(ValueError, match="strength"):
        Painting(strength=1.5)


def test_a_shot_is_another_when_its_style_is_and_the_others_stay(request_4s: MusicVideoRequest, tmp_path: Path) -> None:
    def list_keys(request: MusicVideoRequest) -> list[str]:
        plan = plan_video(request)
        own = OwnShots(request, plan, {}, (0, 1), REACH)
        painter = FramePainter(Choreography(request, plan, PREPARED_FRAMES))
        filming = Filming(request, plan, painter, own, lambda *_: np.zeros(0, np.uint8), Stylist(request, StyleShelf()))
        return [make_shot_key(filming, number, "") for number in range(2)]

    painted = list_keys(request_4s)
    plain = list_keys(replace(request_4s, storyboard=board("", "")))
    softer = list_keys(replace(request_4s, painting=replace(request_4s.painting, strength=0.5)))
    person = list_keys(replace(request_4s, painting=replace(request_4s.painting, part=StyledPart.PERSON)))
    other = list_keys(replace(request_4s, painting=Painting(pictures=(("stripes", photo(tmp_path / "s.png", 5)),))))
    assert len({keys[0] for keys in (painted, plain, softer, person, other)}) == 5
    assert len({keys[1] for keys in (painted, plain, softer, person, other)}) == 1


def test_both_pictures_are_mixed() -> None:
    plain, painted = np.full((2, 2, 3), 10, np.uint8), np.full((2, 2, 3), 210, np.uint8)
    both = PaintedPixels(plain, painted)
    assert both.mix(0.0) is plain and both.mix(1.0) is painted and both.mix(0.25)[0, 0, 0] == 60


def test_what_is_finer_than_the_canvas_comes_from_the_source() -> None:
    source = np.random.default_rng(0).integers(60, 200, (64, 96, 3), np.uint8)
    canvas = stylist._make_canvas(source, 48)
    flat = np.full((32, 48, 3), 0.5, np.float32)
    made = enlarge_painting(flat, canvas, source)
    assert made.shape == source.shape and abs(float(made.mean()) - 128) < 3 and made.std() > 5
    np.testing.assert_array_equal(enlarge_painting((source / 255).astype(np.float32), source, source), source)


def test_between_two_paintings_strokes_move_with_what_they_lie_on() -> None:
    rng = np.random.default_rng(1)
    ground = np.asarray(Image.fromarray(rng.integers(0, 255, (16, 24, 3), np.uint8)).resize((192, 128)))
    scene = [np.ascontiguousarray(ground[:96, at : at + 128]) for at in (0, 4, 8)]
    marks = np.asarray(Image.fromarray(rng.integers(0, 255, (16, 24, 3), np.uint8)).resize((192, 128)))
    made = [(marks[:96, at : at + 128] / 255).astype(np.float32) for at in (0, 4, 8)]
    seen = carry_between(scene[1], (scene[0], made[0]), (scene[2], made[2]), 0.5)
    held = 0.5 * (made[0] + made[2])
    inner = slice(12, -12), slice(12, -12)
    assert np.abs(seen - made[1])[inner].mean() < 0.4 * np.abs(held - made[1])[inner].mean()


def test_a_style_has_the_patches_of_every_pass(style: Path) -> None:
    books = StyleShelf().find(style).books
    for plan in (PHOTO_PLAN, MOVING_PLAN):
        for at in plan.books:
            assert books[at].keys.shape[1] >= plan.components


def test_a_clip_that_stands_still_is_painted_once(
    request_4s: MusicVideoRequest, style: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = np.asarray(Image.open(request_4s.media[0]))
    painter, shelf, painted = Stylist(request_4s, StyleShelf()), StyleShelf(), list[Any]()
    paint = stylist._paint

    def paint_and_count(*given: Any) -> Any:
        painted.append(given)
        return paint(*given)

    monkeypatch.setattr(stylist, "_paint", paint_and_count)
    found = list(painter._paint_moving(iter([frame] * (2 * EVERY + 2)), shelf.find(style), "a.mp4"))
    assert len(found) == 2 * EVERY + 2 and len(painted) == 1
    assert all(source is frame for source, _ in found)
    for _, made in found[1:]:
        assert np.abs(made.astype(int) - found[0][1]).max() <= 1
    assert np.abs(found[0][1].astype(int) - frame).mean() > 20


@pytest.mark.parametrize("part", [StyledPart.PERSON, StyledPart.BACKGROUND])
def test_only_a_part_is_painted(
    request_4s: MusicVideoRequest, style: Path, part: StyledPart, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(frame: Pixels) -> Any:
        return np.broadcast_to(np.arange(frame.shape[1])[:, None] < frame.shape[1] // 2, (*frame.shape[:2], 1)) * (
            np.float32(1)
        )

    monkeypatch.setattr(stylist, "find_people", find)
    painter = Stylist(replace(request_4s, painting=replace(request_4s.painting, part=part)), StyleShelf())
    frame = np.asarray(Image.open(request_4s.media[0]))
    texture = painter.shelf.find(style)
    moving = list(painter._paint_moving(iter([frame, frame]), texture, "a.mp4"))
    for made in (painter._paint_photo(frame, texture, "a.png"), *(each for _, each in moving)):
        changed = np.abs(made.astype(int) - frame).mean(axis=(0, 2))
        left, right = changed[: len(changed) // 2 - 2].mean(), changed[len(changed) // 2 + 2 :].mean()
        assert min(left, right) < 1 and max(left, right) > 20 and (left > right) == (part is StyledPart.PERSON)
    monkeypatch.setattr(stylist, "find_people", lambda frame: np.zeros((*frame.shape[:2], 1), np.float32))
    painter._paint_photo(frame, texture, "a.png")
    assert painter.notes == ["Nobody was found in a.png, so that all of it counts as background."]


@pytest.mark.slow
def test_one_card_is_painted_and_the_other_is_drawn_as_before(request_4s: MusicVideoRequest) -> None:
    request_2s = replace(request_4s, duration_s=2.0, storyboard=board("stripes", "", beats=2))

    painted, again = film(request_2s), film(request_2s)
    plain = film(replace(request_2s, storyboard=board("", "", beats=2)))
    np.testing.assert_array_equal(painted, again)
    cut = plan_video(request_2s).shots[1].start
    np.testing.assert_array_equal(painted[cut:], plain[cut:])
    blue = painted[:cut].astype(int).max(axis=-1) - painted[:cut].min(axis=-1)
    assert blue.mean() > 30 > (plain[:cut].astype(int).max(axis=-1) - plain[:cut].min(axis=-1)).mean()


@pytest.mark.slow
def test_clips_and_the_models_pictures_are_painted_too(tmp_path: Path, style: Path) -> None:
    clip = encoded(tmp_path / "a.mp4", "-f", "lavfi", "-i", "testsrc=s=96x96:d=1:r=8", "-pix_fmt", "yuv420p")
    told = Storyboard((StoryShot(2, "a.mp4"), StoryShot(2)))
    request = request_for(tmp_path, 2.0, aspect="1:1", media=(clip,), storyboard=told)
    frames = {}
    for name in ("", "stripes"):
        painting = Painting(name, (("stripes", style),))
        frames[name] = film(replace(request, painting=painting), 60, 60, BlobVideo()).astype(int)
    cut = plan_video(request).shots[1].start
    gap = np.abs(frames["stripes"] - frames[""]).mean(axis=(1, 2, 3))
    assert len(gap) == 48 and gap[:cut].min() > 5 and gap[cut:].min() > 5


@pytest.mark.slow
def test_a_painted_clip_is_drawn_alone_as_among_the_others(tmp_path: Path, style: Path) -> None:
    clip = encoded(tmp_path / "a.mp4", "-f", "lavfi", "-i", "testsrc=s=96x96:d=2:r=24", "-pix_fmt", "yuv420p")
    told = Storyboard(tuple(StoryShot(2, name, seed=at) for at, name in enumerate(("0.png", "a.mp4", "0.png"))))
    media = (photo(tmp_path / "0.png", 0), clip)
    painting = Painting("stripes", (("stripes", style),))
    fields: dict[str, Any] = {"media": media, "storyboard": told, "painting": painting, "template": "dreamy"}
    request = request_for(tmp_path, 3.0, aspect="1:1", **fields)
    plan = plan_video(request)
    own = OwnShots(request, plan, {place: look_at(path) for place, path in enumerate(media)}, (0, 1, 0), REACH)
    painter = FramePainter(Choreography(request, plan, PREPARED_FRAMES))
    filming = Filming(request, plan, painter, own, lambda *_: np.zeros(0, np.uint8), Stylist(request, StyleShelf()))
    assert set(filming.transitions) == {1, 2}, "both cuts are dissolves"
    whole = list(filming.draw_shots(0, 2))
    alone = list(filming.draw_shots(1, 1))
    np.testing.assert_array_equal(alone, [whole[frame] for frame in filming.find_span(1)])
    assert not [each for each in threading.enumerate() if each.name.startswith("auralume-paint")]
