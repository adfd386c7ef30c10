"""The model pickers of all tabs: they follow the shelf when models come and go."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import gradio as gr

from models.contracts import Task
from models.errors import ModelError
from models.registry.registry import Registry
from studio.page import model_card

_pickers: WeakKeyDictionary[Any, list[tuple[Task, gr.Dropdown]]] = WeakKeyDictionary()


def model_picker(
    registry: Registry, task: Task, elem_id: str, label: str = "Model", first: str = "", said: str = ""
) -> gr.Dropdown:
    """Make a picker on the page that is being built, known to `pickers`; it begins with `first` if that is there.

    `said` stands under its label. A program may name any model of the task that is on the shelf, whenever it was put
    there.
    """
    choices = model_card.choices(registry, task)
    shown = first if first in [key for _, key in choices] else choices[0][1]
    picker = gr.Dropdown(choices, value=shown, label=label, info=said or None, filterable=False, elem_id=elem_id)

    def preprocess(payload: Any) -> str:
        if payload in (None, ""):
            return registry.require_default(task, first).key
        try:
            spec = registry.get(str(payload))
        except ModelError as error:
            raise gr.Error(str(error), print_exception=False) from error
        if spec.task != task:
            raise gr.Error(f"{spec.title} does not serve here.", print_exception=False)
        return spec.key

    picker.preprocess = preprocess  # type: ignore[method-assign]
    root = gr.context.Context.root_block
    if root is not None:
        _pickers.setdefault(root, []).append((task, picker))
    return picker


def pickers(studio: gr.Blocks) -> list[tuple[Task, gr.Dropdown]]:
    """Return the pickers of a page by task, in the order in which they were made."""
    return _pickers.get(studio, [])


def refreshed(registry: Registry, found: list[tuple[Task, gr.Dropdown]], chosen: list[str | None]) -> list[Any]:
    """Return updates of the pickers after a change: new choices, and the first model for one that is gone."""
    updates = []
    for (task, _), value in zip(found, chosen, strict=True):
        choices = model_card.choices(registry, task)
        known = [key for _, key in choices]
        if value in known:  # the choice is left alone: the person may be changing it just now
            updates.append(gr.update(choices=choices))
        else:
            updates.append(gr.update(choices=choices, value=known[0] if known else None))
    return updates
