"""The store: models that were added and files that were listed come back, and damage does no harm."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.contracts import SpeechRequest, Task, Voice
from models.errors import ModelError
from models.hub.download import Hub, HubFile
from models.hub.spec import Bundled, ModelSpec, Snapshot
from models.registry.store import FILE, FOLDER, open_registry, parse_spec, read_specs
from tests.models.registry.counting_models import make_spec

COMMIT, OTHER_COMMIT = "0" * 40, "1" * 40
LISTING = Hub("owner/name", COMMIT, (HubFile("model.safetensors", 10, "a" * 64), HubFile("config.json", 5)))
SNAPSHOT = Snapshot("owner/name", COMMIT, 12.5)


def added_spec(name: str = "added", **changes: Any) -> ModelSpec:
    return replace(make_spec(name, LISTING), added=True, **changes)


def stored_rows(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((folder / FOLDER / FILE).read_text())["models"]
    return rows


def test_an_added_model_comes_back_as_it_was(tmp_path: Path) -> None:
    voices = (Voice("a", "A", "MIT", "me"), Voice("b", "B", "CC0"))
    spec = added_spec(voices=voices, languages=("en", "de"), backend="VitsModel")
    own = replace(added_spec("own"), sources=(Bundled(("/home/me/model.safetensors",)),))
    registry = open_registry((), cache_dir=tmp_path)
    registry.add(spec)
    registry.add(own)
    again = open_registry((), cache_dir=tmp_path)
    assert again.specs() == (spec, own)
    assert all(each.task is Task.SPEECH for each in again.specs())
    again.remove(own.key)
    assert open_registry((), cache_dir=tmp_path).specs() == (spec,)
    assert [str(each.relative_to(tmp_path)) for each in tmp_path.rglob("*")] == [".auralume", ".auralume/models.json"]


def test_the_catalogue_is_not_stored(tmp_path: Path) -> None:
    catalogued = make_spec("a")
    registry = open_registry((catalogued,), cache_dir=tmp_path)
    assert not (tmp_path / FOLDER).exists()
    registry.add(added_spec())
    assert [row["key"] for row in stored_rows(tmp_path)] == ["speech/added"]
    assert open_registry((catalogued,), cache_dir=tmp_path).specs() == (catalogued, added_spec())


def test_a_listing_of_the_same_commit_is_kept(tmp_path: Path) -> None:
    catalogued = make_spec("a", SNAPSHOT)
    open_registry((catalogued,), cache_dir=tmp_path).add(replace(catalogued, sources=(LISTING,), licence="old"))
    assert open_registry((catalogued,), cache_dir=tmp_path).specs() == (replace(catalogued, sources=(LISTING,)),)
    moved = make_spec("a", Snapshot("owner/name", OTHER_COMMIT, 12.5))
    assert open_registry((moved,), cache_dir=tmp_path).specs() == (moved,), "another commit is listed anew"
    elsewhere = make_spec("a", Snapshot("other/name", COMMIT, 12.5))
    assert open_registry((elsewhere,), cache_dir=tmp_path).specs() == (elsewhere,)
    both = make_spec("a", SNAPSHOT, Snapshot("owner/second", COMMIT, 1.0))
    assert open_registry((both,), cache_dir=tmp_path).specs() == (both,), "half a listing is none"
    bundled = make_spec("a")
    assert open_registry((bundled,), cache_dir=tmp_path).specs() == (bundled,)
    assert open_registry((), cache_dir=tmp_path).specs() == (), "what the catalogue dropped is not an added model"


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "3", "null", '{"other": []}', '{"models": 3}', '{"models": {"a": 1}}']
)
def test_a_damaged_file_counts_as_empty(tmp_path: Path, content: str) -> None:
    path = tmp_path / FILE
    path.write_text(content)
    assert read_specs(path) == []
    assert read_specs(tmp_path / "absent.json") == []


@pytest.mark.parametrize(
    "changes",
    [{"task": "dance"}, {"key": "music/added"}, {"sources": []}, {"sources": 3}, {"unknown": 1}, {"voices": [{}]}],
    ids=repr,
)
def test_a_damaged_entry_is_left_out_with_a_warning(
    tmp_path: Path, changes: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    registry = open_registry((), cache_dir=tmp_path)
    registry.add(added_spec("a"))
    registry.add(added_spec("b"))
    path = tmp_path / FOLDER / FILE
    rows = stored_rows(tmp_path)
    rows[0] |= changes
    path.write_text(json.dumps({"models": rows}))
    assert read_specs(path) == [added_spec("b")]
    assert "was left out" in caplog.text


@pytest.mark.parametrize("name", ["key", "task", "sources", "loader"])
def test_an_entry_without_a_field_is_refused(tmp_path: Path, name: str) -> None:
    open_registry((), cache_dir=tmp_path).add(added_spec())
    row = stored_rows(tmp_path)[0]
    assert parse_spec(row) == added_spec()
    without_extras = {key: value for key, value in row.items() if key not in ("voices", "languages")}
    assert parse_spec(without_extras) == added_spec()
    del row[name]
    with pytest.raises((KeyError, TypeError)):
        parse_spec(row)


def test_every_kind_of_source_comes_back(tmp_path: Path) -> None:
    spec = replace(added_spec(), sources=(SNAPSHOT, LISTING, Bundled(("a", "b"))))
    open_registry((), cache_dir=tmp_path).add(spec)
    assert open_registry((), cache_dir=tmp_path).specs() == (spec,)


def test_a_folder_that_cannot_be_written_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / FOLDER).write_text("in the way")
    registry = open_registry((), cache_dir=tmp_path)
    registry.add(added_spec())
    assert registry.specs() == (added_spec(),) and "could not be written" in caplog.text


def test_the_folder_is_made_when_it_is_needed(tmp_path: Path) -> None:
    cache = tmp_path / "new" / "cache"
    open_registry((), cache_dir=cache).add(added_spec())
    assert open_registry((), cache_dir=cache).specs() == (added_spec(),)


def test_timings_lie_beside_the_models(tmp_path: Path) -> None:
    registry = open_registry((), cache_dir=tmp_path)
    registry.timings.record("speech/a", SpeechRequest("a" * 100), 10.0)
    assert (tmp_path / ".auralume" / "pace.json").is_file(), "where earlier versions keep them"
    assert open_registry((), cache_dir=tmp_path).timings.get("speech/a") == ("character", 0.1)


def test_options_reach_the_registry(tmp_path: Path) -> None:
    registry = open_registry((make_spec("a"),), cache_dir=tmp_path, memory_budget_mb=10, offline=True)
    assert registry.memory_budget_mb == 10 and registry.offline
    with pytest.raises(ModelError, match="memory"):
        registry.load("speech/a")
