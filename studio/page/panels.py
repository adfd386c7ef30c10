"""The result side of a tab: components that show the events of an action."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
from gradio.blocks import Block

from studio.page.events import (
    Compared,
    Event,
    Files,
    Kept,
    Lineage,
    Offers,
    Pictures,
    Problem,
    Report,
    ShelfChange,
    Sound,
    Status,
)

Updates = dict[Any, Any]


@dataclass
class Panels:
    """Components by the names that events use.

    Attributes:
        status: the line above the result.
        sound: the player of sound that is still being made.
        sound_file: name of the file that this player gets, silent, where a page comes back to finished work.
        pictures: HTML parts.
        compared: the slider over a picture before and after, seen once there is one.
        files: what shows or offers a file: a button is on while there is one; a player is seen while there is one, and
            so is a button of `optional`; a hidden part stays so.
        downloads: the row of the buttons, seen from the first file on.
        kept: states, and other components that simply get a value.
        areas: parts of the page that are seen while a state or a file is there, by its name.
        controls: what an offer changes.
    """

    status: gr.HTML
    sound: gr.Audio | None = None
    sound_file: str = ""
    pictures: Mapping[str, gr.HTML] = field(default_factory=dict)
    compared: gr.ImageSlider | None = None
    files: Mapping[str, Any] = field(default_factory=dict)
    optional: tuple[str, ...] = ()
    downloads: Block | None = None
    kept: Mapping[str, Any] = field(default_factory=dict)
    areas: Mapping[str, tuple[Block, ...]] = field(default_factory=dict)
    controls: Mapping[str, Any] = field(default_factory=dict)

    @property
    def components(self) -> list[Any]:
        """List everything that events may change."""
        single = [each for each in (self.status, self.sound, self.compared, self.downloads) if each is not None]
        rest = (self.pictures, self.files, self.kept, self.controls)
        areas = [part for group in self.areas.values() for part in group]
        return [*single, *areas, *dict.fromkeys(part for group in rest for part in group.values())]

    def show(self, events: Iterable[Event], is_over: bool = False) -> Updates:
        """Return the updates of the page for one step; never none at all, which Gradio takes for a missing answer.

        Args:
            is_over: whether the step is a whole result that was made before.
        """
        page: Updates = {}
        for event in events:
            match event:
                case Status() | Problem():
                    page[self.status] = event.html
                case Sound(wav) if self.sound is not None:
                    page[self.sound] = wav
                case Pictures(drawn):
                    page |= {self.pictures[name]: text for name, text in drawn.items() if name in self.pictures}
                case Compared(before, after) if self.compared is not None:
                    page[self.compared] = gr.update(value=(before, after), visible=True)
                case Files(paths):
                    page |= self._files(paths) | self._areas(paths)
                    if is_over and self.sound is not None and self.sound_file in paths:
                        sound = paths[self.sound_file]
                        page[self.sound] = gr.update(value=str(sound) if sound is not None else None)
                case Kept(values):
                    page |= {self.kept[name]: value for name, value in values.items() if name in self.kept}
                    page |= self._areas(values)
                case Offers(name, choices, value, shows_one) if name in self.controls:
                    is_seen = shows_one or len(choices) > 1
                    page[self.controls[name]] = gr.update(choices=list(choices), value=value, visible=is_seen)
                case Report() | Sound() | Offers() | ShelfChange() | Compared() | Lineage():
                    pass
        return page or {self.status: gr.skip()}

    def _files(self, paths: Mapping[str, Any]) -> Updates:
        page: Updates = {}
        for name, path in paths.items():
            if name not in self.files:
                continue
            part, value = self.files[name], str(path) if path is not None else None
            is_button = isinstance(part, gr.DownloadButton) and name not in self.optional
            state: dict[str, Any] = {"interactive": value is not None} if is_button else {"visible": value is not None}
            if part.visible == "hidden":  # the page's script reads it
                state = {}
            page[part] = gr.update(value=value, **state)
        first = next((name for name, part in self.files.items() if isinstance(part, gr.DownloadButton)), None)
        if self.downloads is not None and first is not None and paths.get(first) is not None:
            page[self.downloads] = gr.update(
                visible=True
            )  # it stays: a page that hides it and at once shows it loses it
        return page

    def _areas(self, values: Mapping[str, Any]) -> Updates:
        named = ((name, part) for name, parts in self.areas.items() if name in values for part in parts)
        return {part: gr.update(visible=values[name] is not None) for name, part in named}
