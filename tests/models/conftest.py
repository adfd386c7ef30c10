"""A local Hub with tiny checkpoints, and a registry that downloads from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from models.hub.describe import describe
from models.hub.formats import SPEECHT5_VOCODER
from models.registry.registry import Registry, SharedModel
from tests.hub_server import HubServer
from tests.tiny_models import tiny


@pytest.fixture
def hub() -> Iterator[HubServer]:
    with HubServer() as server:
        yield server


@pytest.fixture
def registry(hub: HubServer, tmp_path: Path) -> Registry:
    return Registry((), cache_dir=tmp_path, endpoint=hub.url, memory_budget_mb=4_000)


@pytest.fixture
def load(hub: HubServer, registry: Registry) -> Callable[[str], SharedModel]:
    """Put a tiny checkpoint on the Hub and on the shelf, and load it from there."""

    def loaded(kind: str, repo_id: str = "") -> Any:
        if kind.startswith("speecht5"):
            hub.add_repo(SPEECHT5_VOCODER.repo_id, tiny("speecht5-vocoder"), tags=(SPEECHT5_VOCODER.revision,))
        hub.add_repo(repo_id or f"tiny/{kind}", tiny(kind))
        spec = describe(repo_id or f"tiny/{kind}", cache_dir=registry.cache_dir, endpoint=hub.url)
        registry.add(spec)
        return registry.load(spec.key)

    return loaded
