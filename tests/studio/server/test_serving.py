"""The process as a person starts and ends it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from studio.server.serving import check_port, wait_until_ready

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
SERVE = """
import sys, threading
from pathlib import Path
from tests.studio.debug_speech import debug_registry, debug_spec
from studio.app import build_studio, launch_studio
folder = Path(sys.argv[1])
specs = debug_spec(), debug_spec("slow", "load_slow"), debug_spec("stuck", "load_stuck")
studio = build_studio(debug_registry(folder, *specs))
launch_studio(studio, server_name="127.0.0.1", server_port=int(sys.argv[2]), quiet=True)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def started(folder: Path, **environment: str) -> tuple[subprocess.Popen[bytes], str]:
    port = free_port()
    command = [sys.executable, "-c", SERVE, str(folder), str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, stderr=subprocess.PIPE)
    url = f"http://127.0.0.1:{port}/"
    assert wait_until_ready(url)
    return process, url


SPEECH = {"data": ["word " * 3000, "speech/slow", "low", 1, 0, 0, "neural", 7, ""]}


@pytest.mark.parametrize("state", ["idle", "speaking", "listened", "v1", "loading", "live", "waiting"])
def test_ctrl_c_ends_with_0_in_every_state(tmp_path: Path, state: str) -> None:
    process, url = started(tmp_path)
    try:
        if state in {"speaking", "listened", "waiting"}:
            for _ in range(6 if state == "waiting" else 1):
                asked = httpx.post(url + "gradio_api/call/speech", json=SPEECH, timeout=60, trust_env=False)
                asked.raise_for_status()
            if state == "listened":
                _behind(_read, "GET", f"{url}gradio_api/call/speech/{asked.json()['event_id']}")
        elif state == "live":
            _behind(_read, "POST", url + "live/stream", {"token": "x" * 20})
        elif state in {"v1", "loading"}:
            model = "speech/slow" if state == "v1" else "speech/stuck"
            _behind(_read, "POST", url + "v1/audio/speech", {"input": "word " * 3000, "model": model})
        if state != "idle":
            time.sleep(1.0)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert time.monotonic() - began < 10  # the studio's own limit is END_WITHIN_S; the machine may be busy
        assert process.stderr is not None and b"Traceback" not in process.stderr.read()
    finally:
        process.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells which signals a process has taken over")
def test_ctrl_c_ends_with_0_while_it_still_starts() -> None:
    command = [sys.executable, "app.py", "--port", str(free_port())]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60
        while not _catches(process.pid, signal.SIGTERM):
            assert time.monotonic() < until and process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert process.stderr is not None and process.stderr.read() == b""
    finally:
        process.kill()


def _catches(pid: int, number: int) -> bool:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    caught = int(next(line for line in lines if line.startswith("SigCgt")).split()[1], 16)
    return bool(caught >> (number - 1) & 1)


def _behind(work: Callable[..., None], *arguments: Any) -> None:
    threading.Thread(target=work, args=arguments, daemon=True).start()


def _read(method: str, url: str, body: dict[str, Any] | None = None) -> None:
    try:
        with httpx.stream(method, url, json=body, timeout=60, trust_env=False) as answer:
            for _ in answer.iter_bytes():
                pass
    except httpx.HTTPError:
        pass


def test_it_starts_with_a_proxy_in_the_environment(tmp_path: Path) -> None:
    proxy = "http://127.0.0.1:9"
    process, url = started(tmp_path, HTTP_PROXY=proxy, HTTPS_PROXY=proxy, NO_PROXY="")
    try:
        assert process.poll() is None
        assert httpx.get(url, trust_env=False, timeout=60).status_code == 200
    finally:
        process.kill()
        process.wait()


def test_a_slow_server_is_waited_for() -> None:
    class Slow(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    port = free_port()
    ready: list[bool] = []
    waiter = threading.Thread(target=lambda: ready.append(wait_until_ready(f"http://127.0.0.1:{port}/")))
    waiter.start()
    time.sleep(1.0)
    server = HTTPServer(("127.0.0.1", port), Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    waiter.join(30)
    server.shutdown()
    server.server_close()
    assert ready == [True]


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SystemExit, match=r"in use\. Choose another with --port"):
            check_port("127.0.0.1", taken.getsockname()[1])
    check_port("127.0.0.1", None)
