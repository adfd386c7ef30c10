"""What the page's script is told of the library, as plain values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from studio.library.items import LibraryItem
from studio.library.jobs import Job
from studio.library.media import media_of
from studio.library.naming import kind_name
from studio.library.store import Library
from studio.library_tab.repeats import find_opener, find_repeat
from studio.page.places import Places
from studio.page.runs import BackgroundRun


def describe_card(item: LibraryItem) -> dict[str, Any]:
    """Return what a card shows."""
    return {
        "id": item.id,
        "kind": item.kind,
        "kind_name": kind_name(item.kind),
        "title": item.title,
        "favourite": item.favourite,
        "tags": list(item.tags),
        "created_s": item.created_s,
        "length_s": round(item.length_s, 2),
        "peaks": list(item.peaks),
        "picture": item.has_picture,
        "files": [
            {"role": each.role, "name": each.name, "bytes": each.bytes, "media": media_of(each.name)}
            for each in item.files
        ],
    }


def describe_item(library: Library, item: LibraryItem, places: Places) -> dict[str, Any]:
    """Return all that is known of an item: its settings, where it can be opened, and its family."""
    recipe = item.recipe
    family, edges = library.find_family(item.owner, item.id)
    opener, path = find_opener(library, item, places)
    repeat = find_repeat(library, item, places, opener)
    return describe_card(item) | {
        "prompt": item.prompt,
        "model": recipe.model if recipe is not None else "",
        "seed": recipe.seed if recipe is not None else None,
        "version": recipe.version if recipe is not None else "",
        "settings": [[_label(name), _written(value)] for name, value in recipe.settings.items()] if recipe else [],
        "open": {"prefix": opener.prefix, "path": list(opener.path), "name": Path(path).name}
        if opener is not None
        else None,
        "repeats": repeat is not None and not repeat.missing,
        "missing": repeat.missing if repeat is not None else "",
        "inputs": {name: {"item": source, "name": file} for name, (source, file) in item.inputs.items()},
        "family": [describe_card(each) for each in family],
        "edges": [list(edge) for edge in edges],
    }


def describe_run(run: BackgroundRun) -> dict[str, Any]:
    """Return what is told of a job that runs or waits."""
    line = getattr(run.line, "html", "")
    return {
        "id": run.job.id,
        "title": run.job.title,
        "state": run.state,
        "what": getattr(line, "what", "Waiting for its turn"),
        "share": getattr(line, "share", None),
        "left": getattr(line, "left", ""),
    }


def describe_lost(job: Job, places: Places) -> dict[str, Any]:
    """Return what is told of a job that was cut off, and how it is begun again."""
    place = places.workplaces.get(job.place)
    known = place is not None and job.starter < len(place.starters)
    return {
        "id": job.id,
        "title": job.title,
        "state": job.state,
        "prefix": place.prefix if place is not None else "",
        "path": list(place.path) if place is not None else [],
        "press": place.starters[job.starter] if place is not None and known else "",
    }


def describe_places(places: Places) -> list[dict[str, Any]]:
    """Return the inputs of the page that take files."""
    return [
        {
            "name": each.name,
            "label": each.label,
            "elem_id": each.elem_id,
            "path": list(each.path),
            "media": list(each.media),
            "is_many": each.is_many,
        }
        for each in places.intakes
    ]


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
