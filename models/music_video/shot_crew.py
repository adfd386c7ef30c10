"""The shots of a video drawn on several workers: each is kept as soon as it is finished, whichever that is."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Generator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.hub.spec import ModelSpec
from models.music_video.contracts import MusicVideoRequest
from models.music_video.filming import Filming
from models.music_video.key_clips import KeyClips
from models.music_video.material import OwnMedium
from models.music_video.segments import SegmentStore
from models.music_video.shot_drawer import ShotChunk, ShotRequest
from models.music_video.shot_files import REPORT_EVERY_S

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class ShotCrew:
    """Workers that draw shots.

    Attributes:
        drawer: what stands for `shot_drawer.ShotDrawer` on them; places: how many shots they draw side by side.
        network: of the studio's own video model, see `ShotRequest`.
    """

    drawer: Any
    places: int
    network: ModelSpec | None = None


class SpreadShots:
    """The shots of one video, drawn by a crew.

    Attributes:
        picture: uint8 (h, w, 3), what was drawn last, or None.
    """

    def __init__(
        self, crew: ShotCrew, filming: Filming, clips: KeyClips, store: SegmentStore, keys: list[str],
        cover: OwnMedium | None,
    ) -> None:  # fmt: skip
        self.crew, self.filming, self.clips = crew, filming, clips
        self.store, self.keys, self.cover = store, keys, cover
        self.picture: Pixels | None = None
        self._film = uuid.uuid4().hex
        self._done: dict[int, int] = {}
        self._ended = threading.Event()

    @property
    def frames(self) -> int:
        """Return how many frames are drawn so far."""
        return sum(tuple(self._done.values()))

    def draw(self, todo: list[int], should_end: Callable[[], bool]) -> Generator[None, None, int]:
        """Draw and keep the shots of `todo`, yielding now and then; return how many there are from the beginning on.

        Where it is to end early, the first shot is drawn to its end, so that there is something.

        Raises:
            MediaError: a photo or clip has gone, or is damaged; or the file cannot be written.
            ModelError: worker after worker was lost.
        """
        with ThreadPoolExecutor(self.crew.places, "auralume-shots") as pool:
            waiting: dict[int, Future[None]] = {}
            try:
                waiting = {number: pool.submit(self._draw_one, number) for number in todo}
                open_shots = set(waiting.values())
                while open_shots:
                    done, open_shots = wait(open_shots, REPORT_EVERY_S, FIRST_COMPLETED)
                    for each in done:
                        each.result()
                    yield
                    if should_end():
                        for number in todo[1:]:
                            waiting[number].cancel()
                        if not self.store.has(self.keys[0]):
                            waiting[todo[0]].result()
                        break
            finally:
                self._ended.set()
                for each in waiting.values():
                    each.cancel()
        return next((at for at, key in enumerate(self.keys) if not self.store.has(key)), len(self.keys))

    def _draw_one(self, number: int) -> None:
        """Have one shot drawn, and keep it."""
        chunk: ShotChunk | None = None
        with closing(self.crew.drawer.stream(self._ask(number))) as chunks:
            for chunk in chunks:
                if self._ended.is_set():
                    return
                self._done[number] = chunk.done
                self.picture = chunk.picture if chunk.picture is not None else self.picture
        assert chunk is not None and chunk.picture is not None, "a shot has a middle"
        path = self.store.make_path()
        path.write_bytes(chunk.samples.tobytes())
        self.store.keep(self.keys[number], path, chunk.picture)
        notes = self.filming.stylist.notes
        notes += [each for each in chunk.notes if each not in notes]

    def _ask(self, number: int) -> ShotRequest:
        """Make the request for a shot, with what it shows and nothing else."""
        filming, plan = self.filming, self.filming.plan
        seen = sorted({number, *filming.find_neighbours(number)})
        media = {place: filming.own.media[place] for each in seen if (place := filming.own.shots[each]) is not None}
        is_by_rule = filming.visualiser is not None
        given = [] if is_by_rule else [each for each in seen if filming.own.shots[each] is None]
        clips = tuple(plan.clips[clip] for clip in sorted({plan.shots[each].clip for each in given}))
        made = tuple((clip, self.clips.get_made(filming.request, clip)) for clip in clips)
        return ShotRequest(
            self._film,
            _leave_out(filming.request, {plan.shots[each].style for each in seen}, is_by_rule),
            plan,
            number,
            media,
            tuple(filming.own.shots),
            is_by_rule,
            self.cover if is_by_rule else None,
            made,
            self.crew.network if made else None,
        )


def _leave_out(request: MusicVideoRequest, styles: set[str], has_song: bool) -> MusicVideoRequest:
    """Return a request without the files that a shot does not need: of those only the names are left."""
    pictures = tuple((name, path if name in styles else Path(path.name)) for name, path in request.painting.pictures)
    return replace(
        request,
        song=request.song if has_song else Path(request.song.name),
        out=Path(request.out.name),
        media=tuple(Path(each.name) for each in request.media),
        painting=replace(request.painting, pictures=pictures),
    )
