"""The addresses of a book's files and sentences; each answers for the owner that the middleware told."""

from __future__ import annotations

import re
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from models.books.book import BookError
from models.registry.registry import Registry
from studio.library.owners import owner_of
from studio.speech.book_actions import DESKS
from studio.speech.book_shelf import GONE

KEY = re.compile(r"[0-9a-f]{40}")
HEADERS = {"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
TYPES = {".m4b": "audio/mp4", ".flac": "audio/flac", ".srt": "text/plain", ".vtt": "text/vtt", ".wav": "audio/wav"}


class BookAnswers:
    """Sends what lies in the folders of the books."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    async def file(self, request: Request) -> Response:
        """Send one of a book's files."""
        desk, name = DESKS.get(self.registry), str(request.path_params["name"])
        try:
            files = desk.shelf.get(owner_of(request.headers), request.path_params["book"]).list_files() if desk else []
        except BookError:
            files = []
        return _send(next((each for each in files if each.name == name), None), is_download=True)

    async def sentence(self, request: Request) -> Response:
        """Send one spoken sentence."""
        desk, key = DESKS.get(self.registry), str(request.path_params["key"])
        if desk is None or not KEY.fullmatch(key):
            return _send(None)
        try:
            path = desk.shelf.get(owner_of(request.headers), request.path_params["book"]).store.path(key)
        except BookError:
            return _send(None)
        return _send(path if path.is_file() else None)


def _send(path: Path | None, is_download: bool = False) -> Response:
    if path is None:
        return PlainTextResponse(GONE, 404)
    return FileResponse(
        path,
        filename=path.name,
        media_type=TYPES.get(path.suffix),
        content_disposition_type="attachment" if is_download else "inline",
        headers=dict(HEADERS),
    )


def routes(registry: Registry) -> list[Route]:
    """Return what to give to the server."""
    answers = BookAnswers(registry)
    return [
        Route("/books/{book}/files/{name}", answers.file, methods=["GET", "HEAD"]),
        Route("/books/{book}/sentences/{key}.flac", answers.sentence, methods=["GET", "HEAD"]),
    ]
