"""The addresses that the Live tab's script talks to: one long answer that streams, and small questions.

Sound must reach the page within tenths of a second, and a page that is closed must be noticed at once. So sound,
pictures and news come in one answer that never ends (`models.live.messages`), and it ends when the page has gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from studio.io.request_body import read_body
from studio.library.owners import owner_of
from studio.live.sessions import LiveBoard
from studio.page import jobs
from studio.page.events import Files
from studio.page.keeping import KEPT_BY, Keeping

log = logging.getLogger(__name__)

Result = TypeVar("Result")
LONG_AT_ONCE = 16
LOOK_S = 0.5
MAX_QUESTION_BYTES = 64 * 1024
MAX_BLOCK_BYTES = 512 * 1024
CROWDED = 150  # messages that wait for a slow line: pictures are dropped
MP3 = "session.mp3"
CLOGGED = 1500  # the line is dead
UNBUFFERED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Outbox:
    """Messages on their way from a session's threads to the page's answer."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()
        self.is_clogged = False

    def send(self, message: bytes) -> None:
        """Send a message; any thread may call this."""
        waiting = self._queue.qsize()
        self.is_clogged = self.is_clogged or waiting > CLOGGED
        if self.is_clogged or (waiting > CROWDED and message[:1] == b"V"):
            return
        with contextlib.suppress(RuntimeError):  # the loop has ended: so has the page
            self._loop.call_soon_threadsafe(self._queue.put_nowait, message)

    async def next(self) -> bytes | None:
        """Return the next messages joined, or None where none came for LOOK_S."""
        try:
            joined = await asyncio.wait_for(self._queue.get(), LOOK_S)
        except TimeoutError:
            return None
        while not self._queue.empty() and len(joined) < MAX_QUESTION_BYTES:
            joined += self._queue.get_nowait()
        return joined


class LivePages:
    """Answers what the page's script asks."""

    def __init__(self, board: LiveBoard) -> None:
        self.board = board
        # What may take long has threads of its own: knobs and signs of life never wait for another's model or file.
        self._long = ThreadPoolExecutor(LONG_AT_ONCE, "auralume-page")

    async def _aside(self, work: Callable[..., Result], *arguments: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._long, work, *arguments)

    async def stream(self, request: Request) -> Response:
        """Open a session and stream it."""
        outbox = Outbox()
        try:
            wishes = await _json(request)
            token, kind = str(wishes.get("token")), str(wishes.get("kind"))
            await self._aside(self.board.open, token, kind, wishes, outbox.send, outbox)
        except Exception as error:
            return _refusal(error)

        async def messages() -> AsyncIterator[bytes]:
            looked = time.monotonic()
            try:
                while not outbox.is_clogged and self.board.has(token, outbox):
                    message = await outbox.next()
                    if message is not None:
                        yield message
                    if time.monotonic() - looked > LOOK_S:
                        looked = time.monotonic()
                        if await request.is_disconnected():
                            break
            finally:  # the page has gone, or Stop was pressed: then this does nothing
                threading.Thread(target=self.board.leave, args=(token, outbox), daemon=True).start()

        return StreamingResponse(messages(), media_type="application/octet-stream", headers=UNBUFFERED)

    async def control(self, request: Request) -> Response:
        """Take knobs, keys, another prompt, or a sign of life."""
        try:
            return JSONResponse(await asyncio.to_thread(self.board.control, await _json(request)))
        except Exception as error:
            return _refusal(error)

    async def voice(self, request: Request) -> Response:
        """Take a block of the microphone: 16-bit samples, one channel."""
        try:
            data = await read_body(request, MAX_BLOCK_BYTES)
            samples = np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float32) / 32768.0
            session = self.board.session(request.path_params["token"])
            if session.kind != "voice":
                raise ValueError("This session does not listen to a microphone.")
            session.hear(samples)
            return JSONResponse({})
        except Exception as error:
            return _refusal(error)

    async def stop(self, request: Request) -> Response:
        """End the session; answers what was recorded."""
        try:
            wishes = await _json(request)
            token = str(wishes.get("token"))
            ended = await self._aside(self.board.stop, token, not wishes.get("leave"))
            await self._aside(self._keep, owner_of(request.headers), token, ended.get("files", ()))
            return JSONResponse(ended)
        except Exception as error:
            return _refusal(error)

    def _keep(self, owner: str, token: str, names: Sequence[str]) -> None:
        """Take a recording into the library, where there is one; its MP3 is made when somebody asks for it."""
        library = KEPT_BY.get(self.board.registry)
        if library is None:
            return
        try:
            files = {Path(name).suffix.lstrip("."): self.board.recording(token, name) for name in names if name != MP3}
            keeping = Keeping(library, owner, "live", frozenset(files))
            keeping.add((Files(dict(files)),))
            keeping.finish()
        except (ValueError, OSError):  # the recording itself is on the page all the same
            log.warning("A recording could not be kept", exc_info=True)

    async def people(self, request: Request) -> Response:
        """Tell how many play just now."""
        return JSONResponse(self.board.people())

    async def key(self, request: Request) -> Response:
        """Tell how a key of the keyboard sounds."""
        from studio.live.files import key_sound

        try:
            program, pitch = int(request.path_params["program"]), int(request.path_params["pitch"])
            wav = await self._aside(key_sound, program, pitch)
            return Response(wav, media_type="audio/wav", headers={"Cache-Control": "private, max-age=86400"})
        except Exception as error:
            return _refusal(error)

    async def file(self, request: Request) -> Response:
        """Return a recording."""
        name = request.path_params["name"]
        try:
            path = await self._aside(self.board.recording, request.path_params["token"], name)
            return FileResponse(path, filename=f"auralume-live{path.suffix}")
        except Exception as error:
            return _refusal(error)


def routes(board: LiveBoard) -> list[Route]:
    """Return what to serve beside the page."""
    pages = LivePages(board)
    return [
        Route("/live/stream", pages.stream, methods=["POST"]),
        Route("/live/control", pages.control, methods=["POST"]),
        Route("/live/voice/{token}", pages.voice, methods=["POST"]),
        Route("/live/stop", pages.stop, methods=["POST"]),
        Route("/live/people", pages.people, methods=["GET"]),
        Route("/live/key/{program}/{pitch}", pages.key, methods=["GET"]),
        Route("/live/file/{token}/{name}", pages.file, methods=["GET"]),
    ]


def _refusal(error: BaseException) -> JSONResponse:
    return JSONResponse({"problem": jobs.sentence(error)}, status_code=400)


async def _json(request: Request) -> dict[str, Any]:
    """Return a question's JSON object; the page sends it as text/plain or JSON.

    Raises:
        ValueError: it is none.
    """
    try:
        found = json.loads(await read_body(request, MAX_QUESTION_BYTES))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError("The page asked in a way that the studio does not understand.") from error
    if not isinstance(found, dict):
        raise ValueError("The page asked in a way that the studio does not understand.")
    return found
