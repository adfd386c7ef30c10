"""The same repository on a Space: under the package `spaces`, with a GPU lent call by call, and without one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from models.contracts import SpeechRequest, VideoRequest
from models.errors import ModelError
from models.registry.hub_catalog import HUB_CATALOG
from models.registry.registry import Registry
from studio.server.space import LEAST_S, MOST_S, LentGpu, explained, seconds_for
from studio.speech.actions import SpeechActions
from tests.studio.debug_speech import DebugSpeech, debug_spec
from tests.studio.events import flatten

ROOT = Path(__file__).resolve().parents[3]
HUB_SPEC = HUB_CATALOG[0]


class Lent(DebugSpeech):
    """A model of the Hub that can be moved to a GPU."""

    moved = False

    def to_gpu(self) -> None:
        self.moved = True


class Refusal(Exception):
    """As `spaces` raises it: a gradio error with a title."""

    title = "ZeroGPU quota exceeded"


Refusal.__module__ = "gradio.exceptions"


def lender(monkeypatch: pytest.MonkeyPatch, refusal: Exception | None = None) -> tuple[LentGpu, list[int]]:
    """Return a LentGpu whose `spaces` grants or refuses; notes the durations that it was asked for."""
    asked: list[int] = []

    def gpu(task: Any, duration: Any = None) -> Any:
        def lent(request: Any) -> Iterator[Any]:
            asked.append(duration(request))
            if refusal is not None:
                raise refusal
            yield from task(request)

        return lent

    spaces = pytest.importorskip("spaces")
    monkeypatch.setattr(spaces, "GPU", gpu)
    return LentGpu(Registry(()).timings), asked


def test_models_of_the_hub_work_on_the_lent_gpu_and_the_studios_own_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    lent, asked = lender(monkeypatch)
    model, request = Lent(), SpeechRequest("Hello there.")
    assert [chunk.last for chunk in lent.run(model, request, HUB_SPEC)][-1] and model.moved
    assert asked == [LEAST_S]
    assert list(lent.run(DebugSpeech(), request, debug_spec()))[-1].last
    assert len(asked) == 1
    with pytest.raises(ModelError, match="plain words"):
        model.stream = lambda request: (_ for _ in ()).throw(ValueError("plain words"))  # type: ignore[method-assign]
        list(lent.run(model, request, HUB_SPEC))


def test_the_duration_follows_the_request() -> None:
    short, long = SpeechRequest("Hi."), SpeechRequest("word " * 200)
    assert LEAST_S <= seconds_for(short) < seconds_for(long) <= MOST_S
    assert seconds_for(VideoRequest("sea", steps=10, frames=32)) == 39
    assert seconds_for(short, expected_s=40) == 75 and seconds_for(short, expected_s=4_000) == MOST_S


def test_a_refused_gpu_is_a_sentence() -> None:
    refused = explained(Refusal("You have exceeded your <b>quota</b>. Try again in 1:00"), HUB_SPEC)
    assert refused.kind == "quota" and "<" not in str(refused) and "exceeded your quota" in str(refused)
    crashed = Refusal("RuntimeError")
    crashed.title = "ZeroGPU worker error"
    assert explained(crashed, HUB_SPEC).kind == "loader"


def test_without_a_gpu_the_shipped_model_speaks_and_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lent, _ = lender(monkeypatch, Refusal("quota"))
    (tmp_path / "debug.bin").write_bytes(b"debug")
    hub_spec = debug_spec("hub", "load_quick")
    registry = Registry((debug_spec(), hub_spec), memory_budget_mb=100, weights_dir=tmp_path)
    monkeypatch.setattr("tests.studio.debug_speech.DebugSpeech.to_gpu", lambda _self: None, raising=False)
    registry.runner = lambda model, request, spec: (
        lent.run(model, request, spec) if spec.key == "speech/hub" else model.stream(request)
    )
    page: dict[str, Any] = {}
    for events in SpeechActions(registry).run("s", "speech/hub", {"text": "Hello.", "voice": "low", "seed": 1}):
        page |= flatten(events)
    assert "s of speech" in page["status"]
    assert "not to be had just now" in page["notes"] and "Debug debug, which ships" in page["notes"]


class _Device(BaseHTTPRequestHandler):
    """What `spaces` asks when it starts."""

    def log_message(self, *_: object) -> None:
        """Stay silent."""

    def do_POST(self) -> None:
        body = json.dumps({"left": 0, "wait": "0:10:00"}).encode()
        self.send_response(429 if "schedule" in self.path else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


PROGRAM = """
import sys
from models.registry.catalog import CATALOG
from models.registry.store import open_registry
from studio.app import build_studio
sys.modules["torch"] = None  # `spaces` changes a torch that has CUDA; a build for processors has nothing to change
import spaces
del sys.modules["torch"]
from studio.server.space import LentGpu, attach
registry = open_registry(CATALOG)
attach(registry)
assert isinstance(registry.runner.__self__, LentGpu)
studio = build_studio(registry)
from models.contracts import SpeechRequest
from models.errors import ModelError
from tests.studio.server.test_space import Lent, HUB_SPEC
try:
    list(registry.runner(Lent(), SpeechRequest("Hello."), HUB_SPEC))
except ModelError as error:
    print("kind", error.kind, "said", error)
print("blocks", len(studio.blocks))
"""


@pytest.mark.slow
def test_the_studio_builds_under_spaces_and_meets_a_spent_quota(tmp_path: Path) -> None:
    pytest.importorskip("spaces")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Device)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    environment = os.environ | {"SPACES_ZERO_GPU": "true", "SPACES_ZERO_DEVICE_API_URL": address}
    environment |= {"HF_HUB_CACHE": str(tmp_path), "ZEROGPU_OFFLOAD_DIR": str(tmp_path / "tensors")}
    try:
        run = subprocess.run(
            [sys.executable, "-c", PROGRAM], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
    finally:
        server.shutdown()
        server.server_close()
    assert "blocks" in run.stdout, run.stderr[-2000:]
    assert "kind quota" in run.stdout and "not to be had just now" in run.stdout, run.stdout + run.stderr[-1000:]


def test_the_readme_tells_the_space_what_it_needs() -> None:
    head = (ROOT / "README.md").read_text(encoding="utf-8").split("---")[1]
    for name in ("sdk: gradio", "app_file: app.py", "python_version:", "preload_from_hub:", "suggested_hardware:"):
        assert name in head
    assert (ROOT / "packages.txt").read_text().split() == ["ffmpeg"]
    preloaded = [line.split()[1:] for line in head.splitlines() if line.strip().startswith("- ") and ".json" in line]
    pinned = {snapshot.repo_id: snapshot.revision for spec in HUB_CATALOG for snapshot in spec.snapshots}
    assert preloaded
    for repo_id, files, commit in preloaded:
        assert pinned[repo_id] == commit and "model.safetensors" in files
