"""A registry of models that count."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from models.hub.spec import ModelSpec
from models.registry.registry import Registry
from tests.hub_server import HubServer
from tests.models.registry.counting_models import Loaders, MakeRegistry


@pytest.fixture
def loaders(monkeypatch: pytest.MonkeyPatch) -> Loaders:
    made = Loaders()
    module = ModuleType("loaders_of_this_test")
    module.load = made.load  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return made


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "small.bin").write_bytes(b"12345")
    return folder


@pytest.fixture
def make_registry(tmp_path: Path, weights: Path, hub_server: HubServer, loaders: Loaders) -> MakeRegistry:
    def make(*specs: ModelSpec, budget_mb: float = 1000, **settings: Any) -> Registry:
        return Registry(specs, tmp_path / "cache", budget_mb, weights_dir=weights, endpoint=hub_server.url, **settings)

    return make
