"""Live pictures by a model of the Hub, which makes clips ahead; they are shown in turn while it makes the next.

Such a model takes seconds for a clip on a GPU, and minutes without one. So it works in a thread of its own, step by
step, and rests between two steps as long as the machine is busy: sound comes first. Until its first clip is there, the
model that ships with the studio draws. Clips are shown forwards and, where there is but one, backwards again; one melts
into the next. Another prompt is filmed anew, and the first clip of it takes over.

Letters: F frames, R x S pixels.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contracts import MAX_SEED, Progress, VideoRequest, check_number
from models.errors import Cancelled, ModelError
from models.hub.download import OnProgress
from models.live.frame_stream import SHOWN_RATE, SHOWN_SIZE, FrameGenerator, FrameStream, check_prompt
from models.threads import use_single_thread
from models.video.interpolation import interpolate

log = logging.getLogger(__name__)

Pixels = NDArray[np.uint8]
Load = Callable[[OnProgress], Any]

KEPT = 4  # clips of one prompt; when they are there, filming ends until the prompt changes
CLIP_FRAMES, STEPS = 24, 20  # frames at the studio's eight a second: three seconds
GUIDANCE = 5.0  # of a model that has no usual one
FADE_FRAMES = 8
SMOOTH_RATE = 12.0  # what has fewer frames a second gets others between
NAP_S = 0.05
NICENESS = 10  # as the painter's


@dataclass(frozen=True, eq=False)
class ShownClip:
    """A clip ready to be shown.

    Attributes:
        frames: uint8 (F, SHOWN_SIZE, SHOWN_SIZE, 3).
        rate: frames a second.
    """

    frames: Pixels
    rate: float
    prompt: str

    @property
    def length_s(self) -> float:
        """Return the seconds from the first frame to the last."""
        return (len(self.frames) - 1) / self.rate


def prepare_frames(frames: Pixels, rate: float, prompt: str) -> ShownClip:
    """Cut the middle square of uint8 (F, R, S, 3) at the size that is shown, with frames between where they are few."""
    import cv2

    rows, columns = frames.shape[1:3]
    side = min(rows, columns)
    top, left = (rows - side) // 2, (columns - side) // 2
    cut = frames[:, top : top + side, left : left + side]
    if side != SHOWN_SIZE:
        how = cv2.INTER_AREA if side > SHOWN_SIZE else cv2.INTER_CUBIC
        cut = np.stack(
            [cv2.resize(np.ascontiguousarray(each), (SHOWN_SIZE, SHOWN_SIZE), interpolation=how) for each in cut]
        )
    if rate < SMOOTH_RATE and len(cut) > 1:
        factor = round(-(-SHOWN_RATE // rate))
        cut, rate = interpolate(cut, factor)[: (len(cut) - 1) * factor + 1], rate * factor
    return ShownClip(np.ascontiguousarray(cut), rate, prompt)


class ClipPlaylist:
    """Clips, and the place in them that is shown. `add` and `take` may be called from two threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clips: list[ShownClip] = []
        self._index, self._time_s, self._begins = 0, 0.0, True
        self._last: Pixels | None = None
        self._fading = 0

    def __len__(self) -> int:
        return len(self._clips)

    def count(self, prompt: str) -> int:
        """Count the clips of a prompt."""
        with self._lock:
            return sum(clip.prompt == prompt for clip in self._clips)

    def add(self, clip: ShownClip) -> None:
        """Put a clip in; the first one of another prompt takes over at once."""
        with self._lock:
            if self._clips and self._clips[-1].prompt != clip.prompt:
                self._clips, self._index, self._time_s, self._begins = [], 0, 0.0, True
            self._clips.append(clip)
            if len(self._clips) > KEPT:
                self._clips.pop(0)
                self._index = max(0, self._index - 1)

    def take(self, count: int, rate: float, before: Pixels | None = None) -> Pixels:
        """Return the next frames, uint8 (count, SHOWN_SIZE, SHOWN_SIZE, 3).

        Args:
            rate: how many of them are shown each second.
            before: what was shown before the first clip, to begin from.
        """
        with self._lock:
            if self._last is None:
                self._last = before
            return np.stack([self._find_next(1.0 / rate) for _ in range(count)])

    def _find_next(self, step_s: float) -> Pixels:
        clip = self._clips[self._index]
        if self._begins:
            self._begins, self._fading = False, FADE_FRAMES if self._last is not None else 0
        else:
            self._time_s += step_s
            if len(self._clips) > 1 and self._time_s > clip.length_s:
                self._index, self._time_s = (self._index + 1) % len(self._clips), 0.0
                clip, self._fading = self._clips[self._index], FADE_FRAMES
        length_s = max(clip.length_s, 1e-6)
        phase_s = self._time_s % (2 * length_s)  # there and, where it is the only clip, back
        frame = clip.frames[round(min(phase_s, 2 * length_s - phase_s) * clip.rate)]
        if self._fading and self._last is not None and self._last.shape == frame.shape:
            share = 1.0 / self._fading
            frame = np.round(frame * share + self._last * (1 - share)).astype(np.uint8)
        self._fading = max(0, self._fading - 1)
        self._last = frame
        return frame


class ClipGenerator:
    """A model that makes clips in the thread that calls `work`, which loads it first.

    Args:
        load: brings the model and loads it, telling its progress; `registry.load` of one key.
        title: of the model, for a person.
        seed: of the first clip; those after it count on from there.
        guidance: how strictly the model follows the prompt.
    """

    def __init__(self, load: Load, title: str, prompt: str, seed: int = 0, guidance: float = GUIDANCE) -> None:
        self.playlist = ClipPlaylist()
        self.title, self.prompt = title, check_prompt(prompt)
        self.problem = ""
        self._load, self._seed, self._guidance, self._filmed = load, seed, guidance, 0
        self._doing = "is on its way"
        self._share = 0.0  # of the clip in work
        self.rests = False

    def lead_to(self, prompt: str) -> None:
        """Film another prompt from now on; raises ValueError for one that cannot be used."""
        self.prompt = check_prompt(prompt)

    @property
    def share(self) -> float:
        """Return how much of the way to the prompt is done: 1 as soon as a clip of it is there."""
        return 1.0 if self.problem or self.playlist.count(self.prompt) else self._share

    @property
    def says(self) -> str:
        """Say what it does just now, for a person."""
        count = len(self.playlist)
        there = f"{count} clip{'' if count == 1 else 's'} of {self.title} shown in turn" if count else ""
        meanwhile = there or "the shipped model draws meanwhile"
        if self.problem:
            return f"{self.problem} {meanwhile[0].upper()}{meanwhile[1:]}."
        if self.playlist.count(self.prompt) >= KEPT:
            return f"{there}; all are filmed"
        return f"{meanwhile}; {self.title} {'rests, so that the sound goes on' if self.rests else self._doing}"

    def work(self, closing_: threading.Event, busy: Callable[[], bool]) -> None:
        """Load, then film until `closing_` is set, resting while `busy()`; a failure ends the filming and is told."""

        def told(progress: Progress) -> None:
            if closing_.is_set():
                raise Cancelled
            share = f", {100 * progress.done // progress.total} %" if progress.total else ""
            self._doing = f"is {progress.stage}{share}"

        try:
            model = self._load(told)
            use_single_thread(NICENESS)  # after loading: giving way while holding the GIL would delay the sound
            while not closing_.is_set():
                if self.playlist.count(self.prompt) >= KEPT or self._rest(busy):
                    closing_.wait(NAP_S)
                    continue
                self._clip(model, closing_, busy)
        except Cancelled:
            return
        except (ModelError, ValueError) as error:
            said = str(error).strip()
            self.problem = said[:1].upper() + said[1:]
        except Exception:
            log.exception("The filming of a live session ended")
            self.problem = f"{self.title} failed by a mistake of the studio."

    def _rest(self, busy: Callable[[], bool]) -> bool:
        self.rests = busy()
        return self.rests

    def _clip(self, model: Any, closing_: threading.Event, busy: Callable[[], bool]) -> None:
        """Film one clip; one that is begun is given up when the session ends or another prompt is wanted."""
        prompt, self._share = self.prompt, 0.0
        self._doing = f"begins clip {self._filmed + 1}"
        request = VideoRequest(
            prompt,
            frames=CLIP_FRAMES,
            steps=STEPS,
            guidance=self._guidance,
            seed=(self._seed + self._filmed) % (MAX_SEED + 1),
        )
        pieces: list[Pixels] = []
        rate = SHOWN_RATE * 1.0
        with closing(model.stream(request)) as chunks:
            for chunk in chunks:
                if len(chunk.frames):
                    pieces.append(chunk.frames)
                    rate = chunk.frames_per_second
                if chunk.total:
                    self._share = chunk.done / chunk.total
                self._doing = f"films clip {self._filmed + 1}, step {chunk.step} of {chunk.steps}"
                while not chunk.last and not closing_.is_set() and self._rest(busy):
                    closing_.wait(NAP_S)  # the model waits at its next step until this goes on
                if closing_.is_set() or self.prompt != prompt:
                    return
        if pieces:
            self._filmed += 1
            frames, lay = np.concatenate(pieces), getattr(getattr(model, "model", model), "compose", None)
            if lay is not None:  # the studio's own models have named things laid over their scenes
                frames = lay(request, frames, rate)
            self.playlist.add(prepare_frames(frames, rate, prompt))


class ClipStream(FrameStream):
    """Frames of the clips that there are; until then those of the shipped model, where it draws."""

    def __init__(
        self,
        clip_generator: ClipGenerator,
        frame_generator: FrameGenerator | None,
        enlarge: Callable[[Pixels], Pixels] | None,
    ) -> None:
        super().__init__(frame_generator, enlarge)
        self.clip_generator = clip_generator

    def wants_more(self) -> bool:
        """Return what `FrameStream.wants_more` does; never True while there is nothing to show."""
        return super().wants_more() and (self.frame_generator is not None or len(self.clip_generator.playlist) > 0)

    def paint(self, time_s: float, energy: float, should_stop: Callable[[], bool] = lambda: False) -> None:
        """Make a second of frames ready."""
        if not len(self.clip_generator.playlist):
            super().paint(time_s, energy, should_stop)
            return
        shown = self.quality.shown
        frames = self.clip_generator.playlist.take(shown, shown, self._shown)
        with self._lock:
            self._ready.extend((each, True) for each in frames)
            self.drawn_frames += len(frames)

    def lead_to(self, prompt: str, now_s: float, over_s: float) -> None:
        """Film another prompt; the painter is led there, too."""
        check_number("over_s", over_s, 0.0, 60.0)
        self.clip_generator.lead_to(prompt)
        super().lead_to(prompt, now_s, over_s)

    def describe(self, now_s: float) -> dict[str, Any]:
        """Return the facts of `FrameStream.describe`, and what the film says."""
        drawn = self.quality.shown if len(self.clip_generator.playlist) else self.quality.drawn
        told = {
            "morph": round(self.clip_generator.share, 2),
            "prompt": self.clip_generator.prompt,
            "says": self.clip_generator.says,
        }
        return super().describe(now_s) | told | {"drawn": round(drawn, 2), "clips": len(self.clip_generator.playlist)}
