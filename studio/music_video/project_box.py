"""Where the Music Video tab saves and opens projects."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from studio.music_video.listening import show_song
from studio.music_video.project import open_project, save_project
from studio.music_video.song import Song, close
from studio.page import html, jobs
from studio.page.components import QUIET, markup
from studio.page.form import Form
from studio.page.panels import Panels, Updates

NO_SONG = "Choose a song first; then there is something to save."
OPENED = "The project is open"
SAVED = "The project is ready: download it"


@dataclass(frozen=True)
class ProjectBox:
    """The components that save and open projects."""

    save: gr.Button
    saved: gr.DownloadButton
    given: gr.File
    note: gr.HTML


def layout_projects() -> ProjectBox:
    """Lay the box out in the current column."""
    with gr.Accordion("Project", open=False, elem_classes="more"):
        with gr.Row(elem_classes="words-row"):
            save = gr.Button("Save the project", size="md", elem_id="mv-save-project")
            saved = gr.DownloadButton("Download it", size="md", visible=False, elem_id="mv-project")
        given = gr.File(
            label="Open a project", file_types=[".zip"], type="filepath", height=110, elem_id="mv-open-project"
        )
        note = markup("", elem_id="mv-project-note")
    return ProjectBox(save, saved, given, note)


def wire_projects(box: ProjectBox, form: Form, panels: Panels) -> None:
    """Let the box save what the page holds, and put it back."""
    song = panels.kept["song"]

    def save(song: Song | None, *row: Any) -> Updates:
        if song is None:
            return {box.note: html.problem(NO_SONG), box.saved: gr.update(visible=False)}
        target = song.folder / f"{song.name}-project.zip"
        try:
            notes = save_project(form.values(row), song, target)
        except ValueError as error:
            return {box.note: html.problem(jobs.sentence(error)), box.saved: gr.update(visible=False)}
        said = html.finished(SAVED) + html.notes(notes)
        return {box.note: said, box.saved: gr.update(value=str(target), visible=True)}

    def bring_back(given: str | None, old: Song | None) -> Updates:
        if given is None:
            return {box.note: ""}
        try:
            project = open_project(Path(given))
        except ValueError as error:
            return {box.note: html.problem(jobs.sentence(error))}
        close(old)
        page = {**form.updates(project.values), **panels.show(show_song(project.song))}
        return {**page, box.note: html.finished(OPENED) + html.notes(project.notes)}

    outputs: list[Any] = list(dict.fromkeys([*panels.components, *form.settable, box.note]))
    options: dict[str, Any] = QUIET | {"show_progress": "minimal", "show_progress_on": box.note}
    box.save.click(save, [song, *form.components], [box.note, box.saved], **options)
    box.given.upload(bring_back, [box.given, song], outputs, **options)
