"""One person's session: music, pictures and answers, each in a thread, paced by the clock.

Sound is rendered LEAD_S before it is heard, while keys or knobs are touched PLAYING_LEAD_S, so that both act soon. All
that a session holds is its own but for the networks' weights; `close` ends every thread within the time of one bar's
writing or one step of the video sampler.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

from models.live import messages, phrase
from models.live.audio_features import FeatureTracker, MusicFeatureTracker
from models.live.bar_generator import FULL_EFFORT, LESS_EFFORT, BarGenerator, LiveBar
from models.live.clip_stream import ClipStream
from models.live.controls import LiveControls
from models.live.frame_stream import QUALITIES, FrameStream
from models.live.load_monitor import LEAST_WORK, LoadMonitor
from models.live.messages import Send
from models.live.music_stream import BarMark, LiveChunk, MusicStream
from models.live.recording import MODEL, SessionRecording, to_int16
from models.threads import use_single_thread

log = logging.getLogger(__name__)

LEAD_S, PLAYING_LEAD_S = 0.45, 0.25
PLAYING_FOR_S = 3.0  # after the last key or turn of a knob
PICTURE_LEAD_S = 0.15
NEWS_EVERY_S = 0.5
PAINTER_NICENESS, PICTURE_NICENESS = 10, 3
NAP_S, FILM_PATIENCE_S = 0.05, 2.0


class PictureWorker:
    """Threads that draw and show pictures, and a third that makes clips where a model does."""

    def __init__(
        self, frames: FrameStream, features: FeatureTracker, get_time_s: Callable[[], float], send: Send
    ) -> None:
        self.frames, self.features, self.get_time_s, self.send = frames, features, get_time_s, send
        self.is_still, self.level = False, 0
        self._closing = threading.Event()
        works: list[tuple[Callable[[], None], int, str]] = [
            (self._paint, PAINTER_NICENESS, "painter"),
            (self._show, PICTURE_NICENESS, "frames"),
        ]
        if isinstance(frames, ClipStream):
            works.append((partial(frames.clip_generator.work, self._closing, lambda: self.level > 0), 0, "film"))
        self._threads = [
            threading.Thread(target=self._run_guarded, args=(work, niceness), name=f"auralume-live-{name}", daemon=True)
            for work, niceness, name in works
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End the threads; one that films, and is in the middle of a long step or a load, ends when that is over."""
        self._closing.set()
        for thread in self._threads:
            thread.join(timeout=FILM_PATIENCE_S if thread.name.endswith("film") else 10.0)

    @property
    def is_working(self) -> bool:
        """Return whether a thread is alive."""
        return any(thread.is_alive() for thread in self._threads)

    def set_level(self, level: int) -> None:
        """Set the level: 0 is full quality; beyond QUALITIES the picture stands still.

        Filming rests at any level but 0.
        """
        self.level = level
        self.is_still = level >= len(QUALITIES)
        self.frames.quality = QUALITIES[min(level, len(QUALITIES) - 1)]

    def _run_guarded(self, work: Callable[[], None], niceness: int) -> None:
        use_single_thread(niceness)
        try:
            work()
        except Exception:
            log.exception("The pictures of a live session ended")
            self.send(messages.pack_json(problem="The pictures ended by a mistake of the studio; the music goes on."))

    def _paint(self) -> None:
        while not self._closing.is_set():
            if self._is_resting() or not self.frames.wants_more():
                self._closing.wait(NAP_S)
                continue
            now_s = self.get_time_s()
            energy = self.features.read_at(now_s).energy
            self.frames.paint(now_s + self.frames.ready_s, energy, lambda: self._closing.is_set() or self._is_resting())

    def _is_resting(self) -> bool:
        """Return whether the picture stands still, and there is one."""
        return self.is_still and self.frames.has_picture

    def _show(self) -> None:
        due_s = self.get_time_s()
        while not self._closing.is_set():
            due_s += 1.0 / self.frames.quality.shown
            now_s = self.get_time_s()
            due_s = max(due_s, now_s)  # what is too late for this one is the next
            if self._closing.wait(max(0.0, due_s - now_s - PICTURE_LEAD_S)):
                return
            if self._is_resting():
                continue
            frame = self.frames.render_frame(due_s, self.features.read_at(due_s))
            if frame is not None:
                self.send(messages.pack_picture(due_s, frame.pixels))

    def describe(self) -> dict[str, Any]:
        """Return facts for the meter."""
        return self.frames.describe(self.get_time_s()) | ({"shown": 0, "drawn": 0} if self.is_still else {})


class LiveSession:
    """A session that plays until it is closed.

    Args:
        writer, bank: of the shared composer.
        frames: the pictures, or None.
        folder: where the recording goes.
        send: called from several threads with each message.
        program: what the person's keys and the answers sound like.
    """

    kind: Literal["music"] = "music"

    def __init__(
        self,
        bar_generator: BarGenerator,
        controls: LiveControls,
        seed: int,
        frames: FrameStream | None,
        folder: Path,
        send: Send,
        program: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.music = MusicStream(bar_generator, bar_generator.composer.bank, controls, seed)
        self.recording = SessionRecording(folder, self.music.sample_rate)
        self.meter = LoadMonitor(frames is not None)
        self.features = MusicFeatureTracker()
        self.program, self.answers = program, 0
        self.send, self.clock = send, clock
        self.pictures = PictureWorker(frames, self.features, self.get_time_s, send) if frames is not None else None
        self._began: float | None = None
        self._closing = threading.Event()
        self._phrase = phrase.Phrase()
        self._keys = threading.Condition()
        self._last_touch = -1e9
        self._last_news = -1e9
        self._threads = [
            threading.Thread(target=self._run_guarded, args=(work,), name=f"auralume-live-{name}", daemon=True)
            for work, name in ((self._play, "sound"), (self._respond, "answers"))
        ]

    # ---- from outside

    def start(self) -> None:
        """Begin to play."""
        self.music.start()
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End everything, and finish the recording with what still sounds."""
        self._closing.set()
        with self._keys:
            self._keys.notify_all()
        self.music.close()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(timeout=10.0)
        if self.pictures is not None:
            self.pictures.close()
        if self._began is not None and not self._threads[0].is_alive():
            chunk = self.music.finish()
            self.recording.add(chunk, to_int16(chunk.samples))
        self.recording.close()

    @property
    def is_working(self) -> bool:
        """Return whether any of its threads is alive."""
        pictures = self.pictures is not None and self.pictures.is_working
        return pictures or self.music.is_writing or any(thread.is_alive() for thread in self._threads)

    def get_time_s(self) -> float:
        """Return what is heard now, in seconds of the stream."""
        return 0.0 if self._began is None else self.clock() - self._began

    def turn(self, controls: LiveControls) -> None:
        """Set the knobs."""
        self._last_touch = self.clock()
        self.music.turn(controls)

    def lead_to(self, prompt: str, over_s: float) -> None:
        """Lead the pictures to another prompt; raises ValueError for one that cannot be used."""
        if self.pictures is None:
            raise ValueError("There are no pictures in this session.")
        self.pictures.frames.lead_to(prompt, self.get_time_s(), over_s)

    def take_key(self, pitch: int, velocity: int, is_down: bool, at_s: float | None = None) -> None:
        """Take a key of the person that goes down or up, at a time of the stream as the person heard it."""
        now_s = self.get_time_s()
        heard_s = now_s if at_s is None else min(max(at_s, now_s - 2.0), now_s)
        with self._keys:
            self._last_touch = self.clock()
            if is_down:
                self.music.drop_extras()  # whoever plays again is listened to
                self._phrase.press(pitch, velocity, heard_s)
                note = None
            else:
                note = self._phrase.release(pitch, heard_s, self.clock())
            self._keys.notify_all()
        mark = self.music.find_mark(note.start_s) if note is not None else None
        if note is not None and mark is not None and note.end_s is not None:
            length_s = note.end_s - note.start_s
            self.recording.add_note(mark, note.start_s, length_s, note.pitch, note.velocity, self.program)

    # ---- its threads

    def _run_guarded(self, work: Callable[[], None]) -> None:
        use_single_thread()
        try:
            work()
        except Exception:
            if not self._closing.is_set():
                log.exception("A live session ended")
                self.send(messages.pack_json(problem="The music ended by a mistake of the studio; press Start.", end=1))

    def _choose_lead_s(self) -> float:
        return PLAYING_LEAD_S if self.clock() - self._last_touch < PLAYING_FOR_S else LEAD_S

    def _play(self) -> None:
        while not self._closing.is_set():
            wished_s = self._choose_lead_s()
            spare_s = self.music.rendered_s - self.get_time_s() - wished_s
            if self._began is not None and spare_s > 0:
                self._closing.wait(min(spare_s, NAP_S))
                continue
            chunk = self.music.render_chunk()
            if self._began is None:
                self._began = self.clock()
                if self.pictures is not None:
                    self.pictures.start()
            self._deliver(chunk, wished_s)

    def _deliver(self, chunk: LiveChunk, wished_s: float) -> None:
        assert self._began is not None
        margin_s = chunk.start / chunk.sample_rate - self.get_time_s() if chunk.start else 0.0
        if margin_s < 0:  # the listener waited for this chunk: the clock goes on from here
            self._began -= margin_s
        pcm = to_int16(chunk.samples)
        self.send(messages.pack_sound(chunk.start, pcm))
        self.recording.add(chunk, pcm)
        self.features.add(chunk)
        self.meter.count(chunk, margin_s)
        if chunk.bars:
            self.send(messages.pack_json(bars=[_describe_bar(mark, bar) for mark, bar in chunk.bars]))
        buffer_s = self.music.rendered_s - self.get_time_s()
        level = self.meter.govern(self.clock(), buffer_s, wished_s)
        if self.pictures is not None:
            self.pictures.set_level(level)
        effort = LESS_EFFORT if level >= LEAST_WORK else FULL_EFFORT
        if self.music.wanted[1] != effort:
            self.music.turn(self.music.wanted[0], effort)
        self._tell(buffer_s)

    def _tell(self, buffer_s: float) -> None:
        if self.clock() - self._last_news < NEWS_EVERY_S:
            return
        self._last_news = self.clock()
        report = self.meter.report(buffer_s, self.music.ahead_s)
        facts = {
            "share": round(report.share, 3),
            "took_ms": round(1000 * report.last_took_s, 1),
            "lasts_ms": round(1000 * report.last_lasts_s, 1),
            "buffer_s": round(report.buffer_s, 3),
            "ahead_s": round(report.ahead_s, 2),
            "chunks": report.chunks,
            "late": report.late,
            "level": report.level,
            "says": report.says,
            "recorded_s": round(self.recording.duration_s, 1),
            "record_full": self.recording.is_full,
        }
        self.send(messages.pack_json(meter=facts, pictures=self.pictures.describe() if self.pictures else None))

    def _respond(self) -> None:
        """Write an answer whenever all keys are up; play it if they stay up."""
        while True:
            with self._keys:
                self._keys.wait_for(lambda: self._closing.is_set() or (self._phrase.notes and not self._phrase.is_open))
                if self._closing.is_set():
                    return
                revision, notes = self._phrase.revision, list(self._phrase.notes)
                released_at = self._phrase.released_at
            controls = self.music.wanted[0]
            written = phrase.write_answer(
                self.music.bar_generator, notes, controls, self.program, self.music.seed, self.answers
            )
            with self._keys:
                left_s = released_at + phrase.PAUSE_S - self.clock()
                goes_on = self._keys.wait_for(partial(self._is_another, revision), max(0.0, left_s))
                if goes_on or not written:
                    if not goes_on:
                        self._phrase.take()
                    continue
                self._phrase.take()
            self._answer(written, controls, released_at)

    def _is_another(self, revision: int) -> bool:
        """Return whether the phrase has changed since, or the session ends."""
        return self._closing.is_set() or self._phrase.revision != revision

    def _answer(self, written: list[Any], controls: LiveControls, released_at: float) -> None:
        earliest_s = max(self.music.rendered_s, self.get_time_s())
        mark = self.music.find_mark(earliest_s)
        if mark is None:
            return
        start_s = phrase.snap_to_grid(mark, earliest_s)
        notes = phrase.schedule_answer(written, mark.controls, self.program, start_s)
        self.music.add(notes)
        self.answers += 1
        for note in notes:
            self.recording.add_note(mark, note.start_s, note.length_s, note.pitch, note.velocity, note.program, MODEL)
        first_s = min(note.start_s for note in notes)
        waited_s = (self._began or 0.0) + first_s - released_at
        self.send(
            messages.pack_json(
                answer={
                    "start_s": first_s,
                    "after_s": round(waited_s, 3),
                    "notes": [[round(n.start_s, 3), round(n.length_s, 3), n.pitch] for n in notes],
                }
            )
        )


def _describe_bar(mark: BarMark, bar: LiveBar) -> dict[str, Any]:
    """Describe a bar for the page: when, in which key, its notes."""
    each = bar.controls.second_a_position
    return {
        "index": mark.index,
        "start_s": round(mark.start_s, 4),
        "end_s": round(mark.end_s, 4),
        "key": f"{bar.controls.tonic} {bar.controls.mode}",
        "tempo": bar.controls.tempo,
        "turned": mark.turned,
        "wrote_ms": round(1000 * bar.took_s),
        "notes": [
            [
                round(mark.locate_s(n.start), 3),
                round(n.duration * each, 3),
                n.pitch,
                128 if n.is_drum else n.program,
                n.velocity,
            ]
            for n in bar.notes
        ],
    }
