"""The endpoint `/music_video` over real HTTP, as the README shows it, with a tiny network of random weights."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from models.media.clip_info import probe
from models.media.clip_reader import read_frames
from studio.app import build_studio, launch_studio
from studio.io import temp_folders
from studio.io.recipes import read_recipe
from tests.models.music_video.debug_video import click_song
from tests.studio.debug_beats import drawing_registry

SECONDS, BPM = 4.0, 120.0
FAST: dict[str, Any] = {"shorter_side": 480, "steps": 4, "key_clips": 2, "seed": 3}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("endpoint")
    studio = build_studio(drawing_registry(folder))
    launch_studio(studio, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    yield Client(studio.local_url, verbose=False, download_files=str(folder))
    studio.close()


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return click_song(tmp_path_factory.mktemp("song") / "song.wav", SECONDS, BPM)


@pytest.mark.slow
def test_the_film_comes_first_and_the_beats_second(client: Client, song: Path) -> None:
    before = set(temp_folders.HELD)
    film, beats = client.predict(
        song=handle_file(song), prompts="a red fire\nblue", aspect="9:16", title="T", api_name="/music_video", **FAST
    )
    info = probe(film)
    assert film.endswith(".mp4") and info.sound == "aac"
    assert (info.width, info.height, info.rate, info.frames) == (480, 854, 24, round(SECONDS * 24))
    recipe = read_recipe(film)
    assert recipe.task == "music_video" and recipe.settings["aspect"] == "9:16" and recipe.seed == 3
    times = [row["time_s"] for row in beats["beats"]]
    assert len(times) >= 6 and times == sorted(times) and times[0] >= 0 and times[-1] <= SECONDS
    assert beats["bpm"] == pytest.approx(BPM, rel=0.03) and beats["duration_s"] == pytest.approx(SECONDS, abs=0.01)
    assert all(row["place"] >= 1 for row in beats["beats"]) and beats["sections"][0]["start_s"] == 0
    assert set(temp_folders.HELD) == before


@pytest.mark.slow
def test_only_the_song_is_required_and_a_part_of_it_can_be_had(client: Client, song: Path) -> None:
    parameters = client.view_api(return_format="dict")["named_endpoints"]["/music_video"]["parameters"]
    assert parameters[0]["parameter_name"] == "song"
    assert all(each["parameter_has_default"] for each in parameters[1:])
    film, beats = client.predict(song=handle_file(song), start_s=1.0, end_s=2.5, api_name="/music_video", **FAST)
    assert probe(film).frames == 36 and beats["duration_s"] == pytest.approx(1.5, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prompts": "  "}, "Prompts is empty"),
        ({"aspect": "2:1"}, "2:1"),
        ({"end_s": 1.0, "start_s": 2.0}, "not after its start"),
        ({"title": "x" * 200}, "at most 120"),
    ],
)
def test_what_cannot_be_is_a_sentence(client: Client, song: Path, changes: dict[str, Any], message: str) -> None:
    before = set(temp_folders.HELD)
    with pytest.raises(AppError, match=message):
        client.predict(song=handle_file(song), api_name="/music_video", **FAST | changes)
    assert set(temp_folders.HELD) == before


def test_a_file_without_sound_is_a_sentence(client: Client, tmp_path: Path) -> None:
    (tmp_path / "broken.mp3").write_bytes(b"\xff\xfb" + b"\x00" * 50)
    with pytest.raises(AppError, match="no sound that can be read"):
        client.predict(song=handle_file(tmp_path / "broken.mp3"), api_name="/music_video", **FAST)


@pytest.mark.slow
def test_photos_of_ones_own_are_given_as_a_list(client: Client, song: Path, tmp_path: Path) -> None:
    from PIL import Image

    paths = []
    for number, colour in enumerate(("green", "blue")):
        Image.new("RGB", (120, 90), colour).save(tmp_path / f"IMG_{number}.png")
        paths.append(handle_file(tmp_path / f"IMG_{number}.png"))
    film, _ = client.predict(
        song=handle_file(song), media=paths, media_order="name", aspect="1:1", api_name="/music_video", **FAST
    )
    assert read_recipe(film).settings["media_names"] == "IMG_0.png, IMG_1.png"
    frame = next(read_frames(film, probe(film), 32, 32))
    assert frame.mean(axis=(0, 1)).argmax() == 1


def test_a_photo_that_cannot_be_read_is_named(client: Client, song: Path, tmp_path: Path) -> None:
    (tmp_path / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0" + b"torn" * 30)
    with pytest.raises(AppError, match="torn"):
        client.predict(
            song=handle_file(song), media=[handle_file(tmp_path / "torn.jpg")], api_name="/music_video", **FAST
        )
    with pytest.raises(AppError, match="no file that this studio"):
        client.predict(
            song=handle_file(song), media=[{"path": "/etc/hostname"}],
            api_name="/music_video", **FAST,
        )  # fmt: skip
