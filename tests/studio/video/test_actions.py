"""The Video tab without its page: what ffmpeg says of its files, settings, stopping, failures, what is cut out."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.media.clip_info import probe
from models.media.program import find_ffmpeg
from models.video.cutout import PAPER, cut_out
from studio.io.recipes import read_recipe
from studio.video import actions as video_actions
from studio.video import exports, soundtrack
from studio.video.actions import VideoActions, build_request
from tests.studio.debug_music import debug_music_spec
from tests.studio.debug_video import video_registry
from tests.studio.events import flatten

pytestmark = pytest.mark.slow

QUICK: dict[str, Any] = {"prompt": "a red fire", "length_s": 0.5, "steps": 3, "sound": "off"}
MODEL = "video/debug"


@pytest.fixture(scope="module")
def actions(tmp_path_factory: pytest.TempPathFactory) -> VideoActions:
    folder = tmp_path_factory.mktemp("weights")
    return VideoActions(video_registry(folder, debug_music_spec(folder)))


def made(actions: VideoActions, folder: Path, **fields: Any) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for update in map(flatten, actions.run_program(MODEL, QUICK | fields, str(folder))):
        merged |= update
    return merged


def streams(path: str | Path) -> dict[str, str]:
    """Return what ffmpeg says of the picture and of the sound."""
    said = subprocess.run([find_ffmpeg(), "-hide_banner", "-i", str(path)], capture_output=True, check=False)
    text = said.stderr.decode()
    lines = [line for line in text.splitlines() if "Stream #0" in line]
    return {kind: next((line for line in lines if f" {kind}: " in line), "") for kind in ("Video", "Audio")} | {
        "duration": re.findall(r"Duration: (\S+),", text)[0]
    }


def sound_s(path: str | Path) -> float:
    """Seconds of decoded sound."""
    command = [find_ffmpeg(), "-v", "error", "-i", str(path), "-map", "0:a", "-ar", "8000", "-ac", "1"]
    return len(subprocess.run([*command, "-f", "s16le", "-"], check=True, capture_output=True).stdout) / 16_000


def test_a_clip_is_what_browsers_play(actions: VideoActions, tmp_path: Path) -> None:
    result = made(actions, tmp_path, sound="scene", length_s=1.5)
    said = streams(result["file"])
    assert "h264" in said["Video"] and "yuv420p" in said["Video"] and "256x256" in said["Video"]
    assert "24 fps" in said["Video"] and "aac" in said["Audio"] and "44100 Hz, stereo" in said["Audio"]
    info = probe(result["file"])
    assert (info.frames, info.rate, info.duration_s) == (36, 24, 1.5)
    assert abs(sound_s(result["file"]) - 1.5) < 0.05
    assert Path(result["file"]).read_bytes()[:4096].find(b"moov") > 0  # faststart: the index comes first
    report = result["report"]
    assert (report["frames"], report["width"], report["duration_s"], report["sound_s"]) == (36, 256, 1.5, 1.5)
    gif, webp = (Image.open(result[name]) for name in ("gif", "webp"))
    assert getattr(gif, "is_animated", False) and getattr(webp, "n_frames", 1) == 18
    assert "sheet" not in result  # noise is no character on paper


def test_sound_that_a_model_makes_itself_is_taken(
    actions: VideoActions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = type(actions.registry.load(MODEL).model)
    draw = kind.stream
    hum = np.full((2, 12_000), 0.25, np.float32)

    def stream(self: Any, request: Any) -> Iterator[Any]:
        for chunk in draw(self, request):
            yield replace(chunk, sound=hum, sound_rate=24_000) if chunk.last else chunk

    monkeypatch.setattr(kind, "stream", stream)
    result = made(actions, tmp_path, sound="scene", length_s=1)
    assert video_actions.OWN_SOUND in result["notes"] and result["report"]["sound_s"] == 1.0
    sound = read_sound(Path(result["file"]), 44_100)
    assert np.abs(sound[:20_000].mean() - 0.25) < 0.02, "heard for the half second that it lasts"
    assert np.abs(sound[24_000:]).max() < 0.02, "and silence after it"
    assert video_actions.OWN_SOUND not in made(actions, tmp_path, sound="off", length_s=1)["notes"]


def read_sound(path: Path, rate: int) -> np.ndarray:
    """Return decoded sound in one channel."""
    command = [find_ffmpeg(), "-v", "error", "-i", str(path), "-map", "0:a", "-ar", str(rate), "-ac", "1"]
    raw = subprocess.run([*command, "-f", "s16le", "-"], check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.int16) / 32_768


def test_the_model_s_own_pixels(actions: VideoActions, tmp_path: Path) -> None:
    result = made(actions, tmp_path, size="64")
    info = probe(result["file"])
    assert (info.width, info.height, info.rate, info.frames, info.sound) == (64, 64, 8, 4, "")


def test_music_in_the_mood(actions: VideoActions, tmp_path: Path) -> None:
    result = made(actions, tmp_path, sound="music", loop=True, prompt="city lights at night")
    assert abs(sound_s(result["file"]) - 0.5) < 0.05 and "Night drive" in result["notes"]


@pytest.mark.parametrize(
    ("prompt", "mood"),
    [
        ("blue ocean waves at sunset", "Calm piano"),
        ("a red fire at night", "Drummer alone"),
        ("xyzzy", "Bright morning"),
    ],
)
def test_the_mood_follows_the_words(prompt: str, mood: str) -> None:
    assert soundtrack.mood_of(prompt) == mood


def test_previews_come_on_the_way_and_the_end_is_told(actions: VideoActions, tmp_path: Path) -> None:
    updates = [flatten(step) for step in actions.run("me", MODEL, QUICK)]
    text = "".join(str(update.get("status", "")) for update in updates)
    assert "step 1 of 3" in text and "Enlarging" in text and "0.5 s of video" in text
    live = [update for update in updates if "image/webp" in str(update.get("film"))]
    assert live and "Out of the noise" in live[0]["strip"]
    finished = next(update for update in updates if update.get("file"))
    assert "Contact sheet" in finished["film"] and "polyline" in finished["plot"]


def test_same_settings_same_clip_and_the_file_knows_them(actions: VideoActions, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    first = made(actions, tmp_path, negative_prompt="blue", motion="some", camera="zoom in", seed=5, loop=True)
    again = made(actions, tmp_path / "b", negative_prompt="blue", motion="some", camera="zoom in", seed=5, loop=True)
    assert Path(first["file"]).read_bytes() == Path(again["file"]).read_bytes()
    recipe = read_recipe(first["file"])
    assert (recipe.task, recipe.model, recipe.seed) == ("video", MODEL, 5)
    values, said = actions.load_settings(first["file"])
    assert values["camera"] == "zoom in" and values["model"] == MODEL and "same clip" in said
    assert build_request(values).request.camera == 4


def test_a_picture_is_the_first_frame(actions: VideoActions, tmp_path: Path) -> None:
    Image.new("RGB", (300, 200), (200, 30, 60)).save(tmp_path / "in.png")
    result = made(actions, tmp_path, start_image=str(tmp_path / "in.png"), size="64")
    command = [find_ffmpeg(), "-v", "error", "-i", result["file"], "-frames:v", "1", "-f", "rawvideo"]
    raw = subprocess.run([*command, "-pix_fmt", "rgb24", "-"], check=True, capture_output=True).stdout
    assert np.abs(np.frombuffer(raw, np.uint8).reshape(-1, 3).mean(axis=0) - (200, 30, 60)).max() < 12
    assert "your own" in actions.load_settings(result["file"])[1]


def test_small_and_transparent_pictures_can_begin_a_clip(tmp_path: Path) -> None:
    Image.new("RGBA", (7, 90), (0, 0, 0, 0)).save(tmp_path / "thin.png")
    image = video_actions.open_image(str(tmp_path / "thin.png"))
    assert image.shape == (64, 64, 3) and image.min() == 255


def test_stopping_leaves_nothing_half_done(actions: VideoActions, tmp_path: Path) -> None:
    work = actions.run("me", MODEL, QUICK)
    next(work)
    assert actions.stops.ask("me")
    updates = [flatten(step) for step in work]
    assert "Stopped" in updates[-1]["status"] and not any(update.get("file") for update in updates)
    assert list(tmp_path.iterdir()) == []


def test_stopping_a_long_clip_keeps_what_is_finished(
    actions: VideoActions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_actions, "VIEW_EVERY_S", 0.0)  # every step is shown, however fast the machine
    work = actions.run("me", MODEL, QUICK | {"length_s": 6.0, "steps": 4})
    merged: dict[str, Any] = {}
    for update in map(flatten, work):
        merged |= update
        if "stretch 2" in str(update.get("status")):
            actions.stops.ask("me")
    assert merged["report"]["duration_s"] < 6 and "You stopped it" in merged["notes"]


def test_stopping_while_frames_are_enlarged_keeps_those_that_are(
    actions: VideoActions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_actions, "ENLARGE_AT_ONCE", 2)
    merged: dict[str, Any] = {}
    for update in map(flatten, actions.run("me", MODEL, QUICK | {"length_s": 2.0})):
        merged |= update
        if "Enlarging frame 5" in str(update.get("status")):
            assert actions.stops.ask("me")
    assert 0 < merged["report"]["duration_s"] < 2.0 and "You stopped it" in merged["notes"]
    assert merged["file"] and merged["gif"]


def test_stopping_before_the_sound_keeps_the_picture(actions: VideoActions) -> None:
    merged: dict[str, Any] = {}
    for update in map(flatten, actions.run("me", MODEL, QUICK | {"sound": "music"})):
        merged |= update
        if "Composing the music" in str(update.get("status")):
            actions.stops.ask("me")
    assert merged["file"] and "the clip is silent" in merged["notes"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"prompt": "  "}, "Prompt is empty"),
        ({"prompt": "x" * 10_000}, "at most 2,000"),
        ({"length_s": 0}, "Length is 0"),
        ({"length_s": 10_000}, "Length is 10000"),
        ({"length_s": float("nan")}, "Length is nan"),
        ({"steps": 0}, "Steps is 0"),
        ({"steps": 2.5}, "Steps is 2.5"),
        ({"size": "4096"}, "Size is"),
        ({"sound": "loud"}, "Sound is"),
        ({"camera": "upside down"}, "Camera is"),
        ({"guidance": 99}, "Guidance is 99"),
        ({"seed": -1}, "Seed is -1"),
        ({"start_image": "nowhere.png"}, "gone"),
    ],
)
def test_failures_are_sentences(actions: VideoActions, tmp_path: Path, fields: dict[str, Any], sentence: str) -> None:
    last = flatten(list(actions.run("me", MODEL, QUICK | fields))[-1])
    assert sentence in last["status"] and "alert" in last["status"]
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_picture_is_a_sentence(actions: VideoActions, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 50)
    fields = QUICK | {"start_image": str(tmp_path / "bad.png")}
    assert "alert" in flatten(list(actions.run("me", MODEL, fields))[-1])["status"]


def test_words_to_avoid_without_guidance_are_remarked() -> None:
    assert "no effect" in build_request({"prompt": "a fire", "negative_prompt": "night", "guidance": 1.0}).notes[0]


def test_a_character_is_taken_away_cut_out(tmp_path: Path) -> None:
    frames = np.full((10, 64, 64, 3), PAPER, np.uint8)
    for index in range(10):
        frames[index, 20:50, 20 + index : 40 + index] = (30, 90, 160)
    cut = cut_out(frames, np.asarray(PAPER, np.float32))
    with Image.open(exports.write_sheet(tmp_path / "sheet.png", cut)) as sheet:
        assert sheet.size == (512, 128) and sheet.mode == "RGBA"
        assert np.array_equal(np.asarray(sheet)[:64, 64:128], cut[1])
    with Image.open(exports.write_sprite_gif(tmp_path / "cut.gif", cut, 8.0)) as gif:
        assert (gif.n_frames, gif.size) == (10, (256, 256))
        total = 0
        for index in range(10):
            gif.seek(index)
            total += gif.info["duration"]
            shown = np.asarray(gif.convert("RGBA"))
            assert np.array_equal(shown[2::4, 2::4, 3] > 0, cut[index, ..., 3] >= 128)
            assert np.abs(shown[120, 4 * (30 + index), :3].astype(int) - (30, 90, 160)).max() < 8
        assert total == 1250


def test_packing_a_character_brings_the_cut_outs(tmp_path: Path) -> None:
    frames = np.full((4, 64, 64, 3), PAPER, np.uint8)
    frames[:, 20:50, 20:40] = (30, 90, 160)
    file = exports.write_clip(tmp_path / "clip.mp4", frames, 8.0)
    brought: dict[str, Any] = {}
    for update in map(flatten, video_actions.pack(tmp_path / "clip", file, frames, frames, 8.0, 8.0)):
        brought |= update
    assert set(brought) == {"sheet", "sprites", "gif", "webp"}
    assert all(Path(path).stat().st_size > 100 for path in brought.values())


def test_beats_fall_on_accents() -> None:
    accents = np.zeros(80)
    accents[5::7] = 1.0  # each 7/24 s
    tempo, phase_s = soundtrack.tempo_for(accents, 24.0, 205.0)
    beat_s = 60 / tempo
    away = (np.flatnonzero(accents) / 24 - phase_s + beat_s / 2) % beat_s - beat_s / 2
    assert np.abs(away).max() < 0.06
    tempo, _ = soundtrack.tempo_for(accents, 24.0, 100.0, loop_s=3.0)
    assert (3.0 * tempo / 60) % 1 == pytest.approx(0, abs=1e-6)


def test_the_sound_of_a_loop_has_no_seam() -> None:
    time_s = np.arange(66_150, dtype=np.float32) / 44_100
    sound = np.stack([np.sin(2 * np.pi * 3 * time_s), np.sin(2 * np.pi * 3.3 * time_s)]).astype(np.float32)
    made_loop = soundtrack.joined_ends(sound, 44_100)
    assert made_loop.shape == (2, 44_100)
    step = np.abs(made_loop[:, 0] - made_loop[:, -1]).max()
    assert step < 1e-3 and np.array_equal(made_loop[:, 20_000:], sound[:, 20_000:44_100])
