"""What every tab wires alike: the button that starts work, Stop, and settings from a result."""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from studio.library.naming import title_of
from studio.library.store import LibraryError
from studio.library.transit import Transit
from studio.page import html, jobs
from studio.page.components import QUIET, busy_js, markup, ready
from studio.page.drafts import keep_draft
from studio.page.events import Events
from studio.page.examples import find_example
from studio.page.form import Form
from studio.page.keeping import Keeping, browser_of_request, library_of_page, offered_by, owner_of_request
from studio.page.panels import Panels, Updates
from studio.page.places import Opener, Workplace, labels_here, places_of
from studio.page.run_events import merge
from studio.page.runs import BackgroundRun, RunBoard, board_of, new_job
from studio.page.steps import ResultSteps, StepMemory

IsQuick = Callable[[Mapping[str, Any]], bool]
Run = Callable[..., Generator[Events]]  # session, model's key, values, then the values of further inputs

JOB = "job:"  # before the id of a job, where an item is meant otherwise
NO_SETTINGS = "This result holds no settings that could be put back."


def wire_run(
    form: Form,
    panels: Panels,
    starters: Sequence[tuple[gr.Button, Run]],
    stop: gr.Button,
    stops: jobs.StopBoard,
    inputs: Sequence[Any] = (),
    suffix: str = "",
    again: Sequence[Callable[..., Any]] = (),
    fresh: Sequence[gr.Button] = (),
    prefers_inputs: bool = False,
    is_quick: IsQuick = lambda _values: False,
    steps: tuple[gr.Button, gr.Button] | None = None,
    source: str = "",
    memory: StepMemory | None = None,
) -> None:
    """Let buttons start work that yields events, and Stop end it.

    Args:
        starters: buttons, each with what it runs as `run(session, key, values, *further)`.
        inputs: further components, whose values follow the form's.
        suffix: of the session's name, where a session has several kinds of work.
        again: listeners, such as a slider's `release`, that start the first button's work anew once the panels' state
            "made" is true.
        fresh: starters whose results come from none of the further components.
        prefers_inputs: whether results come from the further components, whatever else was uploaded.
        is_quick: tells by the form's values whether the work is done in a moment; such work waits for no long one.
        steps: buttons that show the result before and the one after, from `layout_steps`.
        source: control that can take, as a file, what the further components hold.
        memory: brings back with the steps what the further components held.
    """
    place = f"{form.prefix}{suffix}"
    known = ResultSteps(board_of(), place, steps, memory) if steps is not None else None
    facts = len(inputs), fresh, prefers_inputs, place, is_quick, known, source
    Workbench(form, panels, starters, stop, stops, *facts).wire(inputs, again)


@dataclass
class Workbench:
    """What `wire_run` wires together; `place` names its runs on the board of the page."""

    form: Form
    panels: Panels
    starters: Sequence[tuple[gr.Button, Run]]
    stop: gr.Button
    stops: jobs.StopBoard
    inputs_count: int
    fresh: Sequence[gr.Button]
    prefers_inputs: bool
    place: str
    is_quick: IsQuick
    steps: ResultSteps | None = None
    source: str = ""

    def __post_init__(self) -> None:
        self.buttons = [button for button, _ in self.starters]
        self.board, self.library = board_of(), library_of_page()
        self.follows_controls = False  # whether a control that is changed starts the work, too
        self.seed_kept = [self.form.keeps_seed] if self.form.keeps_seed is not None else []
        seed = [self.form["seed"]] if self.seed_kept else []
        self.step_buttons = self.steps.buttons if self.steps is not None else ()
        self.outputs = [*self.panels.components, *self.buttons, self.stop, *seed, *self.step_buttons]

    def begin(
        self,
        owner: str,
        browser: str,
        session: str,
        starter: int,
        values: dict[str, Any],
        further: Sequence[Any] = (),
        is_patient: bool = False,
    ) -> BackgroundRun:
        """Begin a run of a button with the form's values and those of the further inputs.

        Args:
            is_patient: whether nobody waits for it.

        Raises:
            ValueError: the studio has too much to do.
        """
        button, work = self.starters[starter]
        title = title_of(values, self.form.prefix, str(button.value))
        job = new_job(owner, browser, self.place, starter, title, {**values})
        keeping, given_files, offered = None, self.form.uploads(values), offered_by(self.panels)
        if self.library is not None:
            uploads = {} if self.prefers_inputs and further else given_files
            things = () if button in self.fresh else tuple(further)
            keeping = Keeping(self.library, owner, self.form.prefix, offered, uploads, things, starter)
        given = {name: value for name, value in values.items() if name != "model"}
        key, rest = str(values.get("model") or ""), tuple(further) or (None,) * self.inputs_count
        paths = frozenset(given_files.values())
        run = BackgroundRun(
            job,
            lambda name: work(name, key, given, *rest),
            keeping,
            self.stops,
            paths,
            offered,
            is_patient,
            self.is_quick(values),
        )
        if self.steps is not None and browser:
            self.steps.note(run, tuple(further))
        return self.board.submit(session, run)

    def repeat(
        self, owner: str, browser: str, starter: int, values: dict[str, Any], further: Sequence[Any] = ()
    ) -> BackgroundRun:
        """Begin a run that no page asked for, with a new seed."""
        self.form.draw(values, False)
        return self.begin(owner, browser, "", starter, values, further, is_patient=True)

    def session_of(self, request: gr.Request) -> str:
        """Return what the board calls this tab of an open page: the Stop of each tab is meant for its own run."""
        return f"{request.session_hash} {self.place}"

    async def follow(
        self, run: BackgroundRun, session: str, first: Updates | None = None, insists: bool = False
    ) -> AsyncIterator[Updates]:
        """Yield the page's updates of a run to its end.

        Args:
            first: what is shown in one step with the first of it: players shown one right after another get lost.
            insists: whether each step says which buttons can be pressed: while a page is opened, one may get lost.
        """
        self.board.show(session, run)
        ahead = first or {}
        busy: Updates = {}
        if run.is_open:
            busy = {each: gr.update(interactive=False) for each in (*self.buttons, *self.step_buttons)}
            busy[self.stop] = gr.update(interactive=True)
            yield {**ahead, **busy}
            ahead = {}
        is_over = not run.is_open
        async for events in run.follow():
            yield {**ahead, **(busy if insists else {}), **self.panels.show(events, is_over)}
            ahead = {}
        if run.keeping is not None and run.keeping.problem:
            gr.Warning(run.keeping.problem)
        yield {**ready(self.buttons, self.stop), **(self.steps.offer(run) if self.steps is not None else {})}

    def step(self, by: int) -> Callable[..., AsyncIterator[Updates]]:
        """Return what Undo (-1) and Redo (1) do: show the run before or after the one on the page, and its settings."""

        async def work(request: gr.Request, *further: Any) -> AsyncIterator[Updates]:
            session = self.session_of(request)
            found = self.steps.find(self.board.find_shown(session), by) if self.steps is not None else None
            if found is None or self.steps is None:
                yield {self.stop: gr.skip()}
                return
            brought = self.steps.bring_back(found, further)
            first = self.panels.show(brought) if brought else {}
            first |= self.form.updates(self.form.readable(found.job.row))
            first |= {each: gr.skip() for each in self.seed_kept}
            async for page in self.follow(found, session, first):
                yield page

        return work

    def press(self, starter: int, is_again: bool = False) -> Callable[..., AsyncIterator[Updates]]:
        """Return what a press of a button does."""
        count, kept = len(self.form.components), len(self.seed_kept)

        async def work(request: gr.Request, *row: Any) -> AsyncIterator[Updates]:
            values = self.form.values(row[:count])
            session = self.session_of(request)
            if self.follows_controls:
                shown = self.board.find_shown(session)
                if shown is not None and is_again and self._is_like(shown, values):
                    yield {self.stop: gr.skip()}  # a number that was looked at and left as it was
                    return
                if shown is not None and shown.is_open and self._is_like(shown, values):
                    async for page in self.follow(shown, session):
                        yield page
                    return
                self.board.stop_shown(session)
            drawn = self.form.draw(values, is_again or any(row[count : count + kept]))
            owner, browser = owner_of_request(request), browser_of_request(request)
            try:  # before anything is shown: a page that is left at its first news has begun its work
                run = self.begin(owner, browser, session, starter, values, row[count + kept :])
            except ValueError as error:
                yield {**drawn, self.panels.status: html.problem(str(error)), **ready(self.buttons, self.stop)}
                return
            async for page in self.follow(run, session, drawn):
                yield page

        return work

    def _is_like(self, run: BackgroundRun, values: Mapping[str, Any]) -> bool:
        """Tell whether a run was begun with these values, whatever its seed."""
        return {**run.job.row, "seed": None} == {**values, "seed": None}

    def wire(self, inputs: Sequence[Any], again: Sequence[Callable[..., Any]]) -> None:
        """Wire buttons, Stop, and the way back to what runs."""
        row = [*self.form.components, *self.seed_kept, *inputs]
        options: dict[str, Any] = {
            "show_progress": "minimal",
            "show_progress_on": self.panels.status,
            "api_visibility": "private",
            "concurrency_limit": None,  # pages only follow; the board lets runs wait for their turn
        }
        clicks = [button.click for button in self.buttons]
        off = busy_js(len(self.buttons))
        gr.on(clicks, None, outputs=[*self.buttons, self.stop], js=off, api_visibility="private")
        for number, click in enumerate(clicks):
            click(self.press(number), row, self.outputs, **options)
        self.follows_controls = bool(again)
        if again:
            repress = self.press(0, is_again=True)

            async def paint_again(request: gr.Request, is_made: bool, *values: Any) -> AsyncIterator[Updates]:
                if not is_made:
                    yield {self.buttons[0]: gr.skip()}
                    return
                async for page in repress(request, *values):
                    yield page

            for listen in again:
                listen(
                    paint_again, [self.panels.kept["made"], *row], self.outputs, trigger_mode="always_last", **options
                )
        self._wire_stop()
        for by, button in zip((-1, 1), self.step_buttons, strict=bool(self.step_buttons)):
            changed = list(dict.fromkeys([*self.outputs, *self.form.settable]))
            button.click(
                self.step(by), list(inputs), changed, **options | {"show_progress": "hidden", "show_progress_on": None}
            )
        RETURNS.setdefault(self.board, []).append(self)
        ids = tuple(str(each.elem_id) for each in self.buttons)
        alone = frozenset(at for at, each in enumerate(self.buttons) if not inputs or each in self.fresh)
        places_of().workplaces[self.place] = Workplace(
            self.form.prefix, labels_here(), ids, alone, self.repeat, self.source, self.form.fields
        )

    def _wire_stop(self) -> None:
        def ask_to_stop(request: gr.Request) -> Updates:
            run = self.board.stop_shown(self.session_of(request))
            return {self.stop: gr.skip()} if run is not None else ready(self.buttons, self.stop)

        self.stop.click(ask_to_stop, outputs=[*self.buttons, self.stop], **QUIET)


RETURNS: weakref.WeakKeyDictionary[RunBoard, list[Workbench]] = weakref.WeakKeyDictionary()


def wire_returns(page: gr.Blocks) -> None:
    """Let a page that is opened follow in every tab what its browser began there; called once, after the tabs."""
    benches = RETURNS.get(board_of(), [])
    if not benches:
        return
    outputs = list(dict.fromkeys(each for bench in benches for each in bench.outputs))

    async def come_back(request: gr.Request) -> AsyncIterator[Updates]:
        browser = browser_of_request(request)
        found = [(bench, bench.board.list_remembered(browser, bench.place)) for bench in benches]
        follows = [bench.follow(runs[-1], bench.session_of(request), insists=True) for bench, runs in found if runs]
        if not follows:
            yield {outputs[0]: gr.skip()}
        async for updates in merge(follows):
            yield updates

    page.load(come_back, None, outputs, concurrency_limit=None, show_progress="hidden", api_visibility="private")


def layout_settings(prefix: str, file_types: Sequence[str]) -> tuple[gr.File, gr.HTML]:
    """Make the box that takes settings from a result, and the note under it."""
    upload = gr.File(
        label="Load settings from a result",
        file_types=list(file_types),
        type="filepath",
        height=110,
        elem_id=f"{prefix}-settings",
        elem_classes="drop-settings",
    )
    return upload, markup("", elem_id=f"{prefix}-settings-note")


def wire_settings(
    form: Form,
    upload: gr.File,
    note: gr.HTML,
    load_settings: Callable[[str], tuple[dict[str, Any], str]],
) -> None:
    """Put a result's settings back into the form.

    Args:
        load_settings: from a path to values by name and a sentence; raises ValueError with a sentence.
    """
    outputs = [*form.settable, note]

    def restore(path: str) -> Updates:
        try:
            values, said = load_settings(path)
        except ValueError as error:
            return {note: html.problem(jobs.sentence(error))}
        return {**form.updates(values), note: html.finished(said)}

    keep_draft(form)
    upload.change(lambda path: {note: ""} if path is None else restore(path), upload, outputs, **QUIET)
    places_of().openers.append(Opener(form.prefix, labels_here(), load_settings))
    library = library_of_page()
    if isinstance(library, Transit):  # the page's script gives back a file that the browser keeps
        given = gr.File(type="filepath", visible="hidden", elem_id=f"{form.prefix}-given")
        given.upload(restore, given, outputs, **QUIET)

    def open_job(owner: str, job_id: str) -> Updates:
        job = library.jobs.get(owner, job_id) if library is not None else None
        values = form.readable(job.row) if job is not None else {}
        if not values:
            return {note: html.problem(NO_SETTINGS)}
        return {**form.updates(values), note: html.finished("Settings restored")}

    def open_item(asked: str, request: gr.Request) -> Updates:
        owner, item_id = owner_of_request(request), asked.partition(" ")[0]
        if item_id.startswith(JOB):
            return open_job(owner, item_id.removeprefix(JOB))
        try:
            example = find_example(asked)
            if example is not None:
                return restore(str(example))
            if library is None:
                return {note: html.problem(NO_SETTINGS)}
            item = library.get(owner, item_id)
            paths = [str(library.path(owner, item_id, each.name)) for each in item.files]
        except (LibraryError, ValueError) as error:
            return {note: html.problem(str(error))}
        return next((found for found in map(restore, paths) if len(found) > 1), {note: html.problem(NO_SETTINGS)})

    asked = gr.Textbox(visible="hidden", elem_id=f"{form.prefix}-open")
    asked.change(open_item, asked, outputs, **QUIET).then(
        None, asked, js="(asked) => { window.auralumeLibrary?.pressed(asked); }"
    )
