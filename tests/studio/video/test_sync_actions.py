"""Check and fix sync without its page: late and early sound, every kind of bad upload, nothing left behind."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.media.clip_info import probe
from models.media.program import MediaError, find_ffmpeg
from models.media.sound import read_in_time
from models.video.sync_model import SyncRequest
from studio.io.audio_files import write_wav
from studio.video import sync_actions
from studio.video.exports import write_clip
from studio.video.sync_actions import SAMPLE_RATE, SyncActions, open_clip
from tests.studio.debug_video import FlashChecker, debug_sync_spec, load_sync, video_registry
from tests.studio.events import flatten

FLASHES_S = (0.5, 1.25, 1.75, 2.625)
LENGTH_S = 3.0


def flash_clip(path: Path, late_s: float = 0.0) -> Path:
    """White flashes on black at 24 frames a second, a click with each, so much later."""
    frames = np.zeros((round(24 * LENGTH_S), 48, 64, 3), np.uint8)
    sound = np.zeros((2, round(SAMPLE_RATE * LENGTH_S)), np.float32)
    click = np.exp(-np.arange(2000) / 300) * np.sin(np.arange(2000) / 5)
    for flash_s in FLASHES_S:
        frames[round(24 * flash_s) : round(24 * flash_s) + 3] = 230
        start = max(0, round((flash_s + late_s) * SAMPLE_RATE))
        sound[:, start : start + 2000] += 0.6 * click[: sound.shape[1] - start].astype(np.float32)
    return write_clip(path, frames, 24.0, sound)


def run_ffmpeg(*arguments: str) -> None:
    subprocess.run([find_ffmpeg(), "-v", "error", "-y", *arguments], check=True)


@pytest.fixture(scope="module")
def actions(tmp_path_factory: pytest.TempPathFactory) -> SyncActions:
    return SyncActions(video_registry(tmp_path_factory.mktemp("weights"), debug_sync_spec()))


def checked(actions: SyncActions, path: Path, folder: Path, fix: bool = True) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for update in map(flatten, actions.run_program("", {"clip": str(path), "fix": fix}, str(folder))):
        merged |= update
    return merged


def offset_of(path: str | Path) -> float:
    """Measured on the file anew."""
    info = open_clip(str(path))
    frames = np.stack(list(sync_actions.read_frames(path, info, 32, 32)))
    model = load_sync({}, debug_sync_spec())
    return next(
        model.stream(
            SyncRequest(frames, float(info.rate), read_in_time(path, info.duration_s, SAMPLE_RATE), SAMPLE_RATE, False)
        )
    ).report.offset_s


@pytest.mark.parametrize("late_s", [0.3, -0.2])
def test_late_and_early_sound_is_told_and_repaired(actions: SyncActions, tmp_path: Path, late_s: float) -> None:
    clip = flash_clip(tmp_path / "in.mp4", late_s)
    made = checked(actions, clip, tmp_path)
    assert made["report"]["offset_ms"] == pytest.approx(1000 * late_s, abs=15)
    assert ("late" if late_s > 0 else "early") in made["status"]
    assert "Attention" in made["plot"] and "Offset" in made["plot"]
    assert abs(offset_of(made["file"])) < 0.02
    before, after = probe(clip), probe(made["file"])
    assert (before.frames, before.rate, before.width) == (after.frames, after.rate, after.width)

    def picture(path: str | Path) -> bytes:
        command = [find_ffmpeg(), "-v", "error", "-i", str(path), "-map", "0:v", "-c", "copy", "-f", "h264", "-"]
        return subprocess.run(command, check=True, capture_output=True).stdout

    assert picture(clip) == picture(made["file"])  # not packed anew
    assert {path.name for path in tmp_path.iterdir()} == {"in.mp4", "in-in-sync.mp4"}


def test_sound_that_begins_later_in_the_file_counts_as_late(actions: SyncActions, tmp_path: Path) -> None:
    clip = flash_clip(tmp_path / "in.mp4")
    command = ["-i", str(clip), "-itsoffset", "0.3", "-i", str(clip), "-map", "0:v", "-map", "1:a", "-c", "copy"]
    run_ffmpeg(*command, str(tmp_path / "shifted.mp4"))
    made = checked(actions, tmp_path / "shifted.mp4", tmp_path)
    assert made["report"]["offset_ms"] == pytest.approx(300, abs=15)
    assert abs(offset_of(made["file"])) < 0.02


def test_sound_in_time_is_left_alone(actions: SyncActions, tmp_path: Path) -> None:
    made = checked(actions, flash_clip(tmp_path / "in.mp4"), tmp_path)
    assert "file" not in made and "in time" in made["status"] and made["report"]["repaired"] is False


def test_only_checking(actions: SyncActions, tmp_path: Path) -> None:
    made = checked(actions, flash_clip(tmp_path / "in.mp4", 0.3), tmp_path, fix=False)
    assert "file" not in made and made["report"]["offset_ms"] > 280


def test_other_codecs_are_packed_anew(actions: SyncActions, tmp_path: Path) -> None:
    clip = flash_clip(tmp_path / "in.mp4", 0.3)
    run_ffmpeg("-i", str(clip), "-c:v", "huffyuv", "-c:a", "pcm_s16le", str(tmp_path / "in.avi"))
    made = checked(actions, tmp_path / "in.avi", tmp_path)
    assert probe(made["file"]).frames == probe(clip).frames and abs(offset_of(made["file"])) < 0.02
    shown = probe(made["before"])  # a copy that browsers play
    assert (shown.codec, shown.sound, shown.frames) == ("h264", "aac", probe(clip).frames)


def test_a_clip_in_which_nothing_happens_is_not_judged(
    actions: SyncActions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.video.sync_model.LEAST_CONFIDENCE", 2.0)
    made = checked(actions, flash_clip(tmp_path / "in.mp4", 0.3), tmp_path)
    assert "I cannot tell" in made["status"] and "file" not in made


def _bad(folder: Path, kind: str) -> str | None:
    path = folder / f"{kind}.mp4"
    if kind == "nothing":
        return None
    if kind == "corrupt":
        path.write_bytes(b"\0\0\0\x18ftypisom" + b"x" * 5000)
    elif kind == "sound alone":
        path = folder / "only.wav"
        write_wav(path, np.full(4000, 0.1, np.float32), 8000)
    elif kind == "picture":
        path = folder / "one.png"
        run_ffmpeg("-f", "lavfi", "-i", "color=s=32x32", "-frames:v", "1", str(path))
    elif kind == "four hours":
        picture = "color=s=32x32:r=1/8:d=14400"
        run_ffmpeg("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=r=8000:d=1", "-c:v", "mpeg4", str(path))
    else:
        sound = {"no sound": [], "silent": ["-f", "lavfi", "-i", "anullsrc=r=8000"]}.get(kind, [])
        length = "125" if kind == "long" else "0.3" if kind == "short" else "2"
        if kind in {"long", "short"}:
            sound = ["-f", "lavfi", "-i", "sine=r=8000"]
        rate = "1" if kind == "long" else "12"
        run_ffmpeg("-f", "lavfi", "-i", f"testsrc=s=32x32:r={rate}", *sound, "-t", length, "-c:v", "mpeg4", str(path))
    return str(path)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("nothing", "Choose a clip"),
        ("corrupt", "no moving picture"),
        ("sound alone", "no moving picture"),
        ("picture", "does not move"),
        ("no sound", "has no sound"),
        ("silent", "no sound that could be heard"),
        ("long", "longer than 2 minutes"),
        ("four hours", "longer than 10 minutes"),
        ("short", "shorter than"),
    ],
)
def test_bad_uploads_are_sentences(tmp_path: Path, kind: str, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FlashChecker, "check", _real_limits)
    actions = SyncActions(video_registry(tmp_path, debug_sync_spec()))
    upload = _bad(tmp_path, kind)
    folder = tmp_path / "made"
    folder.mkdir()
    last = flatten(list(actions.run("me", "", {"clip": upload, "fix": True}))[-1])
    assert sentence in last["status"] and "alert" in last["status"]
    assert list(folder.iterdir()) == []


def test_a_clip_of_few_frames_lasts_as_long_as_they_are_shown(tmp_path: Path) -> None:
    run_ffmpeg("-f", "lavfi", "-i", "color=s=32x32:r=1/60:d=240", "-c:v", "mpeg4", str(tmp_path / "slow.mp4"))
    assert probe(tmp_path / "slow.mp4").duration_s == pytest.approx(240, abs=10)
    run_ffmpeg("-f", "lavfi", "-i", "color=s=32x32:r=1/3600:d=14400", "-c:v", "mpeg4", str(tmp_path / "hours.mp4"))
    with pytest.raises(MediaError, match="longer than 10 minutes"):
        probe(tmp_path / "hours.mp4")


def _real_limits(self: FlashChecker, *clip: Any) -> Any:
    """Return the limits of the real checker, by the real checker."""
    from models.video.sync import SyncChecker, SyncConfig, SyncNetwork

    return SyncChecker(SyncNetwork(SyncConfig.debug())).check(*clip)


def test_stopping(actions: SyncActions, tmp_path: Path) -> None:
    work = actions.run("me", "", {"clip": str(flash_clip(tmp_path / "in.mp4", 0.3)), "fix": True})
    next(work)
    assert actions.stops.ask("me")
    assert "Stopped" in flatten(list(work)[-1])["status"]
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]
