"""Both halves of the Style Transfer tab without its page: files, sound, settings, stopping, failures."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from models.media.clip_info import probe
from models.media.program import find_ffmpeg
from models.media.write import VideoWriter
from studio.io.recipes import read_recipe
from studio.page import style_gallery as gallery
from studio.style.actions import AudioStyleActions, StyleActions, VideoStyleActions
from studio.style.controls import VIDEO_FIELDS
from tests.studio.debug_style import style_registry
from tests.studio.events import flatten

HALVES = {"video": VideoStyleActions, "audio": AudioStyleActions}
Actions = dict[str, StyleActions]


@pytest.fixture(scope="module")
def actions(tmp_path_factory: pytest.TempPathFactory) -> Actions:
    registry = style_registry(tmp_path_factory.mktemp("weights"))
    return {half: made(registry) for half, made in HALVES.items()}


def make_clip(path: Path, *sound: str) -> Path:
    command = [find_ffmpeg(), "-v", "error", "-f", "lavfi", "-i", "testsrc=s=96x64:r=10:d=1"]
    command += ["-f", "lavfi", "-i", "sine=d=1.3", "-c:v", "libx264", "-pix_fmt", "yuv420p", *sound, str(path)]
    subprocess.run(command, check=True)
    return path


def sound_bytes(path: str | Path) -> bytes:
    command = [find_ffmpeg(), "-v", "error", "-i", str(path), "-map", "0:a", "-c", "copy", "-f", "data", "-"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def restyle(actions: Actions, half: str, folder: Path, **values: Any) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for events in actions[half].run_program(f"style_{half}/debug", values, str(folder)):
        merged |= flatten(events)
    return merged


@pytest.mark.slow
def test_a_clip_keeps_its_sound_byte_for_byte_and_its_frames(actions: Actions, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "in.mp4", "-c:a", "aac")
    made = restyle(actions, "video", tmp_path, content=str(clip), style="glass", strength=0.5)
    assert sound_bytes(made["file"]) == sound_bytes(clip)
    info = probe(made["file"])
    assert (info.frames, info.rate, info.width, info.height) == (10, 10, 96, 64)
    assert probe(made["original"]).frames == 10 and "byte for byte" in made["notes"]
    recipe = read_recipe(made["file"])
    assert recipe.task == "style_video" and recipe.settings["style"] == "glass"
    values, said = actions["video"].load_settings(made["file"])
    assert (values["style"], values["strength"], values["model"]) == ("glass", 0.5, "style_video/debug")
    assert "restored" in said


@pytest.mark.slow
def test_uncompressed_sound_is_kept_without_loss(actions: Actions, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "in.mov", "-c:a", "pcm_s16le")
    made = restyle(actions, "video", tmp_path, content=str(clip), style="dabs")
    assert "loses nothing" in made["notes"]

    def pcm(path: str | Path) -> bytes:
        command = [find_ffmpeg(), "-v", "error", "-i", str(path), "-f", "s16le", "-"]
        return subprocess.run(command, check=True, capture_output=True).stdout

    assert pcm(made["file"]) == pcm(clip)


def test_a_picture_gives_a_picture(actions: Actions, tmp_path: Path) -> None:
    Image.new("RGB", (50, 31), "teal").save(tmp_path / "in.png")
    made = restyle(actions, "video", tmp_path, content=str(tmp_path / "in.png"), style="woodcut")
    assert Image.open(made["file"]).size == (50, 31) and made["result"] is None
    assert made["compared"][0].shape == (31, 50, 3) and "polyline" in made["plot"]


def test_a_large_picture_is_shown_small_first_and_made_at_its_own_size(actions: Actions, tmp_path: Path) -> None:
    Image.new("RGB", (900, 450), "teal").save(tmp_path / "in.png")
    values = {"content": str(tmp_path / "in.png"), "style": "woodcut"}
    steps = [flatten(each) for each in actions["video"].run_program("style_video/debug", values, str(tmp_path))]
    shown = [step["compared"][1].shape for step in steps if "compared" in step]
    assert shown == [(192, 384, 3), (450, 900, 3)] and "first look" in steps[0]["status"]
    assert Image.open(steps[-1]["file"]).size == (900, 450)


@pytest.mark.slow
def test_a_clip_has_a_size_of_its_own_and_all_settings_come_back(actions: Actions, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "in.mp4", "-an")
    asked = {"second_style": "glass", "second_share": 0.25, "third_style": "dabs", "brush": 1.5, "part": "background"}
    asked |= {"clip_size": 128}
    made = restyle(actions, "video", tmp_path, content=str(clip), style="woodcut", **asked)
    values, _ = actions["video"].load_settings(made["file"])
    assert {name: values[name] for name in asked} == asked
    request = actions["video"].build_request("", VIDEO_FIELDS.read({"content": str(clip)} | asked))
    assert request.size == 128 and [weight for _, weight in request.others] == [0.25, 0.5]
    assert "Nobody was found" in made["notes"]


def test_a_sound_keeps_its_length(actions: Actions, tmp_path: Path) -> None:
    tone = 0.2 * np.sin(np.arange(22_050) / 9).astype(np.float32)
    soundfile.write(tmp_path / "in.wav", tone, 22_050)
    made = restyle(actions, "audio", tmp_path, content=str(tmp_path / "in.wav"), style="hiss", strength=0.6)
    assert soundfile.info(made["file"]).frames == 22_050
    assert read_recipe(made["file"]).settings["style"] == "hiss" and "polyline" in made["plot"]


@pytest.mark.parametrize(
    ("half", "fields", "sentence"),
    [
        ("video", {"content": None}, "Choose a clip"),
        ("audio", {"content": None}, "Record or choose"),
        ("video", {}, "Clip or picture is missing"),
        ("video", {"content": "nowhere.mp4"}, "gone"),
        ("video", {"content": "nowhere.mp4", "style": "magic"}, "Chosen style is"),
        ("video", {"content": "nowhere.mp4", "strength": 3}, "Strength is 3"),
        ("video", {"content": "nowhere.mp4", "brush": 9}, "Brush size is 9"),
        ("video", {"content": "nowhere.mp4", "part": "sky"}, "Paint is"),
        ("video", {"content": "nowhere.mp4", "second_style": "magic"}, "Mix in a second style is"),
    ],
)
def test_failures_are_sentences(actions: Actions, half: str, fields: dict[str, Any], sentence: str) -> None:
    last = flatten(list(actions[half].run("me", f"style_{half}/debug", fields))[-1])
    assert sentence in last["status"] and "alert" in last["status"]


@pytest.mark.slow
def test_stopping(actions: Actions, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "in.mp4", "-an")
    work = actions["video"].run("me", "style_video/debug", {"content": str(clip)})
    next(work)
    assert actions["video"].stops.ask("me")
    assert "Stopped" in flatten(list(work)[-1])["status"]


def test_the_gallery_is_small_and_says_whose_it_is() -> None:
    assert sum(each.path.stat().st_size for each in gallery.PICTURES) < 1_000_000
    assert all(each.licence for each in gallery.PICTURES)


def test_odd_sizes_are_written_even(tmp_path: Path) -> None:
    from fractions import Fraction

    with VideoWriter(tmp_path / "odd.mp4", 33, 21, Fraction(10)) as writer:
        writer.write(np.zeros((3, 21, 33, 3), np.uint8))
    assert (probe(tmp_path / "odd.mp4").width, probe(tmp_path / "odd.mp4").height) == (34, 22)
