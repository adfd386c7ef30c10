"""The row under the plot, with which a person corrects the beats."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr


@dataclass
class Corrections:
    """The row under the plot."""

    number: gr.Number
    shift: gr.Number
    taps: gr.Textbox
    clicks: gr.Checkbox
    buttons: dict[str, gr.Button]


def layout_corrections() -> Corrections:
    """Lay out the corrections in the current column."""
    clicks = gr.Checkbox(True, label="Hear a click on every beat", elem_id="mv-hear-clicks")
    with gr.Row(elem_classes=["fixes"]):
        half = gr.Button("Half", size="sm", elem_id="mv-half")
        double = gr.Button("Double", size="sm", elem_id="mv-double")
        delete = gr.Button("Delete the chosen beat", size="sm", elem_id="mv-delete")
        downbeat = gr.Button("Mark as downbeat", size="sm", elem_id="mv-downbeat")
        undo = gr.Button("Undo", size="sm", elem_id="mv-beats-undo")
    with gr.Row(elem_classes=["fixes", "values"]):
        number = gr.Number(0, label="Chosen beat", precision=0, minimum=0, min_width=90, elem_id="mv-beat")
        shift = gr.Number(20, label="Shift by", info="", precision=0, min_width=90, elem_id="mv-shift-by")
        move = gr.Button("Shift (ms)", size="sm", elem_id="mv-shift")
        tap = gr.Button("Tap", size="sm", elem_id="mv-tap")
        use = gr.Button("Use the taps", size="sm", elem_id="mv-use-taps")
    taps = gr.Textbox("", label="Taps", show_label=False, elem_id="mv-taps", elem_classes="unseen")
    tap.click(None, js="() => { window.auralumeTap?.(); }")
    buttons = {"half": half, "double": double, "delete": delete, "downbeat": downbeat, "undo": undo, "shift": move}
    return Corrections(number, shift, taps, clicks, buttons | {"tap": use})
