"""What comes back of clips of all sorts: flash and beep stay together, and browsers can decode the sound."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.media.clip_info import probe
from models.media.program import find_ffmpeg
from models.media.write import COPIED_SOUND
from studio.style.actions import VideoStyleActions
from tests.models.media.files import make_flash, run, when_beeps, when_flashes
from tests.studio.debug_style import style_registry
from tests.studio.events import flatten

FLASH_S = 1.2


@pytest.fixture(scope="module")
def actions(tmp_path_factory: pytest.TempPathFactory) -> VideoStyleActions:
    return VideoStyleActions(style_registry(tmp_path_factory.mktemp("weights")))


@pytest.fixture(scope="module")
def flash(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a clip of 25 frames a second, 2.4 s long, that flashes and beeps at FLASH_S."""
    return make_flash(tmp_path_factory.mktemp("flash") / "flash.mp4", find_ffmpeg(), FLASH_S, seconds=2.4)


def restyle(actions: VideoStyleActions, path: Path, folder: Path) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    values = {"content": str(path), "style": "glass", "strength": 0.0, "clip_size": 128, "steadiness": 0.0}
    for events in actions.run_program("style_video/debug", values, str(folder)):
        merged |= flatten(events)
    return merged


def decode(path: str | Path, *options: str) -> bytes:
    """Decode as a plain player does, without the studio's reader."""
    command = [find_ffmpeg(), "-v", "error", "-i", str(path), *options, "pipe:1"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def find_moments(path: str | Path) -> tuple[float, float]:
    """Return when it flashes and when it beeps."""
    picture = decode(path, "-vf", "fps=100:start_time=0,scale=8:8", "-f", "rawvideo", "-pix_fmt", "gray")
    sound = decode(path, "-af", "aresample=async=1:first_pts=0", "-ac", "1", "-ar", "8000", "-f", "f32le")
    flash_s = when_flashes(np.frombuffer(picture, np.uint8).reshape(-1, 8, 8), 100.0)
    return flash_s, when_beeps(np.frombuffer(sound, np.float32), 8000)


KINDS: dict[str, tuple[tuple[str, ...], float]] = {  # options of ffmpeg, and when it flashes then
    "plain.mp4": (("-c", "copy"), FLASH_S),
    "cut.mp4": (("-ss", "0.72", "-c", "copy"), FLASH_S - 0.72),
    "cut.mov": (("-ss", "0.52", "-t", "1.5", "-c", "copy"), FLASH_S - 0.52),
    "variable.mp4": (("-vf", "select='not(mod(n\\,4))+gt(n\\,25)'", "-fps_mode", "vfr", "-c:a", "copy"), FLASH_S),
    "variable.mkv": (("-vf", "select='lt(n\\,9)+gt(n\\,25)'", "-fps_mode", "vfr", "-c:a", "flac"), FLASH_S),
    "recorded.webm": (("-c:v", "libvpx", "-c:a", "libopus"), FLASH_S),
    "tv.ts": (("-c:v", "mpeg2video", "-c:a", "mp2"), FLASH_S),
    "camera.mp4": (("-c:a", "ac3"), FLASH_S),
    "editor.mov": (("-c:v", "prores_ks", "-c:a", "alac"), FLASH_S),
    "talk.mp4": (("-c:a", "libmp3lame"), FLASH_S),
    "studio.mkv": (("-c:v", "libx264", "-c:a", "pcm_s24le"), FLASH_S),
    "old.avi": (("-c:v", "mpeg4", "-c:a", "adpcm_ms"), FLASH_S),
    "early.ts": (("-c", "copy", "-output_ts_offset", "7"), FLASH_S),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_flash_and_beep_stay_together(actions: VideoStyleActions, flash: Path, tmp_path: Path, name: str) -> None:
    options, flash_s = KINDS[name]
    before = options[:2] if options[0] == "-ss" else ()
    clip = tmp_path / name
    run(find_ffmpeg(), *before, "-i", flash, *options[len(before) :], clip)
    made = restyle(actions, clip, tmp_path)
    for path in (made["file"], made["original"]):
        found = find_moments(path)
        assert found[0] == pytest.approx(flash_s, abs=0.051)
        assert found[0] == pytest.approx(found[1], abs=0.061)
        assert probe(path).sound in COPIED_SOUND


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
@pytest.mark.parametrize("late", ["picture", "sound"])
def test_what_begins_late_stays_late(
    actions: VideoStyleActions, flash: Path, tmp_path: Path, suffix: str, late: str
) -> None:
    clip = tmp_path / f"late{suffix}"
    maps = ("-map", "1:v", "-map", "0:a") if late == "picture" else ("-map", "0:v", "-map", "1:a")
    run(find_ffmpeg(), "-i", flash, "-itsoffset", "0.6", "-i", flash, *maps, "-c", "copy", clip)
    flash_s, beep_s = find_moments(restyle(actions, clip, tmp_path)["file"])
    assert flash_s == pytest.approx(FLASH_S + (0.6 if late == "picture" else 0), abs=0.061)
    assert beep_s == pytest.approx(FLASH_S + (0 if late == "picture" else 0.6), abs=0.061)
