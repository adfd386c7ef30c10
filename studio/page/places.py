"""Where things stand on the page: what takes a file, and what takes a result's settings back.

The library's script asks for this list; so a result can go to every input that can take it, whatever tab has it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
from gradio.blocks import Block, Blocks
from gradio.context import Context

from studio.library.media import media_of
from studio.page.events import Events
from studio.page.fields import FieldList, Upload

LoadSettings = Callable[[str], tuple[dict[str, Any], str]]


@dataclass(frozen=True)
class Intake:
    """An input that takes a file.

    Attributes:
        name: of the control; label: on the page.
        elem_id: of its component.
        path: labels of the tabs to open, from the outside to the inside.
        media: what it takes, see `studio.library.media`.
        is_many: whether it takes a file beside those that it has.
    """

    name: str
    label: str
    elem_id: str
    path: tuple[str, ...]
    media: tuple[str, ...]
    is_many: bool = False


@dataclass(frozen=True)
class Opener:
    """A form that takes settings back.

    Attributes:
        prefix: of the form.
        path: labels of the tabs to open.
        load_settings: from a file to values and a sentence; raises ValueError for another form's file.
    """

    prefix: str
    path: tuple[str, ...]
    load_settings: LoadSettings


@dataclass(frozen=True)
class Workplace:
    """A form whose buttons begin runs.

    Attributes:
        prefix: of the form.
        path: labels of the tabs to open.
        starters: ids of its buttons' elements.
        repeats: numbers of the buttons whose work needs nothing but the form.
        begin: starts a run as `begin(owner, browser, starter, values, further)`, the values of further inputs last.
        source: control that takes what a result was made from, where its work can begin with that, too.
        fields: of the form.
    """

    prefix: str
    path: tuple[str, ...]
    starters: tuple[str, ...]
    repeats: frozenset[int]
    begin: Callable[..., Any]
    source: str = ""
    fields: FieldList = field(default_factory=lambda: FieldList(()))


@dataclass(frozen=True)
class Program:
    """The work of an endpoint, for what stands beside the tabs and asks several of them.

    Attributes:
        fields: of its form; work: as the endpoint does it, with a model's key, values, and a folder for files; what is
            to be stopped takes a function that tells whether to, too.
        results: names of the files that it returns.
    """

    fields: FieldList
    work: Callable[..., Generator[Events]]
    results: tuple[str, ...] = ()

    def run(
        self, key: str, values: Mapping[str, Any], folder: str, should_stop: Callable[[], bool] | None = None
    ) -> Generator[Events]:
        """Do it with these values, and the first values of all other fields; raises its failures.

        What is told to stop ends with the files of what it has, or raises Stopped where that is nothing.
        """
        row = self.fields.defaults() | dict(values)
        row.pop("model", None)
        yield from self.work(key, row, folder, *((should_stop,) if should_stop is not None else ()))


@dataclass
class Places:
    """All of a page."""

    intakes: list[Intake] = field(default_factory=list)
    openers: list[Opener] = field(default_factory=list)
    workplaces: dict[str, Workplace] = field(default_factory=dict)
    programs: dict[str, Program] = field(default_factory=dict)

    def add_upload(self, declared: Upload, component: Block) -> None:
        """Note an input that was laid out; one that nobody sees takes nothing."""
        above = list(ancestors(component))
        if not all(each.visible in (True, None) for each in above if hasattr(each, "visible")):
            return
        self.intakes.append(
            Intake(declared.name, declared.label, str(component.elem_id), labels_of(component), takes(declared))
        )

    def find_opener(self, path: str) -> Opener | None:
        """Return the form that takes the settings in a file."""
        for each in self.openers:
            try:
                each.load_settings(path)
            except ValueError:
                continue
            return each
        return None


PLACES: weakref.WeakKeyDictionary[Blocks, Places] = weakref.WeakKeyDictionary()


def places_of(page: Blocks | None = None) -> Places:
    """Return the places of a page, by default of the one that is being built."""
    page = page if page is not None else Context.root_block
    if page is None:
        return Places()
    return PLACES.setdefault(page, Places())


def takes(declared: Upload) -> tuple[str, ...]:
    """Return the media that an upload takes."""
    if declared.takes:
        return declared.takes
    if declared.media == "audio":
        return ("sound",)
    return tuple(dict.fromkeys(media_of(f"any{ending}") for ending in declared.file_types))


def ancestors(component: Block) -> Iterator[Any]:
    """Yield what a component stands in, from the inside to the outside."""
    at = component.parent
    while at is not None:
        yield at
        at = at.parent


def labels_of(component: Block) -> tuple[str, ...]:
    """Return the labels of the tabs that a component stands in, from the outside to the inside."""
    return tuple(str(each.label) for each in ancestors(component) if isinstance(each, gr.Tab))[::-1]


def labels_here() -> tuple[str, ...]:
    """Return the labels of the tabs that are being built."""
    at = Context.block
    if at is None:
        return ()
    here = (str(at.label),) if isinstance(at, gr.Tab) else ()
    return labels_of(at) + here
