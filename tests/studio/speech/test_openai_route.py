"""The route that speech front ends know from OpenAI, over a real server."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import threading
import time
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
from gradio_client import Client
from starlette.applications import Starlette
from starlette.testclient import TestClient

from models.contracts import Voice
from models.hub.download import Hub, HubFile
from models.media.sound import read_sound
from models.registry.model_files import ModelFiles
from studio.app import build_studio, launch_studio
from studio.io import xmp
from studio.io.ffmpeg_path import ensure_ffmpeg
from studio.io.marking import studio_marker
from studio.library.owners import KNOWN_HEADER, OWNER_HEADER
from studio.library.store import Library
from studio.page.calls import KEEP
from studio.page.keeping import KEPT_BY
from studio.speech import openai_route
from studio.speech.openai_route import FORMATS, SpeechAnswers, aside, encoded, routes, wav
from tests.loops import run_coroutine
from tests.studio.debug_speech import debug_registry, debug_spec

ASKED = {"model": "tts-1", "input": "Hello there, world.", "voice": "low"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    ensure_ffmpeg()
    registry = debug_registry(tmp_path, debug_spec(), debug_spec("broken", "load_corrupt"))
    with TestClient(Starlette(routes=routes(registry))) as client:
        yield client


def sound(client: TestClient, folder: Path, **changes: Any) -> tuple[np.ndarray, int]:
    answer = client.post("/v1/audio/speech", json=ASKED | changes)
    assert answer.status_code == 200, answer.text
    path = folder / "sound"
    path.write_bytes(answer.content)
    return soundfile.read(path)


def test_what_a_caller_wants_to_keep_lies_in_the_library(tmp_path: Path) -> None:
    ensure_ffmpeg()
    registry, library = debug_registry(tmp_path), Library(tmp_path / "library")
    KEPT_BY[registry] = library
    known = {OWNER_HEADER: "somebody", KNOWN_HEADER: "1"}
    with TestClient(Starlette(routes=routes(registry))) as client:
        for headers in (known, {KEEP: "yes"}, known | {KEEP: "yes"}):
            assert client.post("/v1/audio/speech", json=ASKED | {"speed": 3}, headers=headers).status_code == 200
    (item,) = library.find("somebody")
    assert library.find("local") == []
    assert item.title == ASKED["input"] and item.recipe is not None and item.recipe.settings["voice"] == "low"
    path = library.path("somebody", item.id, item.files[0].name)
    assert studio_marker().read(path).state == "Valid" and item.length_s > 0.1


@pytest.mark.parametrize("form", ["wav", "mp3"])
def test_sound_in_each_format(client: TestClient, tmp_path: Path, form: str) -> None:
    answer = client.post("/v1/audio/speech", json=ASKED | {"response_format": form})
    assert answer.status_code == 200 and answer.headers["content-type"] == FORMATS[form][0]
    path = tmp_path / f"sound.{form}"
    path.write_bytes(answer.content)
    assert studio_marker().read(path).source == (xmp.GENERATED if form == "mp3" else "")
    samples, rate = read_sound(path)
    assert rate in (22_050, 44_100) and 0.5 < samples.shape[-1] / rate < 3 and np.abs(samples).max() > 0.05


def test_pcm_is_24_khz_and_as_long(client: TestClient, tmp_path: Path) -> None:
    samples, rate = sound(client, tmp_path, response_format="wav")
    raw = client.post("/v1/audio/speech", json=ASKED | {"response_format": "pcm"}).content
    assert len(raw) / 2 / 24_000 == pytest.approx(len(samples) / rate, abs=0.01)


def test_voices_and_speed(client: TestClient, tmp_path: Path) -> None:
    low, _ = sound(client, tmp_path, response_format="wav")
    assert np.array_equal(sound(client, tmp_path, response_format="wav", voice="alloy")[0], low)
    assert len(sound(client, tmp_path, response_format="wav", speed=2.0)[0]) < len(low)
    answers = SpeechAnswers(debug_registry(tmp_path))
    wanted = ("low", "high", "alloy", "ash", "ballad", {"id": "high"}, None)
    found = [answers._voice("speech/debug", each) for each in wanted]
    assert found == ["low", "high", "low", "high", "low", "high", ""]


def test_events(client: TestClient) -> None:
    answer = client.post("/v1/audio/speech", json=ASKED | {"response_format": "wav", "stream_format": "sse"})
    rows = [json.loads(line.removeprefix("data: ")) for line in answer.text.split("\n\n") if line]
    used = rows[-1]["usage"]
    assert rows[-1]["type"] == "speech.audio.done" and len(rows) > 3
    assert used["input_tokens"] == len(ASKED["input"]) and used["total_tokens"] == sum(used.values()) / 2
    joined = b"".join(base64.b64decode(row["audio"]) for row in rows[:-1])
    whole = client.post("/v1/audio/speech", json=ASKED | {"response_format": "wav"}).content
    assert used["output_tokens"] == pytest.approx(100 * (len(whole) - 44) / 2 / 22_050, abs=1)
    assert joined[:4] == whole[:4] == b"RIFF" and joined[44:] == whole[44:]  # only the file knows its length


@pytest.mark.parametrize(
    "wrong, status, said",
    [
        ({"input": ""}, 400, "text"),
        ({"voice": "nobody"}, 400, "this model has low, high"),
        ({"response_format": "midi"}, 400, "one of mp3"),
        ({"speed": 9}, 400, "speed"),
        ({"speed": "fast"}, 400, ""),
        ({"model": "speech/none"}, 404, "no model"),
        ({"model": "speech/broken"}, 422, "damaged"),
    ],
)
def test_wrong_wishes_are_sentences(client: TestClient, wrong: dict[str, Any], status: int, said: str) -> None:
    answer = client.post("/v1/audio/speech", json=ASKED | wrong)
    message = answer.json()["error"]["message"]
    assert answer.status_code == status and said in message.lower() and "Traceback" not in message


def test_what_is_no_json_and_the_list_of_models(client: TestClient) -> None:
    assert client.post("/v1/audio/speech", content=b"hello").status_code == 400
    assert client.post("/v1/audio/speech", content=b"x" * 300_000).status_code == 400
    rows = client.get("/v1/models").json()["data"]
    assert rows[0]["id"] == "speech/debug" and rows[0]["voices"] == ["low", "high"]
    stranger = client.post("/v1/audio/speech", json=ASKED, headers={"sec-fetch-site": "cross-site"})
    assert stranger.status_code == 400 and "nother site" in stranger.json()["error"]["message"]


def test_voices_that_a_model_knows_once_it_is_loaded_are_listed(tmp_path: Path) -> None:
    registry = debug_registry(tmp_path, debug_spec(voices=()))
    with TestClient(Starlette(routes=routes(registry))) as client:
        assert client.get("/v1/models").json()["data"][0]["voices"] == []
        registry.load("speech/debug").model.voices = (Voice("found", "Found", "MIT"),)
        assert client.get("/v1/models").json()["data"][0]["voices"] == ["found"]


def test_the_end_of_the_work_does_not_hold_the_server_up() -> None:
    going, ended, closed = threading.Event(), threading.Event(), threading.Event()

    def blocks() -> Iterator[bytes]:
        try:
            yield b"one"
            going.set()
            ended.wait(30)  # as a model that is asked to stop and goes on to its next step
            yield b"two"
        finally:
            closed.set()

    async def listen() -> float:
        stream = aside(blocks())
        assert await anext(stream) == b"one"
        waiting: asyncio.Future[bytes] = asyncio.ensure_future(anext(stream))
        while not going.is_set():
            await asyncio.sleep(0.01)
        waiting.cancel()  # the listener leaves in the middle of a block
        began = time.monotonic()
        await asyncio.sleep(0.05)
        held_s = time.monotonic() - began
        ended.set()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
        return held_s

    with ThreadPoolExecutor(1) as pool:  # the browser's tests keep a loop of their own in this thread
        held_s = pool.submit(lambda: asyncio.run(listen())).result()
    assert held_s < 20, "the loop stood still while the block was made"
    assert closed.wait(30)


@pytest.mark.parametrize("through_ffmpeg", [False, True])
def test_a_listener_who_leaves_ends_the_work(through_ffmpeg: bool) -> None:
    ensure_ffmpeg()
    closed = []

    def pieces() -> Iterator[bytes]:
        try:
            while True:
                yield bytes(20_000)
        finally:
            closed.append(True)

    stream = encoded(pieces(), 22_050, FORMATS["flac"][1]) if through_ffmpeg else wav(pieces(), 22_050)
    assert next(stream) and next(stream)
    stream.close()  # type: ignore[attr-defined]
    del stream
    assert closed == [True]


@pytest.mark.parametrize("form", ["wav", "flac"])
def test_a_short_file_tells_its_true_length(client: TestClient, tmp_path: Path, form: str) -> None:
    answer = client.post("/v1/audio/speech", json=ASKED | {"response_format": form})
    path = tmp_path / f"sound.{form}"
    path.write_bytes(answer.content)
    samples, rate = soundfile.read(path)
    assert soundfile.info(path).duration == pytest.approx(len(samples) / rate) and 0.5 < len(samples) / rate < 3
    if form == "wav":
        with wave.open(str(path)) as file:
            assert file.getnframes() == len(samples)


@pytest.mark.parametrize(("speed", "share"), [(0.25, 2.0), (4.0, 0.5)])
def test_speeds_beyond_the_models_own_are_stretched(
    client: TestClient, tmp_path: Path, speed: float, share: float
) -> None:
    own = 0.5 if speed < 1 else 2.0
    usual, _ = sound(client, tmp_path, response_format="wav", speed=own)
    beyond, _ = sound(client, tmp_path, response_format="wav", speed=speed)
    assert len(beyond) / len(usual) == pytest.approx(share, rel=0.1)


@pytest.mark.parametrize("speed", [0.2, 4.1, "fast", True, float("nan")])
def test_other_speeds_are_refused(client: TestClient, speed: Any) -> None:
    content = json.dumps(ASKED | {"speed": speed})
    answer = client.post("/v1/audio/speech", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 400 and "0.25 to 4" in answer.json()["error"]["message"]


def test_voices_and_one_model(client: TestClient) -> None:
    voices = client.get("/v1/audio/voices").json()["voices"]
    assert {"id": "low", "name": voices[0]["name"]} == voices[0] and set(voices[0]) == {"id", "name"}
    for name in ("tts-1", "gpt-4o-mini-tts-2025-12-15", "speech/debug"):
        row = client.get(f"/v1/models/{name}").json()
        assert row["id"] == name and row["object"] == "model" and isinstance(row["created"], int)
    assert client.get("/v1/models/speech/nothing").status_code == 404
    assert client.get("/v1/audio/voices", params={"model": "speech/nothing"}).status_code == 404


@pytest.mark.slow
def test_a_short_request_is_answered_beside_two_long_ones(tmp_path: Path) -> None:
    registry = debug_registry(tmp_path, debug_spec("slow", "load_slow"))
    studio = build_studio(registry)
    launch_studio(studio, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    url = f"{studio.local_url}v1/audio/speech"
    left = threading.Event()

    def listen() -> int:
        body = ASKED | {"model": "speech/slow", "input": "word " * 4000}
        with httpx.stream("POST", url, json=body, timeout=60, trust_env=False) as answer:
            for number, _ in enumerate(answer.iter_bytes()):
                if left.is_set():
                    return number
        raise AssertionError("it came to an end")

    try:
        with ThreadPoolExecutor(2) as pool:
            long = [pool.submit(listen) for _ in range(2)]
            until = time.monotonic() + 60
            while registry.load("speech/slow").model.open_streams < 2 and time.monotonic() < until:
                time.sleep(0.05)
            short = httpx.post(url, json=ASKED | {"model": "speech/slow"}, timeout=60, trust_env=False)
            assert short.status_code == 200
            report = Client(str(studio.local_url), verbose=False).predict(text="Hi.", api_name="/speech")[2]
            assert report["words"][0]["text"] == "Hi."
            assert registry.load("speech/slow").model.open_streams == 2 and not any(each.done() for each in long)
            left.set()
            assert all(each.result() > 0 for each in long)
    finally:
        left.set()
        studio.close()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"input": None}, "Input is missing"),
        ({"input": 5}, "must be text"),
        ({"input": ["a"]}, "must be text"),
        ({"input": ""}, "empty"),
        ({"speed": "fast"}, "'fast'; it must be a number from 0.25 to 4"),
        ({"speed": True}, "Speed is True"),
        ({"speed": 5}, "from 0.25 to 4"),
        ({"speed": float("1e400")}, "Speed is inf"),
        ({"speed": [1]}, "Speed is"),
        ({"seed": "x"}, "Seed is 'x'; it must be a number from 0 to 4294967295"),
        ({"seed": -1}, "Seed is -1"),
        ({"seed": {}}, "Seed is {}"),
        ({"response_format": "ogg"}, "must be one of mp3"),
        ({"response_format": 3}, "must be one of mp3"),
        ({"response_format": ["wav"]}, "must be one of mp3"),
        ({"stream_format": "x"}, "audio, sse"),
        ({"voice": "nobody"}, "this model has low, high"),
        ({"voice": ["low"]}, "this model has low, high"),
        ({"voice": {"id": ["x"]}}, "this model has low, high"),
        ({"instructions": "Whisper."}, "leave them out"),
        ({"model": 7}, "no model"),
        ({"model": ["tts-1"]}, "no model"),
    ],
)
def test_what_cannot_be_names_the_parameter(client: TestClient, changes: dict[str, Any], said: str) -> None:
    answer = client.post("/v1/audio/speech", content=json.dumps(ASKED | changes))
    assert 400 <= answer.status_code < 500 and said in answer.json()["error"]["message"], answer.text
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_numbers_may_be_text(client: TestClient, tmp_path: Path) -> None:
    as_number = sound(client, tmp_path, response_format="wav", speed=2, seed=4)[0]
    assert np.array_equal(sound(client, tmp_path, response_format="wav", speed="2.0", seed="4")[0], as_number)


@pytest.mark.parametrize("body", ["[" * 100_000, "[1]", "null", "{", "\xff", '{"input": "\\ud800"}'])
def test_a_body_that_is_no_request_is_a_sentence(client: TestClient, body: str) -> None:
    answer = client.post("/v1/audio/speech", content=body.encode("latin-1"))
    assert answer.status_code == 400 and answer.json()["error"]["message"].endswith(".")


def test_a_model_that_is_absent_while_offline_is_not_asked_for_again(tmp_path: Path) -> None:
    hub = Hub("somebody/voice", "a" * 40, (HubFile("model.bin", 3, "b" * 64),))
    registry = debug_registry(tmp_path, debug_spec(), debug_spec("far", sources=(hub,)))
    registry._files = ModelFiles(tmp_path, tmp_path / "cache", None, True)
    with TestClient(Starlette(routes=routes(registry))) as client:
        answer = client.post("/v1/audio/speech", json=ASKED | {"model": "speech/far"})
    assert answer.status_code == 404 and "without the network" in answer.json()["error"]["message"]


def test_work_for_a_listener_who_reads_nothing_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_route, "UNREAD_S", 0.05)
    ended = threading.Event()

    def blocks() -> Iterator[bytes]:
        try:
            while True:
                yield b"x"
        finally:
            ended.set()

    async def listen() -> bool:
        sound = aside(blocks())
        await anext(sound)
        for _ in range(200):
            if ended.is_set():
                break
            await asyncio.sleep(0.05)
        return await anext(sound, None) is None

    assert run_coroutine(listen()) and ended.is_set()
