"""The endpoint `/speech` over real HTTP, as the README shows it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile
from gradio_client import Client
from gradio_client.exceptions import AppError

from studio.app import build_studio, launch_studio
from studio.io.recipes import read_recipe
from tests.studio.debug_speech import debug_registry, debug_spec


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("endpoint")
    specs = (debug_spec(), debug_spec("slow", "load_slow"), debug_spec("broken", "load_corrupt"))
    studio = build_studio(debug_registry(folder, *specs))
    launch_studio(studio, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    yield Client(studio.local_url, verbose=False, download_files=str(folder))
    studio.close()


@pytest.mark.slow
def test_by_keyword_with_defaults(client: Client) -> None:
    sound, captions, report = client.predict(text="Hello from a program.", api_name="/speech")
    assert soundfile.info(sound).duration == pytest.approx(report["duration_s"], abs=0.01)
    assert "Hello" in Path(captions).read_text()
    assert [word["text"] for word in report["words"]] == ["Hello", "from", "a", "program."]
    recipe = read_recipe(sound)
    assert (recipe.model, recipe.seed, recipe.settings["text"]) == ("speech/debug", 7, "Hello from a program.")


@pytest.mark.slow
def test_every_parameter(client: Client) -> None:
    settings = {"model": "speech/debug", "voice": "high", "speed": 1.5, "pitch": 2, "energy": -3}
    sound, _, report = client.predict(
        text="Hello there.", **settings, vocoder="griffin-lim", seed=99, api_name="/speech"
    )
    assert report["seed"] == 99
    assert read_recipe(sound).settings["voice"] == "high"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"text": ""}, "Text is empty"),
        ({"text": "word " * 10_000}, "50,000 characters"),
        ({"text": "🎉🚀"}, "left out"),
        ({"text": "你好世界"}, "left out"),
        ({"text": "\0\x01\x1b"}, "left out"),
        ({"seed": -1}, "Seed is -1"),
        ({"seed": 2**40}, "Seed is"),
        ({"speed": 9}, "Speed is 9; it must be a number from 0.5 to 2"),
        ({"vocoder": "magic"}, "(?i)magic"),
        ({"model": "speech/nothing"}, "(?i)speech/nothing"),
        ({"model": "speech/broken"}, "damaged"),
    ],
)
def test_bad_input_is_a_sentence(client: Client, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(AppError, match=message) as caught:
        client.predict(**({"text": "hello"} | changes), api_name="/speech")
    assert "Traceback" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("text", ["'; DROP TABLE words; --", "<b onclick=x>hello</b>", "hello\0world\x07 again"])
def test_strange_text_is_spoken(client: Client, text: str) -> None:
    sound, _, _ = client.predict(text=text, api_name="/speech")
    assert soundfile.info(sound).duration > 0.1


@pytest.mark.slow
def test_work_that_is_cancelled_lets_the_next_one_in(client: Client) -> None:
    job = client.submit(text="word " * 200, model="speech/slow", api_name="/speech")
    time.sleep(1.5)
    job.cancel()
    began_s = time.monotonic()
    client.predict(text="Next.", api_name="/speech")
    assert time.monotonic() - began_s < 15
