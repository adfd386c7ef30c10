"""The recipes of CONTRIBUTING.md, followed on toy entries: what the page promises is what happens."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from starlette.applications import Starlette
from starlette.testclient import TestClient

from docs import make_tables
from models.backends import music, speakers, video
from models.backends.library import import_library, open_pretrained
from models.contracts import SpeechRequest, Task, VideoRequest, Voice
from models.errors import ModelError
from models.hub import formats
from models.hub.describe import describe
from models.hub.spec import Bundled, ModelSpec
from models.registry import hub_catalog
from models.registry.catalog import CATALOG
from models.registry.registry import WEIGHTS_DIR, Registry
from studio.app import build_studio
from studio.speech import openai_route
from tests.hub_server import HubServer
from tests.tiny_models import tiny

ROOT = Path(__file__).resolve().parent.parent
SHIPPED_VOICE = next(spec for spec in CATALOG if spec.key == "speech/tacotron2")


def find_component(page: gr.Blocks, elem_id: str) -> Any:
    """Return the component of a page that has this id."""
    return next(block for block in page.blocks.values() if getattr(block, "elem_id", None) == elem_id)


def offered(page: gr.Blocks, elem_id: str) -> list[str]:
    """Return the values that a menu of the page offers."""
    return [value for _, value in find_component(page, elem_id).choices]


def count_samples(model: Any, **asked: Any) -> int:
    """Let a voice speak, and return how long its sound is."""
    request = SpeechRequest("Hello the boat.", **({"seed": 3} | asked))
    return sum(len(chunk.samples) for chunk in model.stream(request))


def test_the_page_names_files_and_lists_that_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:studio|models|training|benchmarks|tests|docs)/[\w./]*\w)`", text)
    assert len(named) > 15
    assert [name for name in named if not (ROOT / name).exists()] == []
    recipes = re.findall(r"^## Add (.+)$", text, re.MULTILINE)
    assert recipes[:3] == ["a model of the Hub", "a kind of model", "a voice"]


@pytest.mark.slow
def test_a_model_of_the_hub_is_one_entry(hub_server: HubServer, tmp_path: Path) -> None:
    commit = hub_server.add_repo("toy/voice", tiny("vits"))
    entry = hub_catalog._entry(
        "toy", "Toy voice", "vits", "toy/voice", commit, 1, 400, "MIT", "A toy for tests.", credit="Nobody"
    )
    registry = Registry((*CATALOG, entry), cache_dir=tmp_path, endpoint=hub_server.url)
    page = build_studio(registry)
    assert entry.key == "speech/toy"
    assert "speech/toy" in offered(page, "speech-model") and "speech/toy" in offered(page, "shelf-model")
    assert not hub_server.requests  # nothing is asked before it is picked
    assert count_samples(registry.load("speech/toy")) > 1000
    assert registry.state("speech/toy") == "ready"


def test_every_kind_has_its_adapters_entry() -> None:
    """What the recipe for a new kind asks for is there for those that are known."""
    wanted: dict[str, Sequence[str]] = {
        formats.SPEECH_LOADER: list(speakers.SPEAKERS),
        formats.VIDEO_LOADER: list(video.PIPELINES),
        formats.MUSIC_LOADER: [*music.PIPELINES, "musicgen"],
    }
    for loader, names in wanted.items():
        assert [each.name for each in formats.FORMATS if each.loader == loader and each.name not in names] == []


@pytest.fixture
def add_kind(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Add an entry to the kinds, for one test."""

    def add(entry: formats.Format) -> None:
        monkeypatch.setattr(formats, "FORMATS", (*formats.FORMATS, entry))
        monkeypatch.setattr(make_tables, "FORMATS", formats.FORMATS)
        monkeypatch.setitem(formats.BY_NAME, entry.name, entry)

    yield add


class _ToyVoice:
    """Stands for a class of transformers."""

    @classmethod
    def from_pretrained(cls, folder: str, **options: Any) -> _ToyVoice:
        assert options["local_files_only"] and json.loads((Path(folder) / "config.json").read_text())
        return cls()

    def parameters(self) -> list[torch.Tensor]:
        return [torch.zeros(3)]


class _ToySpeaker:
    """The class that the recipe asks for: it says one sentence."""

    controls: tuple[str, ...] = ()
    voices: tuple[Voice, ...] = ()
    sample_rate = 16_000

    def __init__(self, made: Any, folder: Path, place: Any) -> None:
        self.model = open_pretrained(made, folder)

    def say(self, sentence: str, request: SpeechRequest, check: Any) -> speakers.SpokenSentence:
        check()
        return speakers.SpokenSentence(np.full(100 * len(sentence), 0.1, np.float32), speakers.NO_ALIGNMENT)


def test_a_kind_of_voice_is_an_entry_and_a_class(
    hub_server: HubServer, tmp_path: Path, add_kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"config.json": b'{"model_type": "toy"}', "model.safetensors": tiny("vits")["model.safetensors"]}
    hub_server.add_repo("toy/toy", files)
    with pytest.raises(ModelError, match="toy, which the studio cannot run"):
        describe("toy/toy", cache_dir=tmp_path, endpoint=hub_server.url)

    add_kind(formats._speech("toy", "ToyVoice", "A toy for tests."))
    monkeypatch.setitem(speakers.SPEAKERS, "toy", _ToySpeaker)
    monkeypatch.setattr(import_library("transformers"), "ToyVoice", _ToyVoice, raising=False)
    registry = Registry(CATALOG, cache_dir=tmp_path, endpoint=hub_server.url)
    spec = describe("toy/toy", cache_dir=tmp_path, endpoint=hub_server.url)
    registry.add(spec)
    assert count_samples(registry.load(spec.key)) == 100 * len("Hello the boat.")
    assert "| speech | `toy` | transformers | A toy for tests. |" in make_tables.make_formats_table()


@pytest.mark.slow
def test_a_kind_of_video_is_two_entries(
    hub_server: HubServer, tmp_path: Path, add_kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    diffusers = import_library("diffusers")
    files = tiny("wan")
    files["model_index.json"] = files["model_index.json"].replace(b'"WanPipeline"', b'"ToyPipeline"')
    hub_server.add_repo("toy/film", files)
    add_kind(formats._video("ToyPipeline", "A toy for tests.", 2.0))
    defaults = video.VideoPipelineDefaults(32, 32, 8, 9)
    monkeypatch.setitem(video.PIPELINES, "ToyPipeline", defaults)
    toy = type("ToyPipeline", (diffusers.WanPipeline,), {})
    monkeypatch.setattr(diffusers, "ToyPipeline", toy, raising=False)
    registry = Registry(CATALOG, cache_dir=tmp_path, endpoint=hub_server.url)
    spec = describe("toy/film", cache_dir=tmp_path, endpoint=hub_server.url)
    registry.add(spec)
    request = VideoRequest(prompt="the sea", frames=8, steps=1, seed=1)
    frames = [len(chunk.frames) for chunk in registry.load(spec.key).stream(request)]
    assert sum(frames) == defaults.fit_frames(1.0)


@pytest.fixture(scope="module")
def weights_with_toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the shipped weights of speech with one more voice, as an export of the recipe would write them."""
    folder = tmp_path_factory.mktemp("weights")
    source = SHIPPED_VOICE.sources[0]
    assert isinstance(source, Bundled)
    acoustic, vocoder = source.files
    with safe_open(WEIGHTS_DIR / acoustic, "pt") as file:
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dictionary)
        metadata = dict(file.metadata())
    table = weights["conditioner.voices.weight"]
    weights["conditioner.voices.weight"] = torch.cat([table, table.mean(0, keepdim=True)])
    config = json.loads(metadata["config"])
    config["voices"] = [*config["voices"], "toy"]
    save_file(weights, folder / acoustic, metadata | {"config": json.dumps(config)})
    (folder / vocoder).write_bytes((WEIGHTS_DIR / vocoder).read_bytes())
    return folder


def with_toy_voice() -> ModelSpec:
    """Return the shipped entry with the one line that the recipe asks for."""
    return replace(SHIPPED_VOICE, voices=(*SHIPPED_VOICE.voices, Voice("toy", "Toy", "MIT", "Nobody")))


def test_a_voice_is_one_line_beside_its_weights(weights_with_toy: Path, tmp_path: Path) -> None:
    registry = Registry((with_toy_voice(),), cache_dir=tmp_path, weights_dir=weights_with_toy)
    page = build_studio(registry)
    assert offered(page, "speech-voice") == ["heart", "emma", "michael", "fable", "toy"]
    with TestClient(Starlette(routes=openai_route.routes(registry))) as client:
        listed = client.get("/v1/models").json()["data"]
    assert listed[0]["voices"][-1] == "toy"
    model = registry.load(registry.default(Task.SPEECH).key)  # type: ignore[union-attr]
    assert count_samples(model, voice="toy") > 1000


def test_a_voice_that_the_weights_lack_is_named(tmp_path: Path) -> None:
    registry = Registry((with_toy_voice(),), cache_dir=tmp_path)
    with pytest.raises(ModelError, match="no voice toy"):
        registry.load(SHIPPED_VOICE.key)
