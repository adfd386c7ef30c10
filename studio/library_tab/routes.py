"""The addresses that the library's script talks to; each answers for the owner that the middleware told."""

from __future__ import annotations

import asyncio
import json
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile, mkdtemp
from typing import Any

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from studio.io.recipes import MAX_FILE_BYTES
from studio.library.items import LibraryItem, safe_name
from studio.library.naming import kind_name, stem_of
from studio.library.owners import owner_of
from studio.library.store import ARRIVING, Library, LibraryError, Search
from studio.library.transit import Transit
from studio.library_tab.cards import (
    describe_card,
    describe_item,
    describe_lost,
    describe_places,
    describe_run,
)
from studio.library_tab.repeats import find_opener, find_repeat
from studio.library_tab.verify import verify
from studio.page.jobs import sentence
from studio.page.places import Places
from studio.page.runs import RunBoard

MOST_BYTES = 256 * 2**10
MOST_IN_ZIP = 200
MORE, MOST_MORE = 4, 16  # runs like a result
PRIVATE = {"Cache-Control": "private, max-age=86400, immutable", "X-Content-Type-Options": "nosniff"}
FRESH = {"Cache-Control": "no-store"}
TYPES = {".mid": "audio/midi", ".srt": "text/plain", ".vtt": "text/vtt", ".wav": "audio/wav", ".webp": "image/webp"}


class LibraryPages:
    """Answers what the page's script asks.

    Args:
        places: of the page, where results can go.
        board: of the page's runs.
    """

    def __init__(self, library: Library, places: Places, board: RunBoard) -> None:
        self.library, self.places, self.board = library, places, board

    def state(self, owner: str, _asked: dict[str, Any]) -> dict[str, Any]:
        """Tell how full the library is and what kinds it holds; `version` changes with every change."""
        usage, kinds = self.library.usage(owner), self.library.count_kinds(owner)
        return {
            "version": self.library.version,
            "count": usage.count,
            "bytes": usage.bytes,
            "total_bytes": usage.total_bytes,
            "quota_bytes": usage.quota_bytes,
            "jobs": [
                *(describe_run(each) for each in self.board.list_open(owner)),
                *(describe_lost(each, self.places) for each in self.library.jobs.list_lost(owner)),
            ],
            "kinds": [{"kind": each, "name": kind_name(each), "count": kinds[each]} for each in sorted(kinds)],
        }

    def items(self, owner: str, asked: dict[str, Any]) -> dict[str, Any]:
        """List cards, the newest first."""
        search = Search(
            words=str(asked.get("words", "")),
            kinds=tuple(each for each in str(asked.get("kinds", "")).split(",") if each),
            is_favourite=asked.get("favourite") == "1",
            before=str(asked.get("before", "")),
            most=int(asked.get("most", 60)),
        )
        found = self.library.find(owner, search)
        return {"items": [describe_card(each) for each in found], "version": self.library.version}

    def item(self, owner: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Tell all of one item."""
        return describe_item(self.library, self.library.get(owner, str(asked.get("id"))), self.places)

    def stop(self, owner: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Stop a job that runs or waits; what is finished of it is kept."""
        run = self.board.get(owner, str(asked.get("job")))
        if run is not None:
            self.board.stop(run)
        return {"is_stopped": run is not None}

    def forget(self, owner: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Take a job that was cut off from the list."""
        self.library.jobs.forget(owner, str(asked.get("job")))
        return {}

    def more(self, owner: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Begin more runs like an item, each with a seed of its own."""
        item = self.library.get(owner, str(asked.get("id")))
        opener, path = find_opener(self.library, item, self.places)
        repeat = find_repeat(self.library, item, self.places, opener)
        if repeat is None or opener is None:
            raise LibraryError("This result needs more than its settings; open it where it was made.")
        if repeat.missing:
            raise LibraryError(repeat.missing)
        values, _said = opener.load_settings(path)
        values |= repeat.files
        count = max(1, min(int(asked.get("count", MORE)), MOST_MORE))
        runs = [repeat.place.begin(owner, "", item.starter, dict(values)) for _ in range(count)]
        return {"jobs": [each.job.id for each in runs]}

    def intakes(self, _owner: str, _asked: dict[str, Any]) -> dict[str, Any]:
        """List the inputs that a result can be sent to."""
        return {"intakes": describe_places(self.places)}

    def change(self, owner: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Rename an item, give or take its star, set its tags."""
        item = self.library.change(
            owner,
            str(asked.get("id")),
            title=asked.get("title"),
            is_favourite=asked.get("favourite"),
            tags=asked.get("tags"),
        )
        return describe_card(item)

    def delete(self, owner: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Put items away."""
        return {"ids": self.library.delete(owner, _ids(asked))}

    def taken(self, owner: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Forget what the browser has taken, where it is the browser that keeps results."""
        return {"ids": self.library.take(owner, _ids(asked)) if isinstance(self.library, Transit) else []}

    def restore(self, owner: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Have items back."""
        return {"ids": self.library.restore(owner, _ids(asked))}

    async def file(self, request: Request) -> Response:
        """Return a file, or the preview, of an item."""
        item, name = request.path_params["item"], request.path_params["name"]
        try:
            path = await asyncio.to_thread(self.library.path, owner_of(request.headers), item, name)
        except LibraryError as error:
            return _refusal(error, 404)
        asked = "attachment" if request.query_params.get("download") else "inline"
        kind = TYPES.get(path.suffix)
        return FileResponse(
            path, filename=path.name, media_type=kind, content_disposition_type=asked, headers=dict(PRIVATE)
        )

    async def verify(self, request: Request) -> Response:
        """Tell where a dropped file comes from; it is not kept."""
        name = safe_name(request.query_params.get("name", "file"))
        folder = Path(mkdtemp(dir=self.library.folder / ARRIVING))
        try:
            check_own_page(request)
            await _receive(request, folder / name)
            found = await asyncio.to_thread(verify, self.library, owner_of(request.headers), folder / name)
            return JSONResponse(found, headers=dict(FRESH))
        except (ValueError, OSError) as error:
            return _refusal(error)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def zip(self, request: Request) -> Response:
        """Return items as one ZIP file, a folder each."""
        ids = [each for each in request.query_params.get("ids", "").split(",") if each]
        try:
            path = await asyncio.to_thread(self.pack, owner_of(request.headers), ids)
        except (ValueError, OSError) as error:
            return _refusal(error)
        done = BackgroundTask(path.unlink, missing_ok=True)
        name = f"auralume-{len(ids)}-results.zip"
        return FileResponse(path, filename=name, media_type="application/zip", headers=dict(FRESH), background=done)

    def pack(self, owner: str, ids: list[str]) -> Path:
        """Write a ZIP file of items; the caller deletes it.

        Raises:
            LibraryError: there are none, or too many, or one is gone.
        """
        if not 0 < len(ids) <= MOST_IN_ZIP:
            raise LibraryError(f"Choose 1 to {MOST_IN_ZIP} results to download.")
        items = [self.library.get(owner, each) for each in dict.fromkeys(ids)]
        with NamedTemporaryFile(dir=self.library.folder / ARRIVING, suffix=".zip", delete=False) as target:
            path = Path(target.name)
        try:
            with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as packed:  # media are compressed already
                for item, folder in zip(items, folder_names(items), strict=True):
                    for each in item.files:
                        packed.write(self.library.path(owner, item.id, each.name), f"{folder}/{each.name}")
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path


def folder_names(items: list[LibraryItem]) -> list[str]:
    """Return a name for the folder of each item, no two alike."""
    names = [stem_of(each.title) for each in items]
    count, seen = Counter(names), Counter[str]()
    numbered = []
    for name in names:
        seen[name] += 1
        numbered.append(name if count[name] == 1 else f"{name} ({seen[name]})")
    return numbered


def routes(library: Library, places: Places, board: RunBoard) -> list[Route]:
    """Return what to serve beside the page."""
    pages = LibraryPages(library, places, board)
    asked = {"state": pages.state, "items": pages.items, "item": pages.item, "intakes": pages.intakes}
    told = {
        "change": pages.change,
        "delete": pages.delete,
        "restore": pages.restore,
        "taken": pages.taken,
        "stop": pages.stop,
        "forget": pages.forget,
        "more": pages.more,
    }
    return [
        *(Route(f"/library/{name}", _answer(work), methods=["GET"]) for name, work in asked.items()),
        *(Route(f"/library/{name}", _answer(work), methods=["POST"]) for name, work in told.items()),
        Route("/library/file/{item}/{name}", pages.file, methods=["GET", "HEAD"]),
        Route("/library/verify", pages.verify, methods=["POST"]),
        Route("/library/zip", pages.zip, methods=["GET"]),
    ]


def _answer(work: Callable[[str, dict[str, Any]], dict[str, Any]]) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        try:
            asked = await _json(request) if request.method == "POST" else dict(request.query_params)
            return JSONResponse(await asyncio.to_thread(work, owner_of(request.headers), asked), headers=dict(FRESH))
        except Exception as error:
            return _refusal(error, 404 if isinstance(error, LibraryError) else 400)

    return answer


def _refusal(error: BaseException, status: int = 400) -> JSONResponse:
    return JSONResponse({"problem": sentence(error)}, status_code=status, headers=dict(FRESH))


def check_own_page(request: Request) -> None:
    """Raise ValueError where another site's page asks."""
    if request.headers.get("sec-fetch-site") == "cross-site":
        raise ValueError("Only the studio's own page can ask for this.")


async def _receive(request: Request, path: Path) -> None:
    """Write what is sent into a file; raises ValueError where it is too much."""
    size = 0
    with path.open("wb") as file:
        async for part in request.stream():
            size += len(part)
            if size > MAX_FILE_BYTES:
                raise ValueError(f"This file is larger than {MAX_FILE_BYTES // 2**20} MB.")
            file.write(part)


async def _json(request: Request) -> dict[str, Any]:
    """Return a question's JSON object.

    Raises:
        ValueError: it is none, too long, or asked by another site's page.
    """
    check_own_page(request)
    data = b""
    async for part in request.stream():
        data += part
        if len(data) > MOST_BYTES:
            raise ValueError("This is too much at once.")
    found = json.loads(data or b"{}")
    if not isinstance(found, dict):
        raise ValueError("The page asked in a way that the studio does not understand.")
    return found


def _ids(asked: dict[str, Any]) -> list[str]:
    ids = asked.get("ids")
    if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
        raise ValueError("The page asked in a way that the studio does not understand.")
    return ids
