"""Fixtures that tests of every folder share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # `models`, `studio` and `tests` as packages

from models.threads import limit_spinning

limit_spinning()  # as the studio does: threads that spin would make the tests of a busy machine take many times as long

# No test reaches the real Hub, whatever the machine's own settings are.
for _name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_ENDPOINT"):
    os.environ.pop(_name, None)

from tests.hub_server import HubServer  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
BROWSER = ROOT / "tests" / "browser"


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the page be driven first: of two processes one does so while the other runs the rest."""
    items.sort(key=lambda item: BROWSER not in item.path.parents)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each process whole files, and one process all that drives the page: it has one studio and one Chromium."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        """Files as a whole, in their order; the folder of the page is one."""

        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::", maxsplit=1)[0]
            return str(Path(file).parent) if (ROOT / file).is_relative_to(BROWSER) else file

    config.option.loadscopereorder = False
    return ByFile(config, log)
