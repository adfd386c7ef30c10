"""The live board and its addresses: places, sentences, pages that have gone, files, and the endpoints' chunks."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
import soundfile
from gradio_client import Client
from gradio_client.exceptions import AppError
from starlette.applications import Starlette
from starlette.testclient import TestClient

from models.errors import ModelError
from models.live import messages
from models.live.controls import LiveControls
from models.live.frame_stream import SHOWN_RATE
from models.live.music_stream import MusicStream
from models.registry.registry import Registry
from studio.app import build_studio, launch_studio
from studio.io.recipes import read_recipe
from studio.live import actions, sessions
from studio.live.opening import writer
from studio.live.routes import routes
from studio.live.sessions import LiveBoard, board_of, full_sentence
from tests.studio.debug_music import debug_music_spec
from tests.studio.debug_speech import debug_registry
from tests.studio.debug_style import style_specs
from tests.studio.debug_video import debug_video_spec
from tests.studio.events import flatten

TOKENS = [f"page-number-{number:06d}" for number in range(4)]
WISHES: dict[str, Any] = {"controls": {"tempo": 180, "instruments": [0], "drums": False, "density": 1}, "seed": 3}


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    folder = tmp_path_factory.mktemp("board")
    return debug_registry(folder, debug_music_spec(folder), debug_video_spec(), *style_specs(), memory_budget_mb=500)


@pytest.fixture
def board(registry: Registry) -> Iterator[LiveBoard]:
    made = LiveBoard(registry, most=2)
    yield made
    for token in TOKENS:
        made.close(token, keep=False)
    wait_for(lambda: made.people()["threads"] == 0)  # the pictures' threads give way to others and may end late


def wait_for(what: Callable[[], object], limit_s: float = 30.0) -> None:
    end = time.monotonic() + limit_s
    while not what():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def test_each_person_has_a_session_and_the_machine_can_be_full(board: LiveBoard) -> None:
    heard: dict[str, list[bytes]] = {token: [] for token in TOKENS}
    for token in TOKENS[:2]:
        board.open(token, "music", WISHES, heard[token].append)
    with pytest.raises(ValueError, match="The machine is full: 2 people are playing"):
        board.open(TOKENS[2], "music", WISHES, heard[TOKENS[2]].append)
    wait_for(lambda: all(any(message[:1] == b"A" for message in heard[token]) for token in TOKENS[:2]))
    assert board.people()["playing"] == 2
    board.control({"token": TOKENS[0], "controls": {"tempo": 60}, "page": {"fps": 12.0}})
    assert board.session(TOKENS[0]).music.wanted[0].tempo == 60  # type: ignore[union-attr]
    assert board.session(TOKENS[1]).music.wanted[0].tempo == 180  # type: ignore[union-attr]
    board.close(TOKENS[0], keep=False)
    board.open(TOKENS[2], "music", WISHES, heard[TOKENS[2]].append)
    assert full_sentence(1).startswith("The machine is full: One person is")


def test_stop_leaves_files_and_a_page_that_goes_leaves_nothing(board: LiveBoard) -> None:
    heard: list[bytes] = []
    board.open(TOKENS[0], "music", WISHES, heard.append, line := object())
    wait_for(lambda: sum(message[:1] == b"A" for message in heard) > 3)
    folder = board._open_sessions[TOKENS[0]].folder
    said = board.stop(TOKENS[0])
    assert said["files"] == ["session.wav", "session.mp3", "session.mid"]
    assert said["duration_s"] > 0.3
    wav = board.recording(TOKENS[0], "session.wav")
    assert soundfile.info(wav).duration == pytest.approx(said["duration_s"], abs=0.1)
    recipe = read_recipe(wav)
    assert (recipe.task, recipe.seed) == ("live", 3)
    assert '"tempo":180' in str(recipe.settings["timeline"])
    assert mido.MidiFile(board.recording(TOKENS[0], "session.mid")).tracks
    assert soundfile.info(board.recording(TOKENS[0], "session.mp3")).format == "MP3"
    for name in ("../session.wav", "part.mp3"):
        with pytest.raises(ValueError, match="no such file"):
            board.recording(TOKENS[0], name)
    board.open(TOKENS[1], "music", WISHES, heard.append, line)
    gone = board._open_sessions[TOKENS[1]].folder
    board.leave(TOKENS[1], object())  # an older line of the same page: nothing happens
    assert board.has(TOKENS[1], line)
    board.leave(TOKENS[1], line)
    assert not gone.exists()
    assert folder.exists()
    with pytest.raises(ValueError, match="no longer kept"):
        board.recording(TOKENS[1], "session.wav")


def test_a_silent_page_is_let_go(registry: Registry) -> None:
    board = LiveBoard(registry, most=1, silent_for_s=0.5)
    board.open(TOKENS[0], "music", WISHES, lambda _: None)
    wait_for(lambda: board.people() == {"playing": 0, "most": 1, "threads": 0})
    with pytest.raises(ValueError, match="has ended; press Start"):
        board.control({"token": TOKENS[0]})


def test_free_memory_is_given_back_while_somebody_plays(board: LiveBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    given_back = threading.Event()
    monkeypatch.setattr(sessions, "GIVE_BACK_EVERY_S", 0.0)
    monkeypatch.setattr(sessions, "trim_heap", given_back.set)
    board.open(TOKENS[0], "music", WISHES, lambda _: None)
    assert given_back.wait(30.0)


class Clock:
    """A clock that tests set; waiting on it takes a moment only."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.waits = 0

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, _seconds: float) -> None:
        self.waits += 1
        time.sleep(0.01)


def test_a_recording_is_kept_for_a_quarter_of_an_hour(board: LiveBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(sessions, "time", clock)
    heard: list[bytes] = []
    board.open(TOKENS[0], "music", WISHES, heard.append)
    wait_for(lambda: any(message[:1] == b"A" for message in heard))
    folder = board._open_sessions[TOKENS[0]].folder
    board.stop(TOKENS[0])
    clock.now_s += 899
    looks = clock.waits
    wait_for(lambda: clock.waits > looks + 2)
    assert board.recording(TOKENS[0], "session.wav").is_file()
    clock.now_s += 2
    wait_for(lambda: not folder.exists())
    with pytest.raises(ValueError, match="no longer kept"):
        board.recording(TOKENS[0], "session.wav")


@pytest.mark.parametrize(
    ("kind", "changes", "says"),
    [
        ("music", {"controls": {"tempo": 1000}}, "tempo is 1000"),
        ("music", {"controls": {"instruments": "piano"}}, "list of programs"),
        ("music", {"seed": -1}, "seed is -1"),
        ("music", {"program": 128}, "program is 128"),
        ("music", {"pictures": True, "prompt": " "}, "prompt is empty"),
        ("voice", {}, "nothing to do"),
        ("voice", {"style": "opera"}, "preset is 'opera'"),
        ("voice", {"style": "hum", "rate": 10}, "rate is 10"),
        ("voice", {"style": "hum", "rate": "fast"}, "must be a number"),
        ("dance", {}, "'music' or 'voice'"),
    ],
)
def test_wishes_that_cannot_be_met_are_sentences(
    board: LiveBoard, kind: str, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises((ValueError, ModelError), match=says):
        board.open(TOKENS[0], kind, {**changes}, lambda _: None)
    assert board.people()["playing"] == 0
    with pytest.raises(ValueError, match="no proper name"):
        board.open("x", kind, changes, lambda _: None)


@pytest.mark.slow
def test_a_voice_comes_back_restyled(board: LiveBoard) -> None:
    heard: list[bytes] = []
    wishes = {"style": "hum", "rate": 48_000, "pictures": True, "prompt": "a red fire"}
    board.open(TOKENS[0], "voice", wishes, heard.append)
    session = board.session(TOKENS[0])
    assert session.kind == "voice"
    tone = (0.2 * np.sin(np.arange(4096) * 0.05)).astype(np.float32)
    for _ in range(24):
        session.hear(tone)
    wait_for(lambda: any(message[:1] == b"A" for message in heard))
    wait_for(lambda: any(message[:1] == b"V" for message in heard))
    with pytest.raises(ValueError, match="finite numbers"):
        session.hear(np.array([np.nan], np.float32))
    said = board.stop(TOKENS[0])
    sent = [load for letter, _, load in messages.unpack(b"".join(heard)) if letter == "A"]
    recorded, rate = soundfile.read(board.recording(TOKENS[0], "session.wav"), dtype="int16")
    assert rate == 48_000
    assert np.array_equal(recorded, np.concatenate(sent))
    assert np.abs(recorded).max() > 0
    assert said["files"] == ["session.wav", "session.mp3"]


def test_the_addresses_answer_with_sentences(board: LiveBoard) -> None:
    with TestClient(Starlette(routes=routes(board))) as client:
        assert client.post("/live/control", content="no JSON").json() == {
            "problem": "The page asked in a way that the studio does not understand."
        }
        assert client.post("/live/control", content="[]").status_code == 400
        assert "has ended" in client.post("/live/stop", json={"token": TOKENS[0]}).json()["problem"]
        assert "too long" in client.post("/live/control", content="x" * 70_000).json()["problem"]
        stranger = {"sec-fetch-site": "cross-site"}
        assert "may not ask" in client.post("/live/stream", json={}, headers=stranger).json()["problem"]
        assert client.post("/live/stream", json={"token": "x", "kind": "music"}).status_code == 400
        assert client.get("/live/key/0/60").content[:4] == b"RIFF"
        assert client.get("/live/key/0/200").status_code == 400
        assert client.get(f"/live/file/{TOKENS[0]}/session.wav").status_code == 400
        assert client.get("/live/people").json() == {"playing": 0, "most": 2, "threads": 0}


@pytest.mark.slow
def test_chunks_for_a_program_joined_are_the_music(registry: Registry, tmp_path: Path) -> None:
    controls = LiveControls(180.0, density=1.0, instruments=(0,), drums=False)
    values = {"tempo": 180.0, "density": 1.0, "instruments": ["0"], "drums": False, "seed": 5}
    found = [flatten(step) for step in actions.run_music(registry, values | {"length_s": 3.0}, str(tmp_path))]
    joined = np.concatenate([soundfile.read(step["chunk"], dtype="int16")[0] for step in found])
    with contextlib.ExitStack() as hold:
        shared = writer(registry, hold)
        stream = MusicStream(shared, shared.composer.bank, controls, 5)
        whole = np.concatenate([stream.render_chunk().samples for _ in range(60)], axis=1)
    assert np.abs(joined / 32767 - whole.T[: len(joined)]).max() < 1e-4
    assert found[-1]["report"]["made_s"] >= 3.0
    with pytest.raises(ValueError, match="Length is 0"):
        list(actions.run_music(registry, values | {"length_s": 0}, str(tmp_path)))


@pytest.mark.slow
def test_pictures_for_a_program_come_as_clips(registry: Registry, tmp_path: Path) -> None:
    values = {"prompt": "a red fire", "tempo": 180.0, "seed": 5, "length_s": 2.0}
    found = list(actions.run_video(registry, values, str(tmp_path)))
    last = flatten(found[-1])
    path, report = last["chunk"], last["report"]
    assert Path(path).read_bytes()[4:8] == b"ftyp"
    assert report["shown_frames"] == 2 * SHOWN_RATE
    assert 0 < report["drawn_frames"] < 2 * SHOWN_RATE
    assert found[0] == ()


@pytest.mark.slow
def test_the_endpoints_stream_over_http(registry: Registry, tmp_path: Path) -> None:
    studio = build_studio(registry)
    launch_studio(studio, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    try:
        client = Client(studio.local_url, verbose=False, download_files=str(tmp_path))
        job = client.submit(
            length_s=3, tempo=180, instruments=[0], drums=False, density=1, seed=5, api_name="/live_music"
        )
        job.result(timeout=120)
        chunks = job.outputs()
        assert len(chunks) == 2
        assert all(soundfile.info(path).duration >= 2.0 for path, _ in chunks)
        with pytest.raises(AppError, match="Key is 'H'"):
            client.predict(tonic="H", api_name="/live_music")
        with pytest.raises(AppError, match="Prompt is empty"):
            client.predict(prompt="", api_name="/live_video")
    finally:
        studio.close()
    assert board_of(registry).people()["threads"] == 0
    assert not [each for each in threading.enumerate() if each.name.startswith("auralume-live-")]
