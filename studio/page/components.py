"""Small parts that every tab uses."""

from __future__ import annotations

from collections.abc import Sequence
from random import SystemRandom
from typing import Any
from weakref import WeakKeyDictionary

import gradio as gr
from gradio.context import Context

from studio.page import html
from studio.page.jobs import StopBoard

# For what is done at once and beside the queue.
QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


def markup(value: str, **options: Any) -> gr.HTML:
    """Make a piece of the page that only the studio's own style sheet dresses."""
    return gr.HTML(value, apply_default_css=False, **options)


def stream_player(elem_id: str) -> gr.Audio:
    """Make a player for sound that arrives while it is made; its own download does not work on a stream."""
    return gr.Audio(
        streaming=True,
        autoplay=True,
        interactive=False,
        buttons=[],
        show_label=False,
        container=False,
        elem_id=elem_id,
        elem_classes=["player", "of-stream"],
        waveform_options=gr.WaveformOptions(show_recording_waveform=False),  # a finished sound, too, has our player
    )


def busy_js(starters: int) -> str:
    """Return JavaScript for a click that starts work: so many buttons go off, and Stop goes on, at once."""
    off, on = (f"{{__type__: 'update', interactive: {state}}}" for state in ("false", "true"))
    return f"(...values) => [...Array({starters}).fill({off}), {on}]"


def ready(starters: Sequence[gr.Button], stop: gr.Button) -> dict[Any, Any]:
    """Return the update after work: what starts it can be pressed again, Stop cannot."""
    return {**{each: gr.update(interactive=True) for each in starters}, stop: gr.update(interactive=False)}


def wire_stop(
    stops: StopBoard,
    stop: gr.Button,
    status: gr.HTML,
    starters: Sequence[gr.Button],
    running: list[Any],
    suffix: str = "",
) -> None:
    """Let Stop end running work, which then ends by itself and keeps what it has, or take waiting work from the queue.

    Args:
        running: the events that start the work.
        suffix: of the session's name on the board, where a session has several kinds of work.
    """

    def ask_to_stop(request: gr.Request) -> Any:
        return gr.skip() if stops.ask(str(request.session_hash) + suffix) else SystemRandom().random()

    leave_queue = gr.Number(visible=False)
    stop.click(ask_to_stop, outputs=leave_queue, **QUIET)
    leave_queue.change(
        lambda: {status: html.finished("Stopped"), **ready(starters, stop)},
        outputs=[status, *starters, stop],
        cancels=running,
        **QUIET,
    )


SHARED_FOR_S = 3600
_SHARED: WeakKeyDictionary[gr.Blocks, dict[str, gr.State]] = WeakKeyDictionary()


def shared_state(name: str) -> gr.State:
    """Return what one tab leaves for another on the same page, such as the Music tab's piece ("music")."""
    page = Context.root_block
    if page is None:
        raise RuntimeError("A shared state belongs to a page that is being built.")
    states = _SHARED.setdefault(page, {})
    if name not in states:
        states[name] = gr.State(None, time_to_live=SHARED_FOR_S)
    return states[name]
