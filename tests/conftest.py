"""Fixtures that tests of every folder share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # `models`, `studio` and `tests` as packages

from models.threads import limit_spinning

limit_spinning()  # as the studio does: threads that spin would make the tests of a busy machine take many times as long

# No test reaches the real Hub, whatever the machine's own settings are.
for _name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_ENDPOINT"):
    os.environ.pop(_name, None)

from tests.hub_server import HubServer  # noqa: E402


@pytest.fixture
def hub_server() -> Iterator[HubServer]:
    """Yield a Hub on the loopback interface, stopped at the end of the test."""
    with HubServer() as server:
        yield server


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """huggingface_hub and the studio's own download wait no time between attempts."""
    import time
    from types import SimpleNamespace

    from huggingface_hub import file_download
    from huggingface_hub.utils import _http

    from models.hub import download

    no_wait = SimpleNamespace(**{**vars(time), "sleep": lambda _seconds: None})
    for module in (file_download, _http, download):
        monkeypatch.setattr(module, "time", no_wait)
