"""The Live tab as a person has it: a studio of its own, Chromium, and clocks that know nothing of the page's script.

`WATCH` is put into the page before its own script. It notes every piece of sound that is handed to the browser's audio
context, and so every stretch in which there was nothing to play; it compares the audio clock with the real one fifty
times a second, and so finds the stretches in which the browser did not play; and it counts what is drawn.
"""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.page import open_browser, open_when_up, run_server_process

GAP_S = 0.08
WARM_MS = 15_000
EVERY_S = 5.0
REPORT = "window.auralumeLive.report()"
WATCH = """(() => {
  const watch = window.liveWatch = { context: null, end: null, gaps: [], stalls: [], drawn: [] };
  const start = AudioBufferSourceNode.prototype.start, draw = CanvasRenderingContext2D.prototype.drawImage;
  AudioBufferSourceNode.prototype.start = function (when = 0, ...rest) {
    if (this.context instanceof AudioContext && this.buffer) {
      if (watch.context !== this.context) { watch.context = this.context; watch.end = null; recent = []; }
      const from = Math.max(when, this.context.currentTime);
      if (watch.end !== null && from - watch.end > GAP) watch.gaps.push({ at_s: watch.end, gap_s: from - watch.end });
      watch.end = Math.max(watch.end ?? 0, when + this.buffer.duration);
    }
    return start.call(this, when, ...rest);
  };
  CanvasRenderingContext2D.prototype.drawImage = function (...rest) {
    if (this.canvas.id === "live-picture") watch.drawn.push(performance.now() / 1000);
    return draw.apply(this, rest);
  };
  let recent = [], stall = 0;
  setInterval(() => {
    const context = watch.context;
    if (!context || context.state !== "running") return;
    const now = performance.now() / 1000, behind = now - context.currentTime;
    recent.push([now, behind]);
    while (recent[0][0] < now - 1) recent.shift();
    const missing = behind - Math.min(...recent.map((each) => each[1]));
    if (missing > GAP) stall = Math.max(stall, missing);
    else if (stall) { watch.stalls.push({ at_s: context.currentTime, gap_s: stall }); stall = 0; }
  }, 20);
})();""".replace("GAP", str(GAP_S))


@contextmanager
def open_live_page() -> Iterator[tuple[Any, str, int]]:
    """Open the tab; yield it, the studio's address and its process."""
    with open_browser() as chromium, run_server_process(["app.py"]) as (address, process):
        page = chromium.new_page(viewport={"width": 1440, "height": 1000})
        page.set_default_timeout(120_000)
        page.add_init_script(WATCH)
        open_when_up(page, address)
        page.get_by_role("tab", name="Live").click()
        page.wait_for_selector("#live-keys [data-pitch='60']")
        page.wait_for_timeout(WARM_MS)
        yield page, address, process


def press_start(page: Any) -> None:
    """Press Start and wait for sound."""
    page.click("#live-start")
    page.wait_for_function(f"() => {REPORT}.heard_s > 1")


def press_stop(page: Any) -> str:
    """Press Stop and return the sentence."""
    page.click("#live-stop")
    page.wait_for_function("() => document.querySelector('#live-file-wav, #live-line.problem')")
    return str(page.inner_text("#live-line"))


def measure_rss_mb(process: int) -> float:
    """Measure the memory of a process that is not shared with files, MB."""
    fields = Path(f"/proc/{process}/statm").read_text().split()
    return (int(fields[1]) - int(fields[2])) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _measure_heap_mb(page: Any) -> float:
    """Measure the page's own memory, MB, what its next collection frees included."""
    session = page.context.new_cdp_session(page)
    found = session.send("Runtime.getHeapUsage")
    session.detach()
    return float(found["usedSize"]) / 1e6


def measure_growth(
    values: list[float], of: Callable[[list[float]], float] = statistics.median, parts: int = 5
) -> float:
    """Measure the growth from the second of so many parts to the last."""
    part = max(1, len(values) // parts)
    return of(values[-part:]) - of(values[part : 2 * part])


def play_long(minutes: float) -> dict[str, float]:
    """Play for so long with pictures; return figures of the sound, the pictures and the memory."""
    with open_live_page() as (page, _, process):
        press_start(page)
        page.wait_for_function(f"() => {REPORT}.pictures > 0")
        shares, levels, memory, heap = [], [], [], []
        begun_s = page.evaluate(f"() => {REPORT}.now")
        while page.evaluate(f"() => {REPORT}.now") - begun_s < 60 * minutes:
            page.wait_for_timeout(1000 * EVERY_S)
            found = page.evaluate(f"() => ({{...{REPORT}, pictureTimes: []}})")
            if not found["playing"]:
                raise RuntimeError(f"The music ended: {page.inner_text('#live-line')}")
            shares.append(found["meter"]["share"])
            levels.append(found["meter"]["level"])
            memory.append(measure_rss_mb(process))
            heap.append(_measure_heap_mb(page))
        watch = page.evaluate("() => ({ ...window.liveWatch, context: null })")
        meter = found["meter"]
        press_stop(page)
    gaps = [each["gap_s"] for each in watch["gaps"] + watch["stalls"]]
    if gaps:
        print(f"nothing to play: {watch['gaps']}; the audio clock stood: {watch['stalls']}", file=sys.stderr)
    drawn, by_model = watch["drawn"], found["shown"]["drawn_frames"] / found["heard_s"]
    tens = range(int(drawn[0]), int(drawn[-1]) - 10, 10)
    windows = [sum(first <= each < first + 10 for each in drawn) / 10 for first in tens]
    return {
        "minutes": minutes,
        "chunks": meter["chunks"],
        "late_chunks": meter["late"],
        "audio_rtf": statistics.mean(shares),
        "audio_rtf_worst": max(shares),
        "full_quality_share": sum(level == 0 for level in levels) / len(levels),
        "browser_gaps": len(gaps),
        "browser_longest_gap_ms": 1000 * max(gaps, default=0.0),
        "browser_fps": (len(drawn) - 1) / (drawn[-1] - drawn[0]),
        "browser_fps_worst_10s": min(windows, default=0.0),
        "drawn_by_the_model_fps": by_model,
        "server_growth_mb": measure_growth(memory),
        "page_growth_mb": measure_growth(heap, min),
        "server_mb": memory[-1],
    }
