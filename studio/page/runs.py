"""Work that lives in the server: a press of a button begins a run, and pages follow it.

A run goes on when its page is reloaded, closed, or loses its line. A page that comes back to the same browser finds
what runs, and what has ended of late, in every tab.
"""

from __future__ import annotations

import contextvars
import logging
import shutil
import tempfile
import threading
import time
import weakref
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Generator
from pathlib import Path
from typing import Any

from gradio.blocks import Blocks
from gradio.context import Context

from studio.io import temp_folders
from studio.io.marking import studio_marker
from studio.io.recipes import Recipe
from studio.library import jobs as states
from studio.library.items import new_id
from studio.library.jobs import Job, JobStore
from studio.page import html, jobs
from studio.page.events import Compared, Event, Events, Files, Problem, Status
from studio.page.fair_lane import FairLane, say_place
from studio.page.keeping import Keeping, recipe_in
from studio.page.metrics import note_job
from studio.page.remembered import REMEMBERED_S, find_old
from studio.page.run_events import RunFollower, RunSnapshot

log = logging.getLogger(__name__)

Steps = Callable[[str], Generator[Events]]  # the name to stop it by, to its events
ABANDONED_S = 30.0  # without a library, work that no page follows ends after that
LOOK_S = 1.0
MOST_WAITING, MOST_PATIENT, PATIENT_AT_ONCE = 40, 400, 1
CROWDED = "The studio has too much to do just now; try again in a few minutes."


class BackgroundRun:
    """One press of a button, in a thread of its own.

    Attributes:
        job: as the store knows it.
        keeping: takes its files into the library, or None.
        given: paths of files that a person gave; they are shown as they are.
        offered: names of files to take away: they are marked as generated, with the recipe of the first that has one.
        items: what it left there.
        is_unwanted: whether it was stopped.
        folder: its files, as long as somebody may look at it.
        is_patient: whether it is one of many that nobody waits for: these have a lane of their own.
        is_quick: whether it is done in a moment: these have a lane, too, so that they wait for no long work.
    """

    def __init__(
        self,
        job: Job,
        steps: Steps,
        keeping: Keeping | None,
        stops: jobs.StopBoard,
        given: frozenset[str] = frozenset(),
        offered: frozenset[str] = frozenset(),
        is_patient: bool = False,
        is_quick: bool = False,
    ) -> None:
        self.job, self.keeping, self.state = job, keeping, states.WAITING
        self.is_patient, self.is_quick = is_patient, is_quick and not is_patient
        self._given, self._offered = given, offered
        self._recipe: Recipe | None = None
        self._marked: set[Path] = set()
        self.items: list[str] = []
        self.ended_s = 0.0
        self.left_s = time.monotonic()  # when the last page left it
        self.folder: Path | None = None
        self._steps, self._stops = steps, stops
        self._lock = threading.Lock()
        self._snapshot = RunSnapshot()
        self._followers: list[RunFollower] = []
        self.is_unwanted = False

    @property
    def lane(self) -> str:
        """Return what it waits in: that of its place, or that of the patient or of the quick ones there."""
        kind = " patient" if self.is_patient else " quick" if self.is_quick else ""
        return f"{self.job.place}{kind}"

    @property
    def is_open(self) -> bool:
        """Tell whether it waits or runs."""
        return self.state in states.OPEN_STATES

    @property
    def line(self) -> Any:
        """Return its last status, or None."""
        return self._snapshot.last.get("line")

    @property
    def has_result(self) -> bool:
        """Tell whether it made something to see, hear or take away."""
        files = self._snapshot.last.get(Files)
        return Compared in self._snapshot.last or any(files.paths.values() if isinstance(files, Files) else ())

    @property
    def is_followed(self) -> bool:
        """Tell whether a page looks at it, or has until a moment ago."""
        return bool(self._followers) or time.monotonic() - self.left_s < ABANDONED_S

    def tell(self, events: Events) -> None:
        """Show a step to every page that follows."""
        with self._lock:
            self._snapshot.add(events)
            for follower in self._followers:
                follower.put(events)

    def stop(self) -> None:
        """End it: at its next step, or before its first."""
        self.is_unwanted = True
        self._stops.ask(self.job.id)

    def work(self) -> str:
        """Do it; return how it ended."""
        self._stops.expect(self.job.id)  # so that a Stop is heard in any moment, also before the steps listen for it
        if self.is_unwanted:
            self._stops.end(self.job.id)
            self.tell((Status(html.finished("Stopped")),))
            return states.STOPPED
        state, self.folder = states.DONE, temp_folders.hold()
        try:
            for events in self._steps(self.job.id):
                if self.is_unwanted:  # Stop came between two parts of the work that listen for it
                    self._stops.ask(self.job.id)
                held = tuple(self._held(each) for each in events)
                if self.keeping is not None:
                    self.keeping.add(held)
                if any(isinstance(each, Problem) for each in events):
                    state = states.FAILED
                self.tell(held)
        except Exception as error:
            state = states.FAILED
            self.tell((Problem(jobs.sentence(error)),))
        finally:
            self._stops.end(self.job.id)
            if self.keeping is not None:
                self.items = [each.id for each in self.keeping.finish()]
        return states.STOPPED if self.is_unwanted and state == states.DONE else state

    def close(self) -> None:
        """Tell the pages that nothing follows."""
        with self._lock:
            self.ended_s = time.monotonic()
            self._snapshot.sounds.clear()
            for follower in self._followers:
                follower.end()

    def clear(self) -> None:
        """Delete its files."""
        if self.folder is not None:
            temp_folders.release(self.folder)

    def _held(self, event: Event) -> Event:
        """Return an event whose files lie in the run's own folder: those of the work go with it."""
        if not isinstance(event, Files) or self.folder is None:
            return event
        held: dict[str, Path | str | None] = {}
        copies: dict[str, Path] = {}
        for name, path in event.paths.items():
            held[name] = path
            if path is not None and str(path) not in self._given:
                copies[str(path)] = copies.get(str(path)) or _copy(Path(path), self.folder)
                held[name] = copies[str(path)]
        for name, path in held.items():
            if isinstance(path, Path) and path in copies.values():
                self._mark(name, path)
        return Files(held)

    def _mark(self, name: str, path: Path) -> None:
        """Mark a file that was made by a model, once."""
        own = recipe_in(path)
        self._recipe = self._recipe or own
        recipe = own or (self._recipe if name in self._offered else None)
        if recipe is not None and path not in self._marked:
            self._marked.add(path)
            studio_marker().mark(path, recipe)

    async def follow(self) -> AsyncIterator[Events]:
        """Yield what a page is to show, from now to the end."""
        follower = RunFollower()
        with self._lock:
            first, is_open = self._snapshot.events(self.is_open), self.ended_s == 0.0
            if is_open:
                self._followers.append(follower)
        try:
            yield first
            if is_open:
                async for events in follower.steps():
                    yield events
        finally:
            with self._lock:
                if follower in self._followers:
                    self._followers.remove(follower)
                self.left_s = time.monotonic()


class RunBoard:
    """All runs of a studio: which run, which wait, and which are still remembered.

    Args:
        store: keeps them over restarts; None where there is no library.
        at_once: how many runs of one place go beside each other; patient_at_once: of the patient ones, beside them.
    """

    def __init__(
        self, store: JobStore | None = None, at_once: int = jobs.AT_ONCE, patient_at_once: int = PATIENT_AT_ONCE
    ) -> None:
        self.store, self.at_once, self.patient_at_once = store, at_once, patient_at_once
        self.version = 0
        self._lock = threading.Condition()
        self._runs: dict[str, BackgroundRun] = {}
        self._lanes: defaultdict[str, FairLane] = defaultdict(FairLane)
        self._shown: dict[str, str] = {}  # by session, the run that its page shows

    def submit(self, session: str, run: BackgroundRun) -> BackgroundRun:
        """Begin a run, or let it wait for its turn.

        Raises:
            ValueError: too many wait already.
        """
        with self._lock:
            self._forget_old(run.job)
            alike = [each for each in self._runs.values() if each.is_patient == run.is_patient]
            most = MOST_PATIENT if run.is_patient else MOST_WAITING
            if sum(each.state == states.WAITING for each in alike) >= most:
                raise ValueError(CROWDED)
            self._runs[run.job.id] = run
            self._lanes[run.lane].add(run.job.id, run.job.owner)
            if session:
                self._shown[session] = run.job.id
            self.version += 1
        if self.store is not None:
            self.store.add(run.job)
        context = contextvars.copy_context()  # a lent GPU wants to know who asks
        threading.Thread(target=context.run, args=(self._work, run), name="auralume-run", daemon=True).start()
        return run

    def show(self, session: str, run: BackgroundRun) -> None:
        """Note which run a page shows: its Stop is meant for this one."""
        with self._lock:
            self._shown[session] = run.job.id

    def stop_shown(self, session: str) -> BackgroundRun | None:
        """Stop the run that a page shows; return it."""
        run = self.find_shown(session)
        if run is not None and run.is_open:
            self.stop(run)
            return run
        return None

    def stop(self, run: BackgroundRun) -> None:
        """Stop a run, or take it from those that wait."""
        run.stop()
        with self._lock:
            self._lock.notify_all()

    def get(self, owner: str, job_id: str) -> BackgroundRun | None:
        """Return a run of an owner."""
        with self._lock:
            run = self._runs.get(job_id)
        return run if run is not None and run.job.owner == owner else None

    def find(self, job_id: str) -> BackgroundRun | None:
        """Return a run by its id, whoever began it."""
        with self._lock:
            return self._runs.get(job_id)

    def list_remembered(self, browser: str, place: str) -> list[BackgroundRun]:
        """Return the runs that were begun in this browser at this place and are remembered, the oldest first."""
        with self._lock:
            own = [each for each in self._runs.values() if (each.job.browser, each.job.place) == (browser, place)]
        known = [each for each in own if each.is_open or time.monotonic() - each.ended_s < REMEMBERED_S]
        return known if browser else []

    def find_shown(self, session: str) -> BackgroundRun | None:
        """Return the run that a page shows."""
        with self._lock:
            return self._runs.get(self._shown.get(session, ""))

    def count_runs(self) -> dict[str, int]:
        """Return how many runs wait and how many run."""
        with self._lock:
            open_states = [each.state for each in self._runs.values() if each.is_open]
        return {state: open_states.count(state) for state in states.OPEN_STATES}

    def list_open(self, owner: str) -> list[BackgroundRun]:
        """Return an owner's runs that wait or run, the oldest first."""
        with self._lock:
            own = [each for each in self._runs.values() if each.job.owner == owner and each.is_open]
        return sorted(own, key=lambda each: each.job.id)

    def _work(self, run: BackgroundRun) -> None:
        job, state, said, began_s = run.job, states.FAILED, "", time.monotonic()
        try:
            self._wait_for_turn(run)
            began_s, run.state = time.monotonic(), states.RUNNING
            self._note(lambda store: store.begin(job.id))
            state = run.work()
            line = run.line
            said = line.sentence if isinstance(line, Problem) else str(getattr(getattr(line, "html", ""), "what", ""))
        finally:
            run.state = state
            note_job(job.place, state, time.monotonic() - began_s)
            with self._lock:
                self._lanes[run.lane].leave(job.id)
                self._lock.notify_all()
                self.version += 1
            self._note(lambda store: store.end(job.id, state, said, run.items))
            run.close()

    def _wait_for_turn(self, run: BackgroundRun) -> None:
        said = ""
        with self._lock:
            room = self.patient_at_once if run.is_patient else self.at_once
            lane = self._lanes[run.lane]
            while not lane.begin(run.job.id, room) and not run.is_unwanted:
                now = self._place_in_words(run, lane.count_before(run.job.id), room)
                if now != said:
                    run.tell((Status(html.status(now)),))
                    said = now
                self._lock.wait(LOOK_S)
            self._lock.notify_all()  # the next one's turn may have come, too

    def _place_in_words(self, run: BackgroundRun, before: int, room: int) -> str:
        store = None if run.is_quick else self.store  # which knows of long work, too
        return say_place(before, room, store.usual_s(run.job.place) if store is not None else None)

    def _note(self, work: Callable[[JobStore], None]) -> None:
        if self.store is not None:
            try:
                work(self.store)
            except Exception:
                log.warning("A job could not be noted", exc_info=True)

    def _forget_old(self, newest: Job) -> None:
        """Let go of ended runs: all but the last few of a browser at a place, and all after a while."""
        old, now_s = find_old((each.job for each in self._runs.values()), newest), time.monotonic()
        for job_id, run in list(self._runs.items()):
            is_old = job_id in old or now_s - run.ended_s > REMEMBERED_S
            if not run.is_open and run.ended_s and not run.is_followed and is_old:
                del self._runs[job_id]
                self._shown = {session: shown for session, shown in self._shown.items() if shown != job_id}
                run.clear()

    def end_abandoned(self) -> None:
        """Stop what a person waited for and no page follows; for a studio that keeps nothing by itself."""
        with self._lock:
            waited = [each for each in self._runs.values() if each.is_open and not each.is_patient]
            alone = [each for each in waited if not each.is_followed]
        for run in alone:
            self.stop(run)


BOARDS: weakref.WeakKeyDictionary[Blocks, RunBoard] = weakref.WeakKeyDictionary()


def board_of(page: Blocks | None = None) -> RunBoard:
    """Return the board of a page, by default of the one that is being built."""
    page = page if page is not None else Context.root_block
    if page is None:
        raise RuntimeError("Runs belong to a page that is being built.")
    return BOARDS.setdefault(page, RunBoard())


def new_job(owner: str, browser: str, place: str, starter: int, title: str, row: dict[str, Any]) -> Job:
    """Return a job that waits."""
    return Job(new_id(), owner, browser, place, starter, title, states.WAITING, row, time.time())


def watch_abandoned(board: RunBoard) -> None:
    """Look now and then for work that nobody follows, in a thread of its own."""

    def look() -> None:
        while True:
            time.sleep(ABANDONED_S / 3)
            board.end_abandoned()

    threading.Thread(target=look, name="auralume-abandoned", daemon=True).start()


def _copy(path: Path, folder: Path) -> Path:
    """Copy a file into a folder, beside another of its name; return the copy."""
    folder = Path(tempfile.mkdtemp(dir=folder)) if (folder / path.name).exists() else folder
    target = folder / path.name
    shutil.copyfile(path, target)
    return target
