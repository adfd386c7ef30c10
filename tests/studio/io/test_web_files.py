"""Files by a web address: what is fetched, what is refused, and how much is read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from studio.io.web_files import download
from tests.loops import run_coroutine

MOST = 1_000_000


class Far(BaseHTTPRequestHandler):
    sent = 0

    def do_GET(self) -> None:
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", "/song%20one.wav?key=1" if self.path == "/moved" else self.path)
            self.end_headers()
            return
        if self.path == "/absent":
            self.send_error(404)
            return
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(1000 if self.path == "/endless" else 1):
                self.wfile.write(b"x" * 100_000)
                type(self).sent += 100_000
        except OSError:  # nobody reads on
            pass

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve files, on a machine that passes for a public one."""

    async def allow(host: str) -> str:
        return host

    monkeypatch.setattr("safehttpx.async_validate_url", allow)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Far)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_file_is_fetched_under_its_own_name_also_where_it_has_moved(address: str, tmp_path: Path) -> None:
    for path in ("/song%20one.wav", "/moved"):
        file = run_coroutine(download(address + path, tmp_path, MOST))
        assert file.is_relative_to(tmp_path) and file.name == "song one.wav"
        assert file.read_bytes() == b"x" * 100_000


@pytest.mark.parametrize(
    ("path", "said"), [("/endless", "larger than 0 MB"), ("/absent", "404"), ("/moved/round", "on and on")]
)
def test_what_is_too_large_or_not_there_leaves_nothing_behind(
    address: str, tmp_path: Path, path: str, said: str
) -> None:
    Far.sent = 0
    with pytest.raises(ValueError, match=said):
        run_coroutine(download(address + path, tmp_path, MOST))
    assert list(tmp_path.iterdir()) == [] and Far.sent < 50_000_000


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "10.0.0.1", "169.254.169.254"])
def test_the_studios_own_network_is_not_read(host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def know_nothing(_host: str) -> list[str]:
        return []

    monkeypatch.setattr("safehttpx.async_resolve_hostname_google", know_nothing)
    with pytest.raises(ValueError, match="validation"):
        run_coroutine(download(f"http://{host}/secret", tmp_path, MOST))
