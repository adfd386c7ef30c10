"""A song and a look become a music video: planned on its beats, drawn by the video model, encoded as it is drawn.

The video model makes a few key clips for each kind of section. Their frames are run through in time so that the shown
motion is quickest on every beat (`drawing.ease`) and turns between beats; camera, light and colour kick in the very
frame of the beat. Between the model's frames pixels move along the optical flow: the model's own space is that of
pixels, so that is also where the interpolation happens.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from models.errors import ModelError
from models.media.program import MediaError
from models.music_video.contracts import DRAWN_BY_RULE, MAX_MEDIA, MusicVideoChunk, MusicVideoRequest
from models.music_video.drawing import Choreography, FramePainter
from models.music_video.filming import REACH, Filming
from models.music_video.key_clips import PREPARED_FRAMES, KeyClips, Upscale
from models.music_video.lettering import find_note
from models.music_video.material import OwnMedium, look_at
from models.music_video.own_views import OwnShots
from models.music_video.plan import KeyClip, MusicVideoPlan, plan_video
from models.music_video.segments import SegmentStore, check_song, join_segments, shape_sound
from models.music_video.shot_crew import ShotCrew, SpreadShots
from models.music_video.shot_files import REPORT_EVERY_S, DrawnShots, ShotWriter, open_writer, shrink
from models.music_video.shot_keys import make_shot_key
from models.music_video.storyboard import name_media
from models.music_video.stylist import StyleShelf, Stylist
from models.music_video.templates import TEMPLATES
from models.music_video.visualiser import Visualiser, number_sections
from models.workers.order import work_in_order

Pixels = NDArray[np.uint8]

LONGEST_WORK_S = 3600.0
TRIAL_FRAMES = 8


@dataclass
class WorkCost:
    """What the work takes, in seconds, as measured so far."""

    clip_s: float
    prepare_s: float
    frame_s: float

    def share(self, places: int) -> WorkCost:
        """Return what it takes where frames of so many shots are made side by side."""
        return WorkCost(self.clip_s, self.prepare_s / places, self.frame_s / places)

    def estimate(self, clips: int, shots: int, frames: int) -> float:
        """Estimate the seconds of so many new clips, changes of clip, and frames."""
        return clips * self.clip_s + shots * self.prepare_s + frames * self.frame_s


class MusicVideoGenerator:
    """The generator of music videos with one video model; one request at a time.

    Args:
        model: draws the key clips; None where no shot needs one.
        upscale: enlarges them; drawer: lays named things over them, see `KeyClips`.
        store: keeps the shots that were drawn.
        name: of the model, by which its shots are known in a store of several.
        places: how many key clips the model makes side by side.
        crew: draws the shots; None draws them here.
    """

    def __init__(
        self, model: Any, upscale: Upscale | None = None, longest_work_s: float = LONGEST_WORK_S,
        store: SegmentStore | None = None, name: str = "", drawer: Any = None, places: int = 1,
        crew: ShotCrew | None = None,
    ) -> None:  # fmt: skip
        self.clips = KeyClips(model, upscale, drawer)
        self.longest_work_s, self.name, self.places, self.crew = longest_work_s, name, places, crew
        self.store = store or SegmentStore()
        self._looked: LRUCache[tuple[str, int, int], OwnMedium] = LRUCache(2 * MAX_MEDIA)
        self._frame_s: dict[tuple[int, int], float] = {}
        self._styles = StyleShelf()
        self._lock = threading.Lock()

    def stream(
        self, request: MusicVideoRequest, should_end: Callable[[], bool] = lambda: False
    ) -> Iterator[MusicVideoChunk]:
        """Draw and write the video; closing the iterator stops the work and leaves neither process nor file.

        Args:
            should_end: asked between frames; once it is true the video ends with the frames that are drawn.

        Raises:
            ValueError: the work would take longer than `longest_work_s`, told before it begins; or the storyboard shows
                what is not there.
            ModelError: another video is being made with this generator.
            MediaError: the file cannot be written.
        """
        if not self._lock.acquire(blocking=False):
            raise ModelError("Another music video is being made just now; wait until it is finished.", "busy")
        try:
            yield from self._stream(request, should_end)
        finally:
            self.clips.forget_prepared()
            self._lock.release()

    def _stream(self, request: MusicVideoRequest, should_end: Callable[[], bool]) -> Iterator[MusicVideoChunk]:
        if request.template:
            request = replace(request, look=TEMPLATES[request.template].apply(request.look))
        plan = plan_video(request)
        check_song(request.song)
        painter = FramePainter(Choreography(request, plan, PREPARED_FRAMES))
        names = name_media(request.media)
        count = sum(shot.start < request.frame_count for shot in plan.shots)
        chosen = tuple(names.index(shot.source) if shot.source else None for shot in plan.shots[:count])
        shown = (
            request.title,
            request.artist,
            request.finish.end_text,
            *(caption.text for caption in request.captions),
        )
        notes = (
            *plan.notes,
            *self.clips.list_credits(request, plan.clips),
            *_note_pictures(request, plan),
            *find_note(shown),
        )
        media: dict[int, OwnMedium] = {}
        needed = {place for place in chosen if place is not None} | ({0} if request.scene == "cover" else set())
        for number, place in enumerate(sorted(needed)):
            yield MusicVideoChunk("looking", number, len(needed), notes=notes)
            media[place] = self._look_at(request.media[place])
        yield MusicVideoChunk("measuring", 0.0, 1.0, notes=notes)
        own, stylist = OwnShots(request, plan, media, chosen, REACH), Stylist(request, self._styles)
        filming = Filming(request, plan, painter, own, self._prepare, stylist)
        keys = [make_shot_key(filming, number, self.name) for number in range(count)]
        with self.store.hold(keys):
            yield from self._film(filming, keys, media.get(0), notes, should_end)

    def _film(
        self, filming: Filming, keys: list[str], cover: OwnMedium | None, notes: tuple[str, ...],
        should_end: Callable[[], bool],
    ) -> Iterator[MusicVideoChunk]:  # fmt: skip
        """Draw the shots that are not kept, and join all."""
        request, plan = filming.request, filming.plan
        todo = [number for number, key in enumerate(keys) if not self.store.has(key)]
        seen = sorted({*todo, *(each for number in todo for each in filming.find_neighbours(number))})
        given = [number for number in seen if filming.own.shots[number] is None]
        if request.scene in DRAWN_BY_RULE and given:
            filming.visualiser = Visualiser(request, number_sections(request), cover)
        needed = {plan.shots[number].clip for number in given} if filming.visualiser is None else set()
        missing = sorted(number for number in needed if not self.clips.has(request, plan.clips[number]))
        if missing and self.clips.model is None:
            raise ValueError("There is no video model on this shelf, so there is nothing that could draw a shot.")
        frames = sum(len(filming.find_span(number)) for number in todo)
        modelled = len(given) if filming.visualiser is None else 0
        cost = self.measure(request, plan, filming, missing) if todo else WorkCost(0.0, 0.0, 0.0)
        cost.frame_s += filming.estimate_painting_s(todo) / max(1, frames)
        crew = self.crew if len(todo) > 1 else None
        cost = cost.share(min(crew.places, len(todo)) if crew is not None else 1)
        total = cost.estimate(len(missing), modelled, frames)
        if total > self.longest_work_s:
            raise ValueError(
                f"This video would take about {total / 60:.0f} minutes to draw on this machine; at most "
                f"{self.longest_work_s / 60:.0f} work. Trim the song, or choose a smaller picture or fewer key clips."
            )
        progress = _Progress(cost, len(missing), modelled, frames, notes)
        progress.frames_kept = request.frame_count - frames
        yield progress.make_chunk("clips")
        yield from self._make_clips(request, [plan.clips[number] for number in missing], progress)
        cut_short = self.store.make_path()
        try:
            if crew is not None:
                spread = SpreadShots(crew, filming, self.clips, self.store, keys, cover)
                drawn = yield from _follow(spread, todo, progress, should_end)
            else:
                drawn = yield from self._draw_shots(filming, keys, todo, progress, should_end, cut_short)
            segments = [
                (self.store.find_path(keys[number]), len(filming.find_span(number))) for number in range(drawn.whole)
            ]
            segments += [(cut_short, drawn.part)] if drawn.part else []
            length_s = float(sum(length for _, length in segments) / request.rate)
            shaped = shape_sound(request, min(length_s, request.shown_s))
            join_segments(segments, request.rate, request.song, request.out, shaped)
        finally:
            cut_short.unlink(missing_ok=True)
        progress.frames_kept = sum(length for _, length in segments) - progress.frames_made
        progress.notes = (*progress.notes, *filming.stylist.notes)
        yield replace(
            progress.make_last_chunk(),
            storyboard=plan.storyboard,
            pictures=tuple(self.store.find_picture(key) for key in keys),
        )

    def _make_clips(
        self, request: MusicVideoRequest, clips: list[KeyClip], progress: _Progress
    ) -> Iterator[MusicVideoChunk]:
        """Let the model make key clips, one after the other with all its steps, or several side by side."""
        if self.places > 1:
            ended = threading.Event()
            began_s = time.perf_counter()
            make = partial(self.clips.make_whole, request, should_end=ended.is_set)
            with closing(work_in_order(clips, make, self.places, ended.set)) as made:
                for picture in made:
                    now_s = time.perf_counter()
                    progress.finish_clip(now_s - began_s)
                    began_s = now_s
                    yield progress.make_chunk("clips", picture)
            return
        for clip in clips:
            began_s = time.perf_counter()
            with closing(self.clips.make(request, clip)) as steps:
                for step in steps:
                    progress.clip_share = step.share
                    yield progress.make_chunk("clips", step.preview)
            progress.finish_clip(time.perf_counter() - began_s)

    def _draw_shots(
        self, filming: Filming, keys: list[str], todo: list[int], progress: _Progress, should_end: Callable[[], bool],
        cut_short: Path,
    ) -> Generator[MusicVideoChunk, None, DrawnShots]:  # fmt: skip
        """Draw and keep the shots of `todo`; returns how much of the video there is, from its beginning."""
        request = filming.request
        reported_s = 0.0
        for first, last in _list_runs(todo):
            with closing(filming.draw_shots(first, last)) as frames:
                for number in range(first, last + 1):
                    with ShotWriter(request, filming.find_span(number), cut_short) as writer:
                        for frame in frames:
                            writer.write(frame)
                            progress.finish_frames(1)
                            if time.perf_counter() - reported_s > REPORT_EVERY_S:
                                reported_s = time.perf_counter()
                                yield progress.make_chunk("frames", frame)
                                if should_end():
                                    break
                            if writer.is_whole:
                                break
                    if not writer.is_whole:
                        return DrawnShots(number, writer.written)
                    assert writer.picture is not None, "a shot has a middle"
                    self.store.keep(keys[number], cut_short, writer.picture)
        return DrawnShots(len(keys))

    def _look_at(self, path: Path) -> OwnMedium:
        """Look at a photo or clip; what was seen is kept, so that the whole video need not look again."""
        try:
            facts = path.stat()
        except OSError as error:
            raise MediaError(f"{path.name} is gone; choose your photos and clips again.") from error
        key = str(path), facts.st_mtime_ns, facts.st_size
        if key not in self._looked:
            self._looked[key] = look_at(path)
        return self._looked[key]

    def _prepare(self, request: MusicVideoRequest, clip: KeyClip) -> Pixels:
        return self.clips.prepare(request, clip)

    def measure(
        self, request: MusicVideoRequest, plan: MusicVideoPlan, filming: Filming, missing: list[int]
    ) -> WorkCost:
        """Measure what a clip and a frame take on this machine now: a step of the model, if clips are missing, and some
        frames drawn and encoded, unless that was done before.
        """
        clip_s = self.clips.measure_clip_s(request, plan.clips[missing[0]]) if missing else 0.0
        clip_s *= math.ceil(len(missing) / self.places) / max(1, len(missing))  # several are made side by side
        if not missing and request.frame_size in self._frame_s:
            return WorkCost(clip_s, 0.5, self._frame_s[request.frame_size])
        began_s = time.perf_counter()
        seen: Any = filming.visualiser or filming.own.open_trial()
        if seen is None:
            noise = np.random.default_rng(0).integers(0, 256, (16, request.size, request.size, 3), dtype=np.uint8)
            large = self.clips.upscale(noise[:4])
            seen = np.repeat(large, -(-PREPARED_FRAMES // len(large)), axis=0)[:PREPARED_FRAMES]
        prepare_s = (time.perf_counter() - began_s) * 4 + 0.3
        trial = request.out.with_suffix(".trial.mp4")
        frames = min(TRIAL_FRAMES, request.frame_count)
        began_s = time.perf_counter()
        try:
            with open_writer(request, trial) as writer:
                for frame in range(frames):
                    writer.write(filming.painter.draw(frame, seen))
                wrote_s = time.perf_counter() - began_s
        finally:
            trial.unlink(missing_ok=True)
        self._frame_s[request.frame_size] = wrote_s / frames
        return WorkCost(clip_s, prepare_s, wrote_s / frames)


def _follow(
    spread: SpreadShots, todo: list[int], progress: _Progress, should_end: Callable[[], bool]
) -> Generator[MusicVideoChunk, None, DrawnShots]:
    """Say how far the workers are; returns how much of the video there is, from its beginning."""
    with closing(spread.draw(todo, should_end)) as drawing:
        while True:
            try:
                next(drawing)
            except StopIteration as ended:
                return DrawnShots(ended.value)
            progress.finish_frames(spread.frames - progress.frames_made)
            yield progress.make_chunk("frames", spread.picture)


def _list_runs(numbers: list[int]) -> list[tuple[int, int]]:
    """Return the first and last of each run of neighbouring numbers."""
    starts = [at for at in numbers if at - 1 not in numbers]
    ends = [at for at in numbers if at + 1 not in numbers]
    return list(zip(starts, ends, strict=True))


def _note_pictures(request: MusicVideoRequest, plan: MusicVideoPlan) -> tuple[str, ...]:
    """Say what is drawn by rule, or how many of the media the song is too short for."""
    if request.scene in DRAWN_BY_RULE and not any(shot.source for shot in plan.shots):
        return ("The pictures are drawn by rule from the song; no model has a part in them.",)
    seen, count = len({shot.source for shot in plan.shots} - {""}), len(request.media)
    if not count or seen >= count or request.preview or request.storyboard is not None:
        return ()
    return (f"The first {seen} of your {count} photos and clips are shown; the song is too short for more.",)


class _Progress:
    """How far the work is, in seconds as measured while it goes on."""

    def __init__(self, cost: WorkCost, clips: int, shots: int, frames: int, notes: tuple[str, ...]) -> None:
        self.cost, self.clips, self.shots, self.frames, self.notes = cost, clips, shots, frames, notes
        self.clip_share = 0.0
        self.clips_made = self.frames_made = self.frames_kept = 0
        self.clips_s = 0.0
        self.frames_began_s: float | None = None
        self.frames_s, self.frames_untimed = 0.0, 0

    def finish_clip(self, seconds: float) -> None:
        """Note that a clip was made in so many seconds."""
        self.clips_made, self.clip_share = self.clips_made + 1, 0.0
        self.clips_s += seconds
        self.cost.clip_s = self.clips_s / self.clips_made

    def finish_frames(self, count: int) -> None:
        """Note that so many frames were written; fewer than none where a shot is drawn again."""
        now_s = time.perf_counter()
        if self.frames_began_s is None:
            self.frames_began_s, self.frames_untimed = now_s, count
        self.frames_made += count
        self.frames_s = now_s - self.frames_began_s
        if self.frames_made > 24:
            self.cost.frame_s, self.cost.prepare_s = self.frames_s / max(1, self.frames_made - self.frames_untimed), 0.0

    def make_chunk(self, stage: str, picture: Pixels | None = None) -> MusicVideoChunk:
        """Say where the work is now."""
        cost = self.cost
        total = max(1e-6, cost.estimate(self.clips, self.shots, self.frames))
        done = cost.estimate(0, 0, self.frames_made) + cost.clip_s * (self.clips_made + self.clip_share)
        done, frames = min(done, total), self.frames_kept + self.frames_made
        return MusicVideoChunk(
            stage,
            done,
            total,
            max(0.0, total - done),
            None if picture is None else shrink(picture),
            frames,
            self.notes,
        )

    def make_last_chunk(self) -> MusicVideoChunk:
        """Make the last chunk."""
        return MusicVideoChunk(
            "finished", 1.0, 1.0, 0.0, frames=self.frames_kept + self.frames_made, notes=self.notes, last=True
        )
