"""What every tab wires alike: the button that starts work, Stop, and settings from a result."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

import gradio as gr

from studio.page import html, jobs
from studio.page.components import QUIET, busy_js, markup, ready, wire_stop
from studio.page.events import Events
from studio.page.form import Form
from studio.page.panels import Panels, Updates

Run = Callable[..., Generator[Events]]  # session, model's key, values, then the values of further inputs


def wire_run(
    form: Form,
    panels: Panels,
    starters: Sequence[tuple[gr.Button, Run]],
    stop: gr.Button,
    stops: jobs.StopBoard,
    inputs: Sequence[Any] = (),
    suffix: str = "",
    again: Sequence[Callable[..., Any]] = (),
) -> None:
    """Let buttons start work that yields events, and Stop end it.

    Args:
        starters: buttons, each with what it runs as `run(session, key, values, *further)`.
        inputs: further components, whose values follow the form's.
        suffix: of the session's name, where a session has several kinds of work.
        again: listeners, such as a slider's `release`, that start the first button's work anew once the panels' state
            "made" is true.
    """
    buttons = [button for button, _ in starters]
    names, count = form.fields.names, len(form.components)

    def runner(run: Run) -> Callable[..., Iterator[Updates]]:
        def work(request: gr.Request, *row: Any) -> Iterator[Updates]:
            values = dict(zip(names, row[:count], strict=True))
            key = str(values.pop("model", "") or "")
            for events in run(f"{request.session_hash}{suffix}", key, values, *row[count:]):
                yield panels.show(events)
            yield ready(buttons, stop)

        return work

    def rerunner(run: Run) -> Callable[..., Iterator[Updates]]:
        def work(request: gr.Request, is_made: bool, *row: Any) -> Iterator[Updates]:
            if is_made:
                yield from runner(run)(request, *row)
            else:
                yield {buttons[0]: gr.skip()}

        return work

    outputs = [*panels.components, *buttons, stop]
    options: dict[str, Any] = {
        "show_progress": "minimal",
        "show_progress_on": panels.status,
        "api_visibility": "private",
        **jobs.queue_of(form.prefix),
    }
    running: list[Any] = []
    for button, run in starters:
        button.click(None, outputs=[*buttons, stop], js=busy_js(len(buttons)), api_visibility="private")
        running.append(button.click(runner(run), [*form.components, *inputs], outputs, **options))
    for listen in again:
        row = [panels.kept["made"], *form.components, *inputs]
        running.append(listen(rerunner(starters[0][1]), row, outputs, trigger_mode="always_last", **options))
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

    def put_back(path: str | None) -> Updates:
        if path is None:
            return {note: ""}
        try:
            values, said = load_settings(path)
        except ValueError as error:
            return {note: html.problem(jobs.sentence(error))}
        return {**form.updates(values), **follow(values), note: html.finished(said)}

    upload.change(put_back, upload, list(dict.fromkeys([*form.kept("model"), *also, note])), **QUIET)
