"""Check and fix sync: give a clip with sound, see by how much the sound is late or early, take the repaired clip."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any

import gradio as gr

from models.registry.registry import Registry
from studio.page import html, jobs, model_card
from studio.page.components import busy_js, markup, ready, wire_stop
from studio.video.sync_actions import TASK, SyncActions

__all__ = ["TASK", "build"]

WELCOME = (
    "A network looks at the picture, listens to the sound, and says by how much they are apart; you see which moments "
    "it found to belong together."
)
WELCOME_SYNC = """<svg viewBox="0 0 220 70" aria-hidden="true" fill="none" stroke-linecap="round" stroke-width="3">
<g stroke="#2a9f90"><rect x="10" y="8" width="200" height="22" rx="6"/>
<path d="M50 8v22M90 8v22M130 8v22M170 8v22"/></g>
<path stroke="#f7933c" d="M22 52v0M36 48v8M50 40v24M64 48v8M78 52v0M92 46v12M106 38v28M120 46v12M134 52v0M148 47v10
M162 40v24M176 48v8M190 52v0"/></svg>"""
ORDER = ("clip", "fix")


def build(registry: Registry) -> None:
    """Lay out the page in the current Blocks and wire it."""
    actions = SyncActions(registry)
    with gr.Row(elem_classes="workbench", equal_height=False):
        with gr.Column(scale=5, min_width=300, elem_classes="maker"):
            with gr.Column(elem_classes=["card", "first"]):
                clip = gr.File(label="Clip with sound", type="filepath", height=120, elem_id="sync-clip")
                fix = gr.Checkbox(True, label="Move the sound where it is out of time", elem_id="sync-fix")
                with gr.Row(elem_classes="actions"):
                    start = gr.Button(
                        "Check", variant="primary", scale=3, elem_id="sync-check", elem_classes="generate-button"
                    )
                    stop = gr.Button(
                        "Stop", interactive=False, scale=1, elem_id="sync-stop", elem_classes="stop-button"
                    )
            with gr.Column(elem_classes="card"):
                markup(model_card.line(registry, registry.specs(TASK)[0].key), elem_id="sync-shelf")
        with gr.Column(scale=7, min_width=300, elem_classes=["card", "result"]):
            status = markup(html.welcome("verdict", WELCOME, WELCOME_SYNC), elem_id="sync-status")
            with gr.Row():
                before = gr.Video(label="As it was", interactive=False, visible=False, elem_id="sync-before")
                after = gr.Video(label="In time", interactive=False, visible=False, elem_id="sync-after")
            file = gr.DownloadButton("Download the repaired clip", visible=False, elem_id="sync-file")
            plot, notes = markup("", elem_id="sync-plot"), markup("", elem_id="sync-notes")
    shown: dict[str, Any] = {"status": status, "before": before, "after": after, "file": file}
    shown |= {"plot": plot, "notes": notes}

    def run(request: gr.Request, path: str | None, repair: bool) -> Iterator[dict[Any, Any]]:
        with tempfile.TemporaryDirectory(prefix="auralume-") as folder:
            for update in actions.generate(str(request.session_hash) + "sync", path, repair, folder):
                yield {shown[name]: _shown(name, value) for name, value in update.items() if name in shown}
        yield ready([start], stop)

    start.click(None, outputs=[start, stop], js=busy_js(1), api_visibility="private")
    running = start.click(
        run,
        [clip, fix],
        [*shown.values(), start, stop],
        concurrency_id=jobs.CPU_QUEUE,
        concurrency_limit=1,
        show_progress="minimal",
        show_progress_on=status,
        api_visibility="private",
    )
    wire_stop(actions.stops, stop, status, [start], [running], suffix="sync")
    _endpoint(actions, clip, fix)


def _shown(name: str, value: Any) -> Any:
    if name in {"before", "after", "file"}:
        return gr.update(value=value, visible=value is not None)
    return value


def _endpoint(actions: SyncActions, clip: gr.File, fix: gr.Checkbox) -> None:
    """The public endpoint `/sync`: the repaired MP4, or nothing where none was needed, then the report."""
    with gr.Column(visible=False):
        trigger = gr.Button("Check sync for a program")
        repaired, report = gr.File(label="video"), gr.JSON(label="report")

    def sync(clip: str, fix: bool = True) -> Iterator[tuple[str | None, dict[str, Any] | None]]:
        """Tell by how much the sound of a clip is late or early, and repair it. Returns the repaired MP4 file (none
        where nothing was to be repaired) and a report with `offset_ms` (positive where the sound is late)."""
        try:
            with tempfile.TemporaryDirectory(prefix="auralume-") as folder:
                for update in actions.check(clip, fix, folder):
                    yield update.get("file"), update.get("report")
        except Exception as error:
            raise gr.Error(jobs.sentence(error), print_exception=False) from error

    trigger.click(
        sync,
        [clip, fix],
        [repaired, report],
        api_name="sync",
        concurrency_id=jobs.CPU_QUEUE,
        show_progress="hidden",
    )
