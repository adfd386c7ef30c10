"""The studio's own ffmpeg and ffprobe, on a PATH that has neither."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from studio.io import ffmpeg_path, ffprobe


@pytest.fixture
def bare_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    folder = ffmpeg_path.ensure_ffmpeg()
    assert folder is not None
    return folder


@pytest.fixture
def clip(bare_path: Path, tmp_path: Path) -> Path:
    path = tmp_path / "a clip's name.mp4"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=d=1.5:s=64x48:r=24", "-f", "lavfi"]
    command += ["-i", "sine=d=1.2:r=44100", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", str(path)]
    subprocess.run(command, check=True)
    return path


def _ask(*arguments: str) -> str:
    return subprocess.run(["ffprobe", *arguments], capture_output=True, text=True, check=True).stdout


def test_both_are_found_first(bare_path: Path) -> None:
    assert shutil.which("ffmpeg") == str(bare_path / "ffmpeg")
    assert shutil.which("ffprobe") == str(bare_path / "ffprobe")
    assert "ffprobe" in _ask("-version")


def test_the_system_is_preferred_when_it_has_both(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("ffmpeg", "ffprobe"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ffmpeg_path.ensure_ffmpeg() is None
    assert os.environ["PATH"] == str(tmp_path)
    (tmp_path / "ffprobe").unlink()
    assert ffmpeg_path.ensure_ffmpeg() is not None


def test_a_machine_without_any_binary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    assert ffmpeg_path.ensure_ffmpeg() is None


def test_streams_of_a_clip(clip: Path) -> None:
    found = json.loads(_ask("-v", "error", "-print_format", "json", "-show_format", "-show_streams", str(clip)))
    video, audio = found["streams"]
    assert (video["codec_type"], video["codec_name"], video["width"], video["height"]) == ("video", "h264", 64, 48)
    assert float(video["duration"]) == pytest.approx(1.5, abs=0.05)
    assert (audio["codec_type"], audio["codec_name"], audio["channels"]) == ("audio", "aac", 1)
    assert int(audio["sample_rate"]) == 44_100
    assert float(found["format"]["duration"]) == pytest.approx(1.5, abs=0.05)


def test_the_ways_of_asking(clip: Path) -> None:
    only_audio = json.loads(_ask("-show_streams", "-select_streams", "a", "-print_format", "json", "-i", str(clip)))
    assert [stream["codec_type"] for stream in only_audio["streams"]] == ["audio"]
    bare = _ask(
        "-v", "error", "-show_entries", "format=duration", "-of", "default=noprint_wrappers=1:nokey=1", str(clip)
    )
    assert float(bare) == pytest.approx(1.5, abs=0.05)
    csv = _ask("-i", str(clip), "-show_entries", "format=duration", "-v", "quiet", "-of", "csv=p=0")
    assert float(csv) == pytest.approx(1.5, abs=0.05)


@pytest.mark.slow
def test_what_gradio_asks(clip: Path, tmp_path: Path) -> None:
    from gradio import processing_utils

    assert processing_utils.video_is_playable(str(clip))
    sound = tmp_path / "sound.wav"
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(clip), str(sound)], check=True)
    assert processing_utils.audio_is_playable(str(sound))
    rate, samples = processing_utils.audio_from_file(str(clip))
    assert rate == 44_100 and len(samples) > 40_000


def test_a_broken_file_is_an_error(bare_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "broken.mp4"
    path.write_bytes(b"nothing to see")
    run = subprocess.run(["ffprobe", "-v", "error", "-show_streams", str(path)], capture_output=True, check=False)
    assert run.returncode == 1 and run.stderr


def test_lines_of_a_log() -> None:
    line = "  Stream #0:1[0x2](eng): Audio: aac (LC) (mp4a / 0x6134706D), 48000 Hz, 5.1(side), fltp, 128 kb/s (default)"
    stream = ffprobe.read_stream(line)
    assert stream is not None
    assert (stream["index"], stream["channels"], stream["bit_rate"]) == (1, 6, "128000")
    assert ffprobe.read_stream("  Metadata:") is None
