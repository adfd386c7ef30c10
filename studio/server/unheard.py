"""Ends work whose answer nobody reads: a program that asked and never listened, or a page that was lost on the way.

Gradio ends a job when the one who listens to it leaves. It does not notice that nobody ever came, and works to the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Receive, Scope, Send

log = logging.getLogger(__name__)

UNHEARD_S = 10.0
LOOK_EVERY_S = 1.0
_CALL = re.compile(r"/call/[^/]+/(?P<event>\w+)/?$")
_PAGE = re.compile(r"/queue/data/?$")


def find_listened_session(scope: Scope) -> str:
    """Return the session whose answers a request reads, "" where it reads none."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return ""
    called = _CALL.search(scope["path"])
    if called is not None:
        return called["event"]
    if _PAGE.search(scope["path"]) is None:
        return ""
    return parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [""])[0]


class UnheardMiddleware:
    """Notes who listens, and ends jobs that nobody has listened to for `unheard_s`.

    Args:
        app: the application beneath.
        blocks: the page whose queue is looked after.
    """

    def __init__(self, app: ASGIApp, blocks: Any, unheard_s: float = UNHEARD_S) -> None:
        self.app, self.blocks, self.unheard_s = app, blocks, unheard_s
        self._listening: Counter[str] = Counter()
        self._watch: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and (self._watch is None or self._watch.done()):
            self._watch = asyncio.get_running_loop().create_task(self._look())
        session = find_listened_session(scope)
        if not session:
            await self.app(scope, receive, send)
            return
        self._listening[session] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._listening[session] -= 1
            if not self._listening[session]:
                del self._listening[session]

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self._end_unheard()
            except Exception:
                log.exception("Could not look for work that nobody listens to")

    async def _end_unheard(self) -> None:
        """End what runs or waits for nobody: at its next step, or at once."""
        queue, now_s = self.blocks._queue, time.monotonic()
        unheard = {
            event.session_hash
            for event in _events(queue)
            if event.session_hash not in self._listening and now_s - event.enqueue_time > self.unheard_s
        }
        for session in unheard:
            await queue.clean_events(session_hash=session)
            with contextlib.suppress(KeyError):
                del queue.pending_messages_per_session[session]


def _events(queue: Any) -> Iterator[Any]:
    """Yield the events that run and those that wait."""
    for running in queue.active_jobs:
        yield from (event for event in running or () if event.alive)
    for waiting in queue.event_queue_per_concurrency_id.values():
        yield from waiting.queue
