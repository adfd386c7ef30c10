"""The process as a person starts and ends it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from studio.serving import check_port, wait_until_ready

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SERVE = """
import sys, threading
from pathlib import Path
from tests.studio.debug_speech import debug_registry, debug_spec
from studio.app import build_studio, launch_studio
folder = Path(sys.argv[1])
studio = build_studio(debug_registry(folder, debug_spec(), debug_spec("slow", "load_slow")))
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


@pytest.mark.parametrize("state", ["idle", "speaking", "live"])
def test_ctrl_c_ends_with_0_in_every_state(tmp_path: Path, state: str) -> None:
    process, url = started(tmp_path)
    try:
        if state == "speaking":
            body = {"data": ["word " * 3000, "speech/slow", "low", 1, 0, 0, "neural", 7, ""]}
            httpx.post(url + "gradio_api/call/speech", json=body, timeout=60, trust_env=False).raise_for_status()
            time.sleep(1.0)
        if state == "live":
            threading.Thread(target=_listen, args=(url,), daemon=True).start()
            time.sleep(1.0)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert time.monotonic() - began < 10  # the studio's own limit is END_WITHIN_S; the machine may be busy
        assert process.stderr is not None and b"Traceback" not in process.stderr.read()
    finally:
        process.kill()


def _listen(url: str) -> None:
    try:
        with httpx.stream("POST", url + "live/stream", json={"token": "x" * 20}, timeout=60, trust_env=False) as answer:
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
