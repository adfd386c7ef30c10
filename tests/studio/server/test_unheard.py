"""Work that nobody listens to ends, and work that somebody listens to does not."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.registry.registry import Registry
from studio.app import build_studio, launch_studio
from studio.page import jobs
from studio.server import unheard
from studio.server.unheard import find_listened_session
from tests.studio.debug_speech import debug_registry, debug_spec

WAIT_S = 60.0
LONG = {"data": ["word " * 2000, "speech/slow", "low", 1, 0, 0, "neural", 7, ""]}  # ten minutes; of an older version


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Registry]]:
    """Serve a slow voice; who does not listen for a second is taken to have gone."""
    registry = debug_registry(tmp_path_factory.mktemp("unheard"), debug_spec("slow", "load_slow"))
    patch = pytest.MonkeyPatch()
    patch.setattr(unheard.UnheardMiddleware.__init__, "__defaults__", (1.0,))
    studio = build_studio(registry)
    launch_studio(studio, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    yield f"{studio.local_url}gradio_api/", registry
    studio.close()
    patch.undo()


def open_streams(registry: Registry) -> int:
    return int(registry.load("speech/slow").model.open_streams)


def wait_for_streams(registry: Registry, count: int) -> None:
    until = time.monotonic() + WAIT_S
    while open_streams(registry) != count:
        assert time.monotonic() < until, f"{open_streams(registry)} streams are open, not {count}"
        time.sleep(0.05)


@pytest.mark.slow
def test_a_call_that_nobody_listens_to_ends(served: tuple[str, Registry]) -> None:
    url, registry = served
    httpx.post(url + "call/speech", json=LONG, timeout=WAIT_S, trust_env=False).raise_for_status()
    wait_for_streams(registry, 1)
    wait_for_streams(registry, 0)


@pytest.mark.slow
def test_a_session_that_joined_and_never_listened_ends_with_those_that_wait(served: tuple[str, Registry]) -> None:
    url, registry = served
    config = httpx.get(url + "../config", timeout=WAIT_S, trust_env=False).json()
    number = next(each["id"] for each in config["dependencies"] if each["api_name"] == "speech")
    for session in "abcdef":  # more than run at once
        asked = {"data": LONG["data"], "fn_index": number, "session_hash": session}
        httpx.post(url + "queue/join", json=asked, timeout=WAIT_S, trust_env=False).raise_for_status()
    wait_for_streams(registry, jobs.AT_ONCE)
    wait_for_streams(registry, 0)
    time.sleep(1.0)
    assert open_streams(registry) == 0


@pytest.mark.slow
def test_a_call_that_is_listened_to_goes_on_and_ends_with_its_listener(served: tuple[str, Registry]) -> None:
    url, registry = served
    event = httpx.post(url + "call/speech", json=LONG, timeout=WAIT_S, trust_env=False).json()["event_id"]
    with httpx.stream("GET", f"{url}call/speech/{event}", timeout=WAIT_S, trust_env=False) as answer:
        lines = answer.iter_lines()
        began = time.monotonic()
        while time.monotonic() < began + 3.0:
            assert "error" not in next(lines)
        assert open_streams(registry) == 1
    wait_for_streams(registry, 0)


@pytest.mark.slow
def test_a_short_call_keeps_its_result_for_one_who_asks_late(served: tuple[str, Registry]) -> None:
    url, registry = served
    short: dict[str, Any] = {"data": ["Hi.", *LONG["data"][1:]]}
    event = httpx.post(url + "call/speech", json=short, timeout=WAIT_S, trust_env=False).json()["event_id"]
    time.sleep(3.0)
    with httpx.stream("GET", f"{url}call/speech/{event}", timeout=WAIT_S, trust_env=False) as answer:
        rows = [line.removeprefix("data: ") for line in answer.iter_lines() if line.startswith("data: [")]
    assert json.loads(rows[-1])[-1]["words"][0]["text"] == "Hi."
    assert open_streams(registry) == 0


def scope(path: str, query: str = "", method: str = "GET") -> dict[str, Any]:
    return {"type": "http", "method": method, "path": path, "query_string": query.encode()}


@pytest.mark.parametrize(
    ("request_scope", "session"),
    [
        (scope("/gradio_api/call/speech/abc123"), "abc123"),
        (scope("/studio/gradio_api/call/speech/abc123/"), "abc123"),
        (scope("/gradio_api/queue/data", "session_hash=xyz&a=b"), "xyz"),
        (scope("/gradio_api/queue/data"), ""),
        (scope("/gradio_api/call/speech", method="POST"), ""),
        (scope("/gradio_api/call/speech/abc123", method="POST"), ""),
        (scope("/live/people"), ""),
        ({"type": "lifespan"}, ""),
    ],
)
def test_who_listens_is_told_by_the_address(request_scope: dict[str, Any], session: str) -> None:
    assert find_listened_session(request_scope) == session


@given(st.text(), st.binary())
def test_no_address_raises(path: str, query: bytes) -> None:
    find_listened_session({"type": "http", "method": "GET", "path": path, "query_string": query})
