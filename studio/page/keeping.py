"""What a run leaves for the library: one hook in the machinery that every tab's buttons share.

The files that a page offers are copied while they exist; when the run ends, however it ends, they appear in the
library together with their recipe and with what they were made from.
"""

from __future__ import annotations

import logging
import time
import weakref
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.blocks import Blocks
from gradio.context import Context

from models.registry.registry import Registry
from studio.io.recipes import Recipe, RecipeError, kind_of, read_recipe
from studio.library.arrival import Arrival
from studio.library.items import LibraryItem, new_id
from studio.library.naming import prompt_of, title_of
from studio.library.owners import LOCAL, browser_of, owner_of
from studio.library.store import Library
from studio.page.events import Events, Files, Kept, Lineage
from studio.page.panels import Panels

log = logging.getLogger(__name__)

FULL = "This result could not be kept in the library: {}."
KEPT_BY: weakref.WeakKeyDictionary[Registry, Library] = weakref.WeakKeyDictionary()  # for work beside any page
LIBRARIES: weakref.WeakKeyDictionary[Blocks, Library] = weakref.WeakKeyDictionary()


def library_of_page() -> Library | None:
    """Return the library of the page that is being built; None where results are not kept."""
    return LIBRARIES.get(Context.root_block) if Context.root_block is not None else None


def owner_of_request(request: gr.Request) -> str:
    """Return whose a request of the page is; without a server, the person at this machine."""
    try:
        return owner_of(request.headers)
    except AttributeError:
        return LOCAL


def browser_of_request(request: gr.Request) -> str:
    """Return the browser that a request of the page came from, or ""."""
    try:
        return browser_of(request.headers)
    except AttributeError:
        return ""


class Origins:
    """Remembers which objects of a page, such as its piece or its song, came from which items."""

    def __init__(self) -> None:
        self._items: dict[int, tuple[weakref.ref[Any], tuple[str, ...]]] = {}

    def note(self, thing: Any, items: Iterable[str]) -> None:
        """Note where a thing came from, as long as it lives; plain values are nobody's."""
        found = tuple(dict.fromkeys(items))
        if not found:
            return
        at = id(thing)
        with suppress(TypeError):
            self._items[at] = weakref.ref(thing, lambda _gone: self._forget(at)), found

    def _forget(self, at: int) -> None:
        self._items.pop(at, None)

    def find(self, thing: Any) -> tuple[str, ...]:
        """Return the ids of the items that a thing came from."""
        known, items = self._items.get(id(thing), (None, ()))
        return items if known is not None and known() is thing else ()


ORIGINS = Origins()


def note_origin(library: Library | None, owner: str, events: Events, source: Any) -> None:
    """Note that what a step gave the page to remember was made of `source`: an object of the page, or a path."""
    if library is None:
        return
    items = ORIGINS.find(source)
    if isinstance(source, (str, Path)):
        found = find_given(library, owner, source)
        items = (found[0],) if found is not None else ()
    for event in events:
        if isinstance(event, Kept):
            for thing in event.values.values():
                ORIGINS.note(thing, items)


def find_given(library: Library, owner: str, path: str | Path) -> tuple[str, str] | None:
    """Return the item and the name of its file that a person gave as an input; None for any other file."""
    try:
        found = library.find_source(owner, Path(path))
    except OSError:
        return None
    return (found[0].id, found[1].name) if found is not None else None


@dataclass
class Keeping:
    """The files of one run.

    Attributes:
        library: takes them; owner: whose they are.
        kind: of the result where no file says it.
        offered: names of the files that the page offers for download.
        uploads: paths that were given, by the name of the control.
        things: objects of the page that the run works on where nothing was uploaded.
        starter: number of the button that was pressed.
    """

    library: Library
    owner: str
    kind: str
    offered: frozenset[str]
    uploads: Mapping[str, str] = field(default_factory=dict)
    things: tuple[Any, ...] = ()
    starter: int = 0

    def __post_init__(self) -> None:
        self._arrivals: dict[str, tuple[Arrival, Recipe | None]] = {}
        self._stems: dict[str, str] = {}  # of files, by their names
        self._lineage = Lineage({})
        self._kept: list[Any] = []
        self.problem = ""

    def add(self, events: Events) -> None:
        """Copy the files of a step; what cannot be copied is told by `problem`, and the run goes on."""
        for event in events:
            match event:
                case Files(paths):
                    for role, path in paths.items():
                        if path is not None and str(path) not in self.uploads.values():
                            self._add(role, Path(path))
                case Kept(values):
                    self._kept += values.values()
                case Lineage(parents, inputs):
                    self._lineage = Lineage({**self._lineage.parents, **parents}, {**self._lineage.inputs, **inputs})
                case _:
                    pass

    def _add(self, role: str, path: Path) -> None:
        recipe = recipe_in(path)
        if recipe is None and role not in self.offered:
            return
        first = next(iter(self._arrivals), None)
        is_another = first is not None and (
            role in self._lineage.parents or (recipe is not None and not path.stem.startswith(first))
        )
        stem = (
            path.stem
            if first is None or is_another
            else next((each for each in reversed(self._arrivals) if path.stem.startswith(each)), first)
        )
        try:
            if stem not in self._arrivals:
                self._arrivals[stem] = self.library.begin(), recipe
            arrival, known = self._arrivals[stem]
            arrival.add(role, path)
            self._arrivals[stem] = arrival, known or recipe
            self._stems[role] = stem
        except OSError as error:
            self._fail(error)

    def finish(self) -> list[LibraryItem]:
        """Let everything that is finished appear; return it."""
        inputs = {}
        for name, path in self.uploads.items():
            found = find_given(self.library, self.owner, path)
            if found is not None:
                inputs[name] = found
        parents = [item for item, _ in inputs.values()]
        if not self.uploads:
            parents = [item for thing in self.things for item in ORIGINS.find(thing)]
        items: list[LibraryItem] = []
        made: dict[str, LibraryItem] = {}  # by stem
        for stem, (arrival, recipe) in self._arrivals.items():
            if not arrival.files:
                arrival.drop()
                continue
            own_parents, own_inputs = self._find_lineage(stem, made)
            kind = str(recipe.task) if recipe is not None else self.kind
            item = LibraryItem(
                id=new_id(),
                owner=self.owner,
                kind=kind,
                title=title_of(recipe.settings if recipe is not None else {}, kind, stem),
                prompt=prompt_of(recipe.settings) if recipe is not None else "",
                recipe=recipe,
                parents=tuple(dict.fromkeys([*parents, *own_parents])),
                inputs=inputs | own_inputs,
                starter=self.starter,
                created_s=time.time(),
            )
            try:
                items.append(arrival.keep(item))
                made[stem] = items[-1]
            except (OSError, ValueError) as error:
                self._fail(error)
            finally:
                arrival.drop()
        self._arrivals = {}
        for thing in self._kept:
            ORIGINS.note(thing, [each.id for each in items[:1]])
        return items

    def _find_lineage(self, stem: str, made: Mapping[str, LibraryItem]) -> tuple[list[str], dict[str, tuple[str, str]]]:
        """Return the items of this run that a result was made from, and those that were inputs, by their controls."""
        mine = [role for role, each in self._stems.items() if each == stem]
        parents = [each for role in mine for each in self._lineage.parents.get(role, ())]
        found = [made[self._stems[each]].id for each in parents if self._stems.get(each) in made]
        inputs = {}
        for control, each in (pair for role in mine for pair in self._lineage.inputs.get(role, {}).items()):
            source = made.get(self._stems.get(each, ""))
            file = next((file for file in source.files if file.role == each), None) if source is not None else None
            if source is not None and file is not None:
                inputs[control] = (source.id, file.name)
        return found, inputs

    def _fail(self, error: Exception) -> None:
        log.warning("A result could not be kept", exc_info=error)
        self.problem = FULL.format(str(getattr(error, "strerror", None) or error).rstrip("."))


def offered_by(panels: Panels) -> frozenset[str]:
    """Return the names of the files that a tab offers for download."""
    return frozenset(name for name, part in panels.files.items() if isinstance(part, gr.DownloadButton))


def recipe_in(path: Path) -> Recipe | None:
    """Return the recipe in a file, or None."""
    try:
        return read_recipe(path) if kind_of(path) is not None else None
    except (RecipeError, OSError):
        return None
