"""Check and fix sync: give a clip with sound, see by how much the sound is late or early, take the repaired clip."""

from __future__ import annotations

import gradio as gr

from models.registry.registry import Registry
from studio.page import html, model_card
from studio.page.components import markup
from studio.page.examples import show_examples
from studio.page.form import Form, Result, endpoint
from studio.page.panels import Panels
from studio.page.steps import layout_steps
from studio.page.wiring import wire_run
from studio.video.controls import SYNC_FIELDS
from studio.video.sync_actions import SyncActions

WELCOME = (
    "A network looks at the picture, listens to the sound, and says by how much they are apart; you see which moments "
    "it found to belong together."
)
WELCOME_SYNC = """<svg viewBox="0 0 220 70" aria-hidden="true" fill="none" stroke-linecap="round" stroke-width="3">
<g stroke="#2a9f90"><rect x="10" y="8" width="200" height="22" rx="6"/>
<path d="M50 8v22M90 8v22M130 8v22M170 8v22"/></g>
<path stroke="#f7933c" d="M22 52v0M36 48v8M50 40v24M64 48v8M78 52v0M92 46v12M106 38v28M120 46v12M134 52v0M148 47v10
M162 40v24M176 48v8M190 52v0"/></svg>"""
ABOUT = (
    "Tell by how much the sound of a clip is late or early, and repair it. Returns the repaired MP4 file (none where "
    "nothing was to be repaired) and a report with `offset_ms` (positive where the sound is late)."
)


def build(registry: Registry) -> None:
    """Lay out the page in the current Blocks and wire it."""
    actions, form = SyncActions(registry), Form(SYNC_FIELDS, registry, "sync")
    with gr.Row(elem_classes="workbench", equal_height=False):
        with gr.Column(scale=5, min_width=300, elem_classes="maker"):
            with gr.Column(elem_classes=["card", "first"]):
                form.layout("clip")
                with gr.Row(elem_classes="actions"):
                    start = gr.Button(
                        "Check", variant="primary", scale=3, elem_id="sync-check", elem_classes="generate-button"
                    )
                    stop = gr.Button(
                        "Stop", interactive=False, scale=1, elem_id="sync-stop", elem_classes="stop-button"
                    )
            with gr.Column(elem_classes="card"):
                markup(model_card.line(registry, actions.key), elem_id="sync-shelf")
        with gr.Column(scale=7, min_width=300, elem_classes=["card", "result"]):
            steps = layout_steps("sync")
            panels = _layout_result()
    wire_run(form, panels, [(start, actions.run)], stop, actions.stops, suffix="sync", steps=steps)
    endpoint(
        form,
        actions.run_program,
        name="sync",
        about=ABOUT,
        results=(Result("file", lambda: gr.File(label="video")), Result("", lambda: gr.JSON(label="report"))),
    )


def _layout_result() -> Panels:
    status = markup(html.welcome("verdict", WELCOME, WELCOME_SYNC, show_examples("sync")), elem_id="sync-status")
    with gr.Row():
        before = gr.Video(label="As it was", interactive=False, visible=False, elem_id="sync-before")
        after = gr.Video(label="In time", interactive=False, visible=False, elem_id="sync-after")
    file = gr.DownloadButton("Download the repaired clip", visible=False, elem_id="sync-file")
    pictures = {name: markup("", elem_id=f"sync-{name}") for name in ("plot", "notes")}
    files = {"before": before, "after": after, "file": file}
    return Panels(status=status, pictures=pictures, files=files, optional=("file",))
