"""Every kind of exported file says that it was generated, by whom and how; exiftool and C2PA's own reader agree."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from studio.io import xmp
from studio.io.marking import Marker
from studio.io.recipes import PICTURES, Recipe, RecipeError, read_recipe, write_recipe

RECIPE = Recipe("video", "video/debug", "1", 41, {"prompt": 'A "red" <sea> & more', "steps": 8})
KINDS = ("wav", "mp3", "flac", "mp4", "m4a", "m4b", "png", "webp", "gif", "moving.webp", "moving.gif")


def make(folder: Path, kind: str) -> Path:
    """Write a small file of a kind, with its recipe where the studio's own files have one."""
    path = folder / f"made.{kind}"
    frames = [Image.new("RGB", (20, 16), (60 * at, 20, 90)) for at in range(3)]
    if kind in {"wav", "mp3", "flac"}:
        soundfile.write(path, 0.3 * np.sin(np.arange(8000) / 9).astype(np.float32), 8000)
    elif kind == "mp4":
        from studio.video.exports import write_clip

        write_clip(path, np.stack([np.asarray(each.resize((32, 32))) for each in frames]), 3)
    elif kind in {"m4a", "m4b"}:
        from models.media import command

        sound = path.with_suffix(".wav")
        soundfile.write(sound, 0.3 * np.sin(np.arange(8000) / 9).astype(np.float32), 8000)
        command.write(["-i", f"file:{sound}", "-c:a", "aac", "-f", "ipod", f"file:{path}"])
        sound.unlink()
    elif kind.startswith("moving"):
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=80, loop=0)
    else:
        frames[0].save(path)
    return path


@pytest.fixture(scope="module")
def marker(tmp_path_factory: pytest.TempPathFactory) -> Marker:
    return Marker(tmp_path_factory.mktemp("signing"))


def shown(path: Path) -> list[bytes]:
    """Return what a person sees or hears of a file."""
    if path.suffix in {".m4a", ".m4b"}:
        from models.media.sound import read_sound

        return [read_sound(path)[0].tobytes()]
    if path.suffix in {".wav", ".mp3", ".flac"}:
        return [soundfile.read(path)[0].tobytes()]
    if path.suffix == ".mp4":
        from models.media.clip_info import probe
        from models.media.clip_reader import read_frames

        info = probe(path)
        return [each.tobytes() for each in read_frames(path, info, info.width, info.height)]
    pictures = []
    with Image.open(path) as image:
        for at in range(getattr(image, "n_frames", 1)):
            image.seek(at)
            pictures.append(image.convert("RGB").tobytes())
    return pictures


@pytest.mark.parametrize("kind", KINDS)
def test_a_marked_file_looks_and_sounds_the_same_and_tells_all(kind: str, marker: Marker, tmp_path: Path) -> None:
    path = make(tmp_path, kind)
    write_recipe(path, RECIPE)
    before = shown(path)
    marker.mark(path, RECIPE)
    assert shown(path) == before
    assert read_recipe(path) == RECIPE
    found = marker.read(path)
    assert found.recipe == RECIPE
    assert found.source == xmp.GENERATED
    assert (found.state, found.generator, found.is_ours) == ("Valid", "Auralume", True)
    assert set(found.problems) <= {"signingCredential.untrusted"}
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("kind", KINDS)
def test_exiftool_reads_the_digital_source_type(kind: str, marker: Marker, tmp_path: Path) -> None:
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    path = make(tmp_path, kind)
    marker.mark(path, RECIPE)
    told = subprocess.run(["exiftool", "-j", "-G", str(path)], capture_output=True, text=True, check=True)
    (tags,) = json.loads(told.stdout)
    assert any(xmp.GENERATED in str(value) for value in tags.values()), tags
    assert not [name for name in tags if name.endswith("Error")], tags


def test_what_was_made_of_a_persons_own_is_called_composite(marker: Marker, tmp_path: Path) -> None:
    path = make(tmp_path, "png")
    marker.mark(path, Recipe("style_video", "style/debug", "1", 0, {}))
    assert marker.read(path).source == xmp.COMPOSITE


@pytest.mark.parametrize(
    ("laid", "sound", "source"),
    [
        ("scene: ocean", "scene", xmp.BY_RULE),
        ("scene: ocean, cat", "off", xmp.BY_RULE_COMPOSITE),
        ("scene: ocean", "music", xmp.COMPOSITE),
        ("cat", "scene", xmp.GENERATED),
    ],
)
def test_a_clip_that_rules_drew_is_no_trained_models(
    laid: str, sound: str, source: str, marker: Marker, tmp_path: Path
) -> None:
    path = make(tmp_path, "png")
    marker.mark(path, Recipe("video", "video/scenes", "1", 0, {"drawn_by_rule": laid, "sound": sound}))
    assert marker.read(path).source == source


@pytest.mark.parametrize("kind", ["wav", "png", "mp4"])
def test_a_file_that_was_changed_afterwards_is_found_out(kind: str, marker: Marker, tmp_path: Path) -> None:
    path = make(tmp_path, kind)
    marker.mark(path, RECIPE)
    data = bytearray(path.read_bytes())
    at = data.index({"wav": b"data", "png": b"IDAT", "mp4": b"mdat"}[kind]) + 12
    data[at] ^= 1
    path.write_bytes(bytes(data))
    found = marker.read(path)
    assert found.state == "Invalid"
    assert found.problems


def test_another_studio_sees_that_it_did_not_sign_it(marker: Marker, tmp_path: Path) -> None:
    path = make(tmp_path, "png")
    marker.mark(path, RECIPE)
    found = Marker().read(path)
    assert (found.state, found.is_ours) == ("Valid", False)


def test_a_certificate_is_made_once_and_its_key_is_nobody_elses_to_read(tmp_path: Path) -> None:
    first = Marker(tmp_path / "signing").serial
    assert Marker(tmp_path / "signing").serial == first
    assert (tmp_path / "signing" / "certificate-key.pem").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("kind", ["wav", "png"])
def test_a_plain_file_tells_nothing(kind: str, marker: Marker, tmp_path: Path) -> None:
    found = marker.read(make(tmp_path, kind))
    assert (found.recipe, found.source, found.state, found.generator, found.is_ours) == (None, "", "", "", False)


def test_a_kind_without_marks_and_a_broken_file_stay_as_they_are(marker: Marker, tmp_path: Path) -> None:
    for name, data in (("words.srt", b"1\n"), ("broken.png", b"\x89PNG\r\n\x1a\nnothing"), ("broken.mp3", b"no sound")):
        path = tmp_path / name
        path.write_bytes(data)
        marker.mark(path, RECIPE)
        if name != "broken.png":  # a packet may be tried on it; it is no picture before or after
            assert path.read_bytes() == data
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("kind", PICTURES)
def test_a_recipe_in_a_picture_is_put_in_the_place_of_an_older_one(kind: str, tmp_path: Path) -> None:
    path = make(tmp_path, kind)
    write_recipe(path, RECIPE)
    newer = Recipe("video", "video/debug", "2", 42, {"prompt": "new"})
    write_recipe(path, newer)
    assert read_recipe(path) == newer
    assert path.read_bytes().count(b"<x:xmpmeta") == 1


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300), start=st.sampled_from([xmp.PNG_START, b"GIF89a", b"RIFF\0\0\0\0WEBP", b""]))
def test_no_strangers_file_breaks_the_reader(data: bytes, start: bytes, tmp_path_factory: Any) -> None:
    path = tmp_path_factory.mktemp("files") / "stranger.png"
    path.write_bytes(start + data)
    assert xmp.read_source(path) == ""
    with pytest.raises(RecipeError):
        read_recipe(path)
