"""Undo and Redo: the results before and after the one that a page shows, with all that they were made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import gradio as gr

from studio.page.events import Events
from studio.page.panels import Updates
from studio.page.runs import BackgroundRun, RunBoard


@dataclass(frozen=True)
class StepMemory:
    """How what a tab holds beside its form, such as a song, comes back with Undo.

    Attributes:
        hold: from the values of the further components to what is remembered of them with a run.
        show: from what is remembered, and the values now, to the events that bring it back; none where it is there.
    """

    hold: Callable[..., Any]
    show: Callable[..., Events]


class ResultSteps:
    """The results of one place that Undo and Redo go through.

    Args:
        buttons: Undo and Redo, from `layout_steps`.
        memory: of what the form does not hold, or None.
    """

    def __init__(
        self, board: RunBoard, place: str, buttons: tuple[gr.Button, gr.Button], memory: StepMemory | None
    ) -> None:
        self.board, self.place, self.buttons, self.memory = board, place, buttons, memory
        self._held: WeakKeyDictionary[BackgroundRun, Any] = WeakKeyDictionary()

    def note(self, run: BackgroundRun, further: tuple[Any, ...]) -> None:
        """Remember with a run what it was made of."""
        if self.memory is not None and further:
            self._held[run] = self.memory.hold(*further)

    def list_results(self, shown: BackgroundRun) -> list[BackgroundRun]:
        """Return the results, the oldest first, with the run that is shown among them."""
        known = self.board.list_remembered(shown.job.browser, self.place)
        results = [each for each in known if each.has_result or each is shown]
        return results if shown in results else [*results, shown]

    def offer(self, shown: BackgroundRun) -> Updates:
        """Return the state of the buttons where a run is shown."""
        known = self.list_results(shown)
        at = known.index(shown)
        could = at > 0, at < len(known) - 1
        return {
            each: gr.update(interactive=can, visible=len(known) > 1)
            for each, can in zip(self.buttons, could, strict=True)
        }

    def find(self, shown: BackgroundRun | None, by: int) -> BackgroundRun | None:
        """Return the result before (-1) or after (1) the one that is shown; None where there is none."""
        known = self.list_results(shown) if shown is not None else []
        at = known.index(shown) + by if shown is not None else -1
        return known[at] if 0 <= at < len(known) else None

    def bring_back(self, run: BackgroundRun, now: tuple[Any, ...]) -> Events:
        """Return the events that show what a run was made of beside its form."""
        if self.memory is None or run not in self._held:
            return ()
        return self.memory.show(self._held[run], *now)


def layout_steps(prefix: str) -> tuple[gr.Button, gr.Button]:
    """Make Undo and Redo, which show the result before and the one after; they are seen from the second result on."""
    with gr.Row(elem_classes="steps"):
        undo, redo = (
            gr.Button(name, size="sm", visible=False, interactive=False, elem_id=f"{prefix}-{name.lower()}")
            for name in ("Undo", "Redo")
        )
    return undo, redo
