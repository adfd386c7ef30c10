"""The catalogue: entries that a person can choose from, pinned and checked."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from models.contracts import Task, Voice
from models.hub.download import Hub, HubFile
from models.hub.spec import Bundled, ModelSpec
from models.registry.catalog import CATALOG
from models.registry.hub_catalog import HUB_CATALOG
from models.registry.registry import Registry

ROOT = Path(__file__).resolve().parents[3]


def entry(**changes: object) -> ModelSpec:
    values: dict[str, object] = {
        "key": "speech/test",
        "task": Task.SPEECH,
        "title": "Test",
        "summary": "A test.",
        "licence": "MIT",
        "commercial_use": True,
        "credit": "",
        "sources": (Bundled(("a",)),),
        "memory_mb": 1,
        "needs_gpu": False,
        "speed": "fast",
        "loader": "package.module:function",
    }
    return ModelSpec(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key", "speech"),
        ("task", "dance"),
        ("task", None),
        ("key", "music/test"),
        ("key", "speech/Ümlaut"),
        ("loader", "package.module"),
        ("loader", "package/module:function"),
        ("memory_mb", 0),
        ("sources", ()),
        ("voices", (Voice("a", "A", "MIT"), Voice("a", "B", "MIT"))),
    ],
)
def test_entry_names_its_wrong_field(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        entry(**{field: value})


def test_task_from_json_becomes_the_enum() -> None:
    assert entry(task="speech").task is Task.SPEECH


def test_download_size_is_the_sum_of_the_hub_files() -> None:
    hub = Hub("a/b", "0" * 40, (HubFile("x", 1_500_000), HubFile("y", 500_000)))
    assert entry().download_mb == 0
    assert entry(sources=(Bundled(("a",)), hub, hub)).download_mb == 4.0


def test_catalogue_makes_a_registry_and_every_task_has_a_model_that_ships() -> None:
    registry = Registry(CATALOG)
    assert registry.specs() == CATALOG
    for task in {spec.task for spec in CATALOG}:
        assert registry.require_default(task).download_mb == 0, "the first choice works with no network"


@pytest.mark.parametrize("spec", CATALOG, ids=lambda spec: spec.key)
def test_entry_tells_a_person_what_to_know(spec: ModelSpec) -> None:
    assert spec.title.strip()
    assert re.fullmatch(r"[A-Z].*\.", spec.summary), "one sentence"
    assert spec.licence.strip()
    assert spec.credit.strip()
    assert spec.speed.strip()
    assert spec.task != "speech" or spec.voices
    assert all(voice.title and voice.licence for voice in spec.voices)


@pytest.mark.parametrize("spec", HUB_CATALOG, ids=lambda spec: spec.key)
def test_hub_entry_names_where_its_facts_were_read_and_when(spec: ModelSpec) -> None:
    repositories = [each.repo_id for each in spec.hubs] + [each.repo_id for each in spec.snapshots]
    assert f"huggingface.co/{repositories[0]}" in spec.credit
    assert date.fromisoformat(spec.read_on) >= date(2026, 11, 25)


@pytest.mark.parametrize("hub", [hub for spec in CATALOG for hub in spec.hubs], ids=lambda hub: hub.repo_id)
def test_hub_entry_is_pinned_to_a_commit_and_its_weights_to_a_digest(hub: Hub) -> None:
    assert re.fullmatch(r"[0-9a-f]{40}", hub.revision)
    assert all(file.sha256 for file in hub.files if file.size_bytes > 10_000)


def test_catalogue_is_read_without_torch_huggingface_hub_or_onnxruntime() -> None:
    """The page is up before any of them is imported."""
    code = (
        "import sys; from models.registry.catalog import CATALOG; from models.registry.registry import Registry\n"
        "Registry(CATALOG)\n"
        "print([name for name in ('torch', 'huggingface_hub', 'safetensors', 'onnxruntime') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
