"""Undo and Redo go through the results of a browser at a place, and bring back what these were made of."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from studio.page import html
from studio.page.events import Files, Kept, Status
from studio.page.runs import BackgroundRun, RunBoard
from studio.page.steps import ResultSteps, StepMemory, layout_steps
from tests.studio.page.test_runs import Work, begin, wait_for


def make_result(board: RunBoard, path: Path) -> BackgroundRun:
    work = Work([(Files({"wav": path}), Status(html.finished("done")))])
    work.go()
    run = begin(board, work)
    wait_for(lambda: run.ended_s)
    return run


def test_steps_go_from_result_to_result_and_bring_back_what_the_form_does_not_hold(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"a sound")
    board = RunBoard()
    with gr.Blocks():
        undo, redo = buttons = layout_steps("any")
    memory = StepMemory(lambda song: f"held {song}", lambda held, now: (Kept({"song": f"{held} after {now}"}),))
    steps = ResultSteps(board, "speech", buttons, memory)
    first, failed, second = make_result(board, path), begin(board, Work([])), make_result(board, path)
    failed.stop()
    wait_for(lambda: failed.ended_s)
    for run, song in ((first, "one"), (second, "two")):
        steps.note(run, (song,))
    assert steps.find(second, -1) is first and steps.find(first, 1) is second  # what made nothing is passed by
    assert steps.find(first, -1) is steps.find(second, 1) is steps.find(None, -1) is None
    states = {
        name: (change["interactive"], change["visible"])
        for name, change in zip(("undo", "redo"), (steps.offer(second)[undo], steps.offer(second)[redo]), strict=True)
    }
    assert states == {"undo": (True, True), "redo": (False, True)}
    assert steps.bring_back(first, ("two",)) == (Kept({"song": "held one after two"}),)
    assert steps.bring_back(failed, ("two",)) == ()
    assert ResultSteps(board, "speech", buttons, None).bring_back(first, ()) == ()
