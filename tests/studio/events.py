"""Fold events into what a page would hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

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


def flatten(events: Iterable[Event]) -> dict[str, Any]:
    """Return the values of one step by name: status, sound, report, and the names of pictures, files and states."""
    page: dict[str, Any] = {}
    for event in events:
        match event:
            case Status() | Problem():
                page["status"] = event.html
            case Sound(wav):
                page["sound"] = wav
            case Compared(before, after):
                page["compared"] = (before, after)
            case Pictures(values) | Kept(values):
                page |= values
            case Files(paths):
                page |= {name: None if path is None else str(path) for name, path in paths.items()}
            case Report(values):
                page["report"] = dict(values)
            case Offers(name, choices, value):
                page["offers"] = {name: (choices, value)}
            case Lineage(parents):
                page["lineage"] = dict(parents)
            case ShelfChange(key):
                page["changed"] = key
    return page
