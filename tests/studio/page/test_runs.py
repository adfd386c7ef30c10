"""Work lives in the server: pages come, go and come back; Stop, turns, files, and what a killed server leaves."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from studio.io import temp_folders
from studio.io.audio_files import join_wavs, wav_bytes
from studio.library import jobs as states
from studio.library.store import Library
from studio.page import html
from studio.page.events import Events, Files, Kept, Pictures, Problem, Sound, Status
from studio.page.jobs import StopBoard, Stopped, run_stoppable
from studio.page.keeping import Keeping
from studio.page.remembered import REMEMBERED_RUNS
from studio.page.runs import BackgroundRun, RunBoard, new_job
from studio.speech.tab import is_short
from tests.loops import run_coroutine
from tests.studio.events import flatten
from tests.studio.library.results import write_tone

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_S = 20.0


class Work:
    """Work of a tab that goes on step by step as the test says."""

    def __init__(self, steps: list[Events]) -> None:
        self.steps, self.stops = steps, StopBoard()
        self.gate = threading.Semaphore(0)

    def __call__(self, name: str) -> Generator[Events]:
        def work(should_stop: Callable[[], bool]) -> Generator[Events]:
            for step in self.steps:
                while not self.gate.acquire(timeout=0.02):
                    if should_stop():
                        raise Stopped
                yield step

        yield from run_stoppable(self.stops, name, work)

    def go(self, steps: int = 100) -> None:
        """Let so many steps happen."""
        self.gate.release(steps)


def begin(board: RunBoard, work: Work, session: str = "page", place: str = "speech", **more: Any) -> BackgroundRun:
    job = new_job("local", "browser", place, 0, "A title", {"text": "Hello"})
    lane: dict[str, Any] = {name: bool(more.get(name)) for name in ("is_patient", "is_quick")}
    return board.submit(session, BackgroundRun(job, work, more.get("keeping"), work.stops, **lane))


def wait_for(is_so: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)


def follow(run: BackgroundRun, steps: int = 1000) -> list[dict[str, Any]]:
    """Return what a page is shown that follows a run for so many steps."""

    async def collect() -> list[dict[str, Any]]:
        seen = []
        pages = run.follow()
        async for events in pages:
            seen.append(flatten(events))
            if len(seen) >= steps:
                break
        await pages.aclose()  # type: ignore[attr-defined]
        return seen

    return run_coroutine(collect())


def test_a_page_that_comes_late_is_told_everything_so_far_and_then_the_rest() -> None:
    import numpy as np

    piece = wav_bytes(np.full(100, 0.25, np.float32), 8000)
    work = Work(
        [
            (Status("one"), Pictures({"a": "1", "b": "1"}), Sound(piece)),
            (Status("two"), Pictures({"a": "2"}), Sound(piece), Kept({"take": 3})),
            (Status("three"), Sound(piece)),
        ]
    )
    board = RunBoard()
    run = begin(board, work)
    work.go(2)
    wait_for(lambda: getattr(run.line, "html", "") == "two")
    (first,) = follow(run, 1)
    assert (first["status"], first["a"], first["b"], first["take"]) == ("two", "2", "1", 3)
    assert first["sound"] == join_wavs([piece, piece])
    assert board.list_remembered("browser", "speech") == [run]
    work.go()
    assert follow(run)[-1]["status"] == "three"
    wait_for(lambda: not run.is_open)
    (again,) = follow(run)
    assert again["status"] == "three"
    assert "sound" not in again  # nobody is startled by a result of a while ago


def test_a_run_goes_on_without_any_page_and_its_files_outlive_the_works_folder(tmp_path: Path) -> None:
    library = Library(tmp_path / "library")
    folder = temp_folders.hold()
    write_tone(folder / "tone.wav", 3)

    class Saving(Work):
        def __call__(self, name: str) -> Generator[Events]:
            yield from super().__call__(name)
            temp_folders.release(folder)

    keeping = Keeping(library, "local", "speech", frozenset({"wav"}))
    work = Saving([(Files({"wav": folder / "tone.wav", "player": folder / "tone.wav", "gone": None}),)])
    board = RunBoard(library.jobs)
    run = begin(board, work, keeping=keeping)
    work.go()
    wait_for(lambda: not run.is_open)
    assert not folder.exists()
    (shown,) = follow(run)
    assert Path(shown["wav"]).read_bytes()[:4] == b"RIFF"
    assert shown["player"] == shown["wav"]
    assert shown["gone"] is None
    (item,) = library.find("local")
    job = library.jobs.get("local", run.job.id)
    assert job is not None
    assert (job.state, job.items, job.row) == (states.DONE, (item.id,), {"text": "Hello"})
    assert library.jobs.get("other", run.job.id) is None
    assert board.get("other", run.job.id) is None
    run.clear()
    assert not Path(shown["wav"]).exists()


def test_stop_ends_the_run_of_the_page_that_pressed_it() -> None:
    board, first, second = RunBoard(), Work([(Status("step"),)] * 50), Work([(Status("step"),)] * 50)
    mine, other = begin(board, first, "mine"), begin(board, second, "other")
    first.go(2)
    wait_for(lambda: mine.line is not None)
    assert board.stop_shown("mine") is mine
    wait_for(lambda: not mine.is_open)
    assert mine.state == states.STOPPED
    assert mine.line.html.what == "Stopped"
    assert other.is_open
    assert board.stop_shown("mine") is None
    assert board.stop_shown("nobody") is None
    board.stop(other)
    wait_for(lambda: not other.is_open)


def test_runs_of_one_place_wait_for_their_turn_in_words_and_can_leave_the_queue() -> None:
    board, work = RunBoard(at_once=1), Work([(Status("step"),)])
    runs = [begin(board, work, f"page {number}") for number in range(4)]
    wait_for(lambda: runs[3].line is not None and runs[1].line is not None)
    assert runs[1].line.html.what == "Waiting for your turn: You are next"
    assert runs[3].line.html.what == "Waiting for your turn: 2 are before you"
    elsewhere = begin(board, Work([]), "other", "music")
    wait_for(lambda: not elsewhere.is_open)  # another place is not held up
    board.stop(runs[1])
    wait_for(lambda: not runs[1].is_open)
    assert runs[1].state == states.STOPPED
    wait_for(lambda: "1 is before" in runs[3].line.html.what)
    work.go(10)
    for run in runs:
        wait_for(lambda run=run: not run.is_open)  # type: ignore[misc]
    assert [each.state for each in runs] == [states.DONE, states.STOPPED, states.DONE, states.DONE]
    assert board.list_open("local") == []


def test_how_long_it_will_take_is_told_from_how_long_it_took(tmp_path: Path) -> None:
    library = Library(tmp_path / "library")
    for took in (10.0, 30.0, 20.0):
        job = new_job("local", "", "music", 0, "x", {})
        library.jobs.add(job)
        library.jobs.begin(job.id)
        library.jobs.end(job.id, states.DONE)
        library.database.write(("UPDATE jobs SET began_s = ended_s - ? WHERE id = ?", (took, job.id)))
    assert library.jobs.usual_s("music") == pytest.approx(20.0)
    assert library.jobs.usual_s("speech") is None
    board, work = RunBoard(library.jobs, at_once=1), Work([(Status("step"),)])
    runs = [begin(board, work, str(number), "music") for number in range(2)]
    wait_for(lambda: runs[1].line is not None)
    assert runs[1].line.html.what.endswith("You are next, about 20 s")
    work.go()


@pytest.mark.parametrize("is_raised", [False, True])
def test_what_fails_is_told_and_kept(is_raised: bool, tmp_path: Path) -> None:
    library, work = Library(tmp_path / "library"), Work([(Problem("No such voice."),)])

    def fail(_name: str) -> Generator[Events]:
        yield (Status("begun"),)
        raise ValueError("no such voice.")

    steps = fail if is_raised else work
    job = new_job("local", "browser", "speech", 0, "A title", {})
    run = RunBoard(library.jobs).submit("page", BackgroundRun(job, steps, None, work.stops))
    work.go()
    wait_for(lambda: not run.is_open)
    known = library.jobs.get("local", job.id)
    assert known is not None
    assert (known.state, known.said) == (states.FAILED, "No such voice.")
    assert follow(run)[-1]["status"] == html.problem("No such voice.")


def test_only_the_last_few_ended_runs_of_a_place_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.page.runs.ABANDONED_S", -1.0)
    board, runs = RunBoard(), []
    for _ in range(REMEMBERED_RUNS + 1):
        run = begin(board, Work([]))
        wait_for(lambda run=run: run.ended_s > 0)  # type: ignore[misc]
        runs.append(run)
    assert board.list_remembered("browser", "speech") == runs[1:]
    assert board.list_remembered("", "speech") == board.list_remembered("browser", "music") == []
    assert board.get("local", runs[0].job.id) is None
    folders = [each.folder for each in runs]
    assert [folder is not None and folder.exists() for folder in folders] == [False] + [True] * REMEMBERED_RUNS


def test_without_a_library_what_nobody_follows_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    board, work = RunBoard(), Work([(Status("step"),)])
    run = begin(board, work)
    board.end_abandoned()
    assert not run.is_unwanted
    monkeypatch.setattr("studio.page.runs.ABANDONED_S", -1.0)
    board.end_abandoned()
    wait_for(lambda: not run.is_open)
    assert run.state == states.STOPPED


def test_too_many_that_wait_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.page.runs.MOST_WAITING", 2)
    board, work = RunBoard(at_once=0), Work([])
    runs = [begin(board, work, str(number)) for number in range(2)]
    with pytest.raises(ValueError, match="too much to do"):
        begin(board, work, "3")
    for run in runs:
        board.stop(run)


KILLED = """
import os, sys, signal
from pathlib import Path
from studio.library.store import Library
from studio.page.runs import new_job
library = Library(Path(sys.argv[1]))
for state in ("waiting", "running", "done"):
    job = new_job("local", "browser", "music", 1, state, {"bars": 16})
    library.jobs.add(job)
    if state != "waiting":
        library.jobs.begin(job.id)
    if state == "done":
        library.jobs.end(job.id, "done")
print("ready", flush=True)
if sys.argv[2] == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
sys.stdin.read()
"""


@pytest.mark.slow
def test_what_a_killed_studio_was_doing_is_offered_again_and_what_another_does_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    command = [sys.executable, "-c", KILLED, str(folder)]
    subprocess.run([*command, "kill"], check=False, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    with subprocess.Popen([*command, "stay"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as alive:
        assert alive.stdout is not None
        assert alive.stdout.readline() == b"ready\n"
        library = Library(folder)
        lost = library.jobs.list_lost("local")
        assert sorted(each.title for each in lost) == ["running", "waiting"]
        assert (lost[0].place, lost[0].starter, lost[0].row) == ("music", 1, {"bars": 16})
        library.jobs.forget("local", lost[0].id)
        assert len(library.jobs.list_lost("local")) == 1
        assert library.jobs.list_lost("other") == []
        assert alive.stdin is not None
        alive.stdin.close()
    assert len(Library(folder).jobs.list_lost("local")) == 3


def test_what_a_run_made_is_marked_as_generated_and_what_was_given_is_not(tmp_path: Path) -> None:
    from studio.io.marking import studio_marker

    given, made = tmp_path / "given.wav", tmp_path / "made.wav"
    for path in (given, made):
        write_tone(path, 3)
    before = given.read_bytes()
    work = Work([(Files({"original": given, "file": made}),)])
    job = new_job("local", "browser", "style-audio", 0, "A title", {})
    run = RunBoard().submit(
        "page", BackgroundRun(job, work, None, work.stops, frozenset({str(given)}), frozenset({"file"}))
    )
    work.go()
    wait_for(lambda: not run.is_open)
    (shown,) = follow(run)
    assert shown["original"] == str(given)
    assert given.read_bytes() == before
    found = studio_marker().read(Path(shown["file"]))
    assert (found.state, found.is_ours, found.recipe and found.recipe.seed) == ("Valid", True, 3)


def test_one_of_many_waits_for_the_others_and_a_press_waits_for_none_of_them() -> None:
    board, works = RunBoard(at_once=1), [Work([(Status("works"),)]) for _ in range(3)]
    first, second = (begin(board, work, "", is_patient=True) for work in works[:2])
    pressed = begin(board, works[2])
    wait_for(lambda: first.state == pressed.state == states.RUNNING)
    assert second.state == states.WAITING
    works[2].go()
    wait_for(lambda: pressed.ended_s)
    assert second.state == states.WAITING
    works[0].go()
    wait_for(lambda: second.state == states.RUNNING)
    works[1].go()
    wait_for(lambda: second.ended_s)


def test_a_quick_one_waits_for_none_of_many_long_ones_at_its_place() -> None:
    board, long, quick = RunBoard(), Work([(Status("works"),)]), Work([(Status("said"),)])
    renders = [begin(board, long, f"page {number}") for number in range(board.at_once + 2)]
    wait_for(lambda: sum(each.state == states.RUNNING for each in renders) == board.at_once)
    said = begin(board, quick, "page", is_quick=True)
    quick.go()
    wait_for(lambda: said.ended_s)
    assert said.state == states.DONE
    assert sum(each.state == states.WAITING for each in renders) == 2
    long.go()
    wait_for(lambda: all(each.ended_s for each in renders))
    assert is_short({"text": "Good morning."}) and not is_short({"text": "Good morning. " * 100})


def test_many_that_wait_leave_room_for_a_press(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.page.runs.MOST_WAITING", 1)
    board, works = RunBoard(at_once=1), [Work([(Status("works"),)]) for _ in range(5)]
    runs = [begin(board, work, "", is_patient=True) for work in works[:4]]
    pressed = begin(board, works[4])
    wait_for(lambda: pressed.state == states.RUNNING)
    for run in (*runs, pressed):
        board.stop(run)
    wait_for(lambda: all(run.ended_s for run in (*runs, pressed)))
