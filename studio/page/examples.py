"""Finished things to play before the first press: small files of this repository, listed where they lie.

`docs/make_examples.py` makes them with the shipped models. The page holds their names alone: nothing of them is loaded
before somebody plays one, or wants its settings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

FOLDER = Path(__file__).resolve().parents[1] / "assets" / "examples"
LIST = FOLDER / "examples.json"
LARGEST_BYTES = 150_000
ASKED = "example:"  # before the name of a file, where a form is asked to take its settings
MEDIA = ("file", "poster", "given")  # of a row: what is played, its picture, what its form can be given to try
TYPES = {".mp3": "audio/mpeg", ".mp4": "video/mp4", ".webp": "image/webp"}
KEPT = {"Cache-Control": "public, max-age=86400", "X-Content-Type-Options": "nosniff"}


@lru_cache(maxsize=1)
def list_examples() -> Mapping[str, list[dict[str, Any]]]:
    """Return what there is to play, by the prefix of the form that made it."""
    found: dict[str, list[dict[str, Any]]] = json.loads(LIST.read_text(encoding="utf-8"))
    return found


def show_examples(prefix: str) -> str:
    """Return the examples of a form as HTML; "" where it has none."""
    rows = list_examples().get(prefix, [])
    if not rows:
        return ""
    word = "Listen" if "peaks" in rows[0] else "Look"
    shown = "".join(_show(prefix, each) for each in rows)
    return f'<section class="examples" aria-label="Finished examples"><h3>{word} first</h3><ul>{shown}</ul></section>'


def _show(prefix: str, row: Mapping[str, Any]) -> str:
    name, title = escape(row["file"]), escape(row["title"])
    media = f'src="examples/{name}" preload="none" controls aria-label="{title}" data-length="{row["length_s"]}"'
    if "peaks" in row:
        player = f'<audio {media} data-peaks="{",".join(map(str, row["peaks"]))}"></audio>'
    else:
        player = f'<video {media} poster="examples/{escape(row["poster"])}" playsinline loop></video>'
    kind, wanted, what, words = "settings", name, f"Use the settings of {title}", "Use these settings"
    if "given" in row:  # its form has no settings, but takes what it was made of
        kind, wanted, what, words = "clip", escape(row["given"]), f"Try the clip of {title}", "Try this clip"
    return (
        f'<li class="example"><div class="about"><b>{title}</b><i>{escape(row["said"])}</i></div>{player}'
        f'<button type="button" class="example-{kind}" data-form="{escape(prefix)}" data-file="{wanted}" '
        f'aria-label="{what}">{words}</button></li>'
    )


def find_example(asked: str) -> Path | None:
    """Return the file that a page asks for by `example:NAME`; None where it asks for something else.

    Raises:
        ValueError: there is no such example.
    """
    if not asked.startswith(ASKED):
        return None
    return _path_of(asked.removeprefix(ASKED).partition(" ")[0])


def _path_of(name: str) -> Path:
    known = {each for rows in list_examples().values() for row in rows for each in map(row.get, MEDIA)}
    if name not in known:
        raise ValueError("There is no such example.")
    return FOLDER / name


def examples_route() -> Route:
    """Return the address of their files."""

    async def send(request: Request) -> Response:
        try:
            path = _path_of(request.path_params["name"])
        except ValueError:
            return Response(status_code=404)
        return FileResponse(path, media_type=TYPES[path.suffix], headers=dict(KEPT))

    return Route("/examples/{name}", send, methods=["GET", "HEAD"])
