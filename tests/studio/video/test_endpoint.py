"""The endpoints `/video` and `/sync` over real HTTP, as the README shows them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from models.media.clip_info import probe
from studio.app import build_studio, launch_studio
from studio.io.recipes import read_recipe
from tests.studio.debug_video import debug_sync_spec, video_registry
from tests.studio.video.test_sync_actions import flash_clip

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def own_temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let the studio put its working files where no other test does, so that what it leaves can be counted."""
    before, tempfile.tempdir = tempfile.tempdir, str(tmp_path_factory.mktemp("temporary"))
    yield
    tempfile.tempdir = before


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("endpoint")
    studio = build_studio(video_registry(folder, debug_sync_spec()))
    launch_studio(studio, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    yield Client(studio.local_url, verbose=False, download_files=str(folder))
    studio.close()


def left_behind() -> set[str]:
    return {path.name for path in Path(tempfile.gettempdir()).glob("auralume-*")}


def test_a_prompt_is_enough_and_every_parameter_counts(client: Client) -> None:
    before = left_behind()
    clip, report = client.predict(
        prompt="a red ball", length_s=1.0, steps=2, seed=3, camera="zoom in", loop=True, api_name="/video"
    )
    info = probe(clip)
    assert (info.width, info.height, info.rate, info.frames, info.sound) == (256, 256, 24, 24, "aac")
    assert report["frames"] == 24 and report["seed"] == 3 and report["sound_s"] == 1.0
    recipe = read_recipe(clip)
    assert recipe.settings["camera"] == "zoom in" and recipe.settings["loop"] is True
    parameters = client.view_api(return_format="dict")["named_endpoints"]["/video"]["parameters"]
    names = [each["parameter_name"] for each in parameters]
    assert names[:4] == ["prompt", "negative_prompt", "length_s", "loop"]
    assert all(each["parameter_has_default"] for each in parameters[1:])
    assert left_behind() <= before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prompt": ""}, "Prompt is empty"),
        ({"prompt": "x" * 10_000}, "2,000"),
        ({"length_s": 0}, "(?i)0"),
        ({"length_s": 10_000}, "(?i)10000"),
        ({"steps": 0}, "(?i)0"),
        ({"size": "33"}, "(?i)33"),
        ({"sound": "loud"}, "(?i)loud"),
        ({"seed": -1}, "Seed is -1"),
        ({"model": "video/nothing"}, "(?i)video/nothing"),
    ],
)
def test_bad_input_is_a_sentence(client: Client, changes: dict[str, Any], message: str) -> None:
    before = left_behind()
    fields = {"prompt": "a red ball", "length_s": 1.0, "steps": 1, "sound": "off", "size": "64"} | changes
    with pytest.raises(AppError, match=message) as caught:
        client.predict(**fields, api_name="/video")
    assert "Traceback" not in str(caught.value)
    assert left_behind() <= before


def test_sync_is_told_and_repaired(client: Client, tmp_path: Path) -> None:
    clip = flash_clip(tmp_path / "in.mp4", 0.3)
    repaired, report = client.predict(clip=handle_file(clip), api_name="/sync")
    assert report["offset_ms"] == pytest.approx(300, abs=15) and report["repaired"]
    assert probe(repaired).frames == 72
    repaired, report = client.predict(clip=handle_file(clip), fix=False, api_name="/sync")
    assert repaired is None and not report["repaired"]
    (tmp_path / "bad.mp4").write_bytes(b"no clip at all")
    with pytest.raises(AppError, match="no moving picture"):
        client.predict(clip=handle_file(tmp_path / "bad.mp4"), api_name="/sync")
