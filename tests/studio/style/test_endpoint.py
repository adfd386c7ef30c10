"""The endpoints `/audio_style` and `/video_style` over real HTTP, as the README shows them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from models.media.clip_info import probe
from studio.app import build_studio, launch_studio
from studio.io.recipes import read_recipe
from tests.studio.debug_style import style_registry
from tests.studio.style.test_actions import make_clip, sound_bytes


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("endpoint")
    studio = build_studio(style_registry(folder))
    launch_studio(studio, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    yield Client(studio.local_url, verbose=False, download_files=str(folder))
    studio.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("files")
    tone = 0.2 * np.sin(np.arange(30_000) / 9).astype(np.float32)
    soundfile.write(folder / "tone.wav", tone, 22_050)
    soundfile.write(folder / "silent.wav", 0 * tone, 22_050)
    soundfile.write(folder / "short.wav", tone[:2205], 22_050)
    (folder / "noise.wav").write_bytes(bytes(range(256)) * 9)
    (folder / "noise.mp4").write_bytes(bytes(range(256)) * 9)
    Image.new("RGBA", (60, 40), (200, 30, 90, 128)).save(folder / "glass.png")
    Image.new("RGB", (1, 1), "red").save(folder / "dot.png")
    clip = make_clip(folder / "clip.mp4", "-c:a", "aac")
    return {path.name: handle_file(path) for path in folder.iterdir()} | {"clip": clip}


@pytest.mark.slow
def test_a_sound_with_defaults_and_with_every_parameter(client: Client, files: dict[str, Any]) -> None:
    file, report = client.predict(content=files["tone.wav"], style="hum", api_name="/audio_style")
    assert soundfile.info(file).frames == 30_000 and report == {"strength": 0.8, "style": "hum"}
    own, report = client.predict(
        files["tone.wav"], style="hiss", style_file=files["tone.wav"], strength=0.5, move_pitch=False,
        api_name="/audio_style",
    )  # fmt: skip
    assert soundfile.info(own).frames == 30_000 and report == {"strength": 0.5, "style": "own file"}
    assert read_recipe(own).settings["style"] == "own file" and read_recipe(file).settings["style"] == "hum"
    assert not np.array_equal(soundfile.read(file)[0], soundfile.read(own)[0])


@pytest.mark.slow
def test_a_clip_and_a_picture(client: Client, files: dict[str, Any]) -> None:
    file, report = client.predict(content=files["clip.mp4"], style="glass", clip_size=128, api_name="/video_style")
    assert probe(file).frames == 10 and sound_bytes(file) == sound_bytes(files["clip"])
    assert report == {"strength": 0.8, "style": "glass"}
    file, _ = client.predict(files["glass.png"], style_file=files["dot.png"], api_name="/video_style")
    assert Image.open(file).size == (60, 40) and Path(file).suffix == ".png"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("audio", {"content": "noise.wav"}, "holds no sound"),
        ("audio", {"style_file": "silent.wav"}, "style is silent"),
        ("audio", {"style_file": "short.wav"}, "0.10 s long"),
        ("audio", {"style": "thunder"}, "(?i)thunder"),
        ("audio", {"strength": 7}, "(?i)7"),
        ("video", {"content": "noise.mp4"}, "no moving picture"),
        ("video", {"style": "magic"}, "(?i)magic"),
        ("video", {"style_file": "noise.mp4"}, "no moving picture"),
        ("video", {"size": 5}, "(?i)5"),
    ],
)
def test_bad_input_is_a_sentence(
    client: Client, files: dict[str, Any], name: str, changes: dict[str, Any], message: str
) -> None:
    good = {"content": "tone.wav", "style": "hum"} if name == "audio" else {"content": "clip.mp4"}
    asked = {key: files.get(value, value) for key, value in (good | changes).items()}
    with pytest.raises(AppError, match=message) as caught:
        client.predict(**asked, api_name=f"/{name}_style")
    assert "Traceback" not in str(caught.value)
