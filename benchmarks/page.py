"""The page: how soon it is usable after the command, and how soon after the click there is sound.

Drives headless Chromium through Playwright; every server started here is ended by its process id.
"""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BARE = "import gradio as gr\nwith gr.Blocks() as page:\n    gr.Textbox()\npage.launch()\n"
BROWSER_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]
FIRST_SOUND_JS = """() => [...document.querySelectorAll('audio')].some(a => a.currentTime > 0.02)"""


@contextmanager
def open_browser() -> Iterator[Any]:
    """Open Debian's Chromium, headless."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=BROWSER_FLAGS)
        yield opened
        opened.close()


@contextmanager
def run_server(arguments: list[str]) -> Iterator[str]:
    """Run a Gradio program on a free loopback port; yield its address at once, before it answers."""
    with run_server_process(arguments) as (address, _):
        yield address


@contextmanager
def run_server_process(arguments: list[str]) -> Iterator[tuple[str, int]]:
    """Run a program as `run_server` does; yield the process's id, too."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_ANALYTICS_ENABLED": "False",
    }
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def open_when_up(page: Any, address: str, patience_s: float = 120.0) -> None:
    """Go to a page whose server may not be up yet, and wait until its text box can be used."""
    until = time.perf_counter() + patience_s
    port = int(address.rsplit(":", 1)[1])
    while time.perf_counter() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.02)
    page.goto(address)
    page.locator("textarea").locator("visible=true").first.wait_for(timeout=1000 * patience_s)


def measure_startup_ratio(repeats: int = 3) -> float:
    """Measure seconds from the command to a usable page over those of a bare one-textbox page; medians."""
    took: dict[str, list[float]] = {"bare": [], "studio": []}
    with open_browser() as chromium:
        for _ in range(repeats + 1):
            for name, arguments in (("bare", ["-c", BARE]), ("studio", ["app.py"])):
                page = chromium.new_page()
                started = time.perf_counter()
                with run_server(arguments) as address:
                    open_when_up(page, address)
                    took[name].append(time.perf_counter() - started)
                    page.close()
    return statistics.median(took["studio"][1:]) / statistics.median(took["bare"][1:])


def measure_first_sound_s(repeats: int = 5) -> float:
    """Measure seconds from the click on Generate until the player's clock moves, warm; median."""
    took = []
    with open_browser() as chromium, run_server(["app.py"]) as address:
        for turn in range(repeats + 1):
            page = chromium.new_page()
            open_when_up(page, address)
            page.locator("#speech-text textarea").fill(
                "The harbour was quiet in the early morning, and a single boat came in with the tide."
            )
            page.wait_for_timeout(15_000 if turn == 0 else 500)
            started = time.perf_counter()
            page.locator("#speech-generate").click()
            page.wait_for_function(FIRST_SOUND_JS, polling=20, timeout=60_000)
            took.append(time.perf_counter() - started)
            page.close()
    return statistics.median(took[1:])
