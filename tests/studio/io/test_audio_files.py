"""Sound files: what is written can be read."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.media.sound import read_sound
from studio.io import audio_files
from studio.io.audio_files import MediaError

RATE = 22_050
TONE = (0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).astype(np.float32)


def test_wav_keeps_the_level(tmp_path: Path) -> None:
    quiet = TONE * 0.1
    path = audio_files.write_wav(tmp_path / "quiet.wav", quiet, RATE)
    samples, rate = soundfile.read(path, dtype="float32")
    assert rate == RATE
    np.testing.assert_allclose(samples, quiet, atol=1 / 32767)


def test_samples_out_of_range_are_clipped_not_wrapped() -> None:
    pcm = audio_files.to_int16(np.array([2.0, -2.0, np.nan, np.inf, 0.0], np.float32))
    assert pcm.tolist() == [32767, -32767, 0, 32767, 0]


def test_pieces_are_whole_wav_files() -> None:
    import io

    with wave.open(io.BytesIO(audio_files.wav_bytes(TONE, RATE))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth(), file.getnframes()) == (RATE, 1, 2, RATE)


def test_mp3_sounds_like_its_source(tmp_path: Path) -> None:
    path = audio_files.write_mp3(tmp_path / "tone.mp3", TONE, RATE)
    samples, rate = read_sound(path)
    assert rate == RATE and samples.shape[0] == 1
    assert abs(np.abs(samples).max() - 0.5) < 0.05
    assert path.stat().st_size < len(TONE) * 2 / 2


def test_mp3_refuses_a_rate_it_does_not_have(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="sample rate"):
        audio_files.write_mp3(tmp_path / "odd.mp3", TONE, 22_051)
