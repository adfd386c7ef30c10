"""A page that is opened anew finds in every tab what its browser began there: what runs, and what has ended."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from studio.app import build_studio
from studio.library.owners import BROWSER_HEADER, OWNER_HEADER
from studio.library.store import Library
from studio.page import html
from studio.page.drafts import DRAFTS
from studio.page.events import Status
from studio.page.runs import BOARDS, BackgroundRun, new_job
from studio.page.wiring import RETURNS
from tests.loops import run_coroutine
from tests.studio.debug_studio import whole_registry
from tests.studio.page.test_runs import Work, wait_for

PLACES = {"make", "speech", "music", "video", "syncsync", "mvmake", "style-video", "style-audio"}
Return = Callable[[Any], AsyncIterator[dict[Any, Any]]]


@pytest.mark.slow
def test_a_new_page_finds_the_running_and_the_finished_work_of_every_tab(tmp_path: Path) -> None:
    page = build_studio(whole_registry(tmp_path), Library(tmp_path / "library"))
    board = BOARDS[page]
    benches = RETURNS[board]
    assert {bench.place for bench in benches} >= PLACES
    assert {bench.place for bench in benches if bench.steps is None} <= {"music", "live"}  # Music has one of its own
    works = [Work([(Status(html.status("half of it")),), (Status(html.finished("all of it")),)]) for _ in benches]
    runs = []
    for bench, work in zip(benches, works, strict=True):
        job = new_job("ann", "her-browser", bench.place, 0, "A title", {})
        runs.append(board.submit("", BackgroundRun(job, work, None, work.stops)))
        work.go(1)
    for run in runs:
        wait_for(lambda run=run: "half" in str(getattr(run.line, "html", "")))  # type: ignore[misc]
    come_back: Return = next(each.fn for each in page.fns.values() if each.name == "come_back")  # type: ignore[assignment]

    async def look(browser: str, session: str, ends: bool) -> dict[Any, Any]:
        request = SimpleNamespace(headers={OWNER_HEADER: "ann", BROWSER_HEADER: browser}, session_hash=session)
        seen: dict[Any, Any] = {}
        statuses = [bench.panels.status for bench in benches]
        async for updates in come_back(request):
            seen |= updates
            half = [bench for bench in benches if "half" in str(updates.get(bench.panels.status))]
            assert all(updates[bench.stop]["interactive"] for bench in half), "said with each step: one may get lost"
            if not ends and all(each in seen for each in statuses):
                break
        return seen

    running = run_coroutine(look("her-browser", "new", ends=False))
    for bench in benches:
        assert "half of it" in running[bench.panels.status], bench.place
        assert running[bench.stop]["interactive"] and not running[bench.buttons[0]]["interactive"]
    music = next(bench for bench in benches if bench.place == "music")
    stopped = board.stop_shown(music.session_of(SimpleNamespace(session_hash="new")))  # type: ignore[arg-type]
    assert stopped is not None and stopped.job.place == "music"  # each tab's Stop is for its own
    wait_for(lambda: stopped.ended_s)
    for work in works:
        work.go()
    for run in runs:
        wait_for(lambda run=run: run.ended_s)  # type: ignore[misc]
    ended = run_coroutine(look("her-browser", "newest", ends=True))
    for bench in benches:
        assert ("Stopped" if bench.place == "music" else "all of it") in ended[bench.panels.status], bench.place
        assert ended[bench.buttons[0]]["interactive"] and not ended[bench.stop]["interactive"]
    strangers = run_coroutine(look("another-browser", "hers", ends=True))
    assert "of it" not in str(list(strangers.values()))
    drafts = {each.form.prefix: each for each in DRAFTS[page]}  # what was typed and set is put back in every tab, too
    assert set(drafts) == {"make", "speech", "music", "video", "mv", "style-video", "style-audio", "live"}
    live, voice = drafts["live"].form, drafts["speech"].form
    assert drafts["live"].put_back({"tempo": 101, "seed": 5, "gone": 1}) == {live["tempo"]: 101.0, live["seed"]: 5}
    assert drafts["speech"].put_back({"text": "Hello", "speed": 99, "seed": 5}) == {voice["text"]: "Hello"}
