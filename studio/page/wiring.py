"""What every tab wires alike: the button that starts work, Stop, and settings from a result."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

import gradio as gr

from studio.library.store import LibraryError
from studio.page import html, jobs
from studio.page.components import QUIET, busy_js, markup, ready, wire_stop
from studio.page.events import Events
from studio.page.form import Form
from studio.page.keeping import Keeping, library_of_page, offered_by, owner_of_request
from studio.page.panels import Panels, Updates
from studio.page.places import Opener, labels_here, places_of

Run = Callable[..., Generator[Events]]  # session, model's key, values, then the values of further inputs

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
    """
    buttons = [button for button, _ in starters]
    names, count = form.fields.names, len(form.components)
    library, offered = library_of_page(), offered_by(panels)
    seed_kept = [form.keeps_seed] if form.keeps_seed is not None else []

    def runner(starter: int, is_again: bool = False) -> Callable[..., Iterator[Updates]]:
        button, run = starters[starter]

        def work(request: gr.Request, *row: Any) -> Iterator[Updates]:
            values = dict(zip(names, row[:count], strict=True))
            is_kept, further = row[count : count + len(seed_kept)], row[count + len(seed_kept) :]
            drawn = form.draw(values, is_again or any(is_kept))
            if drawn:
                yield drawn
            keeping = None
            if library is not None:
                uploads = {} if prefers_inputs else form.uploads(values)
                things = () if button in fresh else further
                owner = owner_of_request(request)
                keeping = Keeping(library, owner, form.prefix, offered, uploads, things, starter)
            key = str(values.pop("model", "") or "")
            try:
                for events in run(f"{request.session_hash}{suffix}", key, values, *further):
                    if keeping is not None:
                        keeping.add(events)
                    yield panels.show(events)
            finally:
                if keeping is not None:
                    keeping.finish()
            if keeping is not None and keeping.problem:
                gr.Warning(keeping.problem)
            yield ready(buttons, stop)

        return work

    def rerunner() -> Callable[..., Iterator[Updates]]:
        def work(request: gr.Request, is_made: bool, *row: Any) -> Iterator[Updates]:
            if is_made:
                yield from runner(0, is_again=True)(request, *row)
            else:
                yield {buttons[0]: gr.skip()}

        return work

    outputs = [*panels.components, *buttons, stop, *([form["seed"]] if seed_kept else [])]
    row = [*form.components, *seed_kept, *inputs]
    options: dict[str, Any] = {
        "show_progress": "minimal",
        "show_progress_on": panels.status,
        "api_visibility": "private",
        **jobs.queue_of(form.prefix),
    }
    running: list[Any] = []
    for number, button in enumerate(buttons):
        button.click(None, outputs=[*buttons, stop], js=busy_js(len(buttons)), api_visibility="private")
        running.append(button.click(runner(number), row, outputs, **options))
    for listen in again:
        made = [panels.kept["made"], *row]
        running.append(listen(rerunner(), made, outputs, trigger_mode="always_last", **options))
    wire_stop(stops, stop, panels.status, buttons, running, suffix)


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
    follow: Callable[[dict[str, Any]], Updates] = lambda _values: {},
    also: Sequence[Any] = (),
) -> None:
    """Put a result's settings back into the form.

    Args:
        load_settings: from a path to values by name and a sentence; raises ValueError with a sentence.
        follow: what else changes with the values, such as the line about a model; it changes `also`.
    """
    outputs = list(dict.fromkeys([*form.kept("model"), *also, note]))

    def restore(path: str) -> Updates:
        try:
            values, said = load_settings(path)
        except ValueError as error:
            return {note: html.problem(jobs.sentence(error))}
        return {**form.updates(values), **follow(values), note: html.finished(said)}

    upload.change(lambda path: {note: ""} if path is None else restore(path), upload, outputs, **QUIET)
    library = library_of_page()
    if library is None:
        return
    places_of().openers.append(Opener(form.prefix, labels_here(), load_settings))

    def open_item(asked: str, request: gr.Request) -> Updates:
        owner, item_id = owner_of_request(request), asked.partition(" ")[0]
        try:
            item = library.get(owner, item_id)
            paths = [str(library.path(owner, item_id, each.name)) for each in item.files]
        except LibraryError as error:
            return {note: html.problem(str(error))}
        return next((found for found in map(restore, paths) if len(found) > 1), {note: html.problem(NO_SETTINGS)})

    asked = gr.Textbox(visible="hidden", elem_id=f"{form.prefix}-open")
    asked.change(open_item, asked, outputs, **QUIET)
