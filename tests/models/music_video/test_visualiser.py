"""Drawings by rule: they follow the song, fill the frame, and are named as what they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.media.clip_info import probe
from models.music_video.generator import MusicVideoGenerator
from models.music_video.material import look_at
from models.music_video.song_spectrum import BANDS, read_spectrum
from models.music_video.visualiser import Visualiser, number_sections
from tests.models.music_video.debug_video import RATE, request_for
from tests.models.music_video.test_own_media import GREEN, photo


def tone(path: Path, hertz: float, seconds: float = 1.0) -> Path:
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE), RATE)
    return path


@pytest.mark.parametrize(("hertz", "band"), [(80.0, 7), (440.0, 26), (6000.0, 54)])
def test_a_tone_is_the_highest_bar_of_its_band(tmp_path: Path, hertz: float, band: int) -> None:
    spectrum = read_spectrum(tone(tmp_path / "a.wav", hertz), 24)
    assert spectrum.bands.shape == (24, BANDS) and spectrum.bands.min() >= 0 and spectrum.bands.max() <= 1
    assert abs(int(spectrum.bands[12].argmax()) - band) <= 1
    assert np.abs(spectrum.waves).max() == pytest.approx(1)


def test_silence_is_dark_and_what_lies_after_the_end_is_silence(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(RATE), RATE)
    assert read_spectrum(tmp_path / "a.wav", 30).bands.max() == 0
    after = read_spectrum(tone(tmp_path / "b.wav", 440.0, 0.5), 60)
    assert after.bands[6].max() > 0.9 and after.bands[59].max() < 0.01


@pytest.mark.parametrize("scene", ["spectrum", "ribbon", "particles", "cover"])
def test_pictures_move_with_the_song_and_differ_from_section_to_section(tmp_path: Path, scene: str) -> None:
    media = (photo(tmp_path / "a.png", (90, 60), (0.5, 0.5), GREEN),)
    request = request_for(tmp_path, 2.0, scene=scene, media=media)
    kinds = (0,) * 24 + (1,) * 24
    visualiser = Visualiser(request, kinds, look_at(media[0]))
    loud = round(float(request.track.times_s[1]) * 24) + 1
    frames = [visualiser.draw(frame, 0.0) for frame in (loud, loud + 5)]
    assert frames[0].shape == (360, 640, 3) and np.abs(frames[0].astype(int) - frames[1]).max() > 40
    np.testing.assert_array_equal(frames[0], visualiser.draw(loud, 0.0))
    hues = [visualiser.draw(frame, 0.0).reshape(-1, 3).astype(int) for frame in (loud, loud + 24)]
    assert np.abs(hues[0].mean(axis=0) - hues[1].mean(axis=0)).max() > 0.2
    if scene == "cover":
        assert frames[0][180, 320].argmax() == 1  # the picture stands in the middle


def test_a_cover_needs_a_picture(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Your photos and clips"):
        request_for(tmp_path, 2.0, scene="cover")


def test_a_frame_beyond_the_last_section_belongs_to_it(tmp_path: Path) -> None:
    request = request_for(tmp_path, 2.0)
    assert len(number_sections(request)) == request.frame_count


@pytest.mark.slow
@pytest.mark.parametrize("scene", ["spectrum", "cover"])
def test_a_whole_video_is_drawn_without_the_model_and_says_so(tmp_path: Path, scene: str) -> None:
    media = (photo(tmp_path / "a.png", (90, 60), (0.5, 0.5)),)
    request = request_for(tmp_path, 2.0, scene=scene, media=media, aspect="9:16")
    chunks = list(MusicVideoGenerator(None, longest_work_s=3600).stream(request))
    assert "drawn by rule" in chunks[-1].notes[0] and probe(request.out).frames == 48
