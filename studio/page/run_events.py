"""What a page that follows a run is told: all so far in one step, then step by step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from studio.io.audio_files import join_wavs
from studio.page.events import Compared, Event, Events, Files, Kept, Offers, Pictures, Problem, Sound, Status

Step = TypeVar("Step")


@dataclass
class RunSnapshot:
    """What a page shows of a run so far: the last of everything, and all of the sound."""

    last: dict[Any, Event] = field(default_factory=dict)
    sounds: list[bytes] = field(default_factory=list)

    def add(self, events: Events) -> None:
        """Take a step in."""
        for event in events:
            match event:
                case Sound(wav):
                    self.sounds.append(wav)
                case Pictures(drawn):
                    known = self.last.get(Pictures)
                    self.last[Pictures] = Pictures({**(known.html if isinstance(known, Pictures) else {}), **drawn})
                case Files(paths):
                    files = self.last.get(Files)
                    self.last[Files] = Files({**(files.paths if isinstance(files, Files) else {}), **paths})
                case Kept(values):
                    kept = self.last.get(Kept)
                    self.last[Kept] = Kept({**(kept.values if isinstance(kept, Kept) else {}), **values})
                case Status() | Problem():
                    self.last["line"] = event
                case Offers(name):
                    self.last[name] = event
                case Compared():
                    self.last[Compared] = event
                case _:
                    pass

    def events(self, with_sound: bool) -> Events:
        """Return it as one step.

        Args:
            with_sound: a page that comes back to ended work is not startled by its sound.
        """
        sound = (Sound(join_wavs(self.sounds)),) if with_sound and self.sounds else ()
        return (*self.last.values(), *sound)


class RunFollower:
    """Steps on their way from a run's thread to a page's event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[Events | None] = asyncio.Queue()

    def put(self, events: Events | None) -> None:
        """Send a step; any thread may call this."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._queue.put_nowait, events)

    def end(self) -> None:
        """Send the end."""
        self.put(None)

    async def steps(self) -> AsyncIterator[Events]:
        """Yield the steps until the end."""
        while (events := await self._queue.get()) is not None:
            yield events


async def merge(sources: Sequence[AsyncIterator[Step]]) -> AsyncIterator[Step]:
    """Yield what several sources yield, as it comes."""
    arrived: asyncio.Queue[Step | None] = asyncio.Queue()

    async def pump(source: AsyncIterator[Step]) -> None:
        try:
            async for each in source:
                await arrived.put(each)
        finally:
            await arrived.put(None)

    tasks = [asyncio.create_task(pump(source)) for source in sources]
    try:
        ended = 0
        while ended < len(tasks):
            each = await arrived.get()
            if each is None:
                ended += 1
            else:
                yield each
    finally:
        for task in tasks:
            task.cancel()
