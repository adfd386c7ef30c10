"""What is told to whoever looks after the machine, over a real server with a password."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from gradio_client import Client
from prometheus_client.parser import text_string_to_metric_families

from models.registry.registry import Registry
from studio.app import build_studio, launch_studio
from studio.library.store import Library
from studio.page.runs import MOST_WAITING, RunBoard
from studio.server.access import rules_for
from studio.server.health import StudioHealth
from tests.studio.debug_speech import debug_registry, debug_spec


@pytest.mark.slow
def test_health_readiness_and_metrics(tmp_path: Path) -> None:
    rules = rules_for("127.0.0.1", password="me:sesame")
    studio = build_studio(debug_registry(tmp_path), Library(tmp_path / "library"))
    launch_studio(studio, rules, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    address = str(studio.local_url).rstrip("/")
    try:

        def ask(path: str, auth: tuple[str, str] | None = None) -> httpx.Response:
            return httpx.get(address + path, auth=auth, trust_env=False, timeout=60)

        assert ask("/healthz").json() == {"status": "ok"}
        assert ask("/readyz").json() == {"status": "ready", "obstacles": []}
        for path in ("/metrics", "/healthz/", "/gradio_api/file=/tmp/healthz"):
            assert ask(path).status_code == 401
        client = Client(address, auth=None, headers={"authorization": "Bearer sesame"}, verbose=False)
        client.predict(text="Hello.", api_name="/speech")
        told = ask("/metrics", ("me", "sesame")).text
    finally:
        studio.close()
    found = {sample.name: sample for each in text_string_to_metric_families(told) for sample in each.samples}
    assert {"auralume_jobs", "auralume_calls", "auralume_models_loaded", "process_resident_memory_bytes"} <= set(found)
    assert 'auralume_job_seconds_count{place="/speech",state="done"}' in told
    assert 'auralume_models_loaded{task="speech"} 1.0' in told
    assert found["auralume_models_memory_bytes"].value > 0


def test_what_stands_in_the_way_of_new_work_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    studio, board = build_studio(debug_registry(tmp_path)), RunBoard()
    assert StudioHealth(studio, debug_registry(tmp_path), board, None).find_obstacles() == []
    assert StudioHealth(studio, Registry(()), board, None).find_obstacles() == ["no model is on this machine"]
    monkeypatch.setattr(board, "count_runs", lambda: {"waiting": MOST_WAITING, "running": 1})
    health = StudioHealth(studio, debug_registry(tmp_path, debug_spec()), board, None)
    assert health.find_obstacles() == ["too much waits already"]
