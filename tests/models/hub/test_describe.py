"""Any repository of a supported kind, by its id: pinned, refused with a reason, and kept over restarts."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.backends.library import import_backend, import_library
from models.backends.native_weights import describe_folder
from models.contracts import SpeechRequest
from models.errors import ModelError
from models.hub.describe import allows_commercial_use, describe, parse_repo_id
from models.hub.download import Hub, HubFile
from models.hub.formats import FORMATS
from models.hub.spec import ModelSpec, Snapshot
from models.registry import store
from models.registry.hub_catalog import HUB_CATALOG
from models.registry.registry import Registry
from tests.hub_server import Fault, HubServer
from tests.tiny_models import tiny
from training.pack import main, pack_weights

WEIGHTS = Path(__file__).resolve().parents[3] / "models" / "weights"
Load = Callable[..., Any]
VOICE = ("key", "title", "licence")


def asked(hub: HubServer, folder: Path, repo_id: str = "tiny/model", revision: str = "main") -> ModelSpec:
    return describe(repo_id, revision, cache_dir=folder, endpoint=hub.url)


def refusal(hub: HubServer, folder: Path, files: dict[str, bytes], **more: Any) -> ModelError:
    hub.add_repo("tiny/model", files, **more)
    with pytest.raises(ModelError) as caught:
        asked(hub, folder)
    return caught.value


def test_a_branch_is_pinned_to_the_commit_that_it_names_now(hub: HubServer, tmp_path: Path) -> None:
    first = hub.add_repo("tiny/model", tiny("vits"))
    spec = asked(hub, tmp_path)
    assert spec.hubs[0].revision == first and spec.added and spec.task == "speech"
    assert {file.path for file in spec.hubs[0].files} >= {"config.json", "model.safetensors", "vocab.json"}
    hub.add_repo("tiny/model", tiny("vits") | {"new.txt": b"later"})
    assert asked(hub, tmp_path).hubs[0].revision != first
    assert asked(hub, tmp_path, "https://huggingface.co/tiny/model/tree/main").key == spec.key


def test_half_and_foreign_repositories_are_refused(hub: HubServer, tmp_path: Path) -> None:
    whole = tiny("vits")
    assert "missing" in str(refusal(hub, tmp_path, {k: v for k, v in whole.items() if k != "model.safetensors"}))
    assert "neither" in str(refusal(hub, tmp_path, {"README.md": b"hello"}))
    assert "cannot run" in str(refusal(hub, tmp_path, {"config.json": b'{"model_type": "bert"}'}))
    assert "damaged" in str(refusal(hub, tmp_path, {"config.json": b"{"}))
    wan = tiny("wan")
    without = {path: content for path, content in wan.items() if not path.startswith("vae/")}
    assert "vae/" in str(refusal(hub, tmp_path, without))
    shards = {f"model-0000{n}-of-00003.safetensors": b"x" for n in (1, 3)}
    error = refusal(hub, tmp_path, {"config.json": b'{"model_type": "vits"}', **shards})
    assert "1 of 3 parts" in str(error)


def test_weights_that_could_run_programs_are_refused(hub: HubServer, tmp_path: Path) -> None:
    files = {path: content for path, content in tiny("vits").items() if not path.endswith(".safetensors")}
    error = refusal(hub, tmp_path, files | {"pytorch_model.bin": b"pickle"})
    assert error.kind == "unsafe" and "safetensors" in str(error) and "refs/pr/" in str(error)


def test_code_of_a_repository_is_refused_and_never_downloaded(hub: HubServer, tmp_path: Path) -> None:
    config = json.loads(tiny("vits")["config.json"]) | {"auto_map": {"AutoModel": "evil.Model"}}
    error = refusal(hub, tmp_path, tiny("vits") | {"config.json": json.dumps(config).encode(), "evil.py": b"boom"})
    assert error.kind == "unsafe" and "program code" in str(error)
    index = json.loads(tiny("wan")["model_index.json"])
    own = {**index, "_class_name": ["pipeline", "Own"]}
    assert refusal(hub, tmp_path, tiny("wan") | {"model_index.json": json.dumps(own).encode()}).kind == "unsafe"
    part = {**index, "transformer": ["mine", "Mine"]}
    files = tiny("wan") | {"model_index.json": json.dumps(part).encode(), "transformer/mine.py": b"boom"}
    assert refusal(hub, tmp_path, files).kind == "unsafe"
    assert hub.count("GET", ".py") == 0


def test_gated_private_and_absent_repositories_say_what_to_do(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    assert "not on the Hub" in str(refusal(hub, tmp_path, tiny("vits"), token="hf_secret"))
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    spec = asked(hub, tmp_path)
    assert spec.hubs and "hf_secret" not in repr(spec)
    hub.fault = Fault(status=403, error_code="GatedRepo")
    with pytest.raises(ModelError, match="accept its conditions") as caught:
        asked(hub, tmp_path)
    assert caught.value.kind == "gated" and "hf_secret" not in str(caught.value)
    hub.fault = None
    with pytest.raises(ModelError, match="not the id"):
        asked(hub, tmp_path, "no slash")
    with pytest.raises(ModelError, match="not on the Hub"):
        asked(hub, tmp_path, "nobody/nothing")
    with pytest.raises(ModelError):
        asked(hub, tmp_path, revision="no-such-branch")
    with pytest.raises(ModelError, match="cannot be reached"):
        describe("tiny/model", cache_dir=tmp_path, endpoint="http://127.0.0.1:9")


def test_too_little_memory_is_told_before_anything_is_downloaded(hub: HubServer, tmp_path: Path) -> None:
    hub.add_repo("tiny/model", tiny("vits"))
    spec = asked(hub, tmp_path)
    registry = Registry((spec,), cache_dir=tmp_path, endpoint=hub.url, memory_budget_mb=10)
    hub.requests.clear()
    assert "needs" in registry.find_obstacle(spec.key)
    with pytest.raises(ModelError, match="memory"):
        registry.load(spec.key)
    assert hub.requests == []


def test_a_full_disk_is_a_sentence(hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.add_repo("tiny/model", tiny("vits"))
    registry = Registry((asked(hub, tmp_path),), cache_dir=tmp_path, endpoint=hub.url, memory_budget_mb=4_000)
    full = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("models.hub.download.shutil.disk_usage", lambda _folder: full)
    with pytest.raises(ModelError, match="disk space"):
        registry.download("speech/tiny--model")


@pytest.mark.slow
def test_damaged_weights_are_a_sentence_and_verify_finds_them(load: Load, registry: Registry) -> None:
    load("vits")
    key = "speech/tiny--vits"
    assert registry.verify(key) == ()
    registry.free(key)
    (weights,) = Path(str(registry.cache_dir)).rglob("snapshots/*/model.safetensors")
    weights.resolve().write_bytes(b"x" * weights.stat().st_size)
    assert registry.verify(key) == ("model.safetensors",)
    assert registry.state(key) == "absent"
    registry.load(key)
    assert registry.state(key) == "ready"


def test_weights_that_are_no_safetensors_are_a_sentence(hub: HubServer, registry: Registry) -> None:
    hub.add_repo("tiny/broken", tiny("vits") | {"model.safetensors": b"no weights at all" * 100})
    spec = asked(hub, Path(str(registry.cache_dir)), "tiny/broken")
    registry.add(spec)
    with pytest.raises(ModelError) as caught:
        registry.load(spec.key)
    assert caught.value.kind == "weights" and "Traceback" not in str(caught.value)


@pytest.mark.slow
def test_what_was_added_comes_back_and_can_be_taken_off(hub: HubServer, tmp_path: Path) -> None:
    hub.add_repo("tiny/model", tiny("vits"))
    registry = store.open_registry((), cache_dir=tmp_path, endpoint=hub.url, memory_budget_mb=4_000)
    spec = asked(hub, tmp_path)
    registry.add(spec)
    registry.download(spec.key)
    again = store.open_registry((), cache_dir=tmp_path, endpoint=hub.url, memory_budget_mb=4_000)
    assert again.specs() == (spec,) and again.state(spec.key) == "here"
    again.remove(spec.key)
    assert not list(tmp_path.rglob("model.safetensors"))
    assert store.open_registry((), cache_dir=tmp_path).specs() == ()
    (tmp_path / store.FOLDER / store.FILE).write_text("{damaged")
    assert store.open_registry((), cache_dir=tmp_path).specs() == ()


@pytest.mark.slow
def test_the_catalogues_snapshot_is_listed_once_and_kept(hub: HubServer, tmp_path: Path) -> None:
    commit = hub.add_repo("facebook/mms-tts-eng", tiny("vits"))
    catalogued = next(spec for spec in HUB_CATALOG if spec.key == "speech/mms-eng")
    values = {name: getattr(catalogued, name) for name in ModelSpec.__dataclass_fields__}
    spec = ModelSpec(**(values | {"sources": (Snapshot("facebook/mms-tts-eng", commit, 145),)}))
    registry = store.open_registry((spec,), cache_dir=tmp_path, endpoint=hub.url, memory_budget_mb=4_000)
    assert registry.state(spec.key) == "absent" and registry.get(spec.key).download_mb == 145
    chunks = list(registry.load(spec.key).stream(SpeechRequest(text="hello")))
    assert chunks[-1].last and registry.get(spec.key).download_mb < 1
    hub.requests.clear()
    again = store.open_registry((spec,), cache_dir=tmp_path, endpoint=hub.url, memory_budget_mb=4_000)
    assert again.state(spec.key) == "here"
    again.load(spec.key)
    assert hub.requests == []


@pytest.mark.slow
def test_what_is_noted_of_a_catalogued_model_is_its_files_alone(tmp_path: Path) -> None:
    catalogued = next(spec for spec in HUB_CATALOG if spec.key == "speech/mms-eng")
    (snapshot,) = catalogued.snapshots
    listing = Hub(snapshot.repo_id, snapshot.revision, (HubFile("model.safetensors", 10, "0" * 64),))
    registry = store.open_registry((catalogued,), cache_dir=tmp_path)
    registry.add(replace(catalogued, sources=(listing,)))
    corrected = replace(catalogued, licence="another", memory_mb=catalogued.memory_mb + 100)
    again = store.open_registry((corrected,), cache_dir=tmp_path).get(catalogued.key)
    assert again == replace(corrected, sources=(listing,))


@pytest.mark.slow
@pytest.mark.parametrize(
    "voices",
    [[{"key": "a"}], ["a"], 3, [{"key": "a", "title": ["A"], "licence": "MIT"}], 2 * [dict.fromkeys(VOICE, "a")]],
    ids=["half", "no fields", "a number", "no text", "twice"],
)
def test_voices_of_a_card_that_are_none_are_a_sentence(hub: HubServer, tmp_path: Path, voices: Any) -> None:
    out = tmp_path / "voice"
    pack_weights("speech/tacotron2", WEIGHTS, out, title="Mine", licence="MIT")
    card = json.loads((out / "auralume.json").read_text()) | {"voices": voices}
    (out / "auralume.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match="voices") as caught:
        describe_folder(out)
    assert caught.value.kind == "format"
    error = refusal(hub, tmp_path / "cache", {path.name: path.read_bytes() for path in out.iterdir()})
    assert error.kind == "format" and "voices" in str(error)


@pytest.mark.slow
def test_a_recipes_weights_are_packed_and_load_from_a_folder_and_from_the_hub(hub: HubServer, tmp_path: Path) -> None:
    out = tmp_path / "My Voice"
    command = ["speech/tacotron2", "--weights", str(WEIGHTS), "--out", str(out), "--title", "Mine", "--licence", "MIT"]
    assert main(command) == 0
    card = (out / "README.md").read_text()
    assert card.startswith("---\nlicense: mit") and "speech_vocoder.safetensors" in card and "text-to-speech" in card
    spec = describe_folder(out)
    assert spec.key == "speech/own--my-voice" and spec.voices[0].key == "heart"
    registry = Registry((spec,), memory_budget_mb=4_000, cache_dir=tmp_path / "cache", endpoint=hub.url)
    assert sum(c.samples.size for c in registry.load(spec.key).stream(SpeechRequest(text="Hi."))) > 1000
    registry.remove(spec.key)
    assert (out / "auralume.json").is_file(), "a person's own folder is left alone"
    hub.add_repo("me/voice", {path.name: path.read_bytes() for path in out.iterdir()})
    from_hub = describe("me/voice", cache_dir=registry.cache_dir, endpoint=hub.url)
    registry.add(from_hub)
    assert from_hub.licence == "MIT" and from_hub.commercial_use
    assert sum(c.samples.size for c in registry.load(from_hub.key).stream(SpeechRequest(text="Hi."))) > 1000


def test_packing_and_opening_say_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelError, match=r"style_picture.safetensors"):
        pack_weights("style_video/adain", tmp_path, tmp_path / "out", title="x", licence="MIT")
    arguments = ["--weights", str(tmp_path), "--out", str(tmp_path / "o"), "--title", "t", "--licence", "l"]
    assert main(["video/unet3d", *arguments]) == 1
    assert "lacks" in capsys.readouterr().err
    with pytest.raises(ModelError, match=r"training.pack"):
        describe_folder(tmp_path)
    (tmp_path / "auralume.json").write_text('{"kind": "speech/other"}')
    with pytest.raises(ModelError, match="no known kind"):
        describe_folder(tmp_path)


@pytest.mark.parametrize("line", FORMATS, ids=lambda line: line.name)
def test_every_kind_has_its_class_in_the_installed_library_and_its_loader_here(line: Any) -> None:
    module, _, function = line.loader.partition(":")
    assert callable(getattr(importlib.import_module(module), function))
    if line.backend:
        assert import_backend(line).__name__ == line.backend
    assert line.summary.endswith(".")


@pytest.mark.parametrize("spec", HUB_CATALOG, ids=lambda spec: spec.key)
def test_every_hub_entry_is_complete(spec: ModelSpec) -> None:
    assert spec.licence and spec.credit and spec.hardware
    assert spec.memory_mb >= 0.5 * spec.download_mb
    assert spec.languages or spec.task.startswith("style")
    assert ("nc" in spec.licence.lower().split("-")) != spec.commercial_use or not spec.commercial_use
    for snapshot in spec.snapshots:
        assert len(snapshot.revision) == 40 and snapshot.size_mb > 100
    names = [line.backend for line in FORMATS if line.loader == spec.loader]
    assert spec.backend in names


def test_small_things() -> None:
    assert parse_repo_id(" https://huggingface.co/a/b/tree/main ") == "a/b" and parse_repo_id("a/b") == "a/b"
    assert (
        allows_commercial_use("apache-2.0")
        and not allows_commercial_use("cc-by-nc-4.0")
        and not allows_commercial_use("other")
    )
    assert import_library("transformers").__name__ == "transformers" and os.environ["TOKENIZERS_PARALLELISM"]
