"""Sound files: what is written can be read, and bad uploads are sentences."""

from __future__ import annotations

import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from studio.io import audio_files
from studio.io.audio_files import MediaError
from studio.io.ffmpeg_path import ensure_ffmpeg

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
    samples, rate = audio_files.read_audio(path)
    assert rate == RATE and samples.shape[0] == 1
    assert abs(np.abs(samples).max() - 0.5) < 0.05
    assert path.stat().st_size < len(TONE) * 2 / 2


def test_mp3_refuses_a_rate_it_does_not_have(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="sample rate"):
        audio_files.write_mp3(tmp_path / "odd.mp3", TONE, 22_051)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "is empty"), (b"not sound at all" * 50, "holds no sound"), (b"RIFF\x24\0\0\0WAVEfmt ", "holds no sound")],
)
def test_bad_uploads_are_sentences(content: bytes, message: str, tmp_path: Path) -> None:
    ensure_ffmpeg()
    path = tmp_path / "upload.wav"
    path.write_bytes(content)
    with pytest.raises(MediaError, match=message):
        audio_files.read_audio(path)


def test_a_missing_upload_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="gone"):
        audio_files.read_audio(tmp_path / "nothing.wav")


def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = audio_files.write_wav(tmp_path / "tone.wav", TONE, RATE)
    with pytest.raises(MediaError, match="longer than"):
        audio_files.read_audio(path, max_s=0.5)
    monkeypatch.setattr(audio_files, "MAX_UPLOAD_BYTES", 1000)
    with pytest.raises(MediaError, match="MB"):
        audio_files.read_audio(path)


def test_what_libsndfile_does_not_know_goes_through_ffmpeg(tmp_path: Path) -> None:
    ensure_ffmpeg()
    source = audio_files.write_wav(tmp_path / "tone.wav", TONE, RATE)
    path = tmp_path / "tone.m4a"
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(source), "-c:a", "aac", str(path)], check=True)
    samples, rate = audio_files.read_audio(path)
    assert samples.shape[0] == 2 and rate == 44_100
    assert samples.shape[1] == pytest.approx(rate, rel=0.1)
    with pytest.raises(MediaError, match="longer than"):
        audio_files.read_audio(path, max_s=0.5)
