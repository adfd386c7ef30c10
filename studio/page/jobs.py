"""Work that a page or a program starts: loading with progress, stopping, and plain sentences for whatever fails."""

from __future__ import annotations

import logging
import queue
import re
import threading
from collections.abc import Callable, Generator
from typing import Any

from models.contracts import Progress
from models.errors import ModelError
from models.registry.registry import Registry
from studio.page import html
from studio.page.events import Event, Events, Pictures, Problem, Status

log = logging.getLogger(__name__)

AT_ONCE = 4  # works of one form that run beside each other; their model takes them in turns
POLL_S = 0.25
_PLAIN_WORD = re.compile(r"[a-z]+(?:'s)?[,:;.!?]?(?:\s|$)")  # an id such as facebook/mms-tts-eng is written as it is
UNEXPECTED = "Something went wrong inside the studio. The details are in its log; try again, or try other settings."


def queue_of(form: str) -> dict[str, Any]:
    """Return Gradio's options of the queue of a form, by its prefix: long work of one form holds up no other form."""
    return {"concurrency_id": f"work-{form}", "concurrency_limit": AT_ONCE}


class Stopped(Exception):
    """The person pressed Stop."""


class StopBoard:
    """Which sessions have work running, one at a time each, and which of them were asked to stop."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._flags: dict[str, threading.Event] = {}
        self._expected: dict[str, threading.Event] = {}

    def expect(self, session: str) -> None:
        """Note that work is about to begin: asked to stop from now on, it stops as soon as it begins."""
        with self._lock:
            self._expected[session] = threading.Event()

    def begin(self, session: str) -> threading.Event:
        """Note that work begins, once the session's work before has ended; the event is set when it should stop."""
        with self._lock:
            self._lock.wait_for(lambda: session not in self._flags)
            return self._flags.setdefault(session, self._expected.pop(session, threading.Event()))

    def end(self, session: str) -> None:
        """Note that work has ended, or that it is expected no more."""
        with self._lock:
            self._flags.pop(session, None)
            self._expected.pop(session, None)
            self._lock.notify_all()

    def ask(self, session: str) -> bool:
        """Ask the session's work to stop; False where none is running or expected."""
        with self._lock:
            flag = self._flags.get(session) or self._expected.get(session)
            if flag is not None:
                flag.set()
            return flag is not None


def load_model(
    load: Callable[[Callable[[Progress], None]], Any], should_stop: Callable[[], bool] = lambda: False
) -> Generator[Progress, None, Any]:
    """Load in another thread; yield how far it is, and return the model.

    Args:
        load: called with a function that it tells its progress; a download ends when that function raises.

    Raises:
        Stopped: `should_stop` became true; the work ends at its next report.
        ModelError: as `load` raises it.
    """
    reports: queue.Queue[tuple[str, Any]] = queue.Queue()
    abandoned = threading.Event()

    def report(progress: Progress) -> None:
        if abandoned.is_set():
            raise Stopped
        reports.put(("progress", progress))

    def work() -> None:
        try:
            reports.put(("model", load(report)))
        except BaseException as error:
            reports.put(("error", error))

    threading.Thread(target=work, name="auralume-load", daemon=True).start()
    try:
        while True:
            try:
                kind, value = reports.get(timeout=POLL_S)
            except queue.Empty:
                kind, value = "progress", None
            if should_stop():
                raise Stopped
            if kind == "model":
                return value
            if kind == "error":
                raise value
            if value is not None:
                yield value
    finally:
        abandoned.set()


def describe(progress: Progress) -> tuple[str, float | None]:
    """Return a progress as a sentence and a share in [0, 1] (None where the total is unknown)."""
    stage = progress.stage[:1].upper() + progress.stage[1:]
    if progress.total <= 0:
        return f"{stage} …", None
    share = min(1.0, progress.done / progress.total)
    if progress.unit == "bytes":
        return f"{stage}: {progress.done / 2**20:.0f} of {progress.total / 2**20:.0f} MB", share
    return f"{stage}: {progress.done:,} of {progress.total:,} {progress.unit}", share


def sentence(error: BaseException) -> str:
    """Return what to tell a person about a failure; what was not foreseen goes to the log."""
    if isinstance(error, (ModelError, ValueError)) and str(error):
        text = str(error).strip()
        return text[0].upper() + text[1:] if _PLAIN_WORD.match(text) else text
    if isinstance(error, MemoryError):
        return "There is not enough memory for this; close other programs or choose a smaller model."
    log.error("Unforeseen failure", exc_info=error)
    return UNEXPECTED


Work = Callable[[str, Any, Any, Callable[[], bool]], Generator[Events]]  # model's key, model, request, whether to stop


def run_on_page(
    registry: Registry,
    stops: StopBoard,
    session: str,
    key: str,
    first: Events,
    prepare: Callable[[], Any],
    work: Work,
    stopped: str = "Stopped",
    ending: Events = (),
    falls_back: bool = True,
) -> Generator[Events]:
    """Load a model and yield the events of `work` with it; Stop ends it, and failures are events, never exceptions.

    Where a lent GPU is not granted, the model that ships for the same task does the work, and the page is told.

    Args:
        session: name of the work on the board.
        first: what the page shows before anything else.
        prepare: makes the request; what is wrong with it is told before anything is loaded.
        stopped: what the page says after Stop.
        ending: what else the page shows after stopped or failed work.
        falls_back: whether the request means the same to the model that ships.
    """

    def guarded(should_stop: Callable[[], bool]) -> Generator[Events]:
        yield first
        request = prepare()
        try:
            yield from run_with_model(registry, key, request, work, should_stop)
        except ModelError as error:
            shipped = next((spec for spec in registry.specs(registry.get(key).task) if not spec.is_remote), None)
            if not falls_back or error.kind != "quota" or shipped is None or shipped.key == key:
                raise
            said = f"{error} So {shipped.title}, which ships with the studio, made this on the processor."
            yield (Status(html.status(f"No GPU just now; {shipped.title} begins")),)
            for events in run_with_model(registry, shipped.key, request, work, should_stop):
                yield tuple(_with_note(event, said) for event in events)

    yield from run_stoppable(stops, session, guarded, stopped, ending)


def run_stoppable(
    stops: StopBoard,
    session: str,
    work: Callable[[Callable[[], bool]], Generator[Events]],
    stopped: str = "Stopped",
    ending: Events = (),
) -> Generator[Events]:
    """Yield the events of `work(should_stop)`; Stop ends it, and failures are events, never exceptions."""
    flag = stops.begin(session)
    try:
        yield from work(flag.is_set)
    except Stopped:
        yield Status(html.finished(stopped)), *ending
    except Exception as error:
        yield Problem(sentence(error)), *ending
    finally:
        stops.end(session)


def run_with_model(
    registry: Registry, key: str, request: Any, work: Work, should_stop: Callable[[], bool] = lambda: False
) -> Generator[Events]:
    """Load a model, telling how far it is, and yield the events of `work` with it; raises its failures."""
    if registry.state(key) == "ready":
        model = registry.load(key)
    else:
        loading = load_model(lambda report: registry.load(key, report), should_stop)
        while True:
            try:
                yield (Status(html.status(*describe(next(loading)))),)
            except StopIteration as end:
                model = end.value
                break
    yield from work(key, model, request, should_stop)


def load_quietly(registry: Registry, key: str) -> Generator[None, None, Any]:
    """Load a second model for work that has begun: yield None at each step of it, and return the model."""
    loading = load_model(lambda report: registry.load(key, report))
    while True:
        try:
            next(loading)
        except StopIteration as end:
            return end.value
        yield None


def _with_note(event: Event, said: str) -> Event:
    if isinstance(event, Pictures) and "notes" in event.html:
        return Pictures({**event.html, "notes": html.notes([said]) + event.html["notes"]})
    return event
