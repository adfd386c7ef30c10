"""The Models tab: what is here, what can be had, and any repository of a supported kind by its id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from models.hub.formats import list_format_names
from models.registry.registry import Registry
from studio.models_tab.actions import ShelfActions
from studio.page import html, model_card
from studio.page.components import QUIET, markup, wire_stop
from studio.page.events import Events, Problem, ShelfChange, Status
from studio.page.model_picker import pickers, refreshed
from studio.page.panels import Updates
from studio.page.runs import board_of
from studio.page.shelf import CLOSED_SAID, is_open
from studio.page.tab import Tab

HINT = (
    "Any repository of a supported kind, by its id or address. A branch or tag is pinned to the commit that it names "
    "now. Only safetensors, ONNX graphs and GGUF files are loaded, and never a repository's own program code. A folder "
    "of this machine works too: weights that <code>python -m training.pack</code> made, or voices of Kokoro, hibari or "
    "Piper."
)
USABLE = ("download", "verify", "free", "delete", "off")  # buttons that a model may have no use for
SMALL: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


@dataclass
class Parts:
    """What the tab is made of."""

    model: gr.Dropdown
    chosen: gr.Textbox
    line: gr.HTML
    download: gr.Button
    stop: gr.Button
    verify: gr.Button
    free: gr.Button
    delete: gr.Button
    off: gr.Button
    repository: gr.Textbox
    revision: gr.Textbox
    quantised: gr.Textbox
    add: gr.Button
    status: gr.HTML
    overview: gr.HTML


def build(registry: Registry) -> None:
    """Lay out the tab in the current Blocks and wire it; build it after all others, so that it knows their pickers.

    When the tab is opened it shows what has changed elsewhere: a model that another tab downloaded or loaded.
    """
    tab, board = gr.context.Context.block, board_of()
    actions = ShelfActions(registry, board.count_runs)
    parts = _layout(registry, actions)
    root = gr.context.Context.root_block
    page = ShelfPanels(registry, actions, parts, pickers(root) if root is not None else [])
    _wire(actions, parts, page)
    parts.model.change(page.show_model, parts.model, [parts.line, *page.buttons], **QUIET)
    parts.chosen.change(lambda said: str(said).partition(" ")[0], parts.chosen, parts.model, **QUIET)

    def look_again(key: str, *chosen: Any) -> dict[Any, Any]:
        said: Events = () if is_open() else (Status(html.finished(CLOSED_SAID)),)
        return page.show((*said, ShelfChange()), chosen, key)

    for listen in (root.load if root is not None else None, tab.select if isinstance(tab, gr.Tab) else None):
        if listen is not None:
            listen(look_again, [parts.model, *page.boxes], page.shown, **QUIET)


def _layout(registry: Registry, actions: ShelfActions) -> Parts:
    choices = actions.choices()
    first = choices[0][1] if choices else None
    usable = actions.usable(first) if first else dict.fromkeys(USABLE, False)
    made: dict[str, Any] = {}
    with gr.Row(elem_classes="workbench", equal_height=False):
        with gr.Column(scale=5, min_width=300, elem_classes="maker"):
            with gr.Column(elem_classes=["card", "first"]):
                made["model"] = gr.Dropdown(
                    choices, value=first, label="Model", elem_id="shelf-model", allow_custom_value=True
                )
                made["chosen"] = gr.Textbox(visible="hidden", elem_id="shelf-chosen")  # of a card that is pressed
                made["line"] = markup(
                    model_card.line(registry, first, is_open=True) if first else "", elem_id="shelf-line"
                )
                with gr.Row(elem_classes="actions"):
                    made["download"] = _button("Download", "download", scale=2, **_look("download", usable))
                    made["stop"] = _button("Stop", "stop", interactive=False, elem_classes="stop-button")
                with gr.Row(elem_classes="actions"):
                    made["verify"] = _button("Verify", "verify", **_look("verify", usable))
                    made["free"] = _button("Free memory", "free", **_look("free", usable))
                with gr.Row(elem_classes="actions"):
                    made["delete"] = _button("Delete download", "delete", **_look("delete", usable))
                    made["off"] = _button("Take off the shelf", "off", **_look("off", usable))
            with gr.Column(elem_classes="card"):
                made["repository"] = gr.Textbox(
                    label="Add a repository of the Hub", placeholder="owner/name", elem_id="shelf-repository"
                )
                made["revision"] = gr.Textbox(label="Revision", placeholder="main", elem_id="shelf-revision")
                made["quantised"] = gr.Textbox(
                    label="Quantised file (GGUF), for a small GPU",
                    placeholder="owner/name/file.gguf",
                    elem_id="shelf-quantised",
                )
                made["add"] = _button("Add to the shelf", "add")
                markup(f'<div class="hint">{HINT}</div>')
                markup(f'<details class="hint"><summary>Supported kinds</summary>{list_format_names()}</details>')
        with gr.Column(scale=7, min_width=300, elem_classes=["card", "result"]):
            made["status"] = markup("", elem_id="shelf-status")
            made["overview"] = markup("", elem_id="shelf-overview")  # filled when the page is opened
    return Parts(**made)


def _button(title: str, name: str, **options: Any) -> gr.Button:
    settings: dict[str, Any] = {"scale": 1, "min_width": 80, "elem_id": f"shelf-{name}"} | options
    return gr.Button(title, **settings)


def _look(name: str, usable: Mapping[str, bool]) -> dict[str, Any]:
    """Return whether a button can be pressed; Download is bright only then."""
    look: dict[str, Any] = {"interactive": usable[name]}
    return look | {"variant": "primary" if usable[name] else "secondary"} if name == "download" else look


class ShelfPanels:
    """The tab's components that show events: everything about the shelf, where it changed."""

    def __init__(self, registry: Registry, actions: ShelfActions, parts: Parts, found: list[Any]) -> None:
        self.registry, self.actions, self.parts, self.found = registry, actions, parts, found
        self.boxes = [picker for _, picker in found]
        self.buttons = [getattr(parts, name) for name in USABLE]
        self.shown = [parts.status, parts.overview, parts.model, parts.line, *self.buttons, *self.boxes]

    def show_model(self, key: str) -> Updates:
        """Return the updates about one model: its facts, and what can be done with it now."""
        usable = self.actions.usable(key)
        states = {getattr(self.parts, name): gr.update(**_look(name, usable)) for name in USABLE}
        return {self.parts.line: model_card.line(self.registry, key, is_open=True), **states}

    def show(self, events: Events, chosen: Any, now: str | None) -> Updates:
        """Return updates; `chosen` is what the pickers of all tabs show, `now` what this tab's shows."""
        page: Updates = {}
        for event in events:
            match event:
                case Status() | Problem():
                    page[self.parts.status] = event.html
                case ShelfChange(key):
                    page |= self._show_change(key, chosen, now)
                case _:
                    pass
        return page

    def _show_change(self, changed: str, chosen: Any, now: str | None) -> Updates:
        parts, known = self.parts, self.actions.choices()
        keys = [key for _, key in known]
        key = next((each for each in (changed, now) if each in keys), keys[0])
        page: Updates = {
            parts.model: gr.update(choices=known) if key == now else gr.update(choices=known, value=key),
            parts.overview: self.actions.overview(),
        }
        page |= self.show_model(key)
        return page | dict(zip(self.boxes, refreshed(self.registry, self.found, list(chosen)), strict=True))


def _wire(actions: ShelfActions, parts: Parts, page: ShelfPanels) -> None:
    def long(work: Any) -> Any:
        def run(request: gr.Request, key: str, *chosen: Any) -> Iterator[dict[Any, Any]]:
            for events in work(str(request.session_hash), key):
                yield page.show(events, chosen, key)
            yield {parts.stop: gr.update(interactive=False)}

        return run

    inputs = [parts.model, *page.boxes]
    running = []
    for button, work in ((parts.download, actions.download), (parts.verify, actions.verify)):
        button.click(lambda: gr.update(interactive=True), outputs=parts.stop, **QUIET)
        running.append(button.click(long(work), inputs, [*page.shown, parts.stop], concurrency_limit=4, **SMALL))
    wire_stop(actions.stops, parts.stop, parts.status, [parts.download], running)

    def quick(work: Any) -> Any:
        return lambda key, *chosen: page.show(work(key), chosen, key)

    for button, act in ((parts.free, actions.free), (parts.delete, actions.delete), (parts.off, actions.take_off)):
        button.click(quick(act), inputs, page.shown, **SMALL)

    def put_on(repository: str, revision: str, quantised: str, key: str, *chosen: Any) -> Iterator[dict[Any, Any]]:
        for events in actions.add(repository or "", revision or "", quantised or ""):
            yield page.show(events, chosen, key)

    for event in (parts.add.click, parts.repository.submit):
        event(put_on, [parts.repository, parts.revision, parts.quantised, *inputs], page.shown, **SMALL)


TAB = Tab("Models", (), build)
