"""The library: what it costs at the start and in memory, how soon a thousand cards are seen, how they scroll.

python -m benchmarks.library [--cards 1000] [--repeats 3] [--json [FILE]]

Studios with and without a library are started in turn with a bare page of Gradio between them, so that a busy machine
is busy for all of them. Chromium is driven through Playwright.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks.page import BARE, open_browser, open_when_up, read_memory_mb, run_server_process
from benchmarks.results import add_json_option, report_figures
from studio.io.recipes import Recipe, write_recipe
from studio.library.items import LibraryItem, new_id
from studio.library.store import Library

CARDS = "#library-grid .result-card"
IDLE_S = 12.0  # after the page is there: models that are warmed are loaded by then
STEP_PX, FRAMES = 1200, 200
PAINTED = """(selector) => new Promise((done) => {
    const painted = () => setTimeout(done, 0);
    const look = () => requestAnimationFrame(document.querySelector(selector) ? painted : look);
    look();
})"""
SCROLL = """(frames) => new Promise((done) => {
    const took = [];
    let last = performance.now();
    const step = (now) => {
        took.push(now - last); last = now;
        window.scrollBy(0, -130);
        if (took.length < frames) requestAnimationFrame(step); else done(took.slice(1));
    };
    requestAnimationFrame(step);
})"""


def fill_library(folder: Path, cards: int) -> None:
    """Put so many results of several kinds into a library, each with its waveform."""
    library = Library(folder / "library")
    tone = folder / "tone.wav"
    rate = 8000
    fade = np.hanning(rate // 4).astype(np.float32)
    soundfile.write(tone, fade * np.sin(np.arange(fade.size) / 9).astype(np.float32), rate)
    recipe = Recipe("speech", "speech/fastspeech2", "1", 1, {"text": "A calm sea at night"})
    write_recipe(tone, recipe)
    for number in range(cards):
        arrival = library.begin()
        arrival.add("wav", tone)
        kind = ("speech", "music", "video", "style_audio")[number % 4]
        item = LibraryItem(
            new_id(), "local", kind, f"A calm sea at night, {number + 1}", recipe=recipe, created_s=time.time()
        )
        arrival.keep(item)
    library.database.close()


def measure_start(chromium: Any, arguments: list[str], idles: bool) -> tuple[float, float]:
    """Measure seconds from the command to a usable page, and the idle memory in MB; 0 where it is not asked for."""
    page = chromium.new_page()
    started = time.perf_counter()
    with run_server_process(arguments) as (address, process):
        open_when_up(page, address)
        took_s = time.perf_counter() - started
        if idles:
            time.sleep(IDLE_S)
        memory_mb = read_memory_mb(process) if idles else 0.0
        page.close()
    return took_s, memory_mb


def measure_costs(chromium: Any, folder: Path, repeats: int) -> dict[str, float]:
    """Measure start and idle memory with a library and without."""
    programs = {
        "bare": ["-c", BARE],
        "without": ["app.py", "--no-library"],
        "with": ["app.py", "--library", str(folder / "library")],
    }
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
    for turn in range(repeats + 1):
        for name, arguments in programs.items():
            found = measure_start(chromium, arguments, idles=name != "bare" and turn > 0)
            if turn:  # the first of each reads its files from the disk
                took[name].append(found)
    start_s = {name: statistics.median(each for each, _ in rows) for name, rows in took.items()}
    memory_mb = {name: statistics.median(each for _, each in rows) for name, rows in took.items()}
    return {
        "start_ratio": start_s["with"] / start_s["bare"],
        "start_ratio_without": start_s["without"] / start_s["bare"],
        "start_times_without": start_s["with"] / start_s["without"],
        "idle_memory_mb": memory_mb["with"],
        "idle_memory_more_mb": memory_mb["with"] - memory_mb["without"],
    }


def measure_cards(chromium: Any, folder: Path, cards: int) -> dict[str, float]:
    """Measure how soon the first cards are painted after a click on the tab, and what a frame of scrolling costs.

    Of the frame's work the page's main thread alone is counted, by its own clock: other programs do not add to it.
    """
    with run_server_process(["app.py", "--library", str(folder / "library")]) as (address, _):
        page = chromium.new_page(viewport={"width": 1440, "height": 1000})
        open_when_up(page, address)
        time.sleep(IDLE_S)
        began = time.perf_counter()
        page.get_by_role("tab", name="Library", exact=True).click()
        page.evaluate(PAINTED, CARDS)
        first_s = time.perf_counter() - began
        page.mouse.move(700, 700)
        while page.locator(CARDS).count() < cards:
            page.mouse.wheel(0, STEP_PX)
            page.wait_for_timeout(50)
        frames, work_ms = scroll(page)
        page.close()
    return {"first_cards_s": first_s, "frame_ms": statistics.median(frames), "frame_work_ms": work_ms}


def scroll(page: Any) -> tuple[list[float], float]:
    """Scroll up from where the page is; return how long each frame took, and the main thread's work for one, in ms."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})

    def read_work_s() -> float:
        found = devtools.send("Performance.getMetrics")["metrics"]
        return float(next(each["value"] for each in found if each["name"] == "TaskDuration"))

    before_s = read_work_s()
    frames: list[float] = page.evaluate(SCROLL, FRAMES)
    return frames, 1000 * (read_work_s() - before_s) / FRAMES


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cards", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    add_json_option(parser, "library")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as held, open_browser() as chromium:
        folder = Path(held)
        fill_library(folder, options.cards)
        figures = measure_cards(chromium, folder, options.cards) | measure_costs(chromium, folder, options.repeats)
    if options.json is not None:
        report_figures("library", figures, options.json)
    else:
        print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
