"""How a result is made again: where, and of which files, as long as these are still there."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from studio.library.items import LibraryItem
from studio.library.media import media_of
from studio.library.store import Library, LibraryError
from studio.page.fields import REQUIRED
from studio.page.form import are_there
from studio.page.places import Opener, Places, Workplace

NAMED = ("media_names", "file_names")  # in recipes: files of one's own that a result was made of
OWN_FILE = "own file"  # in recipes, as the value of a style or a picture
ONE, MOST_NAMED = 1, 4
UNKNOWN = "It was made of files of your own, and the studio does not know any more which: give them again in its tab."


@dataclass(frozen=True)
class Repeat:
    """How a result is made again.

    Attributes:
        place: whose button begins it.
        files: paths to give, by control.
        missing: a sentence that says which files are gone; "" where it can be made again.
    """

    place: Workplace
    files: dict[str, Any] = field(default_factory=dict)
    missing: str = ""


def find_opener(library: Library, item: LibraryItem, places: Places) -> tuple[Opener | None, str]:
    """Return the form that takes an item's settings back, and the file that holds them."""
    for each in item.files if item.recipe is not None else ():
        path = str(library.path(item.owner, item.id, each.name))
        opener = places.find_opener(path)
        if opener is not None:
            return opener, path
    return None, ""


def find_repeat(library: Library, item: LibraryItem, places: Places, opener: Opener | None) -> Repeat | None:
    """Return how an item is made again by a form; None where it needs more than settings and files.

    The files are those of the library, and those that were given to the job that made it: they lie in the studio's
    cache for a while.
    """
    if opener is None:
        return None
    for place in places.workplaces.values():
        is_of_button = item.starter in place.repeats or (place.source and item.starter < len(place.starters))
        if place.prefix == opener.prefix and is_of_button:
            return _gather(library, item, places, place)
    return None


def _gather(library: Library, item: LibraryItem, places: Places, place: Workplace) -> Repeat | None:
    """Return a repeat with all files that the result was made of; None where nobody knows what it was made from."""
    job = library.jobs.find_maker(item.owner, item.id)
    row = job.row if job is not None and job.place.startswith(place.prefix) else {}
    files: dict[str, Any] = {}
    gone: list[str] = []
    for declared in (each for each in place.fields.fields if each.holds_files):
        name, given = declared.name, row.get(declared.name)
        kept = _find_input(library, item, name) or (
            _find_source(library, item, place, places) if name == place.source else ""
        )
        if kept:
            files[name] = kept
        elif given and are_there(given):
            files[name] = given
        elif given:
            gone += [Path(str(each)).name for each in (given if isinstance(given, list) else [given])]
        elif name == place.source:
            return None
        elif declared.default is REQUIRED:
            gone.append("")
    settings = item.recipe.settings if item.recipe is not None else {}
    if not row:
        gone += [each for name in NAMED if name in settings for each in str(settings[name]).split(", ")]
        own = (name for name, value in settings.items() if value == OWN_FILE)
        gone += ["" for name in own if not files.keys() & {name, f"{name}_file"}]
    return Repeat(place, files, _say_missing([each for each in dict.fromkeys(gone) if each]) if gone else "")


def _find_input(library: Library, item: LibraryItem, name: str) -> str:
    source, file = item.inputs.get(name, ("", ""))
    if source:
        with suppress(LibraryError):
            return str(library.path(item.owner, source, file))
    return ""


def _find_source(library: Library, item: LibraryItem, place: Workplace, places: Places) -> str:
    """Return the kept file that a result was made from and that its place takes; "" where there is none."""
    named = f"{place.prefix}-{place.source}"
    intake = next((each for each in places.intakes if each.elem_id == named), None)
    if intake is None:
        return ""
    for parent in item.parents:
        with suppress(LibraryError):
            for each in library.get(item.owner, parent).files:
                if media_of(each.name) in intake.media:
                    return str(library.path(item.owner, parent, each.name))
    return ""


def _say_missing(names: list[str]) -> str:
    """Say which files are gone."""
    if not names:
        return UNKNOWN
    shown = ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")
    is_one = len(names) == ONE
    are, them = ("is", "it") if is_one else ("are", "them")
    return f"{shown} {are} not here any more: to make more like this, give {them} again in its tab."
