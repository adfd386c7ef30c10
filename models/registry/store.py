"""The models that a person added, and the files of the catalogue's repositories: kept over restarts.

A small JSON file in the folder of the downloads; nothing secret is in it. A file that is damaged counts as empty.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from models.contracts import Voice
from models.hub.download import Hub, HubFile, find_cache_folder
from models.hub.spec import Bundled, ModelSpec, Snapshot, Source
from models.registry.registry import Registry
from models.registry.timing import RequestTimings

log = logging.getLogger(__name__)

FOLDER = ".auralume"
FILE = "models.json"
TIMINGS_FILE = "pace.json"


def open_registry(specs: Iterable[ModelSpec], **options: Any) -> Registry:
    """Return a registry over the catalogue and the models added before, which stores every change.

    Args:
        options: further arguments of `Registry`.
    """
    registry = Registry(specs, **options)
    path = find_cache_folder(registry.cache_dir) / FOLDER / FILE
    catalogue = {spec.key: spec for spec in registry.specs()}
    for spec in read_specs(path):
        catalogued = catalogue.get(spec.key)
        if catalogued is None and spec.added:
            registry.add(spec)
        elif catalogued is not None and _lists_files_of(spec, catalogued):  # the rest is the catalogue's word
            registry.add(replace(catalogued, sources=spec.sources))
    registry.timings = RequestTimings(path.with_name(TIMINGS_FILE))
    writing = threading.Lock()  # models are added and listed in threads of their own, and write through one file

    def store_changes() -> None:
        with writing:
            write_specs(path, registry, catalogue)

    registry.on_change = store_changes
    return registry


def _lists_files_of(spec: ModelSpec, catalogued: ModelSpec) -> bool:
    """Return whether the stored entry lists the very repositories of the catalogue's entry."""
    pinned = {(each.repo_id, each.revision) for each in catalogued.snapshots}
    return bool(pinned) and pinned <= {(hub.repo_id, hub.revision) for hub in spec.hubs}


def read_specs(path: Path) -> list[ModelSpec]:
    """Read the stored entries; leave out those that cannot be read."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["models"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    specs = []
    for row in rows if isinstance(rows, list) else []:
        try:
            specs.append(parse_spec(row))
        except (KeyError, TypeError, ValueError) as error:
            log.warning("An entry of %s was left out: %s", path, error)
    return specs


def write_specs(path: Path, registry: Registry, catalogue: dict[str, ModelSpec]) -> None:
    """Store what the catalogue does not say; log a warning where the folder cannot be written."""
    changed = [spec for spec in registry.specs() if catalogue.get(spec.key) != spec]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps({"models": [asdict(spec) for spec in changed]}, indent=1), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        log.warning("%s could not be written: %s", path, error)


def parse_spec(row: dict[str, Any]) -> ModelSpec:
    """Return the entry that plain JSON values describe.

    Raises:
        KeyError, TypeError, ValueError: a value is missing, unknown, or not what an entry takes.
    """
    values = dict(row)
    values["sources"] = tuple(_parse_source(each) for each in values["sources"])
    values["voices"] = tuple(Voice(**each) for each in values.get("voices", ()))
    values["languages"] = tuple(values.get("languages", ()))
    return ModelSpec(**values)


def _parse_source(row: dict[str, Any]) -> Source:
    if "repo_id" not in row:
        return Bundled(tuple(row["files"]))
    if "files" in row:
        return Hub(row["repo_id"], row["revision"], tuple(HubFile(**file) for file in row["files"]))
    return Snapshot(**row)
