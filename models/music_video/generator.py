"""A song and a look become a music video: planned on its beats, drawn by the video model, encoded as it is drawn.

The video model makes a few key clips for each kind of section. Their frames are run through in time so that the shown
motion is quickest on every beat (`drawing.ease`) and turns between beats; camera, light and colour kick in the very
frame of the beat. Between the model's frames pixels move along the optical flow: the model's own space is that of
pixels, so that is also where the interpolation happens.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from models.errors import ModelError
from models.media.program import MediaError
from models.media.write import VideoWriter, cut_end
from models.music_video.contracts import DRAWN_BY_RULE, FRAME_RATE, MAX_MEDIA, MusicVideoChunk, MusicVideoRequest
from models.music_video.drawing import Choreography, FramePainter
from models.music_video.filming import REACH, Filming
from models.music_video.key_clips import PREPARED_FRAMES, KeyClips, Upscale
from models.music_video.lettering import find_note
from models.music_video.material import OwnMedium, look_at
from models.music_video.own_views import OwnShots
from models.music_video.plan import KeyClip, MusicVideoPlan, assign_media, plan_video
from models.music_video.templates import TEMPLATES
from models.music_video.visualiser import Visualiser, number_sections

Pixels = NDArray[np.uint8]

LONGEST_WORK_S = 3600.0
TRIAL_FRAMES = 8
REPORT_EVERY_S = 0.5
QUALITY = 21  # of H.264
KEY_FRAMES_S = 5
PICTURE_WIDTH = 480


@dataclass
class WorkCost:
    """What the work takes, in seconds, as measured so far."""

    clip_s: float
    prepare_s: float
    frame_s: float

    def estimate(self, clips: int, shots: int, frames: int) -> float:
        """Estimate the seconds of so many new clips, changes of clip, and frames."""
        return clips * self.clip_s + shots * self.prepare_s + frames * self.frame_s


class MusicVideoGenerator:
    """The generator of music videos with one video model; one request at a time."""

    def __init__(self, model: Any, upscale: Upscale | None = None, longest_work_s: float = LONGEST_WORK_S) -> None:
        self.clips = KeyClips(model, upscale)
        self.longest_work_s = longest_work_s
        self._looked: LRUCache[tuple[str, int, int], OwnMedium] = LRUCache(2 * MAX_MEDIA)
        self._lock = threading.Lock()

    def stream(
        self, request: MusicVideoRequest, should_end: Callable[[], bool] = lambda: False
    ) -> Iterator[MusicVideoChunk]:
        """Draw and write the video; closing the iterator stops the work and leaves neither process nor file.

        Args:
            should_end: asked between frames; once it is true the video ends with the frames that are drawn.

        Raises:
            ValueError: the work would take longer than `longest_work_s`, told before it begins.
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
        painter = FramePainter(Choreography(request, plan, PREPARED_FRAMES))
        shots = [shot for shot in plan.shots if shot.start < request.frame_count]
        by_rule = request.scene in DRAWN_BY_RULE
        chosen = assign_media(plan.shots, len(request.media), request.scene)[: len(shots)]
        modelled = [shot for shot, place in zip(shots, chosen, strict=True) if place is None and not by_rule]
        needed = list(dict.fromkeys(shot.clip for shot in modelled))
        missing = [number for number in needed if not self.clips.has(request, plan.clips[number])]
        shown = (request.title, request.artist, *(caption.text for caption in request.captions))
        notes = (*plan.notes, *_note_pictures(request, plan), *find_note(shown))
        media: dict[int, OwnMedium] = {}
        for number, place in enumerate(sorted({place for place in chosen if place is not None})):
            yield MusicVideoChunk("looking", number, len(request.media), notes=notes)
            media[place] = self._look_at(request.media[place])
        yield MusicVideoChunk("measuring", 0.0, 1.0, notes=notes)
        visualiser = Visualiser(request, number_sections(request), media.get(0)) if by_rule else None
        filming = Filming(
            request, plan, painter, OwnShots(request, plan, media, chosen, REACH), self._prepare, visualiser
        )
        cost = self.measure(request, plan, filming, missing)
        total = cost.estimate(len(missing), len(modelled), request.frame_count)
        if total > self.longest_work_s:
            raise ValueError(
                f"This video would take about {total / 60:.0f} minutes to draw on this machine; at most "
                f"{self.longest_work_s / 60:.0f} work. Trim the song, or choose a smaller picture or fewer key clips."
            )
        progress = _Progress(cost, len(missing), len(modelled), request.frame_count, notes)
        yield progress.make_chunk("clips")
        for number in missing:
            began_s = time.perf_counter()
            with closing(self.clips.make(request, plan.clips[number])) as steps:
                for step in steps:
                    progress.clip_share = step.share
                    yield progress.make_chunk("clips", step.preview)
            progress.finish_clip(time.perf_counter() - began_s)
        with (
            _open_writer(request, request.out, request.song) as writer,
            closing(filming.draw_frames()) as drawn,
        ):
            reported_s = 0.0
            for frame in drawn:
                writer.write(frame)
                progress.finish_frame()
                if time.perf_counter() - reported_s > REPORT_EVERY_S:
                    reported_s = time.perf_counter()
                    yield progress.make_chunk("frames", frame)
                    if should_end():
                        break
        if progress.frames_made < request.frame_count:
            cut_end(request.out, progress.frames_made / FRAME_RATE)
        yield progress.make_last_chunk()

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
        frames
        drawn and encoded.
        """
        clip_s = self.clips.measure_step_s(request, plan.clips[missing[0]]) * request.steps if missing else 0.0
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
            with _open_writer(request, trial) as writer:
                for frame in range(frames):
                    writer.write(filming.painter.draw(frame, seen))
                wrote_s = time.perf_counter() - began_s
        finally:
            trial.unlink(missing_ok=True)
        return WorkCost(clip_s, prepare_s, wrote_s / frames)


def _note_pictures(request: MusicVideoRequest, plan: MusicVideoPlan) -> tuple[str, ...]:
    """Say what is drawn by rule, or how many of the media the song is too short for."""
    if request.scene in DRAWN_BY_RULE:
        return ("The pictures are drawn by rule from the song; no model has a part in them.",)
    seen, count = len(set(assign_media(plan.shots, len(request.media), request.scene)) - {None}), len(request.media)
    if not count or seen >= count or request.preview:
        return ()
    return (f"The first {seen} of your {count} photos and clips are shown; the song is too short for more.",)


def _open_writer(request: MusicVideoRequest, path: Path, song: Path | None = None) -> VideoWriter:
    """Open an MP4 for the frames of a request; one in five seconds stands for itself."""
    return VideoWriter(
        path, *request.frame_size, request.rate, QUALITY, song, request.shown_s, KEY_FRAMES_S * round(request.rate)
    )


class _Progress:
    """How far the work is, in seconds as measured while it goes on."""

    def __init__(self, cost: WorkCost, clips: int, shots: int, frames: int, notes: tuple[str, ...]) -> None:
        self.cost, self.clips, self.shots, self.frames, self.notes = cost, clips, shots, frames, notes
        self.clip_share = 0.0
        self.clips_made = self.frames_made = 0
        self.clips_s = 0.0
        self.frames_began_s: float | None = None
        self.frames_s = 0.0

    def finish_clip(self, seconds: float) -> None:
        """Note that a clip was made in so many seconds."""
        self.clips_made, self.clip_share = self.clips_made + 1, 0.0
        self.clips_s += seconds
        self.cost.clip_s = self.clips_s / self.clips_made

    def finish_frame(self) -> None:
        """Note that a frame was written."""
        now_s = time.perf_counter()
        if self.frames_began_s is None:
            self.frames_began_s = now_s
        self.frames_made += 1
        self.frames_s = now_s - self.frames_began_s
        if self.frames_made > 24:
            self.cost.frame_s, self.cost.prepare_s = self.frames_s / (self.frames_made - 1), 0.0

    def make_chunk(self, stage: str, picture: Pixels | None = None) -> MusicVideoChunk:
        """Say where the work is now."""
        cost = self.cost
        total = max(1e-6, cost.estimate(self.clips, self.shots, self.frames))
        done = cost.estimate(0, 0, self.frames_made) + cost.clip_s * (self.clips_made + self.clip_share)
        done = min(done, total)
        return MusicVideoChunk(
            stage, done, total, max(0.0, total - done), _shrink(picture), self.frames_made, self.notes
        )

    def make_last_chunk(self) -> MusicVideoChunk:
        """Make the last chunk."""
        return MusicVideoChunk("finished", 1.0, 1.0, 0.0, frames=self.frames_made, notes=self.notes, last=True)


def _shrink(picture: Pixels | None) -> Pixels | None:
    if picture is None:
        return None
    import cv2

    width = min(PICTURE_WIDTH, picture.shape[1])
    height = max(1, round(picture.shape[0] * width / picture.shape[1]))
    small: Any = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return small
