"""A visitor of a public studio cannot change its shelf, whatever function of the page is called and however."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import httpx
import pytest

from models.hub.download import Hub, HubFile
from models.registry.registry import Registry
from studio.app import build_studio, launch_studio
from studio.page.shelf import OPEN
from tests.studio.debug_speech import debug_registry, debug_spec

WAIT_S = 120.0
KEYS = ("speech/debug", "speech/far")


def shelf_of(registry: Registry) -> list[Any]:
    return [(spec.key, registry.state(spec.key), registry.size_on_disk(spec.key)) for spec in registry.specs()]


@pytest.mark.slow
def test_no_function_of_the_page_changes_the_shelf_of_a_public_studio(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(OPEN, "closed")
    far = HubFile("debug.bin", 5, hashlib.sha256(b"debug").hexdigest())
    hub = Hub("somebody/voice", "a" * 40, (far,))
    specs = debug_spec(), debug_spec("far", sources=(hub,), added=True)
    registry = debug_registry(tmp_path, *specs)
    registry.load("speech/debug")
    before = shelf_of(registry)
    studio = build_studio(registry)
    launch_studio(studio, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    url = str(studio.local_url)
    called = 0
    try:
        config = httpx.get(url + "config", timeout=WAIT_S, trust_env=False).json()
        tabs = {each["id"]: each for each in config["components"]}
        for function in config["dependencies"]:
            if not function["backend_fn"] or function["api_name"] == "speech":
                continue
            targets = [tabs[number] for number, _ in function["targets"] if number in tabs]  # not the page itself
            names = [str(each["props"].get("elem_id") or "") for each in targets]
            if not any("shelf" in name or "models" in name for name in names):
                continue
            for key in (*KEYS, "owner/another"):
                row = [key for _ in function["inputs"]]
                asked = {"data": row, "fn_index": function["id"], "session_hash": f"visitor{called}"}
                joined = httpx.post(url + "gradio_api/queue/join", json=asked, timeout=WAIT_S, trust_env=False)
                called += 1
                if joined.status_code == 200:
                    follow = {"session_hash": asked["session_hash"]}
                    with httpx.stream(
                        "GET", url + "gradio_api/queue/data", params=follow, timeout=WAIT_S, trust_env=False
                    ) as answer:
                        for line in answer.iter_lines():
                            if "process_completed" in line or "close_stream" in line:
                                break
        assert called >= 15, [each["api_name"] for each in config["dependencies"]]
        assert shelf_of(registry) == before
    finally:
        studio.close()
