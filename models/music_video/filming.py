"""All frames of a music video in order: shots are opened ahead of their time, frames drawn ahead by threads."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.music_video.contracts import MusicVideoRequest
from models.music_video.drawing import FramePainter
from models.music_video.own_views import OwnShots, View
from models.music_video.plan import KeyClip, MusicVideoPlan
from models.music_video.transitions import LENGTHS, OF_BOTH, Transition, choose_transitions, find_transition
from models.music_video.visualiser import Visualiser

Pixels = NDArray[np.uint8]

DRAWING_THREADS = 2
REACH = max(max(each) for each in LENGTHS.values())  # frames that a shot is seen beyond its ends
AHEAD = 12  # frames being drawn while one is written


class WholeView:
    """A prepared key clip, or a drawing by rule: what of it a frame shows is decided where it is drawn."""

    def __init__(self, seen: Pixels | Visualiser) -> None:
        self.seen = seen

    def pull(self, _frame: int) -> Pixels | Visualiser:
        """Return the whole."""
        return self.seen

    def close(self) -> None:
        """Let it go."""
        del self.seen


class Filming:
    """The frames of one video.

    Args:
        own: opens the shots of a person's own photos and clips.
        prepare: enlarges a key clip, uint8 (K, S, S, 3).
        visualiser: draws all frames by rule, where that was chosen.
    """

    def __init__(
        self, request: MusicVideoRequest, plan: MusicVideoPlan, painter: FramePainter, own: OwnShots,
        prepare: Callable[[MusicVideoRequest, KeyClip], Pixels], visualiser: Visualiser | None = None,
    ) -> None:  # fmt: skip
        self.visualiser = visualiser
        self.transitions = choose_transitions(request, plan) if visualiser is None else {}
        self.request, self.plan, self.painter, self.own, self.prepare = request, plan, painter, own, prepare
        self._views: dict[int, Future[View]] = {}

    def draw_frames(self) -> Generator[Pixels, None, None]:
        """Draw all frames in order, uint8 (H, W, 3); closing ends all work.

        Raises:
            MediaError: a photo or clip has gone, or is damaged where it was not looked at.
        """
        last = len(self.plan.shots) - 1
        with (
            ThreadPoolExecutor(DRAWING_THREADS, "auralume-draw") as pool,
            ThreadPoolExecutor(1, "auralume-open") as opener,
        ):
            waiting: list[Future[Pixels]] = []
            number = 0
            try:
                for frame in range(self.request.frame_count):
                    while number < last and frame >= self.plan.shots[number + 1].start:
                        number += 1
                    shown = min(frame, self.plan.shots[last].end - 1)  # a last part of a frame shows the one before
                    waiting.append(pool.submit(self.painter.draw_layers, shown, *self._pull(opener, number, shown)))
                    if len(waiting) > AHEAD:
                        yield waiting.pop(0).result()
                while waiting:
                    yield waiting.pop(0).result()
            finally:
                for each in waiting:
                    each.cancel()
                self._close_before(len(self.plan.shots))

    def _pull(
        self, opener: ThreadPoolExecutor, number: int, frame: int
    ) -> tuple[list[tuple[int, Any]], Transition | None]:
        """Return what is seen of the shots of a frame, by their numbers, and the transition between them; the next shot
        is opened meanwhile, those before are closed.
        """
        for each in (number, number + 1):
            is_shown = each < len(self.own.shots)  # a preview ends before the song
            if is_shown and each not in self._views:
                self._views[each] = opener.submit(self._open, each)
        seen, found = [number], find_transition(self.transitions, number, frame)
        if found is not None and found[1].kind in OF_BOTH:
            seen = [each for each in (found[0] - 1, found[0]) if each in self._views]
        if found is None or frame < found[1].cut:
            self._close_before(number)
        parts = [(each, self._views[each].result().pull(frame)) for each in seen]
        return parts, found[1] if found is not None and (len(seen) > 1 or found[1].kind not in OF_BOTH) else None

    def _open(self, number: int) -> View:
        if self.visualiser is not None:
            return WholeView(self.visualiser)
        if self.own.shots[number] is not None:
            return self.own.open(number)
        return WholeView(self.prepare(self.request, self.plan.clips[self.plan.shots[number].clip]))

    def _close_before(self, number: int) -> None:
        for each in [each for each in self._views if each < number]:
            view = self._views.pop(each)
            if not view.cancel() and view.exception() is None:
                view.result().close()
