"""The real page in Chromium, over the debug generator."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.page import QUIET_JS
from tests.hub_server import HubServer
from tests.tiny_models import tiny

ROOT = Path(__file__).resolve().parents[2]
NO_SKIP = "AURALUME_TESTS_NEED_BROWSER"  # set by .ci/run: a missing browser is then a failure
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
START_TIMEOUT_S = 180


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what is in this folder."""
    if Path(__file__).parent in item.path.parents:
        item.add_marker("browser")


def _absent(reason: str) -> None:
    if os.environ.get(NO_SKIP):
        pytest.fail(f"{reason}, and {NO_SKIP} forbids to skip")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Yield a headless Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        _absent("no Chromium was found on PATH")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _absent("playwright is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def hub() -> Iterator[HubServer]:
    """Yield the Hub that the studio asks."""
    with HubServer() as server:
        yield server


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory, hub: HubServer) -> Iterator[str]:
    """Yield the studio in a process of its own."""
    port = find_free_port()
    process = start_studio(tmp_path_factory.mktemp("studio"), port, hub)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        end_studio(process)


def find_free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def start_studio(folder: Path, port: int, hub: HubServer) -> subprocess.Popen[bytes]:
    """Start the studio over a folder, and wait until it answers."""
    command = [sys.executable, "-m", "tests.browser.serve_debug", str(folder), str(port)]
    with (folder / "log").open("w") as log:
        own = {"HF_ENDPOINT": hub.url, "HF_HUB_CACHE": str(folder / "cache")}
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=os.environ | own)
    try:
        _wait_for(port, process, folder / "log")
    except BaseException:
        end_studio(process)
        raise
    return process


def end_studio(process: subprocess.Popen[bytes]) -> None:
    """End a studio, however busy it is."""
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline_s:
        if process.poll() is not None:
            pytest.fail(f"the studio ended at once:\n{log.read_text()}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"the studio did not start:\n{log.read_text()}")


@pytest.fixture
def page(chromium: Any, address: str) -> Iterator[Any]:
    """Yield a desktop page on the Speech tab; fails the test if the page's script raised."""
    yield from open_page(chromium, address)


def open_page(chromium: Any, address: str, **options: Any) -> Iterator[Any]:
    """Yield a page with its own storage."""
    context = chromium.new_context(**({"viewport": {"width": 1440, "height": 1000}} | options))
    page = context.new_page()
    page.set_default_timeout(120_000)
    raised: list[str] = []
    foreign: list[str] = []
    page.on("pageerror", lambda error: raised.append(str(error)))
    page.on("request", lambda request: foreign.append(request.url) if _is_foreign(request.url, address) else None)
    page.goto(address)
    page.wait_for_selector("#speech-text textarea")
    settle(page)
    yield page
    context.close()
    assert raised == []
    assert foreign == []


SETTLE_MS, MOST_MS = 500, 3_000


def settle(page: Any) -> None:
    """Wait until nothing on the page has changed for a moment: what has just been opened receives its first values."""
    page.evaluate(QUIET_JS, [SETTLE_MS, MOST_MS])


def open_more_settings(page: Any) -> None:
    """Open the settings of the tab that is shown, and let them receive their values: a person types no sooner."""
    page.locator("button", has_text="More settings").locator("visible=true").click()
    settle(page)


def open_tab(page: Any, name: str) -> None:
    """Open a tab of the studio: on its bar, or, where the bar has no room for it, in the menu at the bar's end."""
    bar = page.locator(".tab-wrapper").first
    bar.get_by_role("tab", name="Speech", exact=True).wait_for()
    settle(page)  # until the bar has measured itself
    tab = bar.get_by_role("tab", name=name, exact=True)
    if tab.count() == 0:
        bar.get_by_role("button", name="More tabs").click()
        tab = bar.locator(".overflow-dropdown button", has_text=re.compile(f"^{re.escape(name)}$"))
    tab.click()
    settle(page)


def put_on_shelf(page: Any, hub: HubServer, name: str, kind: str) -> None:
    """Publish a tiny checkpoint as tiny/<name>, and add it on the Models tab by its id."""
    hub.add_repo(f"tiny/{name}", tiny(kind))
    open_tab(page, "Models")
    page.fill("#shelf-repository input, #shelf-repository textarea", f"tiny/{name}")
    page.click("#shelf-add")
    said = f"tiny/{name} is on the shelf"
    page.wait_for_function(f"() => document.querySelector('#shelf-status').innerText.includes({said!r})")


def pick(page: Any, selector: str, name: str) -> None:
    """Choose in a picker what is called so."""
    page.locator(f"{selector} input").scroll_into_view_if_needed()
    page.click(f"{selector} input")
    page.get_by_role("option", name=name).click()


def download(page: Any, selector: str, folder: Path) -> Path:
    """Press what downloads a file; the file, under the name that the page gives it."""
    with page.expect_download() as waiting:
        page.click(selector)
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def _is_foreign(url: str, address: str) -> bool:
    return url.startswith("http") and not url.startswith(address)
