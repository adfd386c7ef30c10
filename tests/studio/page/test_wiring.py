"""A control that starts the work anew, such as the strength of a style, makes one result and not two."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator, Mapping
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from models.registry.registry import Registry
from studio.library.owners import BROWSER_HEADER
from studio.page import html
from studio.page.events import Events, Kept, Pictures, Status
from studio.page.fields import FieldList, Numeric, Seed, Text
from studio.page.form import Form
from studio.page.jobs import StopBoard, run_stoppable
from studio.page.panels import Panels
from studio.page.runs import board_of
from studio.page.steps import layout_steps
from studio.page.wiring import RETURNS, Workbench, wire_run
from tests.loops import run_coroutine

FIELDS = FieldList(
    (Text(name="words", label="Words"), Numeric(name="strength", label="Strength", default=0.5, low=0, high=1), Seed())
)
REQUEST = SimpleNamespace(session_hash="page", headers={BROWSER_HEADER: "hers"})


class Painter:
    """The work of a tab: each run ends when the test lets it."""

    def __init__(self) -> None:
        self.stops, self.painted = StopBoard(), list[Any]()
        self.may_end = threading.Event()

    def __call__(self, session: str, _key: str, values: Mapping[str, Any]) -> Generator[Events]:
        def work(should_stop: Any) -> Generator[Events]:
            self.painted.append(values["strength"])
            yield (Status(html.status("Painting")),)
            while not self.may_end.wait(0.01):
                if should_stop():
                    return
            yield Status(html.finished("painted")), Kept({"made": True}), Pictures({})

        yield from run_stoppable(self.stops, session, work)


@pytest.fixture
def painter() -> Painter:
    return Painter()


@pytest.fixture
def bench(painter: Painter) -> Workbench:
    with gr.Blocks():
        form = Form(FIELDS, Registry(()), "any")
        form.layout("main")
        form.layout_seed()
        make, stop, steps = gr.Button("Restyle"), gr.Button("Stop"), layout_steps("any")
        panels = Panels(status=gr.HTML(), kept={"made": gr.State(False)})
        wire_run(form, panels, [(make, painter)], stop, painter.stops, again=[form["strength"].release], steps=steps)
        return RETURNS[board_of()][0]


def press(bench: Workbench, strength: float, is_again: bool = False) -> Any:
    """Return the page's updates of a press with these values, to its end."""

    async def collect() -> dict[Any, Any]:
        seen: dict[Any, Any] = {}
        async for updates in bench.press(0, is_again)(REQUEST, "a word", strength, 7, False):
            seen |= updates
        return seen

    return collect()


def test_a_number_that_is_left_and_a_press_make_one_result(bench: Workbench, painter: Painter) -> None:
    async def leave_and_press() -> list[dict[Any, Any]]:
        left = asyncio.create_task(press(bench, 0.8, is_again=True))
        while not painter.painted:
            await asyncio.sleep(0.01)
        pressed = asyncio.create_task(press(bench, 0.8))
        await asyncio.sleep(0)
        painter.may_end.set()
        return [await left, await pressed]

    for seen in run_coroutine(leave_and_press()):
        assert "painted" in seen[bench.panels.status]
    assert painter.painted == [0.8]
    run_coroutine(press(bench, 0.8, is_again=True))  # looked at, and left as it was
    assert painter.painted == [0.8]
    run_coroutine(press(bench, 0.8))  # who presses wants another
    assert painter.painted == [0.8, 0.8]


def test_a_slider_that_moves_on_ends_what_it_began(bench: Workbench, painter: Painter) -> None:
    async def move_twice() -> list[dict[Any, Any]]:
        first = asyncio.create_task(press(bench, 0.3, is_again=True))
        while not painter.painted:
            await asyncio.sleep(0.01)
        second = asyncio.create_task(press(bench, 0.6, is_again=True))
        await first  # it ends although nobody let it
        painter.may_end.set()
        return [await second]

    (seen,) = run_coroutine(move_twice())
    assert "painted" in seen[bench.panels.status] and painter.painted == [0.3, 0.6]
