"""The catalogue entry of a repository: its key, licence, memory, voices and files; no library of models is needed."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path
from typing import Any

import pytest

from models.contracts import Task, Voice
from models.errors import ModelError
from models.hub import describe as describe_module
from models.hub.describe import (
    MAX_CARD_BYTES,
    allows_commercial_use,
    describe,
    estimate_memory_mb,
    list_files,
    make_key,
    parse_repo_id,
    parse_voices,
)
from models.hub.detect import DetectedModel
from models.hub.download import Hub, HubFile
from models.hub.formats import (
    BY_NAME,
    FORMATS,
    SPEECHT5_VOCODER,
    find_sampler_defaults,
    list_format_names,
    needs_picture,
    takes_words,
)
from models.hub.listing import Repository
from models.hub.spec import Bundled, ModelSpec, Snapshot
from models.registry.catalog import CATALOG
from tests.hub_server import HubServer

WEIGHTS = b"w" * 500_000
VITS = {"config.json": b'{"model_type": "vits"}', "model.safetensors": WEIGHTS}
SPEECHT5 = {"config.json": b'{"model_type": "speecht5"}', "model.safetensors": WEIGHTS}
CARD: dict[str, Any] = {"kind": "speech/tacotron2", "files": ["model.safetensors"]}


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(describe_module, "has_gpu", lambda: False)


def entry(hub: HubServer, cache: Path, files: dict[str, bytes], page: dict[str, object] | None = None) -> ModelSpec:
    hub.add_repo("Owner/Some Name".replace(" ", "_"), files, page=page)
    return describe("Owner/Some_Name", cache_dir=cache, endpoint=hub.url)


def test_an_entry_of_a_foreign_model(hub_server: HubServer, tmp_path: Path) -> None:
    page: dict[str, object] = {"cardData": {"license": "mit", "language": ["en"]}}
    spec = entry(hub_server, tmp_path, VITS, page)
    kind = BY_NAME["vits"]
    assert (spec.key, spec.task, spec.title) == ("speech/owner--some_name", Task.SPEECH, "Owner/Some_Name")
    assert (spec.summary, spec.loader, spec.backend) == (kind.summary, kind.loader, "VitsModel")
    assert (spec.licence, spec.commercial_use, spec.languages) == ("mit", True, ("en",))
    assert spec.credit == "huggingface.co/Owner/Some_Name"
    assert (spec.memory_mb, spec.needs_gpu, spec.added, spec.voices) == (301, False, True, ())
    assert spec.speed.startswith("1 MB to download")
    assert [len(hub.files) for hub in spec.hubs] == [2]
    unnamed = entry(hub_server, tmp_path, VITS)
    assert (unnamed.licence, unnamed.commercial_use) == ("not named on its page", False)


def test_an_entry_of_native_weights_is_what_its_card_says(hub_server: HubServer, tmp_path: Path) -> None:
    card = CARD | {"title": "Mine", "summary": "A voice.", "licence": "CC0-1.0", "credit": "me"}
    card["voices"] = [{"key": "a", "title": "A", "licence": "CC0-1.0"}]
    files = {"auralume.json": json.dumps(card).encode(), "model.safetensors": WEIGHTS}
    spec = entry(hub_server, tmp_path, files, {"cardData": {"license": "mit"}})
    assert (spec.title, spec.summary, spec.licence, spec.credit) == ("Mine", "A voice.", "CC0-1.0", "me")
    assert spec.voices == (Voice("a", "A", "CC0-1.0"),) and spec.is_native and spec.commercial_use
    plain = entry(hub_server, tmp_path, {**files, "auralume.json": json.dumps(CARD).encode()})
    assert plain.title == "Owner/Some_Name" and plain.summary == BY_NAME["speech/tacotron2"].summary


def test_a_companion_is_brought_along(hub_server: HubServer, tmp_path: Path) -> None:
    vocoder = {"config.json": b"{}", "model.safetensors": WEIGHTS, "README.md": b"hello"}
    commit = hub_server.add_repo(SPEECHT5_VOCODER.repo_id, vocoder, tags=(SPEECHT5_VOCODER.revision,))
    spec = entry(hub_server, tmp_path, SPEECHT5)
    assert [hub.repo_id for hub in spec.hubs] == ["Owner/Some_Name", SPEECHT5_VOCODER.repo_id]
    assert spec.hubs[1].revision == commit
    assert {file.path for file in spec.hubs[1].files} == {"config.json", "model.safetensors"}
    del vocoder["config.json"]
    hub_server.add_repo(SPEECHT5_VOCODER.repo_id, vocoder, tags=(SPEECHT5_VOCODER.revision,))
    with pytest.raises(ModelError, match="which speecht5 needs, is not complete"):
        entry(hub_server, tmp_path, SPEECHT5)


@pytest.mark.parametrize(
    ("config", "says"),
    [(b"[1]", "is no configuration"), (b"{", "is damaged"), (b"\xff\xfe", "is damaged")],
)
def test_a_configuration_that_is_none(hub_server: HubServer, tmp_path: Path, config: bytes, says: str) -> None:
    with pytest.raises(ModelError, match=rf"config\.json of Owner/Some_Name {says}") as caught:
        entry(hub_server, tmp_path, VITS | {"config.json": config})
    assert caught.value.kind == "format"


def test_a_configuration_is_small(hub_server: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(describe_module, "MAX_CARD_BYTES", len(VITS["config.json"]))
    assert entry(hub_server, tmp_path, VITS).title
    with pytest.raises(ModelError, match="too large to be a configuration"):
        entry(hub_server, tmp_path, VITS | {"config.json": VITS["config.json"] + b" "})
    assert MAX_CARD_BYTES == 4 * 2**20


def test_only_snapshots_are_listed(hub_server: HubServer, tmp_path: Path) -> None:
    commit = hub_server.add_repo("owner/name", VITS)
    described = describe("owner/name", cache_dir=tmp_path, endpoint=hub_server.url)
    bundled = Bundled(("more.bin",))
    spec = replace(described, sources=(bundled, Snapshot("owner/name", commit, 1.0), *described.hubs))
    listed = list_files(spec, cache_dir=tmp_path, endpoint=hub_server.url)
    assert listed == replace(spec, sources=(bundled, *described.hubs, *described.hubs))
    assert isinstance(listed.sources[1], Hub) and listed.snapshots == ()
    for changes in ({"task": Task.MUSIC, "key": "music/a"}, {"loader": "models.other:load"}):
        with pytest.raises(ModelError, match="another model than the catalogue says") as caught:
            list_files(replace(spec, **changes), cache_dir=tmp_path, endpoint=hub_server.url)  # type: ignore[arg-type]
        assert caught.value.kind == "format"


@pytest.mark.parametrize("prefix", ["", "https://huggingface.co/", "http://www.huggingface.co/", "hf.co/", " "])
@pytest.mark.parametrize("rest", ["", "/", "/tree/main", " "])
def test_an_id_is_found_in_an_address(prefix: str, rest: str) -> None:
    assert parse_repo_id(f"{prefix}owner/Name.x{rest}") == "owner/Name.x"


def test_other_addresses_are_no_ids() -> None:
    assert parse_repo_id("https://example.com/a/b") == "https:/"
    assert parse_repo_id("name") == "name"


def test_a_key_has_small_letters() -> None:
    assert make_key(Task.SYNC, "Owner-1/A_b.C+d") == "video_sync/owner-1--a_b.c-d"


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("MIT", True),
        ("Apache-2.0", True),
        ("bsd-3-clause", True),
        ("cc-by-4.0", True),
        ("cc-by-sa-4.0", True),
        ("openrail++", True),
        ("CC-BY-NC-4.0", False),
        ("cc-by-4.0-nc", False),
        ("other", False),
        ("not mit", False),
        ("", False),
    ],
)
def test_commerce_is_allowed_where_the_licence_is_known_to(licence: str, allowed: bool) -> None:
    assert allows_commercial_use(licence) == allowed


@pytest.mark.parametrize(("gpu", "half", "mb"), [(False, False, 1450), (False, True, 2600), (True, True, 1450)])
def test_memory_is_that_of_the_precision_in_use(
    monkeypatch: pytest.MonkeyPatch, gpu: bool, half: bool, mb: int
) -> None:
    monkeypatch.setattr(describe_module, "has_gpu", lambda: gpu)
    assert estimate_memory_mb(DetectedModel(BY_NAME["vits"], (), 1000.0, half, {})) == mb


def test_large_weights_need_a_gpu(hub_server: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    smaller = {**BY_NAME, "vits": replace(BY_NAME["vits"], cpu_limit_mb=0.5)}
    monkeypatch.setattr("models.hub.detect.BY_NAME", smaller)
    assert not entry(hub_server, tmp_path, VITS).needs_gpu
    assert entry(hub_server, tmp_path, VITS | {"model.safetensors": WEIGHTS + b"w"}).needs_gpu
    assert BY_NAME["vits"].cpu_limit_mb == 3_000


def test_voices_of_a_card() -> None:
    voice = {"key": "a", "title": "A", "licence": "MIT"}
    assert parse_voices({}) == ()
    assert parse_voices({"voices": [voice, voice | {"key": "b", "credit": "me"}]}) == (
        Voice("a", "A", "MIT"),
        Voice("b", "A", "MIT", "me"),
    )
    for wrong in ([voice, voice], [{"key": "a"}], [voice | {"title": 1}], [voice | {"other": ""}], 3, [3], None):
        with pytest.raises(ModelError, match=r"voices in auralume\.json") as caught:
            parse_voices({"voices": wrong})
        assert caught.value.kind == "format"


@pytest.mark.parametrize(
    "fact",
    [
        HubFile("a", 1),
        Hub("a/b", "0" * 40, (HubFile("a", 1),)),
        Snapshot("a/b", "0" * 40, 1.0),
        Bundled(("a",)),
        Repository("a/b", "0" * 40, ()),
        DetectedModel(BY_NAME["vits"], (), 1.0, False, {}),
        BY_NAME["vits"],
        SPEECHT5_VOCODER,
        next(iter(CATALOG)),
    ],
    ids=lambda fact: type(fact).__name__,
)
def test_facts_do_not_change(fact: Any) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(fact, fields(fact)[0].name, "other")


def test_what_is_known_of_kinds() -> None:
    assert len(BY_NAME) == len(FORMATS)
    assert find_sampler_defaults("WanPipeline") == (50, 5.0) and find_sampler_defaults("MochiPipeline") == (64, 4.5)
    assert find_sampler_defaults("VitsModel") is None and find_sampler_defaults("StableAudioPipeline") is None
    assert needs_picture("WanImageToVideoPipeline") and not needs_picture("WanPipeline")
    assert takes_words("MusicgenMelodyForConditionalGeneration") and not takes_words("VitsModel")
    assert list_format_names(Task.STYLE_VIDEO) == "vgg19, vgg16, style_video/adain"
    everything = list_format_names().split(", ")
    assert everything == [each.name for each in FORMATS] and "vits" in everything and len(everything) == len(FORMATS)


@pytest.mark.parametrize("each", FORMATS, ids=lambda each: each.name)
def test_every_kind_is_whole(each: Any) -> None:
    assert each.library in ("transformers", "diffusers", "onnx", "vgg", "auralume")
    assert bool(each.backend) == (each.library in ("transformers", "diffusers"))
    assert (each.steps > 0) == (each.task == Task.VIDEO and each.library == "diffusers")
    assert each.loader.endswith(":load")
