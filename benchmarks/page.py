"""The page: how large it is, what it costs a browser to open and the server to keep, how soon it is usable and heard.

python -m benchmarks.page [--repeats 5] [--json [FILE]] measures the first three; the rest is for other benchmarks.

Drives headless Chromium through Playwright; every server started here is ended by its process id.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.results import add_json_option, report_figures

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
QUIET_MS, MOST_MS = 500, 10_000
QUIET_JS = """([quiet, most]) => new Promise((done) => {
    let timer;
    const end = () => { observer.disconnect(); clearTimeout(timer); clearTimeout(last); done(); };
    const again = () => { clearTimeout(timer); timer = setTimeout(end, quiet); };
    const observer = new MutationObserver(again);
    const last = setTimeout(end, most);
    observer.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
    again();
})"""
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


def wait_until_up(address: str, patience_s: float = 120.0) -> None:
    """Wait until a server listens, or patience ends."""
    until = time.perf_counter() + patience_s
    port = int(address.rsplit(":", 1)[1])
    while time.perf_counter() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.02)


def open_when_up(page: Any, address: str, patience_s: float = 120.0) -> None:
    """Go to a page whose server may not be up yet, and wait until its text box can be used."""
    wait_until_up(address, patience_s)
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


def measure_size(address: str) -> dict[str, float]:
    """Measure what is sent of a page in thousands of bytes, plain and compressed, and count its parts and events."""
    plain = _fetch(address, "identity")
    mark = "window.gradio_config = "
    config, _ = json.JSONDecoder().raw_decode(plain.decode().partition(mark)[2])
    return {
        "page_kb": len(plain) / 1000,
        "page_gzip_kb": len(_fetch(address, "gzip")) / 1000,
        "components": len(config["components"]),
        "events": len(config["dependencies"]),
    }


def _fetch(address: str, encoding: str) -> bytes:
    asked = urllib.request.Request(address, headers={"Accept-Encoding": encoding})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return bytes(answer.read())


def measure_opening_s(chromium: Any, address: str) -> float:
    """Measure the seconds that the page's main thread works in a fresh browser until the page has been still."""
    context = chromium.new_context()
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("Performance.enable")
    open_when_up(page, address)
    page.evaluate(QUIET_JS, [QUIET_MS, MOST_MS])
    metrics = {each["name"]: each["value"] for each in devtools.send("Performance.getMetrics")["metrics"]}
    context.close()
    return float(metrics["TaskDuration"])


def measure_opening(repeats: int) -> dict[str, float]:
    """Open the studio's page and a bare page of Gradio in turn; medians of the work, their ratio, and what is sent."""
    took: dict[str, list[float]] = {"bare": [], "studio": []}
    with tempfile.TemporaryDirectory() as folder, open_browser() as chromium:
        command = ["app.py", "--library", folder]
        with run_server(["-c", BARE]) as bare, run_server(command) as studio:
            for _ in range(repeats + 1):
                took["bare"].append(measure_opening_s(chromium, bare))
                took["studio"].append(measure_opening_s(chromium, studio))
            sizes = measure_size(studio)
    first_render_s = statistics.median(took["studio"][1:])
    ratio = first_render_s / statistics.median(took["bare"][1:])
    return sizes | {"first_render_s": first_render_s, "first_render_ratio": ratio}


def measure_memory(patience_s: float = 180.0) -> dict[str, float]:
    """Use what each tab makes once with the shipped models; the server's memory after it and at its peak, in MB."""
    from gradio_client import Client, handle_file

    with tempfile.TemporaryDirectory() as folder, run_server_process(["app.py", "--library", folder]) as (address, pid):
        wait_until_up(address, patience_s)
        client = Client(address, verbose=False, download_files=folder)
        speech, *_ = client.predict(text="The harbour was quiet, and a boat came in with the tide.", api_name="/speech")
        music, *_ = client.predict(api_name="/music")
        video, *_ = client.predict(api_name="/video")
        film = handle_file(video["video"] if isinstance(video, dict) else video)
        client.predict(song=handle_file(music), api_name="/music_video")
        client.predict(content=film, api_name="/video_style")
        client.predict(content=handle_file(speech), api_name="/audio_style")
        client.predict(clip=film, api_name="/sync")
        client.predict(length_s=5, api_name="/live_music")
        return {"memory_mb": read_memory_mb(pid), "memory_peak_mb": read_memory_mb(pid, "VmHWM")}


def read_memory_mb(pid: int, what: str = "VmRSS") -> float:
    """Return the memory that a process holds, or "VmHWM", the most that it has held, in MB (10^6 bytes)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return float(next(line.split()[1] for line in status.splitlines() if line.startswith(f"{what}:"))) * 1024 / 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    add_json_option(parser, "page")
    options = parser.parse_args()
    figures = measure_opening(options.repeats) | measure_memory()
    if options.json is not None:
        report_figures("page", figures, options.json)
    else:
        print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
