"""A person's own photos and clips: where their subjects are, which part is shown, and the finished video."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from models.media.clip_info import probe
from models.media.clip_reader import read_frames, read_stretch
from models.media.program import MediaError
from models.music_video import material
from models.music_video.contracts import MAX_MEDIA
from models.music_video.cutting import split_longest
from models.music_video.framing import Window, find_importance, fit_window, measure_inside, place_window
from models.music_video.generator import MusicVideoGenerator
from models.music_video.material import OwnMedium, arrange, find_liveliest, look_at
from models.music_video.own_views import Move, OwnShots, draw_own, plan_move
from models.music_video.plan import assign_media, plan_video
from tests.models.music_video.debug_video import BlobVideo, encoded, request_for, steady_track

RED, BLUE, GREEN = (210, 30, 30), (30, 30, 210), (30, 200, 40)


def photo(path: Path, size: tuple[int, int], spot: tuple[float, float], colour: tuple[int, int, int] = RED) -> Path:
    """Write a grey picture with a spot of a colour at a place in shares."""
    picture = np.full((size[1], size[0], 3), 120, np.uint8)
    side = max(4, min(size) // 5)
    x, y = round(spot[0] * (size[0] - side)), round(spot[1] * (size[1] - side))
    picture[y : y + side, x : x + side] = colour
    Image.fromarray(picture).save(path, quality=95)
    return path


def clip(path: Path, source: str, *options: str) -> Path:
    return encoded(path, "-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p", *options)


@given(
    spot=st.tuples(st.floats(0, 1), st.floats(0, 1)), width=st.floats(0.2, 1), height=st.floats(0.2, 1)
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_a_window_holds_the_subject_and_lies_in_the_picture(
    spot: tuple[float, float], width: float, height: float
) -> None:
    importance = np.full((60, 80), 1e-9)
    y, x = round(spot[1] * 53), round(spot[0] * 73)
    importance[y : y + 7, x : x + 7] = 1.0
    importance /= importance.sum()
    window = place_window(importance, width, height)
    assert window.x >= 0 and window.y >= 0 and window.x + width <= 1 + 1e-9 and window.y + height <= 1 + 1e-9
    assert measure_inside(importance, window) > 0.99


def test_what_stands_out_is_found_where_nobody_is(tmp_path: Path) -> None:
    picture = np.asarray(Image.open(photo(tmp_path / "a.png", (400, 300), (0.9, 0.2))))
    importance, is_people = find_importance(picture)
    assert not is_people and importance.sum() == pytest.approx(1)
    window = place_window(importance, *fit_window(400, 300, (90, 160)))
    assert window.x > 0.5


def test_of_a_person_who_is_too_tall_for_the_frame_the_head_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    from models.music_video import framing

    mask = np.zeros((320, 240, 1), np.float32)
    mask[40:70, 105:135] = 1.0  # a head over a broad gown
    mask[70:320, 60:180] = 1.0
    monkeypatch.setattr(framing, "find_people", lambda _: mask)
    importance, is_people = find_importance(np.full((320, 240, 3), 90, np.uint8))
    window = place_window(importance, *fit_window(240, 320, (160, 90)))
    assert is_people and window.y <= 40 / 320 and window.y + window.height >= 90 / 320


@pytest.mark.parametrize("above", [0.0, 0.08, 0.16])
def test_of_a_face_that_fills_the_picture_eyes_mouth_and_chin_are_shown(
    monkeypatch: pytest.MonkeyPatch, above: float
) -> None:
    from models.music_video import framing

    y, x = np.mgrid[0:320, 0:240] / 320
    top, head = above, 0.86 - above
    mask = np.hypot((x - 0.375) / (head / 2.6), (y - top - head / 2) / (head / 2)) < 1
    mask |= y > top + head + 0.05 - 0.2 * np.abs(x - 0.375)  # shoulders under the chin
    monkeypatch.setattr(framing, "find_people", lambda _: mask[..., None].astype(np.float32))
    importance, is_people = find_importance(np.full((320, 240, 3), 90, np.uint8))
    window = place_window(importance, *fit_window(240, 320, (160, 90)))
    assert is_people and window.y <= top + 0.45 * head and window.y + window.height >= top + 0.8 * head


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("kick", [0.0, 0.06])
def test_the_camera_never_leaves_the_picture(share: float, kick: float) -> None:
    move = Move(Window(0.0, 0.1, 0.9, 0.8), Window(0.3, 0.4, 0.7, 0.6), (0.98, 0.5))
    window = move.find_window(share, kick)
    assert window.x >= 0 and window.y >= 0 and window.x + window.width <= 1 and window.y + window.height <= 1
    assert window.width / window.height == pytest.approx(0.9 / 0.8 if share == 0 else window.width / window.height)


def test_a_window_is_drawn_pixel_for_pixel() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)
    whole = Window(0, 0, 1, 1)
    drawn = draw_own((picture, np.array([0.0, 0.0, 80, 60]), Move(whole, whole, (0.5, 0.5))), 0.5, 0.0, (80, 60))
    np.testing.assert_array_equal(drawn, picture)


def test_a_turned_phone_photo_is_upright_and_its_subject_in_frame(tmp_path: Path) -> None:
    path = tmp_path / "turned.jpg"
    upright = Image.open(photo(tmp_path / "a.png", (300, 400), (0.5, 0.95)))
    exif = Image.Exif()
    exif[0x0112] = 6
    upright.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif, quality=95)
    medium = look_at(path)
    assert medium.is_photo and (medium.info.width, medium.info.height) == (300, 400)
    request = request_for(tmp_path, 2.0, media=(path,))
    plan = plan_video(request)
    view = OwnShots(request, plan, {0: medium}, (0,) * len(plan.shots)).open(0)
    frame = draw_own(view.pull(0), 1.0, 0.0, request.frame_size)  # type: ignore[arg-type]
    red = (frame[..., 0] > 150) & (frame[..., 1] < 90)
    rows = np.flatnonzero(red.any(axis=1))
    assert red.mean() > 0.02 and np.ptp(rows) == pytest.approx(np.ptp(np.flatnonzero(red.any(axis=0))), abs=12)


def test_a_panorama_is_read_no_larger_than_it_is_shown(tmp_path: Path) -> None:
    path = photo(tmp_path / "wide.jpg", (6000, 300), (0.85, 0.5))
    medium = look_at(path)
    request = request_for(tmp_path, 4.0, media=(path,))
    plan = plan_video(request)
    view = OwnShots(request, plan, {0: medium}, (0,)).open(0)
    picture = view.pull(0)[0]
    assert picture.shape[1] < 2000  # a part of 6,000 columns
    assert (draw_own(view.pull(0), 1.0, 0.0, request.frame_size)[..., 1] < 90).mean() > 0.01  # type: ignore[arg-type]


def test_a_move_goes_towards_the_subject_and_back_to_the_whole(tmp_path: Path) -> None:
    import random

    path = photo(tmp_path / "a.png", (400, 300), (0.95, 0.05))
    request = request_for(tmp_path, 4.0, media=(path,))
    shot = plan_video(request).shots[0]
    medium = look_at(path)
    moves = [plan_move(medium, medium.maps[0], shot, request, random.Random(seed)) for seed in range(12)]
    assert {move.end.width < move.start.width for move in moves} == {True, False}
    for move in moves:
        near = min((move.start, move.end), key=lambda each: each.width)
        assert measure_inside(medium.maps[0], near) > 0.3 * measure_inside(medium.maps[0], Window(0, 0, 1, 1))


# Clips


def test_a_stretch_begins_where_it_is_asked_and_a_short_clip_begins_again(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", "testsrc=s=64x48:d=2:r=24")
    info = probe(path)
    whole = list(read_frames(path, info, 64, 48))
    part = list(read_stretch(path, info, 1.0, 36, Fraction(24), (64, 48)))
    assert len(whole) == 48 and len(part) == 36
    np.testing.assert_array_equal(part[0], whole[24])
    np.testing.assert_array_equal(part[24], whole[0])  # its end was reached
    right = next(read_stretch(path, info, 0.0, 1, Fraction(24), (32, 48), (0.5, 0.0, 0.5, 1.0)))
    assert np.abs(right.astype(int) - whole[0][:, 32:]).mean() < 12


def test_a_stretch_of_a_container_without_an_index_is_whole(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mpg", "testsrc=s=64x48:d=4:r=25", "-g", "200", "-c:v", "mpeg2video")
    info = probe(path)
    whole = list(read_frames(path, info, 64, 48))
    part = list(read_stretch(path, info, 3.0, 5, Fraction(25), (64, 48)))
    distances = [np.abs(part[0].astype(int) - each).mean() for each in whole]
    assert abs(int(np.argmin(distances)) - 75) <= 2 and min(distances) < 4


@pytest.mark.parametrize("can_seek", [True, False])
def test_a_stretch_is_the_same_where_the_file_is_sought_in(tmp_path: Path, can_seek: bool) -> None:
    path = clip(tmp_path / "a.mp4", "testsrc=s=64x48:d=3:r=24", "-g", "24")
    info = probe(path)
    expected = list(read_frames(path, info, 64, 48))[40]
    np.testing.assert_array_equal(
        next(read_stretch(path, info, 40 / 24, 3, Fraction(24), (64, 48), can_seek=can_seek)), expected
    )


def test_a_long_clip_is_sought_in_only_where_that_gives_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(material, "DECODED_WHOLE_S", 1.0)
    path = clip(tmp_path / "a.mp4", "testsrc=s=64x48:d=3:r=12", "-g", "4")
    assert look_at(path).can_seek
    assert not look_at(_mark_all_as_key_frames(path, tmp_path / "wrong.mp4")).can_seek


def _mark_all_as_key_frames(path: Path, target: Path) -> Path:
    """Write an MP4 without its table of key frames, by which every frame counts as one."""
    long = clip(path.with_name("long.mp4"), "testsrc=s=64x48:d=3:r=12", "-g", "400", "-bf", "0")
    target.write_bytes(long.read_bytes().replace(b"stss", b"free"))
    return target


def test_an_animation_is_a_clip(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in (RED, GREEN, BLUE)]
    path = tmp_path / "a.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=500, loop=0)
    medium = look_at(path)
    seen = list(read_stretch(path, medium.info, 0.5, 24, Fraction(12), (40, 30)))
    assert not medium.is_photo and len(seen) == 24
    assert [int(seen[at][0, 0].argmax()) for at in (0, 7, 13, 19)] == [1, 2, 0, 1]


def test_a_turned_clip_is_upright(tmp_path: Path) -> None:
    flat = clip(tmp_path / "flat.mp4", "color=red:s=64x48:d=1:r=24")
    path = encoded(tmp_path / "turned.mp4", "-display_rotation", "90", "-i", str(flat), "-c", "copy")
    medium = look_at(path)
    assert (medium.info.width, medium.info.height) == (48, 64) and len(medium.motion) == 12


def test_the_liveliest_stretch_is_chosen_and_another_the_next_time(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", "color=gray:s=64x48:d=1:r=24")
    medium = look_at(path)
    motion = np.full(240, 0.1)
    motion[120:144] = 1.0
    motion[200:210] = 0.8
    lively = OwnMedium(path, replace(medium.info, frames=480), medium.maps, motion)
    beats = np.arange(0, 2, 0.5)
    first = find_liveliest(lively, 2.0, beats, [])
    assert 9.5 <= first <= 10.5
    assert find_liveliest(lively, 2.0, beats, [(first, first + 2.0)]) > 14
    assert find_liveliest(lively, 60.0, beats, []) == 0.0


# The order and the cuts


def test_names_are_ordered_as_people_count() -> None:
    paths = [Path(name) for name in ("IMG_10.jpg", "img_2.JPG", "10.png", "9.png")]
    assert [each.name for each in arrange(paths, "name")] == ["9.png", "10.png", "img_2.JPG", "IMG_10.jpg"]
    assert arrange(paths, "given") == tuple(paths)
    with pytest.raises(ValueError, match="order"):
        arrange(paths, "age")


@given(wanted=st.integers(1, 60), seconds=st.floats(2, 30))
@settings(max_examples=40, deadline=None)
def test_shots_are_cut_on_beats_until_every_picture_has_one(wanted: int, seconds: float) -> None:
    track, frames = steady_track(seconds), round(seconds * 24)
    cuts = split_longest([0], track, frames, wanted)
    on_beats = {round(float(time) * 24) for time in track.times_s}
    assert cuts[0] == 0 and set(cuts[1:]) <= on_beats and len(cuts) <= max(1, wanted)
    assert all(b - a >= 18 for a, b in zip(cuts, [*cuts[1:], frames], strict=True)) or len(cuts) == 1
    assert len(cuts) == wanted or seconds / 2 < wanted


def test_own_pictures_follow_each_other_and_take_turns_with_the_models(tmp_path: Path) -> None:
    plan = plan_video(request_for(tmp_path, 8.0, media=(tmp_path / "a.jpg",) * 3))
    shots = plan.shots[:1] * 6
    assert len(plan.shots) >= 3
    assert assign_media(shots, 2, "pictures") == (0, 1, 0, 1, 0, 1)
    assert assign_media(shots, 2, "mixed") == (0, None, 1, None, 0, None)
    assert assign_media(shots, 0, "mixed") == (None,) * 6
    with pytest.raises(ValueError, match="at most"):
        request_for(tmp_path, 2.0, media=(tmp_path / "a.jpg",) * (MAX_MEDIA + 1))


# Whole videos


@pytest.mark.slow
@pytest.mark.parametrize("scene", ["pictures", "mixed"])
def test_photos_and_clips_become_a_video_of_their_own_colours(tmp_path: Path, scene: str) -> None:
    media = (
        photo(tmp_path / "a.jpg", (640, 480), (0.5, 0.5), GREEN),
        clip(tmp_path / "b.mp4", "color=blue:s=64x64:d=1:r=30"),
        photo(tmp_path / "c.webp", (200, 640), (0.5, 0.1), RED),
    )
    request = request_for(tmp_path, 4.0, aspect="1:1", media=media, scene=scene, title="T")
    chunks = list(MusicVideoGenerator(BlobVideo()).stream(request))
    assert chunks[0].stage == "looking" and chunks[-1].last
    info = probe(request.out)
    assert (info.width, info.height, info.frames) == (360, 360, 96)
    frames = list(read_frames(request.out, info, 90, 90))
    plan = plan_video(request)
    blue = assign_media(plan.shots, 3, scene).index(1)
    middle = (plan.shots[blue].start + plan.shots[blue].end) // 2
    assert frames[middle].mean(axis=(0, 1)).argmax() == 2 and frames[middle][..., 0].mean() < 60
    again = request.out.read_bytes()
    list(MusicVideoGenerator(BlobVideo()).stream(request))
    assert request.out.read_bytes() == again


def test_a_song_too_short_for_all_says_so_and_a_broken_file_is_named(tmp_path: Path) -> None:
    good = photo(tmp_path / "a.jpg", (64, 48), (0.5, 0.5))
    request = request_for(tmp_path, 2.0, media=(good,) * 9, aspect="1:1")
    *_, last = MusicVideoGenerator(BlobVideo()).stream(request)
    assert any("of your 9 photos and clips" in note for note in last.notes)
    for name, data in (("cut.jpg", good.read_bytes()[:300]), ("words.png", b"words" * 50), ("none.mp4", b"")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(MediaError, match=name):
            list(MusicVideoGenerator(BlobVideo()).stream(replace(request, media=(good, tmp_path / name))))
    with pytest.raises(MediaError, match=r"gone\.jpg is gone"):
        list(MusicVideoGenerator(BlobVideo()).stream(replace(request, media=(tmp_path / "gone.jpg",))))
