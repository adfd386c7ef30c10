"""The box above the tabs: "What is it about?", and what was made of the answer, part by part."""

from __future__ import annotations

from typing import Any

import gradio as gr

from models.registry.registry import Registry
from studio.make.actions import NEEDED, SHOWN, TABS, MakeActions
from studio.make.plan import MAX_SUBJECT_CHARACTERS
from studio.page.components import markup
from studio.page.fields import FieldList, Seed, Text
from studio.page.form import Form
from studio.page.panels import Panels
from studio.page.places import places_of
from studio.page.steps import layout_steps
from studio.page.wiring import layout_settings, wire_run, wire_settings

FIELDS = FieldList(
    (
        Text(
            name="about",
            label="What is it about?",
            options={
                "placeholder": "a lighthouse in a storm, with piano and soft drums",
                "max_length": MAX_SUBJECT_CHARACTERS,
                "max_lines": 1,
                "scale": 5,
                "min_width": 200,
            },
        ),
        Seed(help="the same words and seed make the same"),
    )
)
TITLES = {"introduction": "Introduction", "song": "Song", "film": "Music video"}
DOWNLOADS = {"captions": "Captions (SRT)", "mix": "Voice and song (WAV)", "midi": "Notes (MIDI)"}


def serves(registry: Registry) -> bool:
    """Tell whether the registry has a model for every part."""
    return all(registry.default(task) is not None for task in NEEDED)


def build(registry: Registry) -> None:
    """Lay out the box in the current Blocks, before the tabs, and wire it."""
    actions, form = MakeActions(registry, places_of()), Form(FIELDS, registry, "make")
    with gr.Column(elem_id="make", elem_classes="card"):
        with gr.Row(elem_classes="make-row"):
            form.layout("main")
            start = gr.Button("Make something", variant="primary", scale=2, min_width=150, elem_id="make-start")
            stop = gr.Button("Stop", interactive=False, scale=1, min_width=70, elem_id="make-stop")
        steps = layout_steps("make")
        panels = _layout_result()
        with gr.Column(visible=False):  # the parts show it, and keep it in their own tabs
            form.layout_seed()
            settings, note = layout_settings("make", ())
    wire_run(form, panels, [(start, actions.run)], stop, actions.stops, steps=steps)
    wire_settings(form, settings, note, _load_settings)
    form["about"].submit(None, js="() => { document.querySelector('#make-start')?.click(); }", api_visibility="private")


def _load_settings(_path: str) -> tuple[dict[str, Any], str]:
    raise ValueError("Every part is opened in its own tab.")


def _layout_result() -> Panels:
    status, said = markup("", elem_id="make-status"), markup("", elem_id="make-said")
    picture = markup("", elem_id="make-picture")
    files: dict[str, Any] = {}
    parts: dict[str, gr.Column] = {}
    opens: dict[str, gr.HTML] = {}
    with gr.Row(elem_classes="make-parts"):
        for name in SHOWN:
            with gr.Column(visible=False, min_width=240, elem_id=f"make-{name}-part") as parts[name]:
                markup(f"<h3>{TITLES[name]}</h3>")
                files[name] = _make_player(name)
                opens[f"{name}_open"] = markup("", elem_id=f"make-{name}-open")
    with gr.Row(elem_classes="downloads", visible=False) as downloads:
        for name, label in DOWNLOADS.items():
            files[name] = gr.DownloadButton(label, size="md", interactive=False, elem_id=f"make-{name}")
    return Panels(
        status=status,
        pictures={"said": said, "picture": picture, **opens},
        files=files,
        downloads=downloads,
        areas={name: (part,) for name, part in parts.items()},
    )


def _make_player(name: str) -> gr.Audio | gr.Video:
    label = f"{TITLES[name]}, made in {TABS[name]}"
    if name == "film":
        return gr.Video(label=label, show_label=False, interactive=False, height=240, elem_id="make-film")
    return gr.Audio(
        label=label, show_label=False, type="filepath", interactive=False, buttons=["download"], elem_id=f"make-{name}"
    )
