"""The result side of a tab shows every step, also one that changes nothing."""

from __future__ import annotations

import gradio as gr

from studio.page.events import Pictures, Report, Status
from studio.page.panels import Panels
from studio.page.run_events import RunSnapshot


def test_a_step_that_changes_nothing_is_an_answer_all_the_same() -> None:
    with gr.Blocks():
        panels = Panels(gr.HTML(), pictures={"mel": gr.HTML()})
    assert panels.show((Status("On"), Pictures({"mel": "drawn", "other": "left out"}))) == {
        panels.status: "On",
        panels.pictures["mel"]: "drawn",
    }
    for events in ((), (Report({"seed": 1}),), (Pictures({"other": "left out"}),), RunSnapshot().events(True)):
        assert list(panels.show(events)) == [panels.status], events  # Gradio takes an empty dict for a missing answer
