"""The frames of shots in order: shots are opened ahead of their time, frames drawn ahead by threads."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.music_video.contracts import DRAWN_BY_RULE, MusicVideoRequest
from models.music_video.drawing import FramePainter
from models.music_video.key_clips import PREPARED_FRAMES
from models.music_video.own_views import OwnShots, View
from models.music_video.painted import PaintedPixels
from models.music_video.plan import KeyClip, MusicVideoPlan
from models.music_video.stylist import Stylist
from models.music_video.transitions import LENGTHS, OF_BOTH, Transition, choose_transitions, find_transition
from models.music_video.visualiser import Visualiser

Pixels = NDArray[np.uint8]

DRAWING_THREADS = 2
REACH = max(max(each) for each in LENGTHS.values())  # frames that a shot is seen beyond its ends
AHEAD = 12  # frames being drawn while one is written


class WholeView:
    """A prepared key clip, or a drawing by rule: what of it a frame shows is decided where it is drawn."""

    def __init__(self, seen: Pixels | PaintedPixels | Visualiser) -> None:
        self.seen = seen

    def pull(self, _frame: int) -> Pixels | PaintedPixels | Visualiser:
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
        stylist: paints what is to be painted.

    Attributes:
        visualiser: draws by rule what is not of the person's own, where that was chosen; set before frames are drawn.
    """

    def __init__(
        self, request: MusicVideoRequest, plan: MusicVideoPlan, painter: FramePainter, own: OwnShots,
        prepare: Callable[[MusicVideoRequest, KeyClip], Pixels], stylist: Stylist,
    ) -> None:  # fmt: skip
        self.visualiser: Visualiser | None = None
        is_all_by_rule = request.scene in DRAWN_BY_RULE and not any(shot.source for shot in plan.shots)
        self.transitions = {} if is_all_by_rule else choose_transitions(request, plan)
        self.request, self.plan, self.painter, self.own, self.prepare = request, plan, painter, own, prepare
        self.stylist = stylist
        self._views: dict[int, Future[View]] = {}

    def find_span(self, number: int) -> range:
        """Return the frames of a shot; the last one covers the last part of a frame."""
        shot, count = self.plan.shots[number], self.request.frame_count
        is_last = number == len(self.plan.shots) - 1
        return range(shot.start, count if is_last else min(shot.end, count))

    def find_neighbours(self, number: int) -> tuple[int, ...]:
        """Return the other shots that are seen within a shot's frames."""
        found = []
        for each, other in ((number, number - 1), (number + 1, number + 1)):
            transition = self.transitions.get(each)
            if transition is None or transition.kind not in OF_BOTH:
                continue
            span = self.find_span(number)
            if transition.start < span.stop and transition.end > span.start:
                found.append(other)
        return tuple(each for each in found if each < len(self.own.shots))

    def estimate_painting_s(self, numbers: Iterable[int]) -> float:
        """Estimate how long it takes to paint those of the shots that are painted."""
        painted = [number for number in numbers if self.plan.shots[number].style]
        if not painted:
            return 0.0
        photos, clips, frames = 0, set[tuple[int, str]](), 0
        for number in painted:
            shot, place = self.plan.shots[number], self.own.shots[number]
            if place is None:
                clips.add((shot.clip, shot.style))
            elif self.own.media[place].is_photo:
                photos += 1
            else:
                frames += len(self.find_span(number))
        frames += len(clips) * PREPARED_FRAMES
        return self.stylist.estimate_s(photos, frames, self.plan.shots[painted[0]].style)

    def draw_shots(self, first: int, last: int) -> Generator[Pixels, None, None]:
        """Draw the frames of the shots from `first` to `last`, in order, uint8 (H, W, 3); closing ends all work.

        Raises:
            MediaError: a photo or clip has gone, or is damaged where it was not looked at.
        """
        wanted = {*range(first, last + 1), *self.find_neighbours(first), *self.find_neighbours(last)}
        end = self.plan.shots[-1].end - 1  # a last part of a frame shows the one before
        with (
            ThreadPoolExecutor(DRAWING_THREADS, "auralume-draw") as pool,
            ThreadPoolExecutor(1, "auralume-open") as opener,
            ThreadPoolExecutor(1, "auralume-paint") as self._painter,
        ):
            waiting: list[Future[Pixels]] = []
            try:
                for number in range(first, last + 1):
                    for frame in self.find_span(number):
                        shown = min(frame, end)
                        layers = self._pull(opener, number, shown, wanted)
                        waiting.append(pool.submit(self.painter.draw_layers, shown, *layers))
                        if len(waiting) > AHEAD:
                            yield waiting.pop(0).result()
                while waiting:
                    yield waiting.pop(0).result()
            finally:
                for each in waiting:
                    each.cancel()
                self._close_before(len(self.plan.shots))

    def _pull(
        self, opener: ThreadPoolExecutor, number: int, frame: int, wanted: set[int]
    ) -> tuple[list[tuple[int, Any]], Transition | None]:
        """Return what is seen of the shots of a frame, by their numbers, and the transition between them; the next shot
        is opened meanwhile, those before are closed.
        """
        for each in (number - 1, number, number + 1):
            is_past = each < number and not self._is_led_from(number, frame)
            if each in wanted and each not in self._views and not is_past:
                self._views[each] = opener.submit(self._open, each)
        seen, found = [number], find_transition(self.transitions, number, frame)
        if found is not None and found[1].kind in OF_BOTH:
            seen = [each for each in (found[0] - 1, found[0]) if each in self._views]
        if found is None or frame < found[1].cut:
            self._close_before(number)
        parts = [(each, self._views[each].result().pull(frame)) for each in seen]
        return parts, found[1] if found is not None and (len(seen) > 1 or found[1].kind not in OF_BOTH) else None

    def _is_led_from(self, number: int, frame: int) -> bool:
        """Tell whether a frame of a shot still shows the one before."""
        transition = self.transitions.get(number)
        return transition is not None and transition.kind in OF_BOTH and frame < transition.end

    def _open(self, number: int) -> View:
        shot = self.plan.shots[number]
        if self.own.shots[number] is not None:
            into = self.transitions.get(number)
            first = into.start if into is not None and into.kind in OF_BOTH else shot.start
            return self.stylist.dress(self.own.open(number), shot, first, self._painter)
        if self.visualiser is not None:
            return WholeView(self.visualiser)
        return WholeView(self.stylist.paint_clip(self.prepare(self.request, self.plan.clips[shot.clip]), shot))

    def _close_before(self, number: int) -> None:
        for each in [each for each in self._views if each < number]:
            view = self._views.pop(each)
            if not view.cancel() and view.exception() is None:
                view.result().close()
