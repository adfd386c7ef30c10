"""Serving the page: from a free port to a clean end, whatever work is running."""

from __future__ import annotations

import atexit
import contextlib
import errno
import importlib.util
import logging
import os
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import gradio as gr
from gradio import networking, routes
from starlette.types import ASGIApp

from studio.io import temp_folders
from studio.library.owners import OwnerRules
from studio.server.access import AccessMiddleware, AccessRules
from studio.server.sent_page import SentPageMiddleware
from studio.server.signals import ENDS
from studio.server.unheard import UnheardMiddleware

log = logging.getLogger(__name__)

READY_WITHIN_S = 120.0
LOOK_EVERY_S = 0.2
END_WITHIN_S = 2.0
ASKED = (200, 301, 302, 303, 307, 308, 401, 403)


def wait_until_ready(url: str) -> bool:
    """Tell whether the server answers at an address of this machine; a busy machine is given READY_WITHIN_S.

    Proxies of the environment are not asked: the address is this machine's own.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < until:
        try:
            with opener.open(urllib.request.Request(url, method="HEAD"), timeout=10) as answer:
                return answer.status in ASKED
        except urllib.error.HTTPError as error:
            return error.code in ASKED
        except OSError:
            time.sleep(LOOK_EVERY_S)
    return False


def ask_no_proxy_for_loopback() -> None:
    """Let this process reach its own address directly, whatever proxy its environment names."""
    for name in ("NO_PROXY", "no_proxy"):
        known = [each for each in os.environ.get(name, "").split(",") if each]
        os.environ[name] = ",".join(dict.fromkeys([*known, "localhost", "127.0.0.1", "::1"]))


@contextlib.contextmanager
def guarded(rules: AccessRules, studio: gr.Blocks, owners: OwnerRules | None = None) -> Iterator[None]:
    """Let Gradio build its server with our access rules in the place of its own, and our look at its address."""

    def wrap(app: ASGIApp, **_options: object) -> ASGIApp:
        return AccessMiddleware(UnheardMiddleware(SentPageMiddleware(app), studio), rules, owners)

    ask_no_proxy_for_loopback()
    ours: list[tuple[Any, str, Any]] = [
        (routes, "CustomCORSMiddleware", wrap),
        (networking, "url_ok", wait_until_ready),
    ]
    if importlib.util.find_spec("mcp") is not None:
        from gradio import mcp

        from studio.programs.mcp_tools import StudioTools

        ours.append((mcp, "GradioMCPServer", StudioTools))
    before = [(module, name, getattr(module, name)) for module, name, _ in ours]
    for module, name, value in ours:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)


def check_port(host: str | None, port: int | None) -> None:
    """Raise SystemExit with a sentence where a port that was asked for is taken."""
    if port is None:
        return
    with socket.socket(socket.AF_INET6 if ":" in (host or "") else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host or "127.0.0.1", port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise SystemExit(f"Port {port} is in use. Choose another with --port, or leave it out.") from None
            raise SystemExit(f"The studio cannot listen at {host or '127.0.0.1'}:{port}: {error.strerror}.") from None


def serve_until_told(studio: gr.Blocks) -> None:
    """Serve until Ctrl+C or a request to end, then leave the process with 0 within END_WITHIN_S.

    Work that runs in threads does not hold the end up: folders of this process are cleared, and the process goes.
    """
    told = threading.Event()
    for number in ENDS:
        signal.signal(number, lambda *_: told.set())
    while not told.wait(1.0):  # a wait without end would not notice signals on every system
        pass
    cleaner = threading.Thread(target=_clean_up, args=(studio,), daemon=True)
    cleaner.start()
    cleaner.join(END_WITHIN_S)
    os._exit(0)


def _clean_up(studio: gr.Blocks) -> None:
    temp_folders.release_all()
    server: Any = getattr(studio, "server", None)
    if server is not None:
        server.should_exit = True
    atexit._run_exitfuncs()
