"""Each tab's actions with models of the Hub: tiny checkpoints in the true format, by the real download path."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.errors import ModelError
from models.hub.describe import describe
from models.hub.formats import SPEECHT5_VOCODER
from models.live import messages
from models.live.clip_stream import ClipStream
from models.live.load_monitor import LoadMonitor
from models.media.clip_info import probe
from models.registry.registry import Registry
from studio.io import recipes
from studio.live.sessions import LiveBoard
from studio.music.actions import MusicActions
from studio.music_video.actions import MusicVideoActions
from studio.music_video.song import close
from studio.speech.actions import SpeechActions
from studio.style.actions import AudioStyleActions, VideoStyleActions
from studio.video.actions import VideoActions
from tests.hub_server import Fault, HubServer
from tests.models.music_video.debug_video import click_song
from tests.studio.debug_beats import music_video_specs
from tests.studio.debug_music import debug_music_spec
from tests.studio.debug_video import debug_video_spec
from tests.studio.events import flatten
from tests.studio.live.test_sessions import wait_for
from tests.studio.style.test_actions import make_clip
from tests.tiny_models import tiny

pytestmark = pytest.mark.slow

TOKEN = "hf_thisIsASecretToken"
PAGE, PATIENCE_S = "page-number-000001", 120.0
LIVE: dict[str, Any] = {
    "controls": {"tempo": 180, "instruments": [0], "drums": False, "density": 1},
    "pictures": True,
    "prompt": "the bright sea",
}


class Shelf:
    """A registry over a local Hub."""

    def __init__(self, hub: HubServer, folder: Path) -> None:
        self.hub, self.folder = hub, folder
        (folder / "debug.bin").write_bytes(b"debug")
        self.registry = Registry(
            music_video_specs(), folder / "cache", memory_budget_mb=8_000, weights_dir=folder, endpoint=hub.url
        )

    def put(self, kind: str, token: str = "") -> str:
        """Publish a checkpoint of this kind and put it on the shelf; returns its key."""
        self.hub.add_repo(f"tiny/{kind}", tiny(kind), token=token)
        spec = describe(f"tiny/{kind}", cache_dir=self.registry.cache_dir, endpoint=self.hub.url)
        self.registry.add(spec)
        assert self.registry.state(spec.key) == "absent"
        return spec.key


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    monkeypatch.setattr("models.backends.video.CPU_LONGEST_SIDE", 64)
    with HubServer() as hub:
        yield Shelf(hub, tmp_path)


def merged(updates: Iterator[Any]) -> tuple[dict[str, Any], str]:
    """Return what the page holds in the end, and all that its status said."""
    page: dict[str, Any] = {}
    said = []
    for step in updates:
        update = flatten(step) if isinstance(step, tuple) else step
        page |= update
        said.append(str(update.get("status", "")))
        if "wav" in page and page["wav"] and "bytes" not in page:
            page["bytes"] = Path(page["wav"]).read_bytes()
        if update.get("file") and Path(update["file"]).is_file():  # its folder goes with the work
            page["file"] = shutil.copy(update["file"], tempfile.mkdtemp(prefix="auralume-test-"))
    return page, " ".join(said)


@pytest.mark.parametrize("kind", ["vits", "vits-speakers"])
def test_speech(shelf: Shelf, kind: str) -> None:
    key = shelf.put(kind)
    page, said = merged(SpeechActions(shelf.registry).run("s", key, {"text": "Hello the sea.", "voice": None}))
    assert "Downloading" in said and "s of speech" in page["status"] and page["bytes"][:4] == b"RIFF"
    assert "alignment-picture" in page["alignment"] and ("offers" in page) == (kind == "vits-speakers")


@pytest.mark.parametrize("kind", ["musicgen", "stable-audio"])
def test_music(shelf: Shelf, kind: str) -> None:
    key = shelf.put(kind)
    fields = {"style": "", "key": "", "tempo": 200, "bars": 4, "prompt": "slow dark music", "seed": 1}
    page, said = merged(MusicActions(shelf.registry).run("s", key, fields))
    assert "Downloading" in said and "of music" in page["status"] and page["bytes"][:4] == b"RIFF"
    assert page["midi"] is None and "slow dark music" in page["notes"]


@pytest.mark.parametrize("kind", ["wan", "ltx"])
def test_video(shelf: Shelf, kind: str) -> None:
    key = shelf.put(kind)
    fields = {"prompt": "the bright sea", "length_s": 0.5, "steps": 3, "sound": "off"}
    page, said = merged(VideoActions(shelf.registry).run("s", key, fields))
    assert "Downloading" in said and "s of video" in page["status"], page["status"]
    assert Path(page["file"]).stat().st_size > 1000 and recipes.read_recipe(page["file"]).model == key


FILM = {"prompts": "the sea\nthe harbour", "aspect": "1:1", "shorter_side": 360, "steps": 4, "key_clips": 2, "seed": 5}


@pytest.mark.parametrize("kind", ["wan", "animatediff"])
def test_music_video(shelf: Shelf, kind: str) -> None:
    key = shelf.put(kind)
    actions = MusicVideoActions(shelf.registry)
    song = merged(actions.listen("s", str(click_song(shelf.folder / "a.wav", 1.0)), (0, 0), None))[0]["song"]
    try:
        page, said = merged(actions.run("s", key, FILM, song))
        assert "Downloading" in said and "Filming" in said and "s of video" in page["status"], page["status"]
        info = probe(page["file"])
        assert (info.width, info.height, info.frames, info.sound) == (360, 360, 24, "aac")
        assert recipes.read_recipe(page["file"]).model == key and "Loaded and ready" in page["shelf"]
        kept = actions._maker(key, shelf.registry.load(key)).clips._made
        assert kept and all(len(np.unique(clip)) > 2 for clip in kept.values()), "the model's own frames"
    finally:
        close(song)


def test_music_video_says_beforehand_what_cannot_be(shelf: Shelf) -> None:
    actions = MusicVideoActions(shelf.registry)
    song = merged(actions.listen("s", str(click_song(shelf.folder / "a.wav", 1.0)), (0, 0), None))[0]["song"]
    try:
        still = shelf.put("ltx-image")
        page, said = merged(actions.run("s", still, FILM, song))
        assert "sets a picture in motion" in page["status"] and "Downloading" not in said
        key = shelf.put("wan")
        shelf.registry.memory_budget_mb = 10
        page, said = merged(actions.run("s", key, FILM, song))
        assert shelf.registry.find_obstacle(key)[1:] in page["status"] and "Downloading" not in said
    finally:
        close(song)


def test_music_video_goes_on_with_the_shipped_model_where_no_gpu_is_lent(shelf: Shelf) -> None:
    key = shelf.put("wan")

    def refuse(model: Any, request: Any, spec: Any) -> Iterator[Any]:
        if spec.is_remote:
            raise ModelError("The Space's GPU is not to be had just now.", "quota")
        yield from model.stream(request)

    shelf.registry.runner = refuse
    actions = MusicVideoActions(shelf.registry)
    song = merged(actions.listen("s", str(click_song(shelf.folder / "a.wav", 1.0)), (0, 0), None))[0]["song"]
    try:
        page, said = merged(actions.run("s", key, FILM, song))
        assert "s of video" in page["status"] and "No GPU just now" in said
        assert "not to be had" in page["notes"] and "Debug lights" in page["notes"]
        assert recipes.read_recipe(page["file"]).model == "video/lights"
    finally:
        close(song)


@pytest.fixture
def live(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveBoard]:
    for name, value in (("STEPS", 2), ("CLIP_FRAMES", 4)):
        monkeypatch.setattr(f"models.live.clip_stream.{name}", value)
    monkeypatch.setattr(LoadMonitor, "govern", lambda *_: 0)  # a busy machine would take the pictures away
    for spec in (debug_music_spec(shelf.folder), debug_video_spec()):
        shelf.registry.add(spec)
    shelf.registry._specs.pop("video/lights")
    board = LiveBoard(shelf.registry, most=1, silent_for_s=600)
    yield board
    board.close(PAGE, keep=False)
    wait_for(lambda: board.people()["threads"] == 0, PATIENCE_S)


def told(heard: list[bytes]) -> list[dict[str, Any]]:
    """Return what the page was told of the pictures, so far."""
    news = [load for _, _, load in messages.unpack(b"".join(each for each in heard if each[:1] == b"J"))]
    return [each["pictures"] for each in news if each.get("pictures")]


@pytest.mark.parametrize("kind", ["wan", "ltx"])
def test_live(shelf: Shelf, live: LiveBoard, kind: str) -> None:
    key = shelf.put(kind)
    heard: list[bytes] = []
    shelf.hub.gate.clear()
    live.open(PAGE, "music", LIVE | {"model": key}, heard.append)
    try:
        wait_for(lambda: any("is downloading" in each["says"] for each in told(heard)), PATIENCE_S)
        wait_for(lambda: any(message[:1] == b"V" for message in heard), PATIENCE_S)  # the shipped model draws meanwhile
    finally:
        shelf.hub.gate.set()
    wait_for(lambda: any(each["clips"] for each in told(heard)), PATIENCE_S)
    title = shelf.registry.get(key).title
    assert f"of {title} shown in turn" in told(heard)[-1]["says"]
    before = len(heard)
    wait_for(lambda: sum(message[:1] == b"V" for message in heard[before:]) > 3, PATIENCE_S)
    live.control({"token": PAGE, "prompt": "the slow harbour"})
    wait_for(lambda: told(heard)[-1]["prompt"] == "the slow harbour" and told(heard)[-1]["morph"] == 1, PATIENCE_S)
    frames = live.session(PAGE).pictures.frames  # type: ignore[union-attr]
    assert isinstance(frames, ClipStream) and len(np.unique(frames.clip_generator.playlist._clips[-1].frames)) > 2


def test_live_says_beforehand_what_cannot_be(shelf: Shelf, live: LiveBoard) -> None:
    key, still = shelf.put("wan"), shelf.put("ltx-image")
    with pytest.raises(ValueError, match="sets a picture in motion"):
        live.open(PAGE, "music", LIVE | {"model": still}, lambda _: None)
    with pytest.raises(ValueError, match="makes no pictures"):
        live.open(PAGE, "music", LIVE | {"model": "music/debug"}, lambda _: None)
    shelf.registry.memory_budget_mb = 100
    with pytest.raises(ModelError) as refused:
        live.open(PAGE, "music", LIVE | {"model": key}, lambda _: None)
    assert str(refused.value) == shelf.registry.find_obstacle(key)
    assert shelf.registry.state(key) == "absent" and live.people()["playing"] == 0


@pytest.mark.parametrize("kind", ["vgg16", "vgg19"])
def test_style(shelf: Shelf, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.style.gatys.GatysStyle.__init__.__defaults__", ("cpu", (8, 4)))
    key = shelf.put(kind)
    clip = make_clip(shelf.folder / "in.mp4")
    fields = {"content": str(clip), "style": "glass", "clip_size": 128}
    page, said = merged(VideoStyleActions(shelf.registry).run_program(key, fields, str(shelf.folder)))
    assert "Downloading" in said and "10 frames painted" in page["status"], page["status"]
    assert recipes.read_recipe(page["file"]).model == key


@pytest.mark.parametrize("kind", ["speecht5-vc", "musicgen-melody"])
def test_sound_style(shelf: Shelf, kind: str) -> None:
    vocoder = SPEECHT5_VOCODER
    shelf.hub.add_repo(vocoder.repo_id, tiny("speecht5-vocoder"), tags=(vocoder.revision,))
    key = shelf.put(kind)
    sound = click_song(shelf.folder / "in.wav", 2.0)
    actions = AudioStyleActions(shelf.registry)
    fields = {"content": str(sound), "style": "first", "style_file": None, "strength": 0.5, "seed": 4}
    if kind == "musicgen-melody":
        page, said = merged(actions.run("s", key, fields))
        assert "takes the style in words" in page["status"] and "Downloading" not in said
    page, said = merged(actions.run_program(key, fields | {"words": "slow music"}, str(shelf.folder)))
    assert "Downloading" in said and "Restyling" in said and "s of sound" in page["status"], page["status"]
    recipe = recipes.read_recipe(page["file"])
    assert (recipe.model, recipe.seed, recipe.settings["words"]) == (key, 4, "slow music")
    assert actions.load_settings(page["file"])[0]["seed"] == 4
    assert "strength" in page["notes"] and "Loaded and ready" in page["card"]
    assert ("offers" in page) == (kind == "speecht5-vc")


def test_a_token_opens_a_private_repository_and_appears_nowhere(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    caplog.set_level(logging.DEBUG)
    key = shelf.put("vits", token=TOKEN)
    actions = SpeechActions(shelf.registry)
    page, said = merged(actions.run("s", key, {"text": "Hello the sea.", "voice": None}))
    assert "s of speech" in page["status"]
    seen = [str(page), said, caplog.text, repr(shelf.registry.get(key)), page["bytes"].decode("latin-1")]
    seen += [path.read_text("latin-1") for path in shelf.folder.rglob("*") if path.is_file()]
    assert len(seen) > 8 and not any(TOKEN in text for text in seen)
    shelf.registry.delete(key)
    monkeypatch.delenv("HF_TOKEN")
    refused, _ = merged(actions.run("s", key, {"text": "Hello.", "voice": None}))
    assert "problem" in refused["status"] and "not on the Hub" in refused["status"]


def test_a_failing_model_leaves_the_others_at_work(shelf: Shelf) -> None:
    good = shelf.put("vits")
    bad = shelf.put("vits-speakers")
    shelf.hub.fault = Fault(status=503)
    actions = SpeechActions(shelf.registry)
    page, _ = merged(actions.run("s", bad, {"text": "Hello.", "voice": None}))
    assert "problem" in page["status"] and "Traceback" not in page["status"]
    shelf.hub.fault = None
    assert "s of speech" in merged(actions.run("s", good, {"text": "Hello.", "voice": None}))[0]["status"]
