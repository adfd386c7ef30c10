"""The studio in a frame of another site, as a Space is: an allowed one uses it, any other sees nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from studio.library.owners import OwnerRules
from studio.library.transit import Transit
from studio.server.access import rules_for
from tests.browser.conftest import find_free_port
from tests.studio.debug_studio import serve_studio

PATIENCE_MS = 90_000
DENIED = """
if (window !== top) for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, {
    configurable: true, get() { throw new DOMException("Access is denied for this document.", "SecurityError"); },
});
"""  # what many browsers do in a frame of another site


@contextmanager
def site(address: str) -> Iterator[str]:
    """Serve a page that holds the studio in a frame, and give its origin."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f'<iframe src="{address}" width="1200" height="900"></iframe>'.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def two_sites(folder: Path) -> Iterator[tuple[str, str]]:
    """Serve a studio and two sites that embed it, of which the first is allowed."""
    port = find_free_port()
    address = f"http://127.0.0.1:{port}"
    with (
        site(address) as allowed,
        site(address) as other,
        serve_studio(folder, Transit(), rules=rules_for("127.0.0.1", [allowed]), server_port=port),
    ):
        yield allowed, other


def test_an_allowed_site_speaks_in_its_frame_and_another_sees_nothing(
    chromium: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Over HTTPS, as a Space is served; Chromium takes such a cookie of this machine, too.
    set_cookie = OwnerRules._cookie
    monkeypatch.setattr(OwnerRules, "_cookie", lambda rules, browser, _is_secure: set_cookie(rules, browser, True))
    context = chromium.new_context()
    context.add_init_script(DENIED)
    raised: list[str] = []
    try:
        with two_sites(tmp_path) as (allowed, other):
            page = context.new_page()
            page.on("pageerror", lambda error: raised.append(str(error)))
            page.goto(allowed)
            frame = page.frame_locator("iframe")
            frame.locator("#speech-text textarea").fill("Hello there.", timeout=PATIENCE_MS)
            frame.locator("#speech-generate").click()
            frame.locator("#speech-words", has_text="there.").wait_for(timeout=PATIENCE_MS)
            assert raised == []
            (cookie,) = context.cookies()
            assert (cookie["sameSite"], cookie["partitionKey"]) == ("None", allowed.rpartition(":")[0])
            page.reload()  # the frame has no storage, but its cookie: what was made is there again
            frame.locator("#speech-words", has_text="there.").wait_for(timeout=PATIENCE_MS)
            page.goto(other)
            page.wait_for_timeout(2000)
            assert page.frame_locator("iframe").locator("#speech-text").count() == 0
    finally:
        context.close()
