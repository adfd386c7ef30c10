"""What makes a video ready to be posted: cards, fades, watermark, karaoke, loudness, poster."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.media.clip_info import probe
from models.media.clip_reader import read_frames
from models.media.program import MediaError
from models.music_video import overlays
from models.music_video.captions import Caption
from models.music_video.contracts import MusicVideoRequest, VideoFinish
from models.music_video.generator import MusicVideoGenerator
from models.music_video.lettering import SUNG, karaoke_layer, text_layer
from models.music_video.overlays import Overlays, count_sung
from models.music_video.poster import write_poster
from models.music_video.segments import measure_loudness, shape_sound
from studio.io.audio_files import write_wav
from tests.models.music_video.debug_video import RATE, request_for


@pytest.fixture
def request_6s(tmp_path: Path) -> MusicVideoRequest:
    Image.new("RGB", (96, 64), (90, 120, 150)).save(tmp_path / "grey.png")
    return request_for(tmp_path, 6.0, aspect="1:1", media=(tmp_path / "grey.png",))


def overlay(request: MusicVideoRequest, time_s: float) -> np.ndarray:
    """Draw what lies over a grey frame at a time."""
    width, height = request.frame_size
    return Overlays(request).draw(np.full((height, width, 3), 120, np.uint8), time_s)


def test_fades_begin_and_end_in_black(request_6s: MusicVideoRequest) -> None:
    request = replace(request_6s, finish=VideoFinish(fade_in_s=1.0, fade_out_s=2.0))
    levels = [float(overlay(request, at).mean()) for at in (0.0, 0.5, 2.0, 5.0, 5.96)]
    assert levels[0] < 5 and 50 < levels[1] < 75 and levels[2] == 120 and 50 < levels[3] < 70 and levels[4] < 5


def test_the_end_card_lies_over_the_last_seconds(request_6s: MusicVideoRequest) -> None:
    request = replace(request_6s, finish=VideoFinish(end_text="Thank you"))
    assert (overlay(request, 1.9) == 120).all()
    last = overlay(request, 5.0)
    assert np.median(last) < 60 and last.max() > 240


def test_a_watermark_keeps_its_transparency_and_its_corner(request_6s: MusicVideoRequest, tmp_path: Path) -> None:
    mark = np.zeros((40, 80, 4), np.uint8)
    mark[:, 40:] = (255, 0, 0, 255)
    Image.fromarray(mark).save(tmp_path / "mark.png")
    drawn = overlay(replace(request_6s, finish=VideoFinish(watermark=tmp_path / "mark.png")), 3.0)
    red = (drawn[..., 0] > 200) & (drawn[..., 1] < 60)
    rows, columns = np.nonzero(red)
    assert red.any() and columns.min() > 0.8 * drawn.shape[1] and rows.max() < 0.2 * drawn.shape[0]
    changed = np.nonzero((drawn != 120).any(axis=-1))[1]
    assert changed.min() >= columns.min() - 2, "the clear half shows the picture"
    (tmp_path / "words.txt").write_text("words")
    with pytest.raises(MediaError, match=r"words\.txt"):
        Overlays(replace(request_6s, finish=VideoFinish(watermark=tmp_path / "words.txt")))


def test_words_light_up_one_after_the_other() -> None:
    caption = Caption(1.0, 5.0, "one two three")
    counts = [count_sung(caption, at) for at in np.arange(1.0, 5.0, 0.25)]
    assert counts[0] == 1 and counts[-1] == 3 and counts == sorted(counts) and 2 in counts
    timed = Caption(1.0, 5.0, "one two three", (1.5, 1.75, 4.0))
    assert [count_sung(timed, at) for at in (1.4, 1.5, 1.8, 3.9, 4.0)] == [0, 1, 2, 2, 3]
    none, _ = karaoke_layer("one two three", 640, 30, 0)
    np.testing.assert_array_equal(none, text_layer("one two three", 640, 30)[0])
    lit = []
    for sung in (1, 2, 3):
        colours, cover = karaoke_layer("one two three", 640, 30, sung)
        golden = (np.abs(colours.astype(int) - SUNG).max(axis=-1) < 8) & (cover[..., 0] > 0.9)
        lit.append(float(np.flatnonzero(golden.any(axis=0)).max()) / colours.shape[1])
    assert lit[0] < 0.4 < lit[1] < 0.7 < lit[2]


def test_words_leave_room_for_the_buttons_of_phones(request_6s: MusicVideoRequest) -> None:
    caption = (Caption(0.0, 6.0, "Words"),)
    lowest = {}
    for aspect in ("1:1", "9:16"):
        drawn = overlay(replace(request_6s, aspect=aspect, captions=caption), 3.0)
        lowest[aspect] = np.flatnonzero((drawn > 200).any(axis=(1, 2))).max() / drawn.shape[0]
    assert lowest["1:1"] > 0.85 and lowest["9:16"] < 0.75


def test_what_a_finish_takes() -> None:
    with pytest.raises(ValueError, match="fade_in_s is 9"):
        VideoFinish(fade_in_s=9)
    with pytest.raises(ValueError, match="end card"):
        VideoFinish(end_text="x" * 200)


@pytest.mark.slow
def test_the_song_is_brought_to_its_level_and_the_card_costs_the_last_shots_alone(
    request_6s: MusicVideoRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overlays, "END_CARD_S", 1.0)
    times = np.arange(6 * RATE) / RATE
    write_wav(request_6s.song, (0.02 * np.sin(2 * np.pi * 440 * times)).astype(np.float32), RATE)
    maker = MusicVideoGenerator(None)
    finish = VideoFinish(fade_out_s=0.5, is_levelled=True)
    request = replace(request_6s, media=request_6s.media * 3, finish=finish)
    *_, last = maker.stream(request)
    assert abs(measure_loudness(request.out, 6.0) + 14) < 1.5 < abs(measure_loudness(request.song, 6.0) + 14)
    assert len(shape_sound(request, 6.0)) == 3 and last.storyboard is not None
    drawn = {chunk.frames for chunk in maker.stream(replace(request, finish=replace(finish, end_text="The end")))}
    assert min(drawn - {0}) > 20, "the first shot is kept"
    poster = write_poster(request, last.storyboard, last.pictures, tmp_path / "poster.jpg")
    with Image.open(poster) as picture:
        assert picture.size == request.frame_size
    frames = list(read_frames(request.out, probe(request.out), 32, 32))
    assert len(frames) == 144 and frames[-1].mean() < 10 < frames[70].mean()
