"""A cache, and repositories to fill it from."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.hub.download import (
    Hub,
)
from tests.hub_server import HubServer
from tests.models.hub.hub_files import BIG, MODEL, add_voice


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def voice(hub_server: HubServer) -> Hub:
    """Return an LFS file whose digest the catalogue names, and a small file whose digest it does not name."""
    return add_voice(hub_server, MODEL)


@pytest.fixture
def big_voice(hub_server: HubServer) -> Hub:
    """Return the same with a file that is read in two parts."""
    return add_voice(hub_server, BIG)
